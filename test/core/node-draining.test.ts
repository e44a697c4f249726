import { describe, expect, test } from 'vitest';
import type { Blocker } from '../../src/api/blocker.ts';
import type { Plan } from '../../src/api/node-maintenance.ts';
import type { Assessment } from '../../src/core/drain.ts';
import { decide, needsLook } from '../../src/core/node.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import { ago, cordoned, NOW, node, recalling, refused } from '../support/build.ts';
import { facts, HOLD_SPEC, holdPlan, plan } from '../support/build-own.ts';
import { because, say } from '../support/say.ts';

type Row = readonly [string, Partial<NodeFacts>, string, Plan?];
const since = (seconds: number) => ({ phase: 'Draining', since: ago(seconds) }) as const;
const eviction = { kind: 'evict', namespace: 'shop', pod: 'web-1', uid: 'uid-web-1', lane: 'a' } as const;
const blocker: Blocker = {
  nodeName: 'worker-1',
  pod: 'shop/web-1',
  budgets: ['shop/web'],
  reason: 'BudgetExhausted',
  message: 'no',
  since: ago(60),
  selfClearing: true,
  advice: '',
};
const assessed = (over: Partial<Assessment>): Pick<NodeFacts, 'drain'> => ({
  drain: {
    empty: false,
    evictions: [],
    hopeful: 0,
    blockers: [],
    counts: { remaining: 1, terminating: 0, blocked: over.blockers?.length ?? 0 },
    staying: [],
    nowhere: false,
    free: [],
    ...over,
  },
});
const asking = assessed({ evictions: [eviction], hopeful: 1 });
const blocked = assessed({ blockers: [blocker] });
const leaving = assessed({ counts: { remaining: 1, terminating: 1, blocked: 0 } });

describe('Draining', () => {
  const cases: readonly Row[] = [
    ['empty', {}, '→ Detaching: Drained'],
    ['a pod may be asked', asking, 'evict web-1: Evicting'],
    ['nothing may be asked', blocked, 'wait: Blocked'],
    ['pods are on their way', leaving, 'wait: WaitingForPods'],
    [
      'some may be asked, others not: it asks',
      assessed({ evictions: [eviction], hopeful: 1, blockers: [blocker] }),
      'evict web-1: Evicting',
    ],
    [
      '[rule 42] somebody uncordoned: it is cordoned again before anything else',
      { ...asking, node: node() },
      'cordon: Cordoning',
    ],
    ['the mark of another is no cordon of ours', { node: cordoned('uid-other') }, 'cordon: Cordoning'],
    [
      'the window closed',
      { ...asking, closing: { reason: 'WindowClosed' } },
      '→ Uncordoning (Cancelled): WindowClosed',
    ],
    [
      'the window closed on an empty node',
      { closing: { reason: 'WindowClosed' } },
      '→ Uncordoning (Cancelled): WindowClosed',
    ],
    [
      'its upgrade was deleted',
      { ...asking, abandoned: { reason: 'UpgradeDeleted', upgrade: 'to-1-36' } },
      '→ Uncordoning (Cancelled): UpgradeDeleted',
    ],
    ['the node is gone', { node: undefined, drain: undefined }, '→ Cancelled: NodeGone'],
  ];
  for (const [name, over, expected, of = plan()] of cases)
    test(name, () => {
      expect(say(decide(of, since(60), facts(over)))).toBe(expected);
    });

  test.each<[string, Plan, string]>([
    ['Skip: put back, come again later', plan(), '→ Uncordoning (Skipped): DrainDeadline'],
    ['Fail: put back, counts as failed', plan({}, {}, { onDeadline: 'Fail' }), '→ Uncordoning (Failed): DrainDeadline'],
    ['Wait: stays and says so', plan({}, {}, { onDeadline: 'Wait' }), 'wait: DrainOverdue'],
  ])('[rule 30] at the deadline, %s', (_, of, expected) => {
    expect(say(decide(of, since(3600), facts(blocked)))).toBe(expected);
    expect(say(decide(of, since(3599), facts(blocked)))).toBe('wait: Blocked');
    expect(say(decide(of, since(9999), facts()))).toBe('→ Detaching: Drained');
  });

  test('a hold has no deadline, whatever its profile says', () => {
    const seen = facts(blocked);
    const hold = { ...seen, passage: { ...seen.passage, spec: HOLD_SPEC } };
    expect(say(decide(holdPlan({ onDeadline: 'Fail' }), since(99_999), hold))).toBe('wait: Blocked');
  });

  test('a hold is not stopped by a closing', () => {
    const seen = facts({ ...asking, closing: { reason: 'PolicyPaused' } });
    const hold = { ...seen, passage: { ...seen.passage, spec: HOLD_SPEC } };
    expect(say(decide(holdPlan(), since(60), hold))).toBe('evict web-1: Evicting');
  });

  test('the deadline says what was in the way', () => {
    expect(because(decide(plan(), since(3600), facts(blocked)))).toEqual({
      reason: 'DrainDeadline',
      seconds: 3600,
      blockers: [blocker],
    });
  });

  test('[rule 45] load balancers are given their time before the first eviction', () => {
    const of = plan({}, {}, { loadBalancer: { exclude: true, waitSeconds: 10 } });
    expect(say(decide(of, since(9), facts(asking)))).toBe('wait: WaitingForLoadBalancer');
    expect(because(decide(of, since(9), facts(asking)))).toMatchObject({ until: NOW + 1000 });
    expect(say(decide(of, since(10), facts(asking)))).toBe('evict web-1: Evicting');
    expect(say(decide(plan(), since(0), facts(asking)))).toBe('evict web-1: Evicting');
  });
});

