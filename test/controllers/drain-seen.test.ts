import { describe, expect, test } from 'vitest';
import { pool } from '../../src/cluster/pool.ts';
import { view } from '../../src/cluster/views.ts';
import { Memory } from '../../src/controllers/memory.ts';
import { seePassage } from '../../src/controllers/see-passage.ts';
import type { Kind, World } from '../../src/core/world.ts';
import { ago, exhausted, NOW } from '../support/build.ts';
import { ledger, passage, profile, upgrade } from '../support/build-own.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { running, two, WEB } from './running.ts';
import { SmallCluster } from './small-cluster.ts';

const PLACE = { namespace: 'drydock-system', jobsNamespace: 'drydock-jobs' };
const door = { jobsNamespace: PLACE.jobsNamespace, pool: pool() };

/** An object as an API server sends it, through the door. */
function sent<K extends Kind>(kind: K, name: string, raw: object, metadata: object = {}): World[K] {
  const seen = view(kind, { metadata: { name, uid: `uid-${name}`, resourceVersion: '5', ...metadata }, ...raw }, door);
  if (seen === undefined) throw new Error(`${kind} ${name} cannot be read`);
  return seen;
}

type Shape = { spec?: object; phase?: string; metadata?: object };
const READY = [{ type: 'Ready', status: 'True' }];
const owned = (kind: string, name: string, controller = true) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: `uid-${name}`, controller }],
});
const raw = (name: string, { spec = {}, phase = 'Running', metadata = owned('ReplicaSet', 'web') }: Shape = {}) =>
  sent(
    'Pod',
    name,
    { spec: { nodeName: 'worker-1', ...spec }, status: { phase, conditions: READY } },
    { namespace: 'shop', labels: { app: 'web' }, ...metadata },
  );
const worker = (ready: string, labels: object = {}) =>
  sent('Node', 'worker-1', { status: { conditions: [{ type: 'Ready', status: ready }] } }, { labels });
const budgetOf = (namespace: string, spec: object) =>
  sent('PodDisruptionBudget', 'none', { spec, status: { observedGeneration: 1 } }, { namespace, generation: 1 });

