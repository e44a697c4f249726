import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import type { PolicyStatus } from '../../src/api/maintenance-policy.ts';
import { SEEN_KINDS } from '../../src/cluster/kinds.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { OwnKind } from '../../src/core/world.ts';
import { until } from '../control-plane/until.ts';
import { type Connected, connected, OTHER_UID } from './connected.ts';

let on: Connected;

beforeAll(async () => {
  on = await connected();
});

afterAll(() => on?.close());

describe('seeing', () => {
  test('every kind was listed once, with the shipped rights', () => {
    const listed = on.said.flatMap((each) => (each.what === 'listed' ? [each.kind] : []));
    expect([...new Set(listed)].sort()).toEqual([...SEEN_KINDS].sort());
    expect([...on.cluster.caches.Node.all()].map(({ name }) => name)).toEqual(['worker-1']);
  });

  test('a change is told, and the caches show it', async () => {
    await on.plane.admin.patch('/api/v1/nodes/worker-1', { metadata: { labels: { seen: 'yes' } } });
    await until(() => on.cluster.caches.Node.get('worker-1')?.labels['seen'] === 'yes', { what: 'the label is seen' });
    expect(
      on.changes.some(
        ({ kind, key, before, after }) =>
          kind === 'Node' && key === 'worker-1' && before !== undefined && after !== undefined,
      ),
    ).toBe(true);
  });

  test('the version is the one of the API server', async () => {
    expect(await on.cluster.version()).toMatchObject({ ok: true, value: expect.stringMatching(/^v1\.[0-9]+\.[0-9]+/) });
  });

  test('what is not there is an answer, and a list by node is narrowed by the server', async () => {
    expect(await on.cluster.read('Node', 'nobody')).toEqual({ ok: true, value: undefined });
    await on.runningPod('listed');
    const listed = await on.cluster.list('Pod', { index: 'node', value: 'worker-1' });
    expect(listed.ok && listed.value.map(({ name }) => name)).toEqual(['listed']);
    expect(await on.cluster.list('Pod', { index: 'node', value: 'worker-2' })).toEqual({ ok: true, value: [] });
  });
});

describe('a node', () => {
  const patch = (resourceVersion: string, unschedulable: boolean, mark: string | null): Effect => ({
    kind: 'patchNode',
    as: unschedulable ? 'cordon' : 'uncordon',
    nodeName: 'worker-1',
    resourceVersion,
    unschedulable,
    annotations: { 'drydock.dev/held-by': mark },
    labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': mark },
  });

  test('is cordoned and marked in one patch, and put back in another', async () => {
    // Its kubelet writes it too: what is seen may be old a moment later.
    await until(
      async () => (await on.perform(patch((await on.live('Node', 'worker-1')).resourceVersion, true, 'x'))) === 'done',
      {
        what: 'the Node is cordoned',
      },
    );
    const cordoned = await on.live('Node', 'worker-1');
    expect(cordoned).toMatchObject({ unschedulable: true, annotations: { 'drydock.dev/held-by': 'x' } });
    await until(
      async () =>
        (await on.perform(patch((await on.live('Node', 'worker-1')).resourceVersion, false, null))) === 'done',
      {
        what: 'the Node is put back',
      },
    );
    expect(await on.live('Node', 'worker-1')).toMatchObject({ unschedulable: false, annotations: {} });
  });

  test('that somebody wrote since is not touched', async () => {
    const seen = await on.live('Node', 'worker-1');
    await on.plane.admin.patch('/api/v1/nodes/worker-1', { metadata: { annotations: { a: 'b' } } });
    expect(await on.perform(patch(seen.resourceVersion, true, 'x'))).toBe('conflict Other');
    expect(await on.live('Node', 'worker-1')).toMatchObject({ unschedulable: false, annotations: {} });
  });
});

