import { describe, expect, test } from 'vitest';
import { DEFAULT_DRAIN, type Drain } from '../../src/api/maintenance-profile.ts';
import { assess, type DrainFacts } from '../../src/core/drain.ts';
import type { PodView } from '../../src/core/world.ts';
import { budget, drainFacts, exhausted, NOW, node, pod, recalling, refused } from '../support/build.ts';

const daemonSets = new Set(['kube-system/cni']);
const look = (pods: readonly PodView[], over: Partial<DrainFacts> = {}, drain: Partial<Drain> = {}) =>
  assess({ ...DEFAULT_DRAIN, ...drain }, drainFacts(pods, { daemonSets, ...over }));
/** One word for what becomes of a single pod. */
const fate = (one: PodView, over: Partial<DrainFacts> = {}, drain: Partial<Drain> = {}): string => {
  const { empty, evictions, blockers, counts } = look([one], over, drain);
  if (empty) return 'stays';
  if (evictions.length > 0) return 'asked';
  return blockers[0]?.reason ?? (counts.terminating > 0 ? 'on its way' : 'awaited');
};
const { controller: _, ...bare } = pod();
const unmanaged: PodView = bare;
const daemonPod = pod('cni-x', {
  namespace: 'kube-system',
  controller: { kind: 'DaemonSet', name: 'cni', uid: 'uid-cni' },
});

