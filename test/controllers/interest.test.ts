import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/cluster/cluster.ts';
import { interested } from '../../src/controllers/interest.ts';
import { DUE } from '../../src/core/mark.ts';
import type { Kind, World } from '../../src/core/world.ts';
import { ago, budget, job, node, pod } from '../support/build.ts';
import { ledger, PASSAGE_SPEC, passage, plan, profile, ticket, upgrade, windowObject } from '../support/build-own.ts';
import { SmallCluster } from './small-cluster.ts';

const since = ago(60);
const begun = { since, attempt: 1, jobUID: 'uid-job-1', bootIDBefore: 'boot-1', machineID: 'm' };

/** The passage of one worker, in a phase. */
function on(worker: string, state: Parameters<typeof passage>[0]): World['NodeMaintenance'] {
  const spec = { ...PASSAGE_SPEC, nodeName: worker, nodeUID: `uid-${worker}` };
  const status = state?.phase === 'Pending' ? {} : { plan: plan({ nodeUID: `uid-${worker}` }) };
  return passage(state, { name: `p-${worker}`, uid: `uid-p-${worker}`, spec, status });
}

/** Five workers in five phases, whose upgrade has a budgeted shop on each node. */
function cluster(): SmallCluster {
  return new SmallCluster({
    Node: ['pending', 'draining', 'starting', 'upgrading', 'done'].map((name) => node(name)),
    NodeMaintenance: [
      on('pending', { phase: 'Pending' }),
      on('draining', { phase: 'Draining', since }),
      on('starting', { phase: 'Starting', since, attempt: 1 }),
      on('upgrading', { phase: 'Upgrading', ...begun }),
      on('done', { phase: 'Succeeded', since, reason: 'Succeeded', message: '' }),
    ],
    ClusterUpgrade: [upgrade()],
    Job: [
      job({ name: 'p-done-1', labels: { 'drydock.dev/passage': 'uid-p-done', 'drydock.dev/node-uid': 'uid-done' } }),
    ],
    Pod: [pod('web-1', { nodeName: 'draining' }), pod('db-1', { nodeName: 'pending', labels: { app: 'db' } })],
  });
}

/** Whom a change wakes, sorted, as `queue key`. */
function wakes<K extends Kind>(kind: K, before: World[K] | undefined, after: World[K] | undefined): readonly string[] {
  const view = (after ?? before) as { readonly name: string; readonly namespace?: string };
  const key = kind === 'Job' || view.namespace === undefined ? view.name : `${view.namespace}/${view.name}`;
  const found = interested({ kind, key, before, after } as Change, cluster().caches, 'drydock-jobs');
  return [...new Set(found.map(([queue, name]) => `${queue} ${name}`))].sort();
}

const EVERYBODY = ['draining', 'pending', 'starting', 'upgrading'].map((name) => `passages p-${name}`);
const ASKING = ['passages p-pending', 'passages p-starting'];
const ALL = ['ledger cluster', 'upgrades to-1-36'];

function later<V extends { readonly resourceVersion: string }>(view: V, over: Partial<V> = {}): V {
  return { ...view, resourceVersion: '99', ...over };
}

describe('a node', () => {
  const draining = node('draining');

  test('that is gone wakes its passage, the ledger, the upgrades and the sweep', () => {
    expect(wakes('Node', draining, undefined)).toEqual([
      ...ALL.slice(0, 1),
      'passages p-draining',
      'sweep draining',
      'upgrades to-1-36',
    ]);
  });

  test('that is gone wakes the sweep of the Jobs that named it', () => {
    expect(wakes('Node', node('done'), undefined)).toContain('sweep job/p-done-1');
  });

  test.each<[string, Partial<World['Node']>]>([
    ['Ready', { ready: false }],
    ['cordoned', { unschedulable: true }],
    ['marked', { annotations: { 'drydock.dev/hold': 'mine' } }],
    ['labelled', { labels: { zone: 'a' } }],
    ['rebooted', { bootID: 'boot-2' }],
    ['upgraded', { kubeletVersion: 'v1.36.4' }],
  ])('that is %s otherwise than before wakes all that look at nodes', (_, over) => {
    expect(wakes('Node', draining, later(draining, over))).toEqual([
      'ledger cluster',
      'passages p-draining',
      'sweep draining',
      'upgrades to-1-36',
    ]);
  });

  test('that only sent a heartbeat wakes its passage, whose patch needs the new version, but no rollout', () => {
    expect(wakes('Node', draining, later(draining))).toEqual(['passages p-draining', 'sweep draining']);
  });

  test('that has no passage wakes no passage', () => {
    expect(wakes('Node', undefined, node('new'))).toEqual([...ALL, 'sweep new'].sort());
  });
});

