import { describe, expect, test } from 'vitest';
import { reconciler } from '../../src/controllers/loop.ts';
import { Memory } from '../../src/controllers/memory.ts';
import { sweep } from '../../src/controllers/sweep.ts';
import { DUE, HELD_BY, writeMark } from '../../src/core/mark.ts';
import type { NodeView } from '../../src/core/world.ts';
import { ago, COMPLETE, job, mark, node, PASSAGE, refused } from '../support/build.ts';
import { passage, upgrade } from '../support/build-own.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { SmallCluster } from './small-cluster.ts';

const SETTLED = passage(
  { phase: 'Cancelled', since: ago(5), reason: 'PassageDeleted', message: '' },
  { name: 'old', uid: 'uid-old', finalizers: [] },
);

/** A node as the passage of that name holds it. */
function heldBy(name: string): Partial<NodeView> {
  const held = mark(`uid-${name}`, {}, { nodeMaintenance: name });
  return { unschedulable: true, annotations: { [HELD_BY]: writeMark(held) } };
}

function setUp(views: ConstructorParameters<typeof SmallCluster>[0]) {
  const cluster = new SmallCluster(views);
  const clock = new FakeClock();
  const loop = { cluster, clock, memory: new Memory(clock), happened: () => {} };
  const { reconcile } = reconciler(sweep(loop), loop);
  const effects = () => cluster.effects.map((effect) => ('as' in effect ? effect.as : effect.kind));
  return { cluster, reconcile, effects };
}

describe('the mark of a node', () => {
  test('whose passage has settled is taken back', async () => {
    const { reconcile, cluster } = setUp({ Node: [node('worker-1', heldBy('old'))], NodeMaintenance: [SETTLED] });
    expect(await reconcile('worker-1')).toEqual({ again: 10 });
    expect(cluster.live('Node', 'worker-1')).toMatchObject({ unschedulable: false, annotations: {} });
    expect(cluster.told).toMatchObject([{ on: { kind: 'Node', name: 'worker-1' }, reason: 'CordonSwept' }]);
    expect(cluster.told[0]?.message).toContain('NodeMaintenance old is gone or settled');
  });

  test('caught: of what was refused nobody is told', async () => {
    const { reconcile, cluster } = setUp({ Node: [node('worker-1', heldBy('old'))], NodeMaintenance: [SETTLED] });
    cluster.before = async (about) => (about.startsWith('patchNode') ? refused() : undefined);
    await reconcile('worker-1');
    expect(cluster.told).toEqual([]);
  });

  test('whose passage is only not in the cache yet stays', async () => {
    const { reconcile, cluster, effects } = setUp({ Node: [node('worker-1', heldBy('new'))] });
    cluster.lag('NodeMaintenance');
    cluster.put('NodeMaintenance', passage({ phase: 'Draining', since: ago(5) }, { name: 'new', uid: 'uid-new' }));
    expect(await reconcile('worker-1')).toEqual({});
    expect(effects()).toEqual([]);
  });

  test('stays when another passage has taken the node since the cache was filled (found when the cache named the passages)', async () => {
    const { reconcile, cluster, effects } = setUp({
      Node: [node('worker-1', heldBy('old'))],
      NodeMaintenance: [SETTLED, passage({ phase: 'Draining', since: ago(5) }, { name: 'new', uid: 'uid-new' })],
    });
    cluster.lag('Node');
    cluster.change('Node', 'worker-1', heldBy('new'));
    expect(await reconcile('worker-1')).toEqual({});
    expect(effects()).toEqual([]);
  });

  test('stays while a Job of a passage that is gone is at work, which the cache does not show', async () => {
    const { reconcile, cluster, effects } = setUp({ Node: [node('worker-1', heldBy('old'))] });
    cluster.lag('Job');
    cluster.put('Job', job({ labels: { ...job().labels, 'drydock.dev/passage': 'uid-old' } }));
    await reconcile('worker-1');
    expect(effects()).toEqual([]);
  });

  test('is looked at again when there is no answer, and nothing is done', async () => {
    const { reconcile, cluster, effects } = setUp({
      Node: [node('worker-1', heldBy('old'))],
      NodeMaintenance: [SETTLED],
    });
    cluster.away = true;
    expect(await reconcile('worker-1')).toEqual({ retry: 'no answer' });
    expect(effects()).toEqual([]);
  });
});

describe('a soft taint', () => {
  const due = { taints: [{ key: DUE, value: 'to-1-36', effect: 'PreferNoSchedule' }] };

  test('whose upgrade is gone is taken back', async () => {
    const { reconcile, cluster, effects } = setUp({ Node: [node('worker-1', due)] });
    await reconcile('worker-1');
    expect([effects(), cluster.live('Node', 'worker-1')?.taints]).toEqual([['unsteer'], []]);
  });

  test('whose upgrade is only not in the cache yet stays (planted: the sweep believes its cache)', async () => {
    const { reconcile, cluster, effects } = setUp({ Node: [node('worker-1', due)] });
    cluster.lag('ClusterUpgrade');
    cluster.put('ClusterUpgrade', upgrade());
    await reconcile('worker-1');
    expect(effects()).toEqual([]);
  });

  test('that is off by now needs nothing, and a node with one of an upgrade that is there needs no look', async () => {
    const { reconcile, cluster, effects } = setUp({ Node: [node('worker-1', due)], ClusterUpgrade: [upgrade()] });
    await reconcile('worker-1');
    expect(cluster.asked).toEqual([]);
    cluster.remove('ClusterUpgrade', 'to-1-36');
    cluster.lag('Node');
    cluster.change('Node', 'worker-1', { taints: [] });
    await reconcile('worker-1');
    expect(effects()).toEqual([]);
  });
});

describe('a Job', () => {
  const settled = passage({ phase: 'Succeeded', since: ago(5), reason: 'Succeeded', message: '' }, { finalizers: [] });

  test.each([
    ['by its own name, when the node is gone', `job/${PASSAGE}-1`, []],
    ['by its own name', `job/${PASSAGE}-1`, [node('worker-1')]],
    ['by the name of its node', 'worker-1', [node('worker-1')]],
  ])('that ended is swept %s', async (_, key, nodes) => {
    const { reconcile, effects } = setUp({
      Node: nodes,
      Job: [job({ finished: COMPLETE })],
      NodeMaintenance: [settled],
    });
    await reconcile(key);
    expect(effects()).toEqual(['deleteJob']);
  });

  test('that was released since it was seen is not deleted', async () => {
    const { reconcile, cluster, effects } = setUp({ Job: [job({ suspended: true, started: false })] });
    cluster.lag('Job');
    cluster.change('Job', `${PASSAGE}-1`, { suspended: false });
    await reconcile(`job/${PASSAGE}-1`);
    expect(effects()).toEqual([]);
  });

  test('and a node that nobody has anything of need nothing, and nobody is asked', async () => {
    const { reconcile, cluster } = setUp({ Node: [node('worker-1')] });
    for (const key of ['worker-1', 'worker-2', 'job/other-1']) expect(await reconcile(key)).toEqual({});
    expect(cluster.asked).toEqual([]);
  });
});
