import { describe, expect, test } from 'vitest';
import { DEFAULT_DRAIN } from '../../src/api/maintenance-profile.ts';
import { Memory } from '../../src/controllers/memory.ts';
import { Preflight } from '../../src/controllers/preflight.ts';
import type { Outcome } from '../../src/core/decision.ts';
import type { NodeView } from '../../src/core/world.ts';
import { budget, node, pod, refused } from '../support/build.ts';
import { upgrade } from '../support/build-own.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { SmallCluster } from './small-cluster.ts';

const PLACE = { namespace: 'drydock-system', jobsNamespace: 'drydock-jobs' };
const NEVER = { disruptionsAllowed: 0, currentHealthy: 3, desiredHealthy: 3, expectedPods: 3 };
const DENIED: Outcome = refused({ why: 'blocked', cause: 'Other', code: 403 });
const NO_ANSWER: Outcome = refused({ why: 'unavailable', cause: 'Other', code: 0 });
const { controller: _, ...alone } = pod('alone');

/** An upgrade that looks ahead in a cluster of its own, at its own time. */
function ground(views: ConstructorParameters<typeof SmallCluster>[0]) {
  const cluster = new SmallCluster({ Node: [node('worker-1'), node('worker-2')], ...views });
  const clock = new FakeClock();
  const memory = new Memory(clock);
  const preflight = new Preflight();
  const look = (version = '1', nodes: readonly NodeView[] = cluster.all('Node')) =>
    preflight.look(upgrade(), DEFAULT_DRAIN, version, nodes, {
      caches: cluster.caches,
      server: { current: 'v1.36.4' },
      memory,
      now: clock.now(),
      place: PLACE,
    });
  const tell = (name: string, outcome: Outcome) =>
    memory.remember({ kind: 'tryEvict', namespace: 'shop', pod: name, uid: pod(name).uid }, outcome);
  return { cluster, clock, preflight, look, tell };
}

const reasons = ({ blockers }: { readonly blockers: readonly { readonly reason: string }[] }) =>
  blockers.map(({ reason }) => reason);

describe('the nodes to do', () => {
  test('are looked at a hundred in a pass, soon again until all have been', () => {
    const Node = Array.from({ length: 250 }, (_, index) => node(`worker-${index}`));
    const { look } = ground({ Node });
    const passes = [look(), look(), look()];
    expect(passes.map(({ looked, of, againSeconds }) => [looked, of, againSeconds])).toEqual([
      [100, 250, 0.2],
      [200, 250, 0.2],
      [250, 250, 60],
    ]);
  });

  test('say what cannot clear, since it was seen first, and look again after ten seconds', async () => {
    const { cluster, clock, look } = ground({ Pod: [pod()], PodDisruptionBudget: [budget('web', NEVER)] });
    const first = look();
    expect(reasons(first)).toEqual(['BudgetNeverAllows']);
    expect(first.againSeconds).toBe(10);
    cluster.put('PodDisruptionBudget', budget('web'));
    await clock.advance(9_999);
    expect(reasons(look())).toEqual(['BudgetNeverAllows']);
    await clock.advance(1);
    expect(reasons(look())).toEqual([]);
  });

  test('caught: one that is free is not looked at again for ten minutes, but then it is', async () => {
    const { cluster, clock, look } = ground({});
    expect(reasons(look())).toEqual([]);
    cluster.put('Pod', alone);
    await clock.advance(599_999);
    expect(reasons(look())).toEqual([]);
    await clock.advance(1);
    expect(reasons(look())).toEqual(['Unmanaged']);
  });

  test('are all looked at anew with another profile, or with another node of that name', () => {
    const { cluster, look } = ground({});
    look();
    cluster.put('Pod', alone);
    expect(reasons(look('2'))).toEqual(['Unmanaged']);
    cluster.remove('Pod', 'shop/alone');
    expect(reasons(look('2', [node('worker-1', { uid: 'another' })]))).toEqual([]);
  });

  test('are forgotten when they are done, and with the upgrade', () => {
    const { cluster, preflight, look } = ground({ Pod: [alone] });
    expect(reasons(look())).toEqual(['Unmanaged']);
    expect(reasons(look('1', [node('worker-2')]))).toEqual([]);
    expect(reasons(look())).toEqual(['Unmanaged']);
    cluster.remove('Pod', 'shop/alone');
    preflight.forget('to-1-36');
    expect(reasons(look())).toEqual([]);
  });

  test('pods of every tier are looked at', () => {
    const own = { ...alone, name: 'own', uid: 'own', namespace: 'drydock-system' };
    const { look } = ground({ Pod: [pod(), own] });
    expect(reasons(look())).toEqual(['Unmanaged']);
  });
});

describe('[rule 31] trials', () => {
  const twins = [
    pod('web-1'),
    pod('web-2'),
    pod('db-1', { controller: { kind: 'StatefulSet', name: 'db', uid: 'db' } }),
  ];

  test('are made of one pod of each owner, whatever its budget says', () => {
    const { look } = ground({ Pod: twins, PodDisruptionBudget: [budget('web', NEVER)] });
    const { untried, unknown } = look();
    expect([untried.map(({ name }) => name).sort(), unknown]).toEqual([['db-1', 'web-1'], 2]);
  });

  test('name the pod that a webhook denies, once for its owner, and ask again after an hour', async () => {
    const { clock, look, tell } = ground({ Pod: [pod('web-1'), pod('web-2')] });
    look();
    tell('web-1', DENIED);
    const told = look();
    expect(told.blockers).toMatchObject([{ nodeName: 'worker-1', pod: 'shop/web-1', reason: 'WebhookDenied' }]);
    expect([told.untried, told.unknown]).toEqual([[], 0]);
    await clock.advance(3_600_000);
    expect(look().untried).toHaveLength(1);
    tell('web-1', { ok: true });
    expect(reasons(look())).toEqual([]);
  });

  test('caught: who got no answer is asked again after ten seconds, and is not known till then', async () => {
    const { clock, look, tell } = ground({ Pod: [pod('web-1')] });
    look();
    tell('web-1', NO_ANSWER);
    expect([look().untried.length, look().unknown]).toEqual([0, 1]);
    await clock.advance(10_000);
    expect(look().untried).toHaveLength(1);
  });

  test('hold for the next pod of the same owner, so that a move asks nobody again', async () => {
    const { cluster, clock, look, tell } = ground({ Pod: [pod('web-1')] });
    look();
    tell('web-1', { ok: true });
    look();
    cluster.remove('Pod', 'shop/web-1');
    cluster.put('Pod', pod('web-9', { nodeName: 'worker-2' }));
    await clock.advance(600_000);
    expect([look().untried, look().unknown]).toEqual([[], 0]);
  });

  test('where pods stay, nobody looks', () => {
    const { cluster, preflight } = ground({ Pod: [alone] });
    const from = {
      caches: cluster.caches,
      server: { current: '' },
      memory: new Memory(new FakeClock()),
      now: 0,
      place: PLACE,
    };
    const looked = preflight.look(upgrade(), { ...DEFAULT_DRAIN, mode: 'Cordon' }, '1', cluster.all('Node'), from);
    expect([looked.blockers, looked.of]).toEqual([[], 0]);
  });
});