describe('a pod', () => {
  test('wakes the passage of its node, and that of the node it was on', () => {
    expect(wakes('Pod', pod('a', { nodeName: 'draining' }), undefined)).toEqual(['passages p-draining']);
    expect(wakes('Pod', pod('a', { nodeName: 'pending' }), pod('a', { nodeName: 'starting' }))).toEqual(ASKING);
  });

  test('that is bound nowhere, or where nothing is under way, wakes nobody', () => {
    expect(wakes('Pod', undefined, pod('a', { nodeName: '' }))).toEqual([]);
    expect(wakes('Pod', undefined, pod('a', { nodeName: 'done' }))).toEqual([]);
  });

  test('of the control plane wakes the upgrades, which wait for versions', () => {
    const api = pod('kube-apiserver-cp', { namespace: 'kube-system', nodeName: 'cp', componentVersion: 'v1.36.4' });
    expect(wakes('Pod', undefined, api)).toEqual(['upgrades to-1-36']);
  });

  test('of a Job that is bound nowhere yet wakes its passage: ImagePullBackOff is told by it', () => {
    const labels = { 'drydock.dev/passage': 'uid-p-upgrading' };
    const waiting = pod('p-upgrading-1-x', { namespace: 'drydock-jobs', nodeName: '', labels });
    expect(wakes('Pod', undefined, waiting)).toEqual(['passages p-upgrading']);
  });
});

describe('a budget', () => {
  const web = budget('web', { disruptionsAllowed: 0 });

  test('that changes wakes the drains of nodes that have a pod of it', () => {
    expect(wakes('PodDisruptionBudget', web, later(web, { disruptionsAllowed: 1 }))).toEqual(['passages p-draining']);
  });

  test('that is made or taken away does too', () => {
    expect(wakes('PodDisruptionBudget', undefined, web)).toEqual(['passages p-draining']);
    expect(wakes('PodDisruptionBudget', web, undefined)).toEqual(['passages p-draining']);
  });

  test('that does not select a pod any more wakes who waited for it', () => {
    const other = { matchLabels: { app: 'other' }, matchExpressions: [] };
    expect(wakes('PodDisruptionBudget', web, later(web, { selector: other }))).toEqual(['passages p-draining']);
  });

  test('of other pods or of another namespace wakes nobody', () => {
    const other = budget('other', { selector: { matchLabels: { app: 'other' }, matchExpressions: [] } });
    expect(wakes('PodDisruptionBudget', undefined, other)).toEqual([]);
    expect(wakes('PodDisruptionBudget', undefined, budget('web', { namespace: 'elsewhere' }))).toEqual([]);
  });
});

describe('what else a drain looks at', () => {
  const agent = { name: 'agent', namespace: 'shop', uid: 'u', resourceVersion: '5' };
  const claim = { ...agent, volumeName: '' };
  const attachment = {
    name: 'va',
    uid: 'u',
    resourceVersion: '5',
    nodeName: 'draining',
    volumeName: 'v',
    attached: true,
  };

  test('a DaemonSet that comes or goes; not one that counts its pods', () => {
    expect(wakes('DaemonSet', undefined, agent)).toEqual(['passages p-draining']);
    expect(wakes('DaemonSet', agent, undefined)).toEqual(['passages p-draining']);
    expect(wakes('DaemonSet', agent, later(agent))).toEqual([]);
  });

  test('a claim that gets its volume; not one that grows', () => {
    expect(wakes('PersistentVolumeClaim', claim, later(claim, { volumeName: 'v' }))).toEqual(['passages p-draining']);
    expect(wakes('PersistentVolumeClaim', claim, later(claim))).toEqual([]);
  });

  test('a volume that leaves its node', () => {
    expect(wakes('VolumeAttachment', attachment, undefined)).toEqual(['passages p-draining']);
  });
});

