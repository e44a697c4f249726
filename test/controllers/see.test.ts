import { describe, expect, test } from 'vitest';
import type { Owner } from '../../src/api/resource.ts';
import { Memory } from '../../src/controllers/memory.ts';
import { Preflight } from '../../src/controllers/preflight.ts';
import { type LivePassage, seePassage } from '../../src/controllers/see-passage.ts';
import { controlPlaneOf, ledgerOf, passagesOf, seeRollout } from '../../src/controllers/see-rollout.ts';
import type { PassageObject, Read } from '../../src/core/world.ts';
import { ago, budget, exhausted, job, NOW, node, pod } from '../support/build.ts';
import { HOLD_SPEC, ledger, passage, plan, profile, ticket, upgrade, windowObject } from '../support/build-own.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { SmallCluster } from './small-cluster.ts';

const PLACE = { namespace: 'drydock-system', jobsNamespace: 'drydock-jobs' };
const seen = (name: string) => ({ name, uid: name, resourceVersion: '5' });
const SERVER = { current: 'v1.36.4' };
const since = ago(60);
const begun = { since, attempt: 1, jobUID: 'uid-job-1', bootIDBefore: 'boot-1', machineID: 'machine-worker-1' };
const UPGRADING = passage({ phase: 'Upgrading', ...begun });
const DRAINING = passage({ phase: 'Draining', since });

type Views = ConstructorParameters<typeof SmallCluster>[0];

/** What is seen of a passage in a cluster of one worker. */
function see(seen: Read<PassageObject>, views: Views = {}, live: LivePassage = {}) {
  const { caches } = new SmallCluster({
    Node: [node('worker-1')],
    MaintenancePolicy: [ledger()],
    MaintenanceProfile: [profile()],
    ClusterUpgrade: [upgrade()],
    ...views,
  });
  const memory = new Memory(new FakeClock());
  return seePassage(seen, { caches, server: SERVER, memory, now: NOW, place: PLACE }, live);
}

/** What an upgrade is seen from. */
function from(caches: SmallCluster['caches']) {
  return { caches, server: SERVER, memory: new Memory(new FakeClock()), now: NOW, place: PLACE };
}

describe('the plan of a passage', () => {
  test('is what profile and upgrade say, while it has none', () => {
    expect(see(passage()).plan).toMatchObject({
      profileName: 'kubeadm-apt',
      nodeUID: 'uid-worker-1',
      holderUID: 'uid-upgrade',
      role: 'worker',
      target: 'v1.36.4',
      version: 'v1.36.4',
      work: { attempts: 1 },
    });
  });

  test('is the frozen one from then on, whatever the profile says by now', () => {
    const changed = { MaintenanceProfile: [profile({ attempts: 9 })] };
    expect(see(DRAINING, changed).plan).toEqual(plan());
  });

  test.each<[string, Views, object]>([
    ['there is no such profile', { MaintenanceProfile: [] }, { reason: 'ProfileNotFound' }],
    [
      'the profile cannot be read',
      { MaintenanceProfile: [{ ...profile(), readable: false, problem: 'image' }] },
      { reason: 'InvalidProfile', problem: 'image' },
    ],
  ])('is none, and says why, while %s', (_, views, problem) => {
    const { plan: none, facts } = see(passage(), views);
    expect(none).toBeUndefined();
    expect(facts.planProblem).toMatchObject(problem);
  });

  test('of a hold has no work, and cordons at least', () => {
    const hold = (profileName?: string) =>
      passage(
        { phase: 'Pending' },
        { labels: {}, owners: [], spec: { ...HOLD_SPEC, ...(profileName && { profileName }) } },
      );
    expect(see(hold()).plan).toMatchObject({ holderUID: 'uid-passage', target: '', drain: { mode: 'Drain' } });
    const leave = { MaintenanceProfile: [profile({ drain: { mode: 'Leave' } })] };
    const seen = see(hold('kubeadm-apt'), leave).plan;
    expect([seen?.drain.mode, seen?.work]).toEqual(['Cordon', undefined]);
  });

  test('[rule 64] keeps what was wrong with the node before, and what is wrong later does not change it', () => {
    const controller = { kind: 'DaemonSet', name: 'cni', uid: 'uid-cni' };
    const sick = { Pod: [pod('cni-x', { namespace: 'kube-system', controller, ready: false })] };
    expect(see(passage(), sick).plan).toMatchObject({ amiss: { taints: [], daemonSets: ['kube-system/cni'] } });
    expect(see(passage()).plan).not.toHaveProperty('amiss');
    expect(see(DRAINING, sick).plan).not.toHaveProperty('amiss');
  });

  test('of a ticket that is for a snapshot is that of its profile, and promises no release', () => {
    const saves = { ...profile({ drain: { mode: 'Leave' } }), name: 'etcd-snapshot' };
    const views = { MaintenanceProfile: [profile(), saves] };
    const live = {
      ledger: ledger([ticket({ profileName: 'etcd-snapshot', mode: 'Leave', purpose: 'EtcdSnapshot' })]),
    };
    const { plan: proposed } = see(passage(), views, live);
    expect(proposed).toMatchObject({ profileName: 'etcd-snapshot', purpose: 'EtcdSnapshot', target: 'v1.36.4' });
    expect(proposed).toMatchObject({ drain: { mode: 'Leave' } });
    expect(proposed).not.toHaveProperty('version');
    expect(proposed).not.toHaveProperty('memory');
    expect(see(passage(), views, { ledger: ledger([ticket()]) }).plan).not.toHaveProperty('purpose');
  });

  test('of a control plane is to apply only while no API server runs the target', () => {
    const cp = { Node: [node('worker-1', { controlPlane: true })] };
    expect(see(passage(), cp).plan?.role).toBe('controlPlane');
    const old = { namespace: 'kube-system', labels: { component: 'kube-apiserver' }, componentVersion: 'v1.35.7' };
    expect(see(passage(), { ...cp, Pod: [pod('api', old)] }).plan?.role).toBe('firstControlPlane');
  });
});

