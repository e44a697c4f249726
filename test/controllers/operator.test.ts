import { describe, expect, test } from 'vitest';
import { SEEN_KINDS } from '../../src/cluster/kinds.ts';
import { exhausted, pod } from '../support/build.ts';
import { ledger, profile, upgrade, windowObject } from '../support/build-own.ts';
import { counted, lagging, running, stand, two, WEB } from './running.ts';

const DONE = { phase: 'Complete', done: 2, tickets: 0, passages: ['Succeeded', 'Succeeded'], out: 0, jobs: 0 };

describe('leading', () => {
  test('nothing is performed, stored or told before it leads; then everything is looked at', async () => {
    const { cluster, drydock, pass, writes } = running();
    await pass(600);
    expect(drydock.synced()).toBe(true);
    expect([writes(), cluster.told]).toEqual([[], []]);
    drydock.lead();
    await pass(120);
    expect(stand(cluster)).toEqual(DONE);
  });

  test('planted bug: an operator that always leads writes at once', async () => {
    const { drydock, pass, writes } = running();
    drydock.lead();
    await pass(1);
    expect(writes().length).toBeGreaterThan(0);
  });

  test('after follow nothing is begun, and what happened meanwhile is made up for', async () => {
    const { cluster, drydock, pass, writes } = running();
    drydock.lead();
    await pass(3);
    drydock.follow();
    await pass(1);
    const before = writes().length;
    cluster.change('Node', 'worker-1', { ready: true, bootID: 'boot-9' });
    await pass(900);
    expect(writes().length).toBe(before);
    drydock.lead();
    await pass(120);
    expect(stand(cluster)).toEqual(DONE);
  });

  test('is quiet once what is on its way has ended, and says so if it has not', async () => {
    const { cluster, clock, drydock } = running();
    let answer = () => {};
    cluster.before = (about) =>
      about.startsWith('createPolicy') ? new Promise((resolve) => (answer = () => resolve(undefined))) : undefined;
    drydock.lead();
    await clock.advance(100);
    drydock.follow();
    const late = drydock.quiet(1_000);
    await clock.advance(2_000);
    expect(await late).toBe(false);
    const soon = drydock.quiet(1_000);
    answer();
    await clock.advance(100);
    expect(await soon).toBe(true);
  });

  test('ends with the signal, and leaves no timer behind', async () => {
    const { cluster, clock, drydock, ended, over, pass } = running();
    drydock.lead();
    await pass(90);
    let answer = () => {};
    cluster.before = (about) =>
      about === 'version' ? new Promise((resolve) => (answer = () => resolve(undefined))) : undefined;
    await pass(31);
    ended.abort();
    await clock.advance(0);
    await over;
    answer();
    await clock.advance(0);
    expect(clock.timers).toBe(0);
  });
});

describe('a rollout', () => {
  test('goes through in half a minute a node, with at most 25 writes for each', async () => {
    const { cluster, drydock, pass, writes } = running();
    drydock.lead();
    await pass(100);
    expect(stand(cluster)).toEqual(DONE);
    // Ten of them are of the rollout, not of a node: policy, profile, finalizers, its own status.
    expect((writes().length - 10) / 2).toBeLessThanOrEqual(25);
  });

  test.each(SEEN_KINDS.map((kind) => [kind]))(
    'goes through though the cache of %s lags by five seconds',
    async (kind) => {
      const { cluster, drydock, pass } = running();
      cluster.put('Pod', WEB);
      const lag = lagging(cluster, [kind], 5);
      drydock.lead();
      let most = 0;
      await pass(400, () => {
        lag();
        most = Math.max(most, stand(cluster).out);
      });
      expect([stand(cluster), most]).toEqual([DONE, 1]);
      expect(cluster.effects.filter(({ kind: did }) => did === 'createJob')).toHaveLength(4);
    },
  );

  test('goes through though all caches lag, each by another time', async () => {
    const { cluster, drydock, pass } = running();
    const lags = SEEN_KINDS.map((kind, index) => lagging(cluster, [kind], 1 + (index % 7)));
    drydock.lead();
    await pass(600, () => {
      for (const lag of lags) lag();
    });
    expect(stand(cluster)).toEqual(DONE);
  });

  test('goes on after the API server was away for ten minutes', async () => {
    const { cluster, drydock, pass, runs } = running();
    drydock.lead();
    await pass(12);
    cluster.away = true;
    const before = runs.length;
    await pass(600);
    expect(runs.length - before).toBeLessThan(300);
    cluster.away = false;
    await pass(180);
    expect(stand(cluster)).toEqual(DONE);
  });
});