describe('a Job', () => {
  const labels = { 'drydock.dev/passage': 'uid-p-upgrading', 'drydock.dev/node-uid': 'uid-upgrading' };

  test('wakes its passage by name and by UID, the ledger and its sweep, also when it is gone', () => {
    const own = job({ name: 'p-upgrading-1', labels });
    const expected = ['ledger cluster', 'passages p-upgrading', 'sweep job/p-upgrading-1'];
    expect(wakes('Job', own, later(own))).toEqual(expected);
    expect(wakes('Job', own, undefined)).toEqual(expected);
  });

  test('of an earlier passage wakes the one that waits for it on the same node', () => {
    const earlier = job({ name: 'p-old-1', labels: { ...labels, 'drydock.dev/node-uid': 'uid-starting' } });
    expect(wakes('Job', earlier, later(earlier))).toContain('passages p-starting');
  });
});

describe('a window, a profile, the policy, an upgrade', () => {
  test('a window wakes its own report, the upgrades and every passage that is under way', () => {
    const window = windowObject('nights');
    expect(wakes('MaintenanceWindow', window, later(window))).toEqual([
      ...EVERYBODY,
      'upgrades to-1-36',
      'windows nights',
    ]);
  });

  test('a profile wakes its own report, the upgrades and those who have no plan yet', () => {
    expect(wakes('MaintenanceProfile', undefined, profile())).toEqual([
      'passages p-pending',
      'profiles kubeadm-apt',
      'upgrades to-1-36',
    ]);
  });

  test('a ticket more in the ledger wakes the ledger, the upgrades, and the passages that ask for one', () => {
    const before = ledger();
    expect(wakes('MaintenancePolicy', before, later(ledger([ticket()])))).toEqual([
      ...ALL.slice(0, 1),
      ...ASKING,
      'upgrades to-1-36',
    ]);
  });

  test.each<[string, World['MaintenancePolicy'] | undefined, World['MaintenancePolicy'] | undefined]>([
    ['its spec changed', ledger(), ledger([], { generation: 2 })],
    ['it is being deleted', ledger(), ledger([], { deletedAt: 1 })],
    ['it is gone', ledger(), undefined],
    ['it is there', undefined, ledger()],
    ['it may be believed now', ledger([], {}, {}, { observedGeneration: undefined }), ledger()],
    ['it cannot be read any more', ledger(), { ...ledger(), readable: false, problem: 'spec' }],
  ])('the policy wakes every passage when %s', (_, before, after) => {
    expect(wakes('MaintenancePolicy', before, after)).toEqual(['ledger cluster', ...EVERYBODY, 'upgrades to-1-36']);
  });

  test.each<[string, World['ClusterUpgrade'] | undefined, World['ClusterUpgrade'] | undefined]>([
    ['its spec changed', upgrade(), upgrade({}, { generation: 2 })],
    ['it is being deleted', upgrade(), upgrade({}, { deletedAt: 1 })],
    ['it is gone', upgrade(), undefined],
    ['another has its name', upgrade(), upgrade({}, { uid: 'uid-other' })],
  ])('an upgrade wakes its passages when %s', (_, before, after) => {
    expect(wakes('ClusterUpgrade', before, after)).toEqual(['ledger cluster', ...EVERYBODY, 'upgrades to-1-36']);
  });

  test('an upgrade that is gone, or cannot be read, wakes the sweep of the nodes with its soft taint', () => {
    const nodes = [
      node('done', { taints: [{ key: DUE, value: 'to-1-36', effect: 'PreferNoSchedule' }] }),
      node('draining'),
    ];
    const { caches } = new SmallCluster({ Node: nodes });
    const swept = (after: World['ClusterUpgrade'] | undefined) =>
      interested({ kind: 'ClusterUpgrade', key: 'to-1-36', before: upgrade(), after }, caches, 'drydock-jobs').filter(
        ([queue]) => queue === 'sweep',
      );
    const { spec: _, status: __, ...rest } = upgrade();
    expect(swept(undefined)).toEqual([['sweep', 'done']]);
    expect(swept({ ...rest, readable: false, problem: 'spec' })).toEqual([['sweep', 'done']]);
    expect(swept(upgrade({}, { generation: 2 }))).toEqual([]);
  });

  test('what Drydock itself says of an upgrade wakes no passage', () => {
    expect(wakes('ClusterUpgrade', upgrade(), later(upgrade({}, { status: { phase: 'Rolling' } })))).toEqual(ALL);
  });
});