describe('which pods must leave', () => {
  const minutes = (count: number) => NOW - count * 60_000;
  const down = { node: node('worker-1', { ready: false, unreachable: true }) };
  const sick = { node: node('worker-1', { ready: false }) };
  test.each<[string, PodView, string, Partial<DrainFacts>?, Partial<Drain>?]>([
    ['a pod of a ReplicaSet is asked', pod(), 'asked'],
    ['[rule 1] a mirror pod stays', pod('etcd', { mirror: true }), 'stays'],
    ['[rule 2] a pod of a DaemonSet stays', daemonPod, 'stays'],
    ['[rule 2] a pod whose DaemonSet is gone must leave', daemonPod, 'asked', { daemonSets: new Set() }],
    [
      '[rule 2] a DaemonSet of that name in another namespace does not keep it',
      daemonPod,
      'asked',
      { daemonSets: new Set(['shop/cni']) },
    ],
    [
      '[rule 2] caught: a controller of another kind with the name of a DaemonSet',
      { ...daemonPod, controller: { kind: 'ReplicaSet', name: 'cni', uid: 'u' } },
      'asked',
    ],
    ['[rule 4] a pod that has succeeded stays', pod('done', { phase: 'Succeeded' }), 'stays'],
    ['[rule 4] a pod that has failed stays', pod('failed', { phase: 'Failed' }), 'stays'],
    ['[rule 5] a pending pod that is bound must leave', pod('new', { phase: 'Pending', ready: false }), 'asked'],
    ['a pod whose phase is not known must leave', pod('lost', { phase: 'Unknown' }), 'asked'],
    ['[rule 6] a pod on its way is awaited, never asked again', pod('going', { deletedAt: NOW }), 'on its way'],
    [
      '[rule 6] on a node that answers it is awaited however long it takes, and named',
      pod('going', { deletedAt: minutes(99) }),
      'StuckTerminating',
    ],
    [
      '[rule 6] caught: a node that says itself that it is not ready still answers',
      pod('going', { deletedAt: minutes(99) }),
      'StuckTerminating',
      sick,
    ],
    ['a pod on its way is no news for a minute', pod('going', { deletedAt: minutes(1) }), 'on its way'],
    [
      'a pod that has ended and is kept by a finalizer',
      pod('going', { deletedAt: minutes(2), finalizers: ['example.com/backup'] }),
      'HeldByFinalizers',
    ],
    [
      '[rule 6] on a node that does not answer it counts for a minute, and another for clocks that differ',
      pod('going', { deletedAt: minutes(2) }),
      'StuckTerminating',
      down,
    ],
    [
      '[rule 6] on a node that does not answer it counts no more after that',
      pod('going', { deletedAt: minutes(2) - 1 }),
      'stays',
      down,
    ],
    ['[rule 7] on a node that does not answer a pod is still asked, never skipped', pod(), 'asked', down],
    [
      '[rule 16] a pod of a Job of ours stays',
      pod('job', { namespace: 'drydock-jobs', labels: { 'drydock.dev/passage': 'uid' } }),
      'stays',
    ],
    [
      '[rule 16] any other pod in the namespace of the Jobs must leave',
      pod('x', { namespace: 'drydock-jobs' }),
      'asked',
    ],
    [
      '[rule 16] the label of a Job elsewhere keeps nothing',
      pod('x', { labels: { 'drydock.dev/passage': 'uid' } }),
      'asked',
    ],
    ['[rule 9] an unmanaged pod is in the way', unmanaged, 'Unmanaged'],
    ['[rule 9] an unmanaged pod leaves where the profile says so', unmanaged, 'asked', {}, { unmanaged: 'Evict' }],
    ['[rule 9] an unmanaged pod on its way is no blocker', { ...unmanaged, deletedAt: NOW }, 'on its way'],
    ['[rule 8] a pod with an emptyDir leaves', pod('cache', { emptyDir: true }), 'asked'],
    [
      '[rule 8] a pod with an emptyDir is in the way where the profile says so',
      pod('cache', { emptyDir: true }),
      'EmptyDir',
      {},
      { emptyDir: 'Block' },
    ],
    [
      '[rule 8] a DaemonSet pod with an emptyDir still stays',
      { ...daemonPod, emptyDir: true },
      'stays',
      {},
      { emptyDir: 'Block' },
    ],
    ['a static pod that looks unmanaged stays', { ...unmanaged, mirror: true }, 'stays'],
  ])('%s', (_name, one, expected, over, drain) => {
    expect(fate(one, over, drain)).toBe(expected);
  });

  test('[seed 3221] caught: the volumes of a pod that has ended do not stay with it', () => {
    const pods = [pod('done', { phase: 'Succeeded' }), daemonPod];
    expect(look(pods).staying.map(({ name }) => name)).toEqual([daemonPod.name]);
  });

  test('an empty node is empty', () => {
    expect(look([])).toEqual({
      empty: true,
      evictions: [],
      blockers: [],
      counts: { remaining: 0, terminating: 0, blocked: 0 },
      staying: [],
      hopeful: 0,
      nowhere: false,
      free: [],
    });
  });

  test('[rule 24] a pod that cannot be asked is not gone: nothing but its absence makes a node empty', () => {
    const answers = [
      refused(),
      refused({ why: 'unavailable', code: 500 }),
      refused({ why: 'gone', code: 404 }),
      refused({ why: 'conflict', code: 409 }),
      { ok: true } as const,
    ];
    for (const answer of answers)
      expect(look([pod()], { recall: recalling({ 'evict/uid-web-1': [answer, 0] }) }).empty).toBe(false);
  });

  test('[rule 14] a pod that was told to leave is awaited until it is gone', () => {
    const accepted = { recall: recalling({ 'evict/uid-web-1': [{ ok: true }, 3] }) };
    expect(fate(pod(), accepted)).toBe('awaited');
    expect(fate(pod(), { recall: recalling({ 'evict/uid-web-1': [{ ok: true }, 10] }) })).toBe('asked');
  });

  test('those that stay are named, since their volumes stay attached', () => {
    expect(look([daemonPod, pod()]).staying).toEqual([daemonPod]);
  });
});