describe('an hour costs little', () => {
  /** How often keys run in an hour in which nothing happens, and what is written in it. */
  async function hourOf({ drydock, pass, runs, writes, cluster }: ReturnType<typeof running>, first = 120) {
    drydock.lead();
    await pass(first);
    const [ran, wrote] = [runs.length, writes().length];
    await pass(3_600);
    return { most: counted(runs.slice(ran)), writes: writes().slice(wrote), ...stand(cluster) };
  }

  test('of a finished rollout', async () => {
    const { most, writes, phase } = await hourOf(running());
    expect([phase, writes]).toEqual(['Complete', []]);
    expect(most[0]?.[1]).toBeLessThanOrEqual(75);
    expect(most.length).toBeLessThanOrEqual(10);
  });

  test('of a drain that a budget blocks', async () => {
    const { cluster, ...rest } = running({
      ...two(),
      Pod: [WEB],
      PodDisruptionBudget: [exhausted('web')],
      MaintenanceProfile: [profile({ drain: { onDeadline: 'Wait' } })],
    });
    const { most, writes, phase } = await hourOf({ cluster, ...rest });
    expect(phase).toBe('Blocked');
    // That its deadline is over is the only news of that hour.
    expect(writes).toHaveLength(1);
    expect(most[0]?.[1]).toBeLessThanOrEqual(140);
  });

  test('and when the budget gives way, the pod is asked to leave at once', async () => {
    const { cluster, drydock, pass, clock } = running({
      ...two(),
      Pod: [WEB],
      PodDisruptionBudget: [exhausted('web')],
    });
    drydock.lead();
    await pass(60);
    expect(cluster.asked).not.toContain('evict web-1');
    cluster.change('PodDisruptionBudget', 'shop/web', { disruptionsAllowed: 1 });
    await clock.advance(0);
    expect(cluster.asked).toContain('evict web-1');
  });

  test('of a closed window', async () => {
    const { cluster, ...rest } = running({
      ...two(),
      MaintenanceWindow: [windowObject('night', { openings: [{ schedule: '0 22 * * *', durationMinutes: 60 }] })],
      ClusterUpgrade: [upgrade({ windowNames: ['night'] }, { finalizers: [] })],
    });
    const { most, writes, phase } = await hourOf({ cluster, ...rest });
    expect([phase, writes]).toEqual(['WaitingForWindow', []]);
    expect(most[0]?.[1]).toBeLessThanOrEqual(75);
  });

  test('of Jobs that a quota refuses: each attempt is one, not one for each event', async () => {
    const { cluster, ...rest } = running();
    const refusal = { ok: false, why: 'refused', cause: 'Other', message: 'exceeded quota', code: 403 } as const;
    cluster.before = (about) => (about.startsWith('createJob') ? refusal : undefined);
    const { most } = await hourOf({ cluster, ...rest }, 5);
    expect(most[0]?.[1]).toBeLessThanOrEqual(800);
  });

  test('of a status that the API server refuses', async () => {
    const { cluster, ...rest } = running();
    const refusal = { ok: false, why: 'refused', cause: 'Other', message: 'status: Invalid value', code: 422 } as const;
    cluster.before = (about) => (about.startsWith('store') ? refusal : undefined);
    const { most } = await hourOf({ cluster, ...rest }, 5);
    expect(most[0]?.[1]).toBeLessThanOrEqual(200);
  });
});