describe('a passage', () => {
  test('wakes itself, the ledger, its upgrade and the sweep of its node', () => {
    const draining = on('draining', { phase: 'Draining', since });
    const expected = ['ledger cluster', 'passages p-draining', 'sweep draining', 'upgrades to-1-36'];
    expect(wakes('NodeMaintenance', draining, later(draining))).toEqual(expected);
    expect(wakes('NodeMaintenance', draining, undefined)).toEqual(expected);
  });

  test('that has settled wakes the sweep of its Jobs, even when its node is gone', () => {
    const done = on('done', { phase: 'Succeeded', since, reason: 'Succeeded', message: '' });
    expect(wakes('NodeMaintenance', done, later(done))).toContain('sweep job/p-done-1');
  });

  test('whose label was moved wakes the upgrade that it left, and the one that it is filed under now', () => {
    const draining = on('draining', { phase: 'Draining', since });
    const moved = later(draining, { labels: { 'drydock.dev/upgrade': 'other' } });
    expect(wakes('NodeMaintenance', draining, moved)).toEqual(
      expect.arrayContaining(['upgrades other', 'upgrades to-1-36']),
    );
  });

  test('that cannot be read wakes itself and its upgrade', () => {
    const { spec: _, ...rest } = on('draining', { phase: 'Draining', since }) as Extract<
      World['NodeMaintenance'],
      { readable: true }
    >;
    expect(wakes('NodeMaintenance', undefined, { ...rest, readable: false, problem: 'spec' })).toEqual([
      'ledger cluster',
      'passages p-draining',
      'upgrades to-1-36',
    ]);
  });
});

describe('an upgrade that put a node back', () => {
  const entry = { nodeName: 'idle', reason: 'x', times: 1, notBefore: ago(9), since: ago(60) };
  const { caches } = new SmallCluster({
    Node: [node('idle'), node('other')],
    ClusterUpgrade: [upgrade({}, { status: { setAside: [entry] } })],
    Pod: [pod('web-1', { nodeName: 'idle' })],
  });
  const woken = (change: object) =>
    interested(change as Change, caches, 'drydock-jobs').filter(([queue]) => queue === 'upgrades');

  test('looks again when a pod of that node changes, and no pod of another', () => {
    const on = (nodeName: string) => woken({ kind: 'Pod', key: 'shop/web-9', before: pod('web-9', { nodeName }) });
    expect(on('idle')).toEqual([['upgrades', 'to-1-36']]);
    expect(on('other')).toEqual([]);
  });

  test('looks again when a budget over one of its pods changes, and no other', () => {
    const of = (app: string) => {
      const selector = { matchLabels: { app }, matchExpressions: [] };
      return woken({ kind: 'PodDisruptionBudget', key: 'shop/web', after: budget('web', { selector }) });
    };
    expect(of('web')).toEqual([['upgrades', 'to-1-36']]);
    expect(of('db')).toEqual([]);
  });
});