describe('how they are asked', () => {
  test('[rule 13] by UID', () => {
    expect(look([pod()]).evictions).toEqual([
      { kind: 'evict', namespace: 'shop', pod: 'web-1', uid: 'uid-web-1', lane: 'uid-web-1' },
    ]);
  });

  test('[rule 29] with the grace period of the profile, where it has one', () => {
    expect(look([pod()], {}, { gracePeriodSeconds: 20 }).evictions[0]).toMatchObject({ gracePeriodSeconds: 20 });
    expect(look([pod()]).evictions[0]).not.toHaveProperty('gracePeriodSeconds');
  });

  test('[rule 26] all at once, those of one budget on one lane', () => {
    const pods = [pod('web-1'), pod('web-2'), pod('api-1', { labels: { app: 'api' } })];
    const { evictions } = look(pods, { budgets: [budget('web', { disruptionsAllowed: 2 })] });
    expect(evictions.map(({ pod: name, lane }) => [name, lane])).toEqual([
      ['web-1', 'uid-budget-web'],
      ['web-2', 'uid-budget-web'],
      ['api-1', 'uid-api-1'],
    ]);
  });

  test('[rule 28] at most 50 in one pass', () => {
    const many = Array.from({ length: 120 }, (_, index) => pod(`p-${index}`));
    const { evictions, counts } = look(many);
    expect(evictions).toHaveLength(50);
    expect(counts.remaining).toBe(120);
  });

  test('[rule 16] Drydock leaves last, when nothing else is left', () => {
    const own = pod('drydock-1', { namespace: 'drydock-system' });
    const going = pod('going', { deletedAt: NOW });
    const asked = (pods: readonly PodView[]) => look(pods).evictions.map(({ pod: name }) => name);
    expect(asked([own, pod()])).toEqual(['web-1']);
    expect(asked([own, going])).toEqual([]);
    expect(asked([own, unmanaged])).toEqual([]);
    expect(asked([own, daemonPod])).toEqual(['drydock-1']);
    expect(look([own, going]).counts.remaining).toBe(2);
  });
});

describe('what is in the way is named', () => {
  test('pod, owner, budget, reason and what a person can do', () => {
    const { blockers, counts } = look([pod()], { budgets: [exhausted()] });
    expect(blockers).toEqual([
      {
        nodeName: 'worker-1',
        pod: 'shop/web-1',
        owner: 'ReplicaSet/web',
        budgets: ['shop/web'],
        reason: 'BudgetExhausted',
        message:
          'PodDisruptionBudget shop/web allows no disruption now (2 of 3 pods healthy, 2 needed, 0 disruptions allowed).',
        since: '2026-11-10T12:00:00.000Z',
        selfClearing: true,
        advice: 'It clears when enough of its pods are healthy elsewhere.',
      },
    ]);
    expect(counts).toEqual({ remaining: 1, terminating: 0, blocked: 1 });
  });

  test('since when is kept while the reason is the same', () => {
    const [first] = look([unmanaged]).blockers;
    if (first === undefined) throw new Error('no blocker');
    const earlier = [{ ...first, since: '2026-11-10T08:00:00Z' }];
    expect(look([unmanaged], { earlier }).blockers[0]?.since).toBe('2026-11-10T08:00:00Z');
    const other = [{ ...first, since: '2026-11-10T08:00:00Z', reason: 'EmptyDir' }];
    expect(look([unmanaged], { earlier: other }).blockers[0]?.since).toBe('2026-11-10T12:00:00.000Z');
  });

  test('in order of their names, at most 50, all of them counted', () => {
    const many = Array.from({ length: 60 }, (_, index) => ({
      ...unmanaged,
      name: `p-${99 - index}`,
      uid: `u-${index}`,
    }));
    const { blockers, counts } = look(many);
    expect(blockers).toHaveLength(50);
    expect(blockers.map(({ pod: name }) => name)).toEqual(blockers.map(({ pod: name }) => name).sort());
    expect(counts.blocked).toBe(60);
  });

  test('when a refused one may be asked again, the earliest of all', () => {
    const limited = (seconds: number) =>
      refused({ why: 'unavailable', cause: 'RateLimited', retryAfterSeconds: seconds, code: 429 });
    const recall = recalling({ 'evict/uid-web-1': [limited(20), 0], 'evict/uid-web-2': [limited(9), 0] });
    expect(look([pod(), pod('web-2')], { recall }).againAt).toBe(NOW + 9000);
    expect(look([pod()])).not.toHaveProperty('againAt');
  });
});