describe('the ledger', () => {
  const status: PolicyStatus = { conditions: [], nextTicket: 2, tickets: [] };
  const write = ({ uid, resourceVersion }: { uid: string; resourceVersion: string }): Effect => ({
    kind: 'writeLedger',
    as: 'admit',
    uid,
    resourceVersion,
    status,
  });

  test('is made once; its finalizer comes with the first ticket', async () => {
    expect(await on.perform({ kind: 'createPolicy', name: 'cluster' })).toBe('done');
    expect(await on.perform({ kind: 'createPolicy', name: 'cluster' })).toBe('conflict Exists');
    expect(await on.live('MaintenancePolicy', 'cluster')).toMatchObject({
      readable: true,
      finalizers: [],
    });
  });

  test('is written against the version and the object that were seen, and against no other', async () => {
    const seen = await on.live('MaintenancePolicy', 'cluster');
    expect(await on.perform(write({ ...seen, uid: OTHER_UID }))).toBe('conflict Other');
    expect(await on.perform(write(seen))).toBe('done');
    expect(await on.perform(write(seen))).toBe('conflict Other');
    expect(await on.live('MaintenancePolicy', 'cluster')).toMatchObject({
      status: { nextTicket: 2 },
      spec: { maxUnavailable: '20%' },
    });
  });
});

describe('a status', () => {
  const spec = {
    profileName: 'p',
    target: { revision: 'r1' },
    nodes: { selector: { matchLabels: { nobody: 'here' } } },
    windowNames: [],
  };

  test('is written whole, and the spec stays as it was', async () => {
    await on.own('ClusterUpgrade', 'stored', spec);
    const seen = await on.live('ClusterUpgrade', 'stored');
    if (!seen.readable) throw new Error(seen.problem);
    const status: UpgradeStatus = { ...seen.status, phase: 'Queued' };
    const write = {
      of: 'ClusterUpgrade',
      name: 'stored',
      uid: seen.uid,
      resourceVersion: seen.resourceVersion,
      status,
    } as const;
    expect(await on.cluster.store({ ...write, uid: OTHER_UID })).toMatchObject({ ok: false, why: 'conflict' });
    expect(await on.cluster.store(write)).toEqual({ ok: true });
    expect(await on.cluster.store(write)).toMatchObject({ ok: false, why: 'conflict' });
    expect(await on.live('ClusterUpgrade', 'stored')).toMatchObject({
      spec: { profileName: 'p' },
      status: { phase: 'Queued' },
    });
  });

  test('that the schema does not know is refused', async () => {
    const { uid, resourceVersion } = await on.live('ClusterUpgrade', 'stored');
    const answer = await on.cluster.store({
      of: 'ClusterUpgrade',
      name: 'stored',
      uid,
      resourceVersion,
      status: { phase: 'Dancing' },
    });
    expect(answer).toMatchObject({ ok: false, why: 'refused', code: 422 });
  });

  test.each([
    [
      'MaintenanceWindow',

      { timeZone: 'UTC', openings: [{ schedule: '0 0 * * *', durationMinutes: 60 }] },
    ],
    [
      'MaintenanceProfile',

      { image: `a@sha256:${'0'.repeat(64)}`, commands: { worker: ['true'] } },
    ],
  ] as const)('of a %s can be written too', async (kind: OwnKind, spec) => {
    await on.own(kind, 'a', spec);
    const seen = await on.live(kind, 'a');
    if (!seen.readable) throw new Error(seen.problem);
    const { uid, resourceVersion, status } = seen;
    expect(
      await on.cluster.store({
        of: kind,
        name: 'a',
        uid,
        resourceVersion,
        status: { ...status, observedGeneration: 1 },
      }),
    ).toEqual({ ok: true });
  });
});

