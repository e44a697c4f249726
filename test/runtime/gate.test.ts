import { expect, test } from 'vitest';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { gated } from '../../src/runtime/gate.ts';

function setUp() {
  const asked: string[] = [];
  const note =
    <T>(what: string, answer: T) =>
    () => {
      asked.push(what);
      return answer;
    };
  const cluster: Cluster = {
    caches: {} as Cluster['caches'],
    watch: note('watch', Promise.resolve()),
    read: note('read', Promise.resolve({ ok: true, value: undefined } as const)),
    list: note('list', Promise.resolve({ ok: true, value: [] } as const)),
    version: note('version', Promise.resolve({ ok: true, value: 'v1.36.4' } as const)),
    perform: note('perform', Promise.resolve({ ok: true } as const)),
    store: note('store', Promise.resolve({ ok: true } as const)),
    tell: note('tell', undefined),
  };
  const power = { mayWrite: false };
  return { asked, power, cluster: gated(cluster, () => power.mayWrite) };
}

const evict = { kind: 'evict', namespace: 'shop', pod: 'cart-0', uid: '1', lane: '' } as const;
const write = { of: 'ClusterUpgrade', name: 'to-1-36', uid: '1', resourceVersion: '1', status: {} } as const;

test('who does not lead reads, and changes nothing', async () => {
  const { asked, cluster } = setUp();
  const refused = { ok: false, why: 'unavailable', cause: 'Other', message: 'not the leader' };
  expect(await cluster.perform(evict)).toMatchObject(refused);
  expect(await cluster.store(write)).toMatchObject(refused);
  await cluster.read('Node', 'worker-7');
  await cluster.list('Node');
  await cluster.version();
  await cluster.watch(() => {}, new AbortController().signal);
  expect(asked).toEqual(['read', 'list', 'version', 'watch']);
});

test('who leads is asked again before each request, so that losing the Lease ends the next one', async () => {
  const { asked, power, cluster } = setUp();
  power.mayWrite = true;
  expect(await cluster.perform(evict)).toEqual({ ok: true });
  expect(await cluster.store(write)).toEqual({ ok: true });
  power.mayWrite = false;
  expect(await cluster.perform(evict)).toMatchObject({ ok: false });
  expect(asked).toEqual(['perform', 'store']);
});
