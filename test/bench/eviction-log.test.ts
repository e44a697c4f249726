import { expect, test } from 'vitest';
import type { AuditEvent } from '../control-plane/audit.ts';
import { toldBy } from './eviction-log.ts';

const event = (at: number, what: Partial<AuditEvent>): AuditEvent => ({
  time: at,
  stageTimestamp: at,
  user: '',
  userAgent: '',
  verb: 'update',
  resource: 'pods',
  subresource: '',
  namespace: 'shop',
  name: '',
  code: 200,
  uri: '',
  ...what,
});
const allows = (at: number, disruptionsAllowed: number) =>
  event(at, { resource: 'poddisruptionbudgets', name: 'web', requestObject: { status: { disruptionsAllowed } } });
const evicts = (at: number, name: string, code = 201, user = 'drydock', answeredAt = at) =>
  event(at, { verb: 'create', subresource: 'eviction', name, code, user, stageTimestamp: answeredAt });
const gone = (at: number, name: string) => event(at, { verb: 'delete', name });
const PODS = new Map([
  ['web-1', 'web'],
  ['web-2', 'web'],
]);

test('a drain with a budget of one: calls, refusals, and the pause from the free budget to the next call', () => {
  const events = [
    allows(0, 1),
    evicts(10, 'web-1'),
    allows(11, 0),
    gone(20, 'web-1'),
    evicts(500, 'web-2', 429),
    allows(1_000, 1),
    evicts(1_040, 'web-2'),
    gone(1_060, 'web-2'),
  ];
  expect(toldBy(events, 'drydock', PODS)).toEqual({ evicted: 2, calls: 3, refused: 1, freedMs: [40], emptyAt: 1_060 });
});

test('what nobody waits for, what others do, and what is taken again before anybody asks, is not counted', () => {
  const late = [allows(0, 0), evicts(1, 'web-1'), evicts(2, 'web-2'), allows(3, 1), evicts(4, 'other')];
  expect(toldBy(late, 'drydock', PODS).freedMs).toEqual([]);
  const others = [allows(0, 0), allows(1, 1), evicts(2, 'web-1', 201, 'kubectl')];
  expect(toldBy(others, 'drydock', PODS)).toMatchObject({ calls: 0, freedMs: [] });
  const taken = [allows(0, 0), allows(1, 1), allows(2, 0), evicts(3, 'web-1', 429)];
  expect(toldBy(taken, 'drydock', PODS).freedMs).toEqual([]);
});

test('an eviction takes its allowance before it is answered, and is logged after that', () => {
  const events = [allows(0, 0), allows(10, 1), allows(31, 0), evicts(30, 'web-1', 201, 'drydock', 33)];
  expect(toldBy(events, 'drydock', PODS).freedMs).toEqual([20]);
});