describe('why a passage is put back', () => {
  const night = (over = {}) => ({
    MaintenanceWindow: [
      windowObject('night', { openings: [{ schedule: '0 22 * * *', durationMinutes: 60 }], ...over }),
    ],
    ClusterUpgrade: [upgrade({ windowNames: ['night'] })],
  });

  test('a closed window, unless it lets finish', () => {
    expect(see(DRAINING, night()).facts.closing).toMatchObject({ reason: 'WindowClosed' });
    expect(see(DRAINING, night({ onClose: 'Finish' })).facts.closing).toBeUndefined();
  });

  test('what was read live counts, not the cache', () => {
    const open = { openings: [{ from: '2026-11-01T00:00:00Z', until: '2026-12-01T00:00:00Z' }] };
    const windows = [{ name: 'night', object: windowObject('night', open) }];
    const { facts } = see(DRAINING, night(), { windows });
    expect([facts.closing, facts.closesAt]).toEqual([undefined, Date.parse('2026-12-01T00:00:00Z')]);
  });

  test('a target that is no longer wanted, before anything else', () => {
    const retargeted = { ClusterUpgrade: [upgrade({ target: { kubernetesVersion: 'v1.36.5' } })] };
    expect(see(DRAINING, retargeted).facts.closing).toMatchObject({ reason: 'TargetChanged', to: 'v1.36.5' });
  });

  test('none of it once it is committed', () => {
    expect(see(UPGRADING, night()).facts.closing).toBeUndefined();
    expect(see(UPGRADING, { ClusterUpgrade: [upgrade({ mode: 'Paused' })] }).facts.closing).toBeUndefined();
  });

  test.each<[string, Read<PassageObject>, Views, string | undefined]>([
    ['nothing, as a rule', DRAINING, {}, undefined],
    ['its own deletion', passage({ phase: 'Draining', since }, { deletedAt: NOW }), {}, 'PassageDeleted'],
    ['an upgrade that is gone', DRAINING, { ClusterUpgrade: [] }, 'UpgradeDeleted'],
    [
      'an upgrade that is being deleted',
      DRAINING,
      { ClusterUpgrade: [upgrade({}, { deletedAt: NOW })] },
      'UpgradeDeleted',
    ],
    ['another upgrade by the name', DRAINING, { ClusterUpgrade: [upgrade({}, { uid: 'other' })] }, 'UpgradeDeleted'],
    [
      'not an upgrade that cannot be read',
      DRAINING,
      { ClusterUpgrade: [{ ...upgrade(), readable: false, problem: 'x' }] },
      undefined,
    ],
  ])('abandoned by %s', (_, seen, views, reason) => {
    expect(see(seen, views).facts.abandoned?.reason).toBe(reason);
  });
});

