import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AuditLog, auditEvent, countBy, isOfTheCluster, serviceAccountUser } from './audit.ts';
import { until } from './until.ts';

const directory = mkdtempSync(join(tmpdir(), 'drydock-audit-'));
const OPERATOR = serviceAccountUser('drydock-system', 'drydock');

afterAll(() => rmSync(directory, { recursive: true }));

test('an eviction that was refused, as the API server writes it', () => {
  const event = auditEvent(
    entry(
      'create',
      { resource: 'pods', subresource: 'eviction', namespace: 'shop', name: 'web-1', apiVersion: 'v1' },
      429,
      {
        requestObject: { kind: 'Eviction', deleteOptions: { preconditions: { uid: 'u1' } } },
        responseStatus: {
          metadata: {},
          status: 'Failure',
          message: 'Cannot evict pod',
          reason: 'TooManyRequests',
          code: 429,
        },
      },
    ),
  );
  expect(event).toEqual({
    time: Date.parse('2026-11-21T10:00:00.000Z'),
    stageTimestamp: Date.parse('2026-11-21T10:00:01.500Z'),
    user: OPERATOR,
    userAgent: 'drydock/0.1.0',
    verb: 'create',
    resource: 'pods',
    subresource: 'eviction',
    namespace: 'shop',
    name: 'web-1',
    code: 429,
    uri: '/x',
    reason: 'TooManyRequests',
    message: 'Cannot evict pod',
    requestObject: { kind: 'Eviction', deleteOptions: { preconditions: { uid: 'u1' } } },
    objectUID: 'u1',
  });
});

test('only the end of a request is an event', () => {
  expect(auditEvent(entry('get', { resource: 'pods' }, 200, { stage: 'ResponseStarted' }))).toBeUndefined();
  expect(auditEvent(entry('get', { resource: 'pods' }, 200))).toBeDefined();
});

test('the log is read as it grows, and half a line waits for its other half', () => {
  const { log, add, file } = newLog('grows');
  expect(log.events()).toEqual([]);
  add(entry('patch', { resource: 'nodes', name: 'ä' }, 200));
  const whole = Buffer.from(`${entry('patch', { resource: 'nodes', name: 'ö' }, 200)}\n`);
  const cut = whole.indexOf(Buffer.from('ö')) + 1;
  appendFileSync(file, whole.subarray(0, cut));
  expect(log.events().map(({ name }) => name)).toEqual(['ä']);
  const mark = log.mark();
  appendFileSync(file, whole.subarray(cut));
  expect(log.events({ from: mark }).map(({ name }) => name)).toEqual(['ö']);
});

test('evictions by their answers, deletions by who is not the cluster, writes without noise', () => {
  const { log, add } = newLog('derived');
  const eviction = { resource: 'pods', subresource: 'eviction', namespace: 'shop' };
  for (const code of [201, 429, 429, 404]) add(entry('create', { ...eviction, name: `p${code}` }, code));
  add(entry('delete', { resource: 'pods', name: 'a' }, 200, { user: { username: 'kwok' } }));
  add(entry('delete', { resource: 'pods', name: 'b' }, 200));
  add(entry('update', { resource: 'leases', name: 'l' }, 200));
  add(entry('get', { resource: 'pods', name: 'a' }, 200));
  const { asked, accepted, refused, other } = log.evictions({ user: OPERATOR });
  expect([asked, accepted, refused, other].map(({ length }) => length)).toEqual([4, 1, 2, 1]);
  expect(log.podDeletions().map(({ name }) => name)).toEqual(['b']);
  expect(log.podDeletions({ user: 'kwok' }).map(({ name }) => name)).toEqual(['a']);
  expect(log.writes({ user: OPERATOR }).map(({ verb, resource }) => `${verb} ${resource}`)).toEqual([
    ...Array.from({ length: 4 }, () => 'create pods'),
    'delete pods',
  ]);
  expect(log.writes({ resource: 'leases' })).toHaveLength(1);
  expect(log.events({ code: [404, 429], verb: 'create' })).toHaveLength(3);
  expect(countBy(asked, ({ name }) => name)).toEqual(
    new Map([
      ['p201', 1],
      ['p429', 2],
      ['p404', 1],
    ]),
  );
});

test('a follower is told of what comes, until it ends', async () => {
  const { log, add } = newLog('follow');
  add(entry('patch', { resource: 'nodes', name: 'before' }, 200));
  const seen: string[] = [];
  const end = log.follow(({ name }) => seen.push(name), { resource: 'nodes' });
  add(entry('patch', { resource: 'nodes', name: 'n1' }, 200));
  add(entry('patch', { resource: 'pods', name: 'p1' }, 200));
  await until(() => seen.length > 0, { what: 'an event' });
  end();
  expect(seen).toEqual(['n1']);
});

test('the logs of several API servers are one, in the order of the answers, and each is read to its end', () => {
  const [one, two] = [newLog('several-1.log'), newLog('several-2.log')];
  const both = new AuditLog(one.file, two.file);
  const at = (second: number) => ({ stageTimestamp: `2026-11-21T10:00:0${second}.000000Z` });
  const names = (from = 0) => both.events({ from }).map(({ name }) => name);
  one.add(entry('patch', { resource: 'nodes', name: 'first' }, 200, at(1)));
  one.add(entry('patch', { resource: 'nodes', name: 'third' }, 200, at(3)));
  two.add(entry('patch', { resource: 'nodes', name: 'second' }, 200, at(2)));
  expect(names()).toEqual(['first', 'second', 'third']);
  const mark = both.mark();
  two.add(entry('patch', { resource: 'nodes', name: 'fifth' }, 200, at(5)));
  one.add(entry('patch', { resource: 'nodes', name: 'fourth' }, 200, at(4)));
  expect(names(mark)).toEqual(['fourth', 'fifth']);
});

test.each([
  ['kwok', true],
  ['node-agent', true],
  ['system:node:n1', true],
  ['system:kube-scheduler', true],
  ['system:serviceaccount:kube-system:job-controller', true],
  [OPERATOR, false],
  ['drydock-test-admin', false],
])('%s is of the cluster: %s', (user, is) => {
  expect(isOfTheCluster(user)).toBe(is);
});

function newLog(name: string) {
  const file = join(directory, name);
  return { file, log: new AuditLog(file), add: (line: string) => appendFileSync(file, `${line}\n`) };
}

function entry(verb: string, objectRef: object, code: number, more: object = {}): string {
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Request',
    stage: 'ResponseComplete',
    requestURI: '/x',
    verb,
    user: { username: OPERATOR },
    userAgent: 'drydock/0.1.0',
    objectRef,
    responseStatus: { metadata: {}, code },
    requestReceivedTimestamp: '2026-11-21T10:00:00.000123Z',
    stageTimestamp: '2026-11-21T10:00:01.500123Z',
    ...more,
  });
}
