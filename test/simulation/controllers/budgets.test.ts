import { describe, expect, test } from 'vitest';
import { budgetStatus } from '../../../src/simulation/controllers/budget-status.ts';
import { type BudgetObject, type PodObject, stamp, type WorkloadObject } from '../../../src/simulation/objects.ts';
import { isReady, template, workload, world } from './world.ts';

const NOW = Date.parse('2026-03-02T08:00:00Z');

function pod(name: string, how: 'ready' | 'unready' | 'leaving' | 'loose' = 'ready'): PodObject {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true };
  const metadata = { name, uid: name, resourceVersion: '1', creationTimestamp: '' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      ...(how === 'loose' ? {} : { ownerReferences: [owner] }),
      ...(how === 'leaving' ? { deletionTimestamp: stamp(NOW) } : {}),
    },
    spec: { containers: [] },
    status: { conditions: [{ type: 'Ready', status: how === 'unready' ? 'False' : 'True' }] },
  };
}

function judge(spec: BudgetObject['spec'], pods: readonly PodObject[], scale: number, disruptedPods = {}) {
  const metadata = { name: 'web', uid: '1', resourceVersion: '1', creationTimestamp: '', generation: 3 };
  const budget: BudgetObject = { apiVersion: '', kind: '', metadata, spec, status: { disruptedPods } };
  return budgetStatus({ budget, pods, scaleOf: () => ({ uid: 'rs', scale }), now: NOW });
}

const three = [pod('a'), pod('b'), pod('c')];

/** currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed. */
const ARITHMETIC: readonly [string, BudgetObject['spec'], readonly PodObject[], number, readonly number[]][] = [
  ['an integer minAvailable counts the pods that are there', { minAvailable: 2 }, three, 9, [3, 2, 3, 1]],
  ['maxUnavailable counts what the controller wants', { maxUnavailable: 1 }, three, 3, [3, 2, 3, 1]],
  ['pods that are not made yet count as missing', { maxUnavailable: 1 }, three, 5, [3, 4, 5, 0]],
  ['a percentage of minAvailable is rounded up', { minAvailable: '50%' }, three, 3, [3, 2, 3, 1]],
  ['a percentage of maxUnavailable is rounded up as well', { maxUnavailable: '34%' }, three, 3, [3, 1, 3, 2]],
  ['maxUnavailable 0 allows nothing', { maxUnavailable: 0 }, three, 3, [3, 3, 3, 0]],
  ['more than all are no floor below zero', { maxUnavailable: 9 }, three, 3, [3, 0, 3, 3]],
  ['never less than 0 are allowed', { minAvailable: 5 }, three, 3, [3, 5, 3, 0]],
  ['what is not ready is not healthy', { minAvailable: 1 }, [pod('a'), pod('b', 'unready')], 2, [1, 1, 2, 0]],
  ['what is leaving is not healthy', { minAvailable: 1 }, [pod('a'), pod('b', 'leaving')], 2, [1, 1, 2, 0]],
  ['no pods, nothing allowed', { minAvailable: 0 }, [], 0, [0, 0, 0, 0]],
  [
    'pods without controller count only for an integer',
    { minAvailable: 1 },
    [pod('a', 'loose'), pod('b')],
    1,
    [2, 1, 2, 1],
  ],
  ['and are left out of percentages', { minAvailable: '100%' }, [pod('a', 'loose'), pod('b')], 1, [2, 1, 1, 1]],
];

test.each(ARITHMETIC)('%s', (_, spec, pods, scale, expected) => {
  const { status } = judge(spec, pods, scale);
  const { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed } = status;
  expect([currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed]).toEqual(expected);
  const isAllowed = (disruptionsAllowed ?? 0) > 0;
  expect(status.observedGeneration).toBe(3);
  expect(status.conditions).toEqual([
    {
      type: 'DisruptionAllowed',
      status: isAllowed ? 'True' : 'False',
      reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
      message: '',
      observedGeneration: 3,
      lastTransitionTime: stamp(NOW),
    },
  ]);
});

