import { describe, expect, test } from 'vitest';
import { upgrades } from '../../src/controllers/cluster-upgrade.ts';
import { reconciler } from '../../src/controllers/loop.ts';
import { ledger as ledgerOf } from '../../src/controllers/maintenance-policy.ts';
import { Memory } from '../../src/controllers/memory.ts';
import { passages } from '../../src/controllers/node-maintenance.ts';
import { HELD_BY, writeMark } from '../../src/core/mark.ts';
import { ago, cordoned, FAILED, job, mark, NOW, node, PASSAGE, pod } from '../support/build.ts';
import { ledger, passage, profile, ticket, upgrade, windowObject } from '../support/build-own.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { SmallCluster } from './small-cluster.ts';

const PLACE = { namespace: 'drydock-system', jobsNamespace: 'drydock-jobs' };
const SERVER = { current: 'v1.36.4' };
const ALWAYS = { openings: [{ from: '2026-11-01T00:00:00Z', until: '2026-12-01T00:00:00Z' }] };

/** A cluster in which a worker is out with a stamped ticket, and the loops over it. */
function setUp(views: ConstructorParameters<typeof SmallCluster>[0] = {}) {
  const clock = new FakeClock(new Date(NOW).toISOString());
  const cluster = new SmallCluster({
    Node: [cordoned('uid-passage')],
    MaintenancePolicy: [ledger([ticket({ passageUID: 'uid-passage' })])],
    MaintenanceProfile: [profile()],
    MaintenanceWindow: [windowObject('nights', ALWAYS)],
    ClusterUpgrade: [upgrade({ windowNames: ['nights'] })],
    ...views,
  });
  const loop = { cluster, clock, memory: new Memory(clock, NOW - 60_000), happened: () => {} };
  return {
    cluster,
    clock,
    ofPassage: () => reconciler(passages(loop, SERVER, PLACE), loop).reconcile(PASSAGE),
    ofUpgrade: () => reconciler(upgrades(loop, SERVER, PLACE), loop).reconcile('to-1-36'),
    ofLedger: () => reconciler(ledgerOf(loop), loop).reconcile('cluster'),
    phase: () => {
      const found = cluster.live('NodeMaintenance', PASSAGE);
      return found?.readable ? found.status.state.phase : undefined;
    },
  };
}

const DRAINED = passage({ phase: 'Draining', since: ago(60) });
const DETACHED = passage({ phase: 'Detaching', since: ago(60) });
const STARTING = passage({ phase: 'Starting', since: ago(60), attempt: 1 });

