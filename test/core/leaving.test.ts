import { describe, expect, test } from 'vitest';
import { DEFAULT_DRAIN, type Drain } from '../../src/api/maintenance-profile.ts';
import { assess, type DrainFacts } from '../../src/core/drain.ts';
import type { PodView } from '../../src/core/world.ts';
import { budget, drainFacts, exhausted, NOW, pod, recalling, refused } from '../support/build.ts';

type Rules = NonNullable<Drain['rules']>;
const rule = (over: Partial<Rules[number]>): Rules[number] => ({ behavior: 'Evict', tier: 0, ...over });
const selecting = (app: string) => ({ podSelector: { matchLabels: { app } } });

const look = (
  pods: readonly PodView[],
  rules: Rules = [],
  over: Partial<DrainFacts> = {},
  drain: Partial<Drain> = {},
) => assess({ ...DEFAULT_DRAIN, ...drain, rules }, drainFacts(pods, over));
const asked = (...given: Parameters<typeof look>) => look(...given).evictions.map((effect) => effect.pod);
const web = pod('web-1');
const db = pod('db-1', { labels: { app: 'db' } });
const { controller: _, ...bare } = web;

describe('rules of a profile', () => {
  test('Skip: the pod stays and is not waited for', () => {
    const { empty, staying } = look([web], [rule({ ...selecting('web'), behavior: 'Skip' })]);
    expect([empty, staying]).toEqual([true, [web]]);
  });

  test('caught: the first that matches decides, not the strictest', () => {
    const rules = [rule(selecting('web')), rule({ behavior: 'Skip' })];
    expect(asked([web, db], rules)).toEqual(['web-1']);
  });

  test('WaitForCompletion: it is not asked, waited for, and named; once it has ended it is no more', () => {
    const rules = [rule({ ...selecting('web'), behavior: 'WaitForCompletion' })];
    const { evictions, empty, blockers } = look([web], rules);
    expect([evictions, empty, blockers.map(({ reason }) => reason)]).toEqual([[], false, ['WaitingForCompletion']]);
    expect(look([{ ...web, phase: 'Succeeded' }], rules).empty).toBe(true);
  });

  test('Evict goes before what the profile says of unmanaged pods and of those with an emptyDir', () => {
    const block = { unmanaged: 'Block', emptyDir: 'Block' } as const;
    const pods = [{ ...bare, emptyDir: true }];
    expect(asked(pods, [], {}, block)).toEqual([]);
    expect(asked(pods, [rule(selecting('web'))], {}, block)).toEqual(['web-1']);
  });

  test('select by the labels of the namespace too, and both must hold', () => {
    const rules = [
      rule({ ...selecting('web'), namespaceSelector: { matchLabels: { tier: 'batch' } }, behavior: 'Skip' }),
    ];
    const batch = {
      namespaceLabels: (name: string): Record<string, string> => (name === 'shop' ? { tier: 'batch' } : {}),
    };
    expect(look([web], rules, batch).empty).toBe(true);
    expect(look([web], rules).empty).toBe(false);
    expect(look([db], rules, batch).empty).toBe(false);
  });

  test('caught: nobody is asked in a namespace that is not seen yet, where a rule may say that the pod stays', () => {
    const rules = [rule({ namespaceSelector: { matchLabels: { tier: 'batch' } }, behavior: 'Skip' })];
    const unseen = { namespaceLabels: () => undefined };
    const { empty, evictions, counts } = look([web], rules, unseen);
    expect([empty, evictions, counts.remaining]).toEqual([false, [], 1]);
    expect(asked([web], [rule(selecting('web'))], unseen)).toEqual(['web-1']);
  });

  test('of a DaemonSet pod say nothing: evicted, it would only come back', () => {
    const daemon = pod('cni', { controller: { kind: 'DaemonSet', name: 'cni', uid: 'u' } });
    expect(look([daemon], [rule({})], { daemonSets: new Set(['shop/cni']) }).empty).toBe(true);
  });
});

describe('tiers', () => {
  const rules = [rule({ ...selecting('db'), tier: 5 })];
  test('caught: a later tier is asked only when the one before has gone, not when it was asked', () => {
    expect(asked([web, db], rules)).toEqual(['web-1']);
    expect(asked([{ ...web, deletedAt: NOW }, db], rules)).toEqual([]);
    expect(asked([db], rules)).toEqual(['db-1']);
  });

  test('a pod that stays holds back no tier', () => {
    expect(asked([{ ...web, phase: 'Succeeded' }, db], rules)).toEqual(['db-1']);
  });

  test('a pod that is in the way holds back later tiers: the order is what was asked for', () => {
    expect(asked([bare, db], rules)).toEqual([]);
  });

  test('[rule 16] no tier comes after the pods of Drydock', () => {
    const own = pod('drydock-1', { namespace: 'drydock-system', labels: { app: 'drydock' } });
    expect(asked([own, db], [rule({ ...selecting('db'), tier: 100 }), rule({ tier: 0 })])).toEqual(['db-1']);
  });
});

