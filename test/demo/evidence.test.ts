import { expect, test } from 'vitest';
import type { AuditEvent } from '../control-plane/audit.ts';
import { ofBudgets, ofJobs, readings } from './evidence.ts';

function event(name: string, requestObject: unknown): AuditEvent {
  const who = { user: 'u', userAgent: '', verb: 'update', resource: '', subresource: '', namespace: 'shop' };
  return { ...who, time: 0, stageTimestamp: 0, name, code: 200, uri: '', requestObject };
}

const counted = (name: string, currentHealthy: number, desiredHealthy: number) =>
  event(name, { status: { currentHealthy, desiredHealthy } });

const job = (node: string, kind: string) =>
  event('', { metadata: { labels: { 'drydock.dev/job': kind }, annotations: { 'drydock.dev/node': node } } });

test('the lowest count of each budget is found, with what was needed then', () => {
  const found = ofBudgets(
    readings([counted('web', 10, 8), counted('pay', 2, 2), counted('web', 8, 8), counted('pay', 1, 1)]),
  );
  expect(found).toEqual([
    { subject: 'budget', text: 'shop/pay: lowest count 1, 1 needed; 0 of 2 counts below', kept: true },
    { subject: 'budget', text: 'shop/web: lowest count 8, 8 needed; 0 of 2 counts below', kept: true },
  ]);
});

test('a count below the need is told, and the promise is broken', () => {
  const [found] = ofBudgets(readings([counted('web', 10, 8), counted('web', 7, 8)]));
  expect(found).toEqual({
    subject: 'budget',
    text: 'shop/web: lowest count 7, 8 needed; 1 of 2 counts below',
    kept: false,
  });
});

test('what is no count is passed over', () => {
  expect(
    readings([event('web', {}), event('web', undefined), event('web', { status: { currentHealthy: 1 } })]),
  ).toEqual([]);
});

test.each<[what: string, jobs: readonly AuditEvent[], text: string, kept: boolean]>([
  [
    'one on each node',
    [job('a', 'prepare'), job('a', 'upgrade'), job('b', 'upgrade')],
    '1 upgrade on each of a, b; 1 before them to fetch the image',
    true,
  ],
  [
    'two on one node',
    [job('a', 'upgrade'), job('a', 'upgrade'), job('b', 'upgrade')],
    'upgrades: 2 on a, 1 on b; 0 before them to fetch the image',
    false,
  ],
  ['none on one node', [job('a', 'upgrade')], 'upgrades: 1 on a, 0 on b; 0 before them to fetch the image', false],
])('Jobs: %s', (_, jobs, text, kept) => {
  expect(ofJobs(jobs, ['a', 'b'])).toEqual({ subject: 'Jobs', text, kept });
});