describe('a pod whose eviction was granted', () => {
  const ago = (seconds: number) => ({ a: stamp(NOW - seconds * 1000) });

  test('counts as gone for two minutes, and is looked at again then', () => {
    const { status, recheckAt } = judge({ minAvailable: 1 }, three, 3, ago(30));
    expect(status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1, disruptedPods: ago(30) });
    expect(recheckAt).toBe(NOW + 90_001);
  });

  test('counts again when it did not go in that time', () => {
    const { status, recheckAt } = judge({ minAvailable: 1 }, three, 3, ago(121));
    expect(status).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 2 });
    expect(status.disruptedPods).toBeUndefined();
    expect(recheckAt).toBeUndefined();
  });

  test('is forgotten once it leaves', () => {
    const { status } = judge({ minAvailable: 1 }, [pod('a', 'leaving'), pod('b')], 2, ago(1));
    expect(status.disruptedPods).toBeUndefined();
  });
});

describe('in a cluster', () => {
  const guarded = (spec: BudgetObject['spec'], seed = 1) => {
    const at = world(seed);
    at.node('one');
    at.node('two');
    at.run(10);
    const metadata = { name: 'web', namespace: 'default' };
    at.create('poddisruptionbudgets.policy', {
      metadata,
      spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
    });
    at.create('deployments.apps', workload('web', 4));
    at.until(() => at.pods('web').filter(isReady).length === 4);
    at.run(2);
    return at;
  };

  test('the budget of a Deployment follows its pods', () => {
    const at = guarded({ maxUnavailable: '25%' });
    expect(at.budget('web').status).toMatchObject({ expectedPods: 4, desiredHealthy: 3, disruptionsAllowed: 1 });
    at.remove('pods', `default/${at.pods('web')[0]?.metadata.name}`);
    at.run(0.2);
    expect(at.budget('web').status).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 0 });
    at.until(() => at.budget('web').status.disruptionsAllowed === 1);
  });

  test('a pod that was granted and never left is counted again after two minutes', () => {
    const at = guarded({ minAvailable: 2 });
    const disruptedPods = { [at.pods('web')[0]?.metadata.name ?? '']: stamp(at.timeline.now()) };
    at.change<BudgetObject>('poddisruptionbudgets.policy', 'default/web', (before) => ({
      ...before,
      status: { ...before.status, disruptedPods, disruptionsAllowed: 1 },
    }));
    at.run(100);
    expect(at.budget('web').status).toMatchObject({ disruptionsAllowed: 1, disruptedPods });
    at.run(30);
    expect(at.budget('web').status.disruptionsAllowed).toBe(2);
    expect(at.timeline.next()).toBeUndefined();
  });

  test('a pod that was to be disrupted and was not is no target any more after two minutes', () => {
    const at = guarded({ minAvailable: 2 });
    const key = `default/${at.pods('web')[0]?.metadata.name}`;
    const target = { type: 'DisruptionTarget', status: 'True', lastTransitionTime: stamp(at.timeline.now()) } as const;
    at.change<PodObject>('pods', key, (before) => {
      return { ...before, status: { ...before.status, conditions: [...(before.status.conditions ?? []), target] } };
    });
    const said = () => at.registry.get<PodObject>('pods', key)?.status.conditions?.at(-1)?.status;
    at.run(115);
    expect(said()).toBe('True');
    at.run(10);
    expect(said()).toBe('False');
  });

  test('its lag can be stretched', () => {
    const at = guarded({ minAvailable: 2 });
    at.delays.disruption = [30_000, 30_000];
    at.remove('pods', `default/${at.pods('web')[0]?.metadata.name}`);
    at.run(20);
    expect(at.budget('web').status.currentHealthy).toBe(4);
  });

  test('a pod of what cannot be scaled makes the budget fail, and closes it', () => {
    const at = guarded({ maxUnavailable: 1 });
    at.create('daemonsets.apps', {
      ...workload('agent', 0, { ...template('agent'), metadata: { labels: { app: 'web' } } }),
    });
    at.run(10);
    const [condition] = at.budget('web').status.conditions ?? [];
    expect(at.budget('web').status.disruptionsAllowed).toBe(0);
    expect(condition).toMatchObject({
      reason: 'SyncFailed',
      message: 'daemonsets.apps does not implement the scale subresource',
    });
  });

  test('a workload that is scaled is seen with the next event of a pod, not before', () => {
    const at = guarded({ maxUnavailable: 1 });
    at.delays.replicaSet = [60_000, 60_000];
    at.change<WorkloadObject>('deployments.apps', 'default/web', (before) => ({
      ...before,
      spec: { ...before.spec, replicas: 6 },
    }));
    at.run(30);
    expect(at.budget('web').status.expectedPods).toBe(4);
    at.run(60);
    expect(at.budget('web').status.expectedPods).toBe(6);
  });
});