describe('a passage looks, since the cache of each kind lags by itself', () => {
  test('and goes on where the world is as the caches say', async () => {
    const { ofPassage, phase } = setUp({ NodeMaintenance: [DRAINED] });
    await ofPassage();
    expect(phase()).toBe('Detaching');
  });

  test('a pod that the cache does not show keeps the node draining', async () => {
    const { ofPassage, phase, cluster } = setUp({ NodeMaintenance: [DRAINED] });
    cluster.lag('Pod');
    cluster.put('Pod', pod());
    await ofPassage();
    expect([phase(), cluster.asked.filter((line) => line.startsWith('evict'))]).toEqual(['Draining', ['evict web-1']]);
  });

  test('what the check has said is read of its pod where the cache does not show the end of that', async () => {
    const preparing = passage({ phase: 'Preparing', since: ago(60) });
    const { ofPassage, cluster } = setUp({ Node: [node()], NodeMaintenance: [preparing] });
    const failed = job({ finished: FAILED }, 'prepare');
    const of = {
      controller: { kind: 'Job', name: failed.name, uid: failed.uid },
      labels: { 'job-name': failed.name },
    } as const;
    cluster.put('Pod', pod('check', of));
    cluster.lag('Pod');
    cluster.put('Job', failed);
    cluster.put('Pod', pod('check', { ...of, ended: { exitCode: 1, message: 'a member of etcd is not healthy' } }));
    await ofPassage();
    expect(cluster.live('NodeMaintenance', PASSAGE)).toMatchObject({
      status: { state: { phase: 'Uncordoning', message: expect.stringContaining('a member of etcd is not healthy') } },
    });
  });

  test('a ticket that the ledger does not have any more ends it before the Job', async () => {
    const { ofPassage, phase, cluster } = setUp({ NodeMaintenance: [DETACHED] });
    cluster.lag('MaintenancePolicy');
    cluster.change('MaintenancePolicy', 'cluster', { status: ledger().status } as never);
    await ofPassage();
    expect(phase()).toBe('Uncordoning');
  });

  test('a cordon that somebody took off is set again before it starts', async () => {
    const { ofPassage, phase, cluster } = setUp({ NodeMaintenance: [DETACHED] });
    cluster.lag('Node');
    cluster.change('Node', 'worker-1', { unschedulable: false });
    await ofPassage();
    expect([phase(), cluster.effects.map(({ kind }) => kind)]).toEqual(['Detaching', ['patchNode']]);
  });

  test.each([
    ['Detaching', DETACHED],
    ['Starting', STARTING],
  ])('%s: a window that a person paused a moment ago puts it back', async (_, seen) => {
    const own = job({ name: `${PASSAGE}-1`, suspended: true, started: false });
    const { ofPassage, phase, cluster } = setUp({ NodeMaintenance: [seen], Job: [own] });
    cluster.lag('MaintenanceWindow');
    cluster.put('MaintenanceWindow', windowObject('nights', { ...ALWAYS, paused: true }));
    await ofPassage();
    expect(phase()).toBe('Uncordoning');
  });

  test('an upgrade that was deleted a moment ago puts it back', async () => {
    const { ofPassage, phase, cluster } = setUp({ NodeMaintenance: [DETACHED] });
    cluster.lag('ClusterUpgrade');
    cluster.change('ClusterUpgrade', 'to-1-36', { deletedAt: NOW });
    await ofPassage();
    expect(phase()).toBe('Uncordoning');
  });

  test('a Job of an earlier passage that the cache shows as suspended is waited for', async () => {
    const own = job({ name: `${PASSAGE}-1`, suspended: true, started: false });
    const labels = { ...own.labels, 'drydock.dev/passage': 'uid-earlier' };
    const earlier = job({ name: 'earlier-1', uid: 'uid-earlier-job', labels, suspended: true, started: false });
    const { ofPassage, phase, cluster } = setUp({ NodeMaintenance: [STARTING], Job: [own, earlier] });
    cluster.lag('Job');
    cluster.change('Job', 'earlier-1', { suspended: false });
    await ofPassage();
    expect(phase()).toBe('Starting');
  });

  test('no answer to one of the reads, and nothing is stored', async () => {
    for (const read of [
      'read Node',
      'read MaintenancePolicy',
      'list Pod',
      'list Job',
      'read ClusterUpgrade',
      'read MaintenanceWindow',
    ]) {
      const { ofPassage, phase, cluster } = setUp({ NodeMaintenance: [DETACHED] });
      cluster.before = (about) =>
        about.startsWith(read) ? { ok: false, why: 'unavailable', cause: 'Other', message: read, code: 0 } : undefined;
      expect(await ofPassage()).toEqual({ retry: read });
      expect(phase()).toBe('Detaching');
    }
  });
});

describe('an upgrade looks before it admits', () => {
  const idle = { Node: [node('worker-1')], MaintenancePolicy: [ledger()] };
  const admitted = (cluster: SmallCluster) => cluster.effects.filter(({ kind }) => kind === 'writeLedger').length;

  test('and admits where the world is as the caches say', async () => {
    const { ofUpgrade, cluster } = setUp(idle);
    await ofUpgrade();
    expect(admitted(cluster)).toBe(1);
  });

  test.each<[string, (cluster: SmallCluster) => void]>([
    [
      'MaintenanceWindow',
      (cluster) => cluster.put('MaintenanceWindow', windowObject('nights', { ...ALWAYS, paused: true })),
    ],
    [
      'ClusterUpgrade',
      (cluster) => cluster.put('ClusterUpgrade', upgrade({ windowNames: ['nights'], mode: 'Paused' })),
    ],
    ['MaintenancePolicy', (cluster) => cluster.put('MaintenancePolicy', ledger([], {}, { paused: true }))],
    ['Node', (cluster) => cluster.change('Node', 'worker-1', { ready: false })],
  ])('and admits none where its %s has changed since', async (kind, change) => {
    const { ofUpgrade, cluster } = setUp(idle);
    cluster.lag(kind as 'Node');
    change(cluster);
    await ofUpgrade();
    expect(admitted(cluster)).toBe(0);
  });

  test('and does nothing for one that is gone by now', async () => {
    const { ofUpgrade, cluster } = setUp(idle);
    cluster.lag('ClusterUpgrade');
    cluster.remove('ClusterUpgrade', 'to-1-36');
    expect(await ofUpgrade()).toEqual({});
    expect(admitted(cluster)).toBe(0);
  });
});