describe('the node of a passage', () => {
  const again = { Node: [node('worker-1', { uid: 'uid-new' })] };

  test('is the same machine registered anew, once it is committed', () => {
    const { facts } = see(UPGRADING, again);
    expect([facts.node?.uid, facts.stranger]).toEqual(['uid-new', undefined]);
  });

  test('is gone when another machine has its name, or when nothing was begun on it', () => {
    const other = { Node: [node('worker-1', { uid: 'uid-new', machineID: 'other' })] };
    expect([see(UPGRADING, other).facts.node, see(UPGRADING, other).facts.stranger?.uid]).toEqual([
      undefined,
      'uid-new',
    ]);
    expect(see(DRAINING, again).facts.node).toBeUndefined();
  });

  test('is no stranger to machines that say no machine ID', () => {
    const nameless = passage({ phase: 'Upgrading', ...begun, machineID: '' });
    const other = { Node: [node('worker-1', { uid: 'uid-new', machineID: '' })] };
    expect(see(nameless, other).facts.node).toBeUndefined();
  });

  const attachment = (volumeName: string) =>
    ({ ...seen(volumeName), nodeName: 'worker-1', volumeName, attached: true }) as const;
  const claim = (name: string, volumeName: string) => ({ ...seen(name), namespace: 'shop', volumeName });
  const volumes = {
    PersistentVolumeClaim: [claim('agent', 'pv-agent'), claim('db', 'pv-db')],
    VolumeAttachment: [attachment('pv-agent'), attachment('pv-db'), attachment('pv-unknown')],
  };

  test('has the volumes that are attached, but for those of pods that stay', () => {
    const daemon = { namespace: 'shop', controller: { kind: 'DaemonSet', name: 'agent', uid: 'd' } };
    const { facts } = see(DRAINING, {
      ...volumes,
      Pod: [pod('agent', { ...daemon, claims: ['agent'] }), pod('db', { claims: ['db'] })],
      DaemonSet: [{ ...seen('agent'), namespace: 'shop' }],
    });
    expect(facts.attached).toEqual(['pv-db', 'pv-unknown']);
  });

  test('[seed 6] once it is drained, nor for those of pods that came back: seen to fail where only the drain was asked', () => {
    const [back, going] = [pod('back', { claims: ['agent'] }), pod('db', { claims: ['db'], deletedAt: NOW - 1 })];
    const { facts } = see(passage({ phase: 'Detaching', since }), { ...volumes, Pod: [back, going] });
    expect(facts.attached).toEqual(['pv-db', 'pv-unknown']);
  });

  test('is busy with an upgrade Job of another passage, released and unfinished, and with no other', () => {
    const labels = { ...job().labels, 'drydock.dev/passage': 'uid-earlier' };
    const busy = (over: object) => see(DRAINING, { Job: [job({ name: 'earlier-1', labels, ...over })] }).facts.busyJob;
    expect(busy({})).toBe('earlier-1');
    expect(busy({ suspended: true })).toBeUndefined();
    expect(busy({ finished: { as: 'Failed', reason: '', message: '' } })).toBeUndefined();
    expect(busy({ labels: { ...labels, 'drydock.dev/job': 'prepare' } })).toBeUndefined();
    expect(see(DRAINING, { Job: [job()] }).facts.busyJob).toBeUndefined();
  });

  test('and of its Jobs the pods', () => {
    const of = (uid: string) => ({ namespace: 'drydock-jobs', controller: { kind: 'Job', name: 'j', uid } });
    const { facts } = see(UPGRADING, {
      Job: [job()],
      Pod: [pod('mine', of('uid-job-1')), pod('other', of('uid-other'))],
    });
    expect(facts.jobPods.map(({ name }) => name)).toEqual(['mine']);
  });
});