describe('pods with nowhere to go', () => {
  const own = pod('drydock-1', { namespace: 'drydock-system' });
  test('[rule 40] caught: on the only node Drydock stays, or nobody would be left to do the work', () => {
    expect(look([own], [], { elsewhere: false })).toMatchObject({ empty: true, staying: [own] });
    expect(asked([own])).toEqual(['drydock-1']);
  });

  test('[rule 40] others leave all the same, and that they have nowhere to go is known', () => {
    expect(look([web], [], { elsewhere: false })).toMatchObject({ nowhere: true, hopeful: 1 });
  });
});

describe('[rule 10] pods that tolerate the cordon', () => {
  const cordonedAt = NOW - 60_000;
  const tolerant = pod('t-2', { toleratesCordon: true, createdAt: NOW - 1_000 });
  test('caught: one that came back is left alone, named, and not waited for', () => {
    const { evictions, empty, blockers, counts } = look([tolerant], [], { cordonedAt });
    expect([evictions, empty, counts.blocked]).toEqual([[], true, 0]);
    expect(blockers.map(({ reason }) => reason)).toEqual(['ComesBack']);
  });

  test('caught: made in the second of the cordon, of which the API server keeps no more, it has come back', () => {
    const late = { cordonedAt: cordonedAt + 900 };
    expect(look([{ ...tolerant, createdAt: cordonedAt }], [], late).blockers).toMatchObject([{ reason: 'ComesBack' }]);
  });

  test.each<[string, PodView, Partial<DrainFacts>]>([
    ['that was there before the cordon leaves once', { ...tolerant, createdAt: cordonedAt - 1000 }, { cordonedAt }],
    ['that nobody would make again is evicted', pod('t-2', { ...bare, toleratesCordon: true, createdAt: NOW }), {}],
    ['and a pod that does not tolerate it was bound before', { ...tolerant, toleratesCordon: false }, { cordonedAt }],
    ['of a node that was not cordoned for this', tolerant, {}],
  ])('one %s', (_name, one, over) => {
    expect(asked([one], [], over, { unmanaged: 'Evict' })).toEqual([one.name]);
  });
});

describe('what is in the way stays said', () => {
  const answered = (seconds: number) => ({
    budgets: [budget('a'), budget('b')],
    recall: recalling({ 'evict/uid-web-1': [refused({ cause: 'TooManyBudgets', code: 500 }), seconds] }),
  });
  test('caught: while it is asked again, with the time since when', () => {
    const [said] = look([web], [], answered(59)).blockers;
    if (said === undefined) throw new Error('no blocker');
    const again = look([web], [], { ...answered(60), earlier: [{ ...said, since: '2026-11-10T08:00:00Z' }] });
    expect(again.evictions).toHaveLength(1);
    expect(again.hopeful).toBe(0);
    expect(again.blockers).toMatchObject([{ reason: 'TooManyBudgets', since: '2026-11-10T08:00:00Z' }]);
  });

  test('a pod that is not ready may only just have started; after five minutes it needs a person', () => {
    const sick = pod('web-1', { ready: false });
    const budgets = [exhausted('web', { currentHealthy: 1 })];
    const [first] = look([sick], [], { budgets }).blockers;
    if (first === undefined) throw new Error('no blocker');
    expect(first).toMatchObject({ reason: 'UnhealthyPod', selfClearing: true });
    const since = (seconds: number) => [{ ...first, since: new Date(NOW - seconds * 1000).toISOString() }];
    expect(look([sick], [], { budgets, earlier: since(299) }).blockers[0]?.selfClearing).toBe(true);
    expect(look([sick], [], { budgets, earlier: since(300) }).blockers[0]?.selfClearing).toBe(false);
  });

  test('the owner is the Deployment that people know, where the ReplicaSet is named after it', () => {
    const owned = (name: string, labels: Record<string, string>) =>
      look([pod('p', { labels, controller: { kind: 'ReplicaSet', name, uid: 'u' } })], [], {
        budgets: [exhausted('all', { selector: { matchLabels: {}, matchExpressions: [] } })],
      }).blockers[0]?.owner;
    expect(owned('web-5d4f', { 'pod-template-hash': '5d4f' })).toBe('Deployment/web');
    expect(owned('web-5d4f', {})).toBe('ReplicaSet/web-5d4f');
    expect(owned('web', { 'pod-template-hash': '5d4f' })).toBe('ReplicaSet/web');
  });
});