describe('[U1] a look that counts comes 5 s after the cordon was seen', () => {
  test.each<[number, string]>([
    [0, 'wait: WaitingForPods'],
    [4.9, 'wait: WaitingForPods'],
    [5, '→ Detaching: Drained'],
  ])('%f s after it, an empty node: %s', (seconds, expected) => {
    expect(say(decide(plan(), since(seconds), facts()))).toBe(expected);
  });

  test('it comes back exactly then', () => {
    expect(decide(plan(), since(3), facts())).toMatchObject({ kind: 'wait', recheckAfterSeconds: 2 });
  });

  test.each<[string, number, string]>([
    ['just cordoned again', 1, 'wait: WaitingForPods'],
    ['cordoned again long enough ago', 5, '→ Detaching: Drained'],
  ])('caught: uncordoned by a person in between and %s', (_, seconds, expected) => {
    const recall = recalling({ 'patchNode/cordon/worker-1': [{ ok: true }, seconds] });
    expect(say(decide(plan(), since(600), facts({ recall })))).toBe(expected);
  });

  test('a cordon whose answer was lost may have landed, and counts like one that was answered', () => {
    const recall = recalling({ 'patchNode/cordon/worker-1': [refused({ why: 'unavailable', code: 0 }), 1] });
    expect(say(decide(plan(), since(600), facts({ recall })))).toBe('wait: WaitingForPods');
  });

  test.each<[number, string]>([
    [1, 'wait: WaitingForPods'],
    [6, '→ Detaching: Drained'],
  ])(
    'caught: a process that acts for %i s does not know of a cordon that another sent just before',
    (seconds, expected) => {
      expect(say(decide(plan(), since(600), facts({ actingSince: NOW - seconds * 1000 })))).toBe(expected);
    },
  );

  test('leaving Draining is decided again on a live read, and a pod seen there keeps it', () => {
    expect(needsLook(since(60), decide(plan(), since(60), facts()))).toBe(true);
    expect(say(decide(plan(), since(60), facts(asking)))).toBe('evict web-1: Evicting');
  });

  test('evicting is not', () => {
    expect(needsLook(since(60), decide(plan(), since(60), facts(asking)))).toBe(false);
  });
});

describe('when it looks again', () => {
  test.each<[string, Partial<NodeFacts>, number, number]>([
    ['after asking: soon', asking, 60, 5],
    ['blocked by a budget: now and then, since its change wakes it', blocked, 60, 30],
    ['a refused eviction may be asked again: then', assessed({ blockers: [blocker], againAt: NOW + 7000 }), 60, 7],
    ['the deadline comes first', assessed({ blockers: [blocker], againAt: NOW + 20_000 }), 3590, 10],
    ['a moment that has passed: at once, not never', assessed({ blockers: [blocker], againAt: NOW - 1 }), 60, 0.05],
  ])('%s', (_, over, began, seconds) => {
    expect(decide(plan(), since(began), facts(over))).toMatchObject({ recheckAfterSeconds: seconds });
  });

  test('[rule 95] a closing that comes by the clock is not slept through', () => {
    const closing = (seconds: number) =>
      decide(plan(), since(60), facts({ ...blocked, closesAt: NOW + seconds * 1000 }));
    expect(closing(12)).toMatchObject({ kind: 'wait', recheckAfterSeconds: 12 });
    expect(closing(600)).toMatchObject({ kind: 'wait', recheckAfterSeconds: 30 });
    expect(decide(plan(), since(60), facts({ ...asking, closesAt: NOW + 1000 }))).toMatchObject({
      kind: 'act',
      recheckAfterSeconds: 1,
    });
    expect(say(decide(plan(), since(60), facts({ closesAt: NOW + 1000 })))).toBe('→ Detaching: Drained');
  });

  test('past a deadline that only waits, it still looks', () => {
    const of = plan({}, {}, { onDeadline: 'Wait' });
    expect(decide(of, since(9000), facts(blocked))).toMatchObject({ recheckAfterSeconds: 30 });
  });
});