describe('the calendar wakes what nothing else would', () => {
  test('a node is put back when its window closes, within a second', async () => {
    const { cluster, drydock, pass } = running({
      ...two(),
      Pod: [WEB],
      PodDisruptionBudget: [exhausted('web')],
      MaintenanceWindow: [
        windowObject('now', { openings: [{ from: '2026-11-21T11:00:00Z', until: '2026-11-21T12:02:00Z' }] }),
      ],
      ClusterUpgrade: [upgrade({ windowNames: ['now'] }, { finalizers: [] })],
    });
    drydock.lead();
    await pass(119);
    expect(stand(cluster)).toMatchObject({ out: 1 });
    await pass(2);
    expect(stand(cluster)).toMatchObject({ out: 0, passages: ['Cancelled'] });
    await pass(5);
    expect(stand(cluster)).toMatchObject({ tickets: 0, phase: 'WaitingForWindow' });
  });

  test('and when a freeze of the policy begins, of which no window tells', async () => {
    const freeze = { name: 'peak', from: '2026-11-21T12:02:00Z', until: '2026-11-22T12:00:00Z', reason: 'retail peak' };
    const { cluster, drydock, pass } = running({
      ...two(),
      Pod: [WEB],
      PodDisruptionBudget: [exhausted('web')],
      MaintenancePolicy: [ledger([], { finalizers: [] }, { freezes: [freeze] })],
    });
    drydock.lead();
    await pass(119);
    expect(stand(cluster)).toMatchObject({ out: 1 });
    await pass(2);
    expect(stand(cluster)).toMatchObject({ out: 0, passages: ['Cancelled'] });
  });

  test('caught: what an API server calls itself is asked when its static pod shows a new release, not half a minute later', async () => {
    const component = pod('kube-apiserver-cp-1', {
      namespace: 'kube-system',
      componentVersion: 'v1.35.7',
      mirror: true,
    });
    const { cluster, drydock, pass, clock } = running({ ...two(), Pod: [component] });
    drydock.lead();
    await pass(5);
    const asked = () => cluster.asked.filter((line) => line.startsWith('version')).length;
    const before = asked();
    cluster.change('Pod', 'kube-system/kube-apiserver-cp-1', { ready: false });
    await clock.advance(0);
    expect(asked()).toBe(before);
    cluster.change('Pod', 'kube-system/kube-apiserver-cp-1', { componentVersion: 'v1.36.4' });
    await clock.advance(0);
    expect(asked()).toBe(before + 1);
  });
});

describe('what an upgrade names and no cache shows is asked for before people are told that it is not there', () => {
  const OPEN = { openings: [{ from: '2026-11-01T00:00:00Z', until: '2026-12-01T00:00:00Z' }] };
  const spec = { windowNames: ['nights'], etcdSnapshot: { profileName: 'saves' } };
  const named = {
    MaintenanceWindow: windowObject('nights', OPEN),
    MaintenanceProfile: { ...profile({ drain: { mode: 'Leave' } }), name: 'saves', uid: 'uid-saves' },
  };
  const begun = () =>
    running({ ...two(), ClusterUpgrade: [upgrade(spec, { finalizers: [], status: { phase: undefined } })] });

  test.each(['MaintenanceWindow', 'MaintenanceProfile'] as const)(
    'a %s that is there is not missed, while its watch is being set up again (found on real nodes)',
    async (late) => {
      const { cluster, drydock, pass } = begun();
      cluster.lag(late);
      for (const kind of ['MaintenanceWindow', 'MaintenanceProfile'] as const) cluster.put(kind, named[kind] as never);
      drydock.lead();
      await pass(10, () => expect(stand(cluster).phase).not.toBe('Invalid'));
      expect(cluster.told.filter(({ reason }) => reason === 'Invalid')).toEqual([]);
      expect(stand(cluster).phase).toBeDefined();
    },
  );

  test.each(['MaintenanceWindow', 'MaintenanceProfile'] as const)(
    'a %s that is not there is, and then not asked for again and again',
    async (missing) => {
      const { cluster, drydock, pass } = begun();
      for (const kind of ['MaintenanceWindow', 'MaintenanceProfile'] as const)
        if (kind !== missing) cluster.put(kind, named[kind] as never);
      drydock.lead();
      await pass(10);
      expect(stand(cluster).phase).toBe('Invalid');
      const asked = cluster.asked.length;
      await pass(30);
      expect(cluster.asked.slice(asked).filter((line) => line.startsWith(`read ${missing}`))).toEqual([]);
    },
  );
});
