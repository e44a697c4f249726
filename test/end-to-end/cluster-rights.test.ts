import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { until } from '../control-plane/until.ts';
import { type Connected, connected, OTHER_UID, OURS } from './connected.ts';

let on: Connected;

beforeAll(async () => {
  on = await connected();
});

afterAll(() => on?.close());

const evict = (pod: string, uid: string) =>
  on.perform({ kind: 'evict', namespace: 'shop', pod, uid, gracePeriodSeconds: 1, lane: pod });
const budget = (name: string, spec: object) =>
  on.plane.admin.create('/apis/policy/v1/namespaces/shop/poddisruptionbudgets', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name },
    spec,
  });

describe('an eviction', () => {
  test('ends a pod, and no other by its name', async () => {
    const uid = await on.runningPod('free');
    expect(await evict('free', OTHER_UID)).toBe('conflict Other');
    expect(await evict('free', uid)).toBe('done');
    expect(await on.live('Pod', 'shop/free')).toMatchObject({ uid, deletedAt: expect.any(Number) });
    await on.plane.admin.delete('/api/v1/namespaces/shop/pods/free', { gracePeriodSeconds: 0 });
    expect(await evict('free', uid)).toBe('gone Other');
  });

  test('is refused by a budget, in its own words', async () => {
    const uid = await on.runningPod('kept', { app: 'kept' });
    await budget('kept', { selector: { matchLabels: { app: 'kept' } }, minAvailable: 1 });
    await until(async () => (await evict('kept', uid)) === 'blocked DisruptionBudget', {
      what: 'the budget is observed and refuses',
    });
    const outcome = await on.cluster.perform({ kind: 'evict', namespace: 'shop', pod: 'kept', uid, lane: 'kept' });
    expect(outcome).toMatchObject({
      message: expect.stringContaining('The disruption budget kept needs 1 healthy pods and has 1 currently'),
    });
    expect(on.cluster.caches.Pod.get('shop/kept')?.uid).toBe(uid);
  });

  test('of a pod with two budgets is refused for good', async () => {
    const uid = on.cluster.caches.Pod.get('shop/kept')?.uid ?? '';
    await budget('second', { selector: { matchLabels: { app: 'kept' } }, minAvailable: 1 });
    await until(async () => (await evict('kept', uid)) === 'refused TooManyBudgets', { what: 'both budgets are seen' });
  });
});

describe('an Event', () => {
  const shown = async (...args: string[]) => (await on.plane.kubectl(['describe', ...args])).stdout;

  test('on a Node is what kubectl describe shows, and the same again is counted', async () => {
    const { uid } = await on.live('Node', 'worker-1');
    const telling = {
      on: { kind: 'Node', name: 'worker-1', uid },
      type: 'Normal',
      reason: 'Cordoned',
      message: 'Taken out.',
    } as const;
    for (let time = 0; time < 3; time += 1) on.cluster.tell(telling);
    await until(
      async () => /Normal +Cordoned +.*\(x3 over .*\) +drydock +Taken out\./.test(await shown('node', 'worker-1')),
      { what: 'the Event is shown', seconds: 20 },
    );
  });

  test('on an object of ours is too', async () => {
    await on.own('ClusterUpgrade', 'stored', {
      profileName: 'p',
      target: { revision: 'r1' },
      nodes: { selector: { matchLabels: { nobody: 'here' } } },
      windowNames: [],
    });
    const { uid } = await on.live('ClusterUpgrade', 'stored');
    on.cluster.tell({
      on: { kind: 'ClusterUpgrade', name: 'stored', uid },
      type: 'Warning',
      reason: 'Blocked',
      message: 'A pod stays.',
    });
    await until(
      async () => /Warning +Blocked +.*drydock +A pod stays\./.test(await shown('clusterupgrade', 'stored')),
      { what: 'the Event is shown', seconds: 20 },
    );
    expect(on.said.filter(({ what }) => what === 'eventLost')).toEqual([]);
  });
});