describe('what is seen of an upgrade', () => {
  const cluster = (views: Views) => new SmallCluster(views).caches;
  const owned = (name: string, labels: Record<string, string>, owners: readonly Owner[]) =>
    passage({ phase: 'Pending' }, { name, uid: `uid-${name}`, labels, owners });
  const mine = { kind: 'ClusterUpgrade', name: 'to-1-36', uid: 'uid-upgrade' };
  const label = { 'drydock.dev/upgrade': 'to-1-36' };

  test('its passages, by label and owner: a twin that a person labelled is none, nor one of an earlier upgrade by the name', () => {
    const caches = cluster({
      NodeMaintenance: [
        owned('true', label, [mine]),
        owned('labelled', label, []),
        owned('earlier', label, [{ ...mine, uid: 'uid-earlier' }]),
        owned('elsewhere', { 'drydock.dev/upgrade': 'other' }, [mine]),
        passage({ phase: 'Draining', since }, { name: 'orphan', uid: 'uid-orphan', owners: [] }),
      ],
    });
    const labelled = caches.NodeMaintenance.by('upgrade', upgrade().name);
    expect(passagesOf(labelled, upgrade()).map(({ name }) => name)).toEqual(['true', 'orphan']);
  });

  test('the control plane: static pods that show their release and are not on their way out', () => {
    const component = (name: string, over = {}) =>
      pod(name, { namespace: 'kube-system', componentVersion: 'v1.36.4', ...over });
    const { componentVersion: _, ...proxy } = component('kube-proxy');
    const caches = cluster({
      Pod: [component('api'), component('gone', { deletedAt: NOW }), component('shop', { namespace: 'shop' }), proxy],
    });
    const { server, components } = controlPlaneOf(caches, SERVER);
    expect([server, components.map(({ name }) => name)]).toEqual(['v1.36.4', ['api']]);
  });

  test('no ledger where it cannot be read', () => {
    const broken = { ...ledger(), readable: false, problem: 'spec' } as const;
    expect(ledgerOf(cluster({ MaintenancePolicy: [broken] }))).toBeUndefined();
  });

  test('windows in the order in which they are named, also those that are not there', () => {
    const seen = upgrade({ windowNames: ['b', 'a'] });
    const caches = cluster({ MaintenanceWindow: [windowObject('a')] });
    const { windows } = seeRollout(seen, from(caches), new Preflight());
    expect(windows.map(({ name, object }) => [name, object?.name])).toEqual([
      ['b', undefined],
      ['a', 'a'],
    ]);
  });

  test('a ledger that was read and is not there is none, whatever the cache shows', () => {
    const caches = cluster({ MaintenancePolicy: [ledger()], Node: [node('cached')] });
    const live = { ledger: undefined, nodes: [node('live')] };
    const seen = seeRollout(upgrade(), from(caches), new Preflight(), live);
    expect([seen.ledger, seen.nodes.map(({ name }) => name)]).toEqual([undefined, ['live']]);
  });
});

describe('what would keep a node from being drained', () => {
  const { controller: _, ...alone } = pod('alone');
  const never = { disruptionsAllowed: 0, currentHealthy: 3, desiredHealthy: 3 };
  const hindered = (views: Views, seen = upgrade()) => {
    const base = { Node: [node('worker-1'), node('worker-2')], MaintenanceProfile: [profile()], Pod: [pod()] };
    return seeRollout(seen, from(new SmallCluster({ ...base, ...views }).caches), new Preflight()).hindered('worker-1');
  };
  test.each<[string, Views, readonly string[]]>([
    ['a budget that can never allow it', { PodDisruptionBudget: [budget('web', never)] }, ['BudgetNeverAllows']],
    ['a pod that nobody would make again', { Pod: [alone] }, ['Unmanaged']],
    ['not a budget that is used up for the moment', { PodDisruptionBudget: [exhausted()] }, []],
    ['not a pod that may go', {}, []],
    [
      'not a pod that the profile lets go',
      { Pod: [alone], MaintenanceProfile: [profile({ drain: { unmanaged: 'Evict' } })] },
      [],
    ],
    [
      'nothing where no pod must leave',
      { Pod: [alone], MaintenanceProfile: [profile({ drain: { mode: 'Cordon' } })] },
      [],
    ],
    ['nothing without a profile', { Pod: [alone], MaintenanceProfile: [] }, []],
    ['nothing on a node that is gone', { Pod: [alone], Node: [] }, []],
  ])('is %s', (_name, views, reasons) => {
    expect(hindered(views).map(({ reason }) => reason)).toEqual(reasons);
  });

  test('is so since it was said first, and is looked up once in a pass', () => {
    const [first] = hindered({ Pod: [alone] });
    if (first === undefined) throw new Error('nothing in the way');
    const said = upgrade({}, { status: { blockers: [{ ...first, since: ago(600) }] } });
    expect(hindered({ Pod: [alone] }, said)).toEqual([{ ...first, since: ago(600) }]);
    const { caches } = new SmallCluster({ Node: [node('worker-1')], MaintenanceProfile: [profile()], Pod: [alone] });
    const seen = seeRollout(upgrade(), from(caches), new Preflight());
    expect(seen.hindered('worker-1')).toBe(seen.hindered('worker-1'));
  });
});