const OWN = raw('a', { metadata: { namespace: 'drydock-system', ...owned('ReplicaSet', 'drydock') } });
const tainted = (name: string, key: string, effect: string) =>
  sent('Node', name, {
    spec: { taints: [{ key, effect }] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';

/** What becomes of the pods of `worker-1`: the names of those that are asked, and the reasons of those that are not. */
function fates(views: ConstructorParameters<typeof SmallCluster>[0]): readonly string[] {
  const { caches } = new SmallCluster({
    Node: [worker('True')],
    DaemonSet: [sent('DaemonSet', 'agent', {}, { namespace: 'shop' })],
    MaintenancePolicy: [ledger()],
    MaintenanceProfile: [profile()],
    ClusterUpgrade: [upgrade()],
    ...views,
  });
  const memory = new Memory(new FakeClock());
  const draining = passage({ phase: 'Draining', since: ago(60) });
  const { drain } = seePassage(draining, {
    caches,
    server: { current: 'v1.36.4' },
    memory,
    now: NOW,
    place: PLACE,
  }).facts;
  return [
    ...(drain?.evictions ?? []).map(({ uid }) => uid),
    ...(drain?.blockers ?? []).map(({ pod, reason }) => `${pod} ${reason}`),
  ];
}

describe('what a drain makes of what an API server sends', () => {
  const daemon = owned('DaemonSet', 'agent');
  test.each<[string, Parameters<typeof fates>[0], readonly string[]]>([
    ['a pod of the node is asked, by its UID', { Pod: [raw('a')] }, ['uid-a']],
    [
      '[rule 1] the mirror of a static pod is not',
      { Pod: [raw('a', { metadata: { annotations: { 'kubernetes.io/config.mirror': '' } } })] },
      [],
    ],
    [
      '[rule 3] a pod of a DaemonSet is not, though it tolerates nothing',
      { Pod: [raw('a', { metadata: daemon })] },
      [],
    ],
    [
      '[rule 2] one that a DaemonSet owns and does not control has no controller',
      { Pod: [raw('a', { metadata: owned('DaemonSet', 'agent', false) })] },
      ['shop/a Unmanaged'],
    ],
    [
      '[rule 2] one whose DaemonSet is gone is asked',
      { Pod: [raw('a', { metadata: daemon })], DaemonSet: [] },
      ['uid-a'],
    ],
    [
      '[rule 5] a pending pod that is bound is asked, one that is not is no business of the node',
      { Pod: [raw('a', { phase: 'Pending' }), raw('b', { phase: 'Pending', spec: { nodeName: '' } })] },
      ['uid-a'],
    ],
    [
      '[rule 12] a pod of the same name that has come back on another node is left alone',
      { Pod: [raw('db-0', { spec: { nodeName: 'worker-2' }, metadata: owned('StatefulSet', 'db') })] },
      [],
    ],
    [
      '[rule 49] the hostname label may be any: pods are found by the name of the node',
      { Node: [worker('True', { 'kubernetes.io/hostname': 'ip-10-0-0-7' })], Pod: [raw('a')] },
      ['uid-a'],
    ],
    [
      '[rule 4] a pod that has ended waits for no budget',
      { Pod: [raw('a', { phase: 'Succeeded' })], PodDisruptionBudget: [budgetOf('shop', { selector: {} })] },
      [],
    ],
    [
      '[rule 7] on a node that does not answer its budget still counts',
      { Node: [worker('Unknown')], Pod: [raw('a')], PodDisruptionBudget: [budgetOf('shop', { selector: {} })] },
      ['shop/a BudgetExhausted'],
    ],
    [
      '[rule 32] a budget of another namespace counts for nothing',
      { Pod: [raw('a')], PodDisruptionBudget: [budgetOf('other', { selector: {} })] },
      ['uid-a'],
    ],
    [
      '[rule 40] [seed 490] Drydock stays where only a control plane is left: seen to fail where no taint was looked at',
      { Node: [worker('True'), tainted('cp-1', CONTROL_PLANE, 'NoSchedule')], Pod: [OWN] },
      [],
    ],
    [
      '[rule 40] and leaves for a node that is only rather avoided',
      { Node: [worker('True'), tainted('worker-2', 'drydock.dev/due', 'PreferNoSchedule')], Pod: [OWN] },
      ['uid-a'],
    ],
    [
      '[rule 40] and for one with the taints of its own, which it tolerates',
      {
        Node: [tainted('worker-1', CONTROL_PLANE, 'NoSchedule'), tainted('cp-2', CONTROL_PLANE, 'NoSchedule')],
        Pod: [OWN],
      },
      ['uid-a'],
    ],
    [
      '[rule 32] every part of a selector must hold',
      {
        Pod: [raw('a')],
        PodDisruptionBudget: [
          budgetOf('shop', {
            selector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
          }),
        ],
      },
      ['uid-a'],
    ],
  ])('%s', (_, views, expected) => {
    expect(fates(views)).toEqual(expected);
  });
});

describe('[rule 35] a node is cordoned when work on it begins, and not before', () => {
  const WORKED_ON = ['Cordoning', 'Draining', 'Detaching', 'Starting', 'Upgrading', 'Verifying', 'Uncordoning'];

  /** Plays so long, and says for each second which cordoned nodes nobody works on, and how many were out at most. */
  async function cordons(views: Parameters<typeof running>[0], seconds: number) {
    const { cluster, drydock, pass } = running(views);
    const early = new Set<string>();
    const out = new Set<string>();
    drydock.lead();
    await pass(seconds, () => {
      const atWork = cluster
        .all('NodeMaintenance')
        .flatMap((one) => (one.readable && WORKED_ON.includes(one.status.state.phase) ? [one.spec.nodeName] : []));
      const cordoned = cluster.all('Node').filter(({ unschedulable }) => unschedulable);
      for (const { name } of cordoned) (atWork.includes(name) ? out : early).add(name);
    });
    return { early: [...early], out: [...out] };
  }

  test('[rule 35] in a whole rollout no node that only waits is cordoned', async () => {
    expect(await cordons(two(), 100)).toEqual({ early: [], out: ['worker-1', 'worker-2'] });
  });

  test('[rule 35] while one is blocked by a budget, the next keeps taking pods', async () => {
    const views = {
      ...two(),
      Pod: [WEB],
      PodDisruptionBudget: [exhausted('web')],
      MaintenanceProfile: [profile({ drain: { onDeadline: 'Wait' as const } })],
    };
    expect(await cordons(views, 600)).toEqual({ early: [], out: ['worker-1'] });
  });
});