test('a Lease is made, renewed and refused like any object', async () => {
  const time = new Date().toISOString().replace('Z', '000Z');
  const fresh = {
    name: 'drydock',
    namespace: 'kube-system',
    holder: 'one',
    durationSeconds: 30,
    acquireTime: time,
    renewTime: time,
    transitions: 0,
  };
  expect(await on.leases.read('drydock')).toEqual({ ok: true, value: undefined });
  const made = await on.leases.write(fresh);
  if (!made.ok) throw new Error(made.message);
  expect(await on.leases.read('drydock')).toEqual(made);
  expect(await on.leases.write(fresh)).toMatchObject({ ok: false, why: 'conflict', cause: 'Exists' });
  expect(await on.leases.write({ ...made.value, holder: 'two' })).toMatchObject({ ok: true, value: { holder: 'two' } });
  expect(await on.leases.write(made.value)).toMatchObject({ ok: false, why: 'conflict' });
  expect(await on.leases.read('another')).toMatchObject({ ok: false, why: 'refused', code: 403 });
});

/** What the operator's own token may not do, whatever its code becomes. */
describe('the service account is refused', () => {
  const forbidden: readonly [string, string, string, unknown?][] = [
    ['to delete a pod', 'DELETE', '/api/v1/namespaces/shop/pods/kept'],
    ['to delete pods', 'DELETE', '/api/v1/namespaces/shop/pods'],
    ['to change a pod', 'PATCH', '/api/v1/namespaces/shop/pods/kept', {}],
    ['to create a pod', 'POST', '/api/v1/namespaces/drydock-jobs/pods', {}],
    ['to read a secret', 'GET', '/api/v1/namespaces/drydock-jobs/secrets/a'],
    ['to read logs', 'GET', '/api/v1/namespaces/shop/pods/kept/log'],
    ['to write the status of a Node', 'PATCH', '/api/v1/nodes/worker-1/status', {}],
    ['to delete a Node', 'DELETE', '/api/v1/nodes/worker-1'],
    ['to create a Job elsewhere', 'POST', '/apis/batch/v1/namespaces/shop/jobs', {}],
    ['to delete a budget', 'DELETE', '/apis/policy/v1/namespaces/shop/poddisruptionbudgets/kept'],
    ['to write a budget', 'PATCH', '/apis/policy/v1/namespaces/shop/poddisruptionbudgets/kept', {}],
    ['to write what people write', 'POST', `${OURS}/maintenanceprofiles`, {}],
    ['to delete an upgrade', 'DELETE', `${OURS}/clusterupgrades/stored`],
    ['to grant itself more', 'PATCH', '/apis/rbac.authorization.k8s.io/v1/clusterroles/drydock', {}],
    ['to take another Lease', 'PUT', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler', {}],
    ['to write Events elsewhere', 'POST', '/api/v1/namespaces/shop/events', {}],
  ];

  test.each(forbidden)('%s', async (_, method, path, body) => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    expect((await on.bare.request(method, path, body, contentType)).status).toBe(403);
  });

  test('but not to read what it watches', async () => {
    expect((await on.bare.request('GET', '/api/v1/pods?limit=1')).status).toBe(200);
  });
});

describe('when the API server is restarted', () => {
  test('the watches go on by themselves, and miss nothing', async () => {
    await on.plane.stopApiServer();
    expect(await on.cluster.version()).toMatchObject({ ok: false, why: 'unavailable' });
    await on.plane.startApiServer();
    await on.plane.admin.patch('/api/v1/nodes/worker-1', { metadata: { labels: { seen: 'again' } } });
    await until(() => on.cluster.caches.Node.get('worker-1')?.labels['seen'] === 'again', {
      what: 'the label is seen',
      seconds: 60,
    });
    expect(on.said.some((each) => each.what === 'watchStopped' && each.kind === 'Node')).toBe(true);
  });

  test('one that is silent is known as such by the calls, which end after 8 s', async () => {
    on.plane.signal('kube-apiserver', 'STOP');
    const from = systemClock.monotonic();
    const answer = await on.cluster.version();
    on.plane.signal('kube-apiserver', 'CONT');
    expect(answer).toMatchObject({ ok: false, why: 'unavailable', message: 'no answer within 8000 ms' });
    expect(systemClock.monotonic() - from).toBeLessThan(9_000);
  });
});

test('a call that is stopped leaves nothing open', async () => {
  on.abort();
  expect(await on.cluster.version()).toMatchObject({ ok: false, why: 'unavailable', message: 'Drydock is stopping' });
});
