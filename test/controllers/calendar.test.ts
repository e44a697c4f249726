import { describe, expect, test } from 'vitest';
import { profiles, windows } from '../../src/controllers/calendar.ts';
import { reconciler } from '../../src/controllers/loop.ts';
import { Memory } from '../../src/controllers/memory.ts';
import { unreadable } from '../../src/controllers/unreadable.ts';
import type { World } from '../../src/core/world.ts';
import { ledger, profile, upgrade, windowObject } from '../support/build-own.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { SmallCluster } from './small-cluster.ts';

function setUp(views: ConstructorParameters<typeof SmallCluster>[0], start?: string) {
  const cluster = new SmallCluster(views);
  const clock = new FakeClock(start);
  return { cluster, clock, loop: { cluster, clock, memory: new Memory(clock), happened: () => {} } };
}

describe('a window', () => {
  const night = windowObject('night', {
    timeZone: 'Etc/UTC',
    openings: [{ schedule: '0 22 * * *', durationMinutes: 60 }],
  });

  test('says whether it is open, and comes back just after that changes', async () => {
    const { cluster, clock, loop } = setUp({ MaintenanceWindow: [night] }, '2026-11-21T21:59:00Z');
    const { reconcile } = reconciler(windows(loop), loop);
    expect(await reconcile('night')).toEqual({});
    expect(cluster.live('MaintenanceWindow', 'night')).toMatchObject({
      status: { open: false, opensAt: '2026-11-21T22:00:00Z' },
    });
    const next = await reconcile('night');
    expect(next).toEqual({ again: 60.01 });
    await clock.advance(60_010);
    await reconcile('night');
    expect(cluster.live('MaintenanceWindow', 'night')).toMatchObject({
      status: { open: true, closesAt: '2026-11-21T23:00:00Z' },
    });
  });

  test('that changes in a month is looked at once an hour, and nothing is written meanwhile', async () => {
    const far = windowObject('far', { openings: [{ from: '2026-12-24T00:00:00Z', until: '2026-12-25T00:00:00Z' }] });
    const { cluster, loop } = setUp({ MaintenanceWindow: [far] });
    const { reconcile } = reconciler(windows(loop), loop);
    await reconcile('far');
    expect(await reconcile('far')).toEqual({ again: 3600 });
    expect(cluster.writes).toHaveLength(1);
  });

  test('that is not there any more needs nothing', async () => {
    const { loop } = setUp({});
    expect(await reconciler(windows(loop), loop).reconcile('gone')).toEqual({});
  });
});

test('a profile says once that it was read, and again when it changes', async () => {
  const { cluster, loop } = setUp({ MaintenanceProfile: [profile()] });
  const { reconcile } = reconciler(profiles(loop), loop);
  for (let turn = 0; turn < 3; turn += 1) await reconcile('kubeadm-apt');
  expect(cluster.writes).toHaveLength(1);
  cluster.change('MaintenanceProfile', 'kubeadm-apt', { generation: 2 });
  await reconcile('kubeadm-apt');
  expect(cluster.live('MaintenanceProfile', 'kubeadm-apt')).toMatchObject({ status: { observedGeneration: 2 } });
});

type Told = 'ClusterUpgrade' | 'MaintenanceWindow' | 'MaintenanceProfile';

/** An object whose spec an older schema let in. */
function broken<K extends Told | 'MaintenancePolicy'>(object: World[K]): World[K] {
  return { ...object, readable: false, problem: 'spec.target: Required' } as World[K];
}

describe('what cannot be read', () => {
  test.each<[Told, string, ConstructorParameters<typeof SmallCluster>[0], object]>([
    ['ClusterUpgrade', 'to-1-36', { ClusterUpgrade: [broken<'ClusterUpgrade'>(upgrade())] }, { phase: 'Invalid' }],
    ['MaintenanceWindow', 'w', { MaintenanceWindow: [broken<'MaintenanceWindow'>(windowObject('w'))] }, {}],
    ['MaintenanceProfile', 'kubeadm-apt', { MaintenanceProfile: [broken<'MaintenanceProfile'>(profile())] }, {}],
  ])('%s is told once what is wrong with it, and keeps the rest of its status', async (kind, name, views, more) => {
    const { cluster, loop } = setUp(views);
    const { reconcile } = reconciler(unreadable(kind, loop), loop);
    for (let turn = 0; turn < 3; turn += 1) await reconcile(name);
    expect(cluster.writes).toHaveLength(1);
    const [ready, stalled] = (cluster.live(kind, name) as { status: { conditions: object[] } }).status.conditions;
    expect(ready).toMatchObject({ type: 'Ready', status: 'False', reason: 'Unreadable' });
    expect(stalled).toMatchObject({ type: 'Stalled', status: 'True' });
    expect((ready as { message: string }).message).toContain('spec.target: Required');
    expect(cluster.live(kind, name)).toMatchObject({ status: more });
  });

  test('an upgrade that is told so still knows its failures', async () => {
    const failure = { nodeName: 'worker-1', nodeMaintenance: 'p', reason: 'JobFailed', time: '2026-11-20T00:00:00Z' };
    const { cluster, loop } = setUp({
      ClusterUpgrade: [broken<'ClusterUpgrade'>(upgrade({}, { status: { failures: [failure] } }))],
    });
    await reconciler(unreadable('ClusterUpgrade', loop), loop).reconcile('to-1-36');
    expect(cluster.live('ClusterUpgrade', 'to-1-36')).toMatchObject({ status: { failures: [failure] } });
  });

  test('is left alone where its status cannot be read either, or where it can be read', async () => {
    const { status: _, ...rest } = upgrade();
    const garbled = { ...rest, name: 'garbled', readable: false, problem: 'status' } as World['ClusterUpgrade'];
    const { cluster, loop } = setUp({ ClusterUpgrade: [upgrade(), garbled] });
    const { reconcile } = reconciler(unreadable('ClusterUpgrade', loop), loop);
    for (const key of ['to-1-36', 'garbled', 'gone']) expect(await reconcile(key)).toEqual({});
    expect(cluster.asked).toEqual([]);
  });

  test('the ledger is never written by what could not read it', async () => {
    const { cluster, loop } = setUp({ MaintenancePolicy: [broken<'MaintenancePolicy'>(ledger())] });
    for (const kind of ['ClusterUpgrade', 'MaintenanceWindow', 'MaintenanceProfile'] as const)
      await reconciler(unreadable(kind, loop), loop).reconcile('cluster');
    expect(cluster.asked).toEqual([]);
  });
});