describe('a passage', () => {
  const make = async (): Promise<Effect> => {
    const { uid } = await on.live('ClusterUpgrade', 'stored');
    return {
      kind: 'createPassage',
      name: 'worker-1-x',
      labels: { 'drydock.dev/upgrade': 'stored' },
      owner: { kind: 'ClusterUpgrade', name: 'stored', uid },
      spec: { nodeName: 'worker-1', hold: false, upgradeName: 'stored', nodeUID: 'node', ticket: 't-1' },
    };
  };

  test('is made once, with owner, finalizer and labels', async () => {
    expect(await on.perform(await make())).toBe('done');
    expect(await on.perform(await make())).toBe('conflict Exists');
    expect(await on.live('NodeMaintenance', 'worker-1-x')).toMatchObject({
      finalizers: ['drydock.dev/passage'],
      owners: [{ kind: 'ClusterUpgrade', name: 'stored' }],
      status: { state: { phase: 'Pending' } },
    });
    const listed = await on.cluster.list('NodeMaintenance', { index: 'upgrade', value: 'stored' });
    expect(listed.ok && listed.value.map(({ name }) => name)).toEqual(['worker-1-x']);
    await until(() => [...on.cluster.caches.NodeMaintenance.by('node', 'worker-1')].length === 1, {
      what: 'the passage is seen',
    });
  });

  test('loses its finalizers and is deleted only as the object that was seen', async () => {
    const { name, uid, resourceVersion } = await on.live('NodeMaintenance', 'worker-1-x');
    const free = { kind: 'setFinalizers', of: 'NodeMaintenance', name, uid, resourceVersion, finalizers: [] } as const;
    expect(await on.perform({ ...free, uid: OTHER_UID })).toBe('conflict Other');
    expect(await on.perform({ ...free, resourceVersion: '1' })).toBe('conflict Other');
    expect(await on.perform(free)).toBe('done');
    expect(await on.perform({ kind: 'deletePassage', name, uid: OTHER_UID })).toBe('conflict Other');
    expect(await on.perform({ kind: 'deletePassage', name, uid })).toBe('done');
    expect(await on.perform({ kind: 'deletePassage', name, uid })).toBe('gone Other');
  });

  test('that a rule forbids is refused', async () => {
    expect(await on.perform({ ...(await make()), spec: { nodeName: 'worker-1', hold: false } } as Effect)).toBe(
      'refused Other',
    );
  });
});

describe('a Job', () => {
  const manifest = {
    metadata: { labels: { 'drydock.dev/passage': 'passage-uid' } },
    spec: {
      suspend: true,
      backoffLimit: 0,
      template: {
        spec: { restartPolicy: 'Never', nodeSelector: { nobody: 'here' }, containers: [{ name: 'c', image: 'app:1' }] },
      },
    },
  };
  const settled = async () => {
    await until(() => on.cluster.caches.Job.get('j-1') !== undefined, { what: 'the Job is seen' });
    return on.live('Job', 'j-1');
  };

  test('is made once, suspended, and found again by its passage', async () => {
    expect(await on.perform({ kind: 'createJob', name: 'j-1', manifest })).toBe('done');
    expect(await on.perform({ kind: 'createJob', name: 'j-1', manifest })).toBe('conflict Exists');
    expect(await settled()).toMatchObject({ suspended: true, started: false });
    const listed = await on.cluster.list('Job', { index: 'passage', value: 'passage-uid' });
    expect(listed.ok && listed.value.map(({ name }) => name)).toEqual(['j-1']);
  });

  test('is released only as the object and the version that were seen', async () => {
    const release = { kind: 'releaseJob', name: 'j-1' } as const;
    expect(await on.perform({ ...release, ...pick(await settled()), uid: OTHER_UID })).toBe('conflict Other');
    expect(await on.perform({ ...release, ...pick(await settled()), resourceVersion: '1' })).toBe('conflict Other');
    expect(await on.live('Job', 'j-1')).toMatchObject({ suspended: true });
    expect(await on.perform({ ...release, ...pick(await settled()) })).toBe('done');
    await until(() => on.cluster.caches.Job.get('j-1')?.started === true, { what: 'the Job has a pod' });
    expect([...on.cluster.caches.Pod.by('owner-job', (await settled()).uid)]).toHaveLength(1);
  });

  test('is deleted only as the object that was seen', async () => {
    const { uid } = await settled();
    expect(await on.perform({ kind: 'deleteJob', name: 'j-1', uid: OTHER_UID })).toBe('conflict Other');
    expect(await on.perform({ kind: 'deleteJob', name: 'j-1', uid, resourceVersion: '1' })).toBe('conflict Other');
    expect(await on.perform({ kind: 'deleteJob', name: 'j-1', uid })).toBe('done');
    await until(() => on.cluster.caches.Job.get('j-1') === undefined, { what: 'the Job is gone' });
    expect(await on.perform({ kind: 'deleteJob', name: 'j-1', uid })).toBe('gone Other');
  });
});

function pick({ uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string }) {
  return { uid, resourceVersion };
}