describe('the ledger looks before a ticket is taken off', () => {
  const settled = passage({ phase: 'Succeeded', since: ago(5), reason: 'Succeeded', message: '' });
  const tickets = (cluster: SmallCluster) => {
    const policy = cluster.live('MaintenancePolicy', 'cluster');
    return policy?.readable ? policy.status.tickets.length : undefined;
  };

  test('of a settled passage whose node is free', async () => {
    const { ofLedger, cluster } = setUp({ NodeMaintenance: [settled], Node: [node('worker-1')] });
    await ofLedger();
    expect(tickets(cluster)).toBe(0);
  });

  test('not while a mark is on the node that the cache does not show', async () => {
    const { ofLedger, cluster } = setUp({ NodeMaintenance: [settled], Node: [node('worker-1')] });
    cluster.lag('Node');
    cluster.change('Node', 'worker-1', {
      annotations: { [HELD_BY]: writeMark(mark('uid-passage')) },
      unschedulable: true,
    });
    await ofLedger();
    expect(tickets(cluster)).toBe(1);
  });

  test('not while a Job is at work that the cache does not show', async () => {
    const { ofLedger, cluster } = setUp({ NodeMaintenance: [settled], Node: [node('worker-1')] });
    cluster.lag('Job');
    cluster.put('Job', job());
    await ofLedger();
    expect(tickets(cluster)).toBe(1);
  });

  test('not that of a passage which is made and stamped between two of its reads (found when all were sent at once)', async () => {
    const other = { nodeName: 'worker-2', nodeUID: 'uid-worker-2', ticket: 'uid-policy-2' };
    const both = [ticket({ passageUID: 'uid-passage' }), ticket(other)];
    const { ofLedger, cluster } = setUp({
      Node: [node('worker-1'), node('worker-2')],
      NodeMaintenance: [settled],
      MaintenancePolicy: [ledger(both)],
    });
    // The policy is answered last, if it is not the only one that was asked.
    cluster.before = (about) => (about.startsWith('read') ? settle() : undefined);
    let made = false;
    cluster.afterRead = (kind) => {
      if (kind !== 'NodeMaintenance' || made) return;
      made = true;
      const stamped = [both[0], ticket({ ...other, passageUID: 'uid-new' })].flatMap((entry) => entry ?? []);
      cluster.put('NodeMaintenance', passage({ phase: 'Preparing', since: ago(0) }, { name: 'new', uid: 'uid-new' }));
      cluster.change('MaintenancePolicy', 'cluster', { status: ledger(stamped).status } as never);
    };
    await ofLedger();
    const policy = cluster.live('MaintenancePolicy', 'cluster');
    expect(policy?.readable && policy.status.tickets.map(({ passageUID }) => passageUID)).toContain('uid-new');
  });

  test('which nobody stamped and whose upgrade is gone, as after a forced finalizer', async () => {
    const { ofLedger, cluster } = setUp({ MaintenancePolicy: [ledger([ticket()])], ClusterUpgrade: [] });
    await ofLedger();
    expect(tickets(cluster)).toBe(0);
  });

  test('not that of an upgrade which is only not in the cache yet', async () => {
    const { ofLedger, cluster } = setUp({ MaintenancePolicy: [ledger([ticket()])], ClusterUpgrade: [] });
    cluster.lag('ClusterUpgrade');
    cluster.put('ClusterUpgrade', upgrade());
    await ofLedger();
    expect(tickets(cluster)).toBe(1);
  });

  test('and leaves alone what it cannot read', async () => {
    const { readable: _, ...rest } = ledger([ticket()]);
    const { ofLedger, cluster } = setUp({ MaintenancePolicy: [{ ...rest, readable: false, problem: 'spec' }] });
    expect(await ofLedger()).toEqual({});
    expect(cluster.asked).toEqual([]);
  });
});

async function settle(): Promise<undefined> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
