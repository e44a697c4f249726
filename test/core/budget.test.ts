import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Claim, covering, isShown, type Permit, permits } from '../../src/core/budget.ts';
import type { Outcome } from '../../src/core/decision.ts';
import type { BudgetView, PodView } from '../../src/core/world.ts';
import { budget, exhausted, NOW, pod, recalling, refused } from '../support/build.ts';

const never = recalling();
const permitOf = (
  one: PodView,
  budgets: readonly BudgetView[],
  answered?: readonly [Outcome, number],
): Permit | undefined => {
  const recall = recalling(answered === undefined ? {} : { [one.uid]: answered });
  return permits([one], budgets, recall, NOW).get(one.uid);
};
const said = (permit: Permit | undefined): string => {
  if (permit === undefined) return 'nothing';
  if (permit.ask) return permit.hindrance === undefined ? 'ask' : `ask: ${permit.hindrance.reason}`;
  return 'accepted' in permit ? 'accepted' : permit.hindrance.reason;
};

describe('[rule 32] which budgets select a pod: the rule of the API server', () => {
  const selecting = (selector: BudgetView['selector'] | 'none', namespace = 'shop') => {
    const { selector: _, ...rest } = budget('b', { namespace });
    return covering(pod(), [selector === 'none' || selector === undefined ? rest : { ...rest, selector }]).length;
  };
  test.each<[string, BudgetView['selector'] | 'none', number]>([
    ['its labels', { matchLabels: { app: 'web' }, matchExpressions: [] }, 1],
    ['other labels', { matchLabels: { app: 'api' }, matchExpressions: [] }, 0],
    [
      'labels and an expression that does not hold',
      { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] },
      0,
    ],
    ['an empty selector: every pod of the namespace', { matchLabels: {}, matchExpressions: [] }, 1],
    ['no selector: none', 'none', 0],
  ])('%s', (_, selector, count) => {
    expect(selecting(selector)).toBe(count);
  });

  test('a budget of another namespace never', () => {
    expect(selecting({ matchLabels: {}, matchExpressions: [] }, 'other')).toBe(0);
  });
});

describe('whether to ask now', () => {
  const unready = pod('web-1', { ready: false });
  test.each<[string, PodView, readonly BudgetView[], string]>([
    ['no budget: ask', pod(), [], 'ask'],
    ['its budget allows one: ask', pod(), [budget()], 'ask'],
    ['its budget allows none', pod(), [exhausted()], 'BudgetExhausted'],
    ['a negative allowance is none', pod(), [exhausted('web', { disruptionsAllowed: -1 })], 'BudgetExhausted'],
    ['[rule 5] a pending pod passes every budget', pod('web-1', { phase: 'Pending' }), [exhausted()], 'ask'],
    [
      '[rule 20] its controller has not looked at the budget',
      pod(),
      [budget('web', { generation: 2 })],
      'BudgetNotObserved',
    ],
    [
      '[rule 21] two budgets: said at once, and the API server is asked all the same',
      pod(),
      [exhausted(), exhausted('shop')],
      'ask: TooManyBudgets',
    ],
    [
      '[rule 33] all healthy and all needed: never as it is written, and asked since a webhook may be waiting for it',
      pod(),
      [exhausted('web', { currentHealthy: 3, desiredHealthy: 3 })],
      'ask: BudgetNeverAllows',
    ],
    [
      '[rule 33] a budget over nothing is no misconfiguration',
      pod(),
      [exhausted('web', { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 })],
      'BudgetExhausted',
    ],
    [
      '[rule 33] caught: all are needed, and that one is away now makes it no better',
      pod(),
      [exhausted('web', { currentHealthy: 2, desiredHealthy: 3 })],
      'ask: BudgetNeverAllows',
    ],
    [
      '[rule 34] caught: a budget that an operator keeps shut on purpose looks as if it could never allow',
      pod('pg-1', { labels: { app: 'web', 'cnpg.io/cluster': 'pg' } }),
      [exhausted('web', { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 })],
      'ask: HeldByOperator',
    ],
    [
      '[rule 34] a pod of an operator whose budget is only used up for now is one like any other',
      pod('osd-1', { labels: { app: 'web', 'rook.io/operator-namespace': 'rook-ceph' } }),
      [exhausted()],
      'BudgetExhausted',
    ],
    [
      'its controller cannot count its pods',
      pod(),
      [exhausted('web', { failed: 'found no controllers', observedGeneration: 0 })],
      'BudgetFailed',
    ],
    [
      '[rule 37] an unready pod goes where its budget always lets it',
      unready,
      [exhausted('web', { alwaysAllowUnhealthy: true })],
      'ask',
    ],
    [
      '[rule 37] an unready pod goes where enough others are healthy',
      unready,
      [exhausted('web', { currentHealthy: 2, desiredHealthy: 2 })],
      'ask',
    ],
    [
      '[rule 38] an unready pod stays where too few are healthy',
      unready,
      [exhausted('web', { currentHealthy: 1 })],
      'UnhealthyPod',
    ],
    [
      '[rule 37] an unready pod stays where nothing is needed healthy',
      unready,
      [exhausted('web', { desiredHealthy: 0, currentHealthy: 0 })],
      'UnhealthyPod',
    ],
    [
      '[rule 37] a ready pod never passes as unhealthy',
      pod(),
      [exhausted('web', { alwaysAllowUnhealthy: true })],
      'BudgetExhausted',
    ],
    [
      'an unready pod passes a budget that was not looked at, as in the API server',
      unready,
      [budget('web', { generation: 2, alwaysAllowUnhealthy: true })],
      'ask',
    ],
  ])('%s', (_, one, budgets, expected) => {
    expect(said(permitOf(one, budgets))).toBe(expected);
  });

  test('[rule 20] a budget that nobody looked at clears by itself', () => {
    expect(permitOf(pod(), [budget('web', { generation: 2 })])).toMatchObject({
      hindrance: { selfClearing: true, budgets: ['shop/web'] },
    });
  });

  test('[rule 31] one by one they would pass, together they do not: the allowance is counted down', () => {
    const pods = ['web-1', 'web-2', 'web-3'].map((name) => pod(name));
    const all = permits(pods, [budget('web', { disruptionsAllowed: 2 })], never, NOW);
    expect([...all.values()].map(said)).toEqual(['ask', 'ask', 'BudgetExhausted']);
  });

  test('an unready pod that passes does not use up what the others are allowed', () => {
    const pods = [pod('sick', { ready: false }), pod('web-1')];
    const all = permits(pods, [budget('web', { alwaysAllowUnhealthy: true })], never, NOW);
    expect([...all.values()].map(said)).toEqual(['ask', 'ask']);
  });

  test('never more asked of a budget than it says it allows', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 6 }), fc.integer({ min: 0, max: 9 }), (allowed, count) => {
        const pods = Array.from({ length: count }, (_, index) => pod(`web-${index}`));
        const asked = [...permits(pods, [budget('web', { disruptionsAllowed: allowed })], never, NOW).values()].filter(
          ({ ask }) => ask,
        );
        expect(asked.length).toBe(Math.min(count, Math.max(0, allowed)));
      }),
    );
  });
});

describe('what other passages have sent against the same budget', () => {
  const sent: Claim = { uid: pod().uid, pod: 'shop/web-1', over: 'before' };
  const seen = budget('web', { resourceVersion: 'after' });
  const accepted = { ...sent, answeredAt: NOW };
  test.each<[string, Claim, BudgetView, PodView | undefined, number, boolean]>([
    [
      'is not shown by the budget that it was decided on',
      sent,
      { ...seen, resourceVersion: 'before' },
      pod(),
      0,
      false,
    ],
    [
      'caught: the pod is gone, and the budget is still the one that was decided on',
      sent,
      { ...seen, resourceVersion: 'before' },
      undefined,
      0,
      false,
    ],
    ['is shown when the budget names the pod', sent, { ...seen, disruptedPods: ['web-1'] }, pod(), 0, true],
    ['caught: the budget names another pod', accepted, { ...seen, disruptedPods: ['web-2'] }, pod(), 0, false],
    ['is shown when the pod is on its way', accepted, seen, pod('web-1', { deletedAt: NOW }), 0, true],
    ['is shown when the pod is gone', accepted, seen, undefined, 0, true],
    ['is shown when another has its name already', accepted, seen, pod('web-1', { uid: 'its successor' }), 0, true],
    ['is waited for while the pod lives', accepted, seen, pod(), 2, false],
    ['is waited for two seconds after its answer', accepted, seen, pod(), 2.001, true],
    ['is waited for without end while there is no answer', sent, seen, pod(), 60, false],
  ])('%s', (_, claim, one, there, seconds, shown) => {
    expect(isShown(claim, one, there, NOW + seconds * 1000)).toBe(shown);
  });

  test('is not asked for a second time, and is looked at again should it never be shown', () => {
    const allowed = budget('web', { disruptionsAllowed: 1 });
    const permit = permits([pod()], [allowed], never, NOW, () => 1).get(pod().uid);
    expect(permit).toMatchObject({
      ask: false,
      hindrance: { reason: 'BudgetExhausted', detail: expect.stringContaining('1 allowed, taken by pods that leave') },
      againAt: NOW + 2000,
    });
    expect(permits([pod()], [allowed], never, NOW, () => 0).get(pod().uid)).toMatchObject({
      ask: true,
      spends: allowed.resourceVersion,
    });
  });
});

describe('after an answer', () => {
  const no = (over: Parameters<typeof refused>[0]) => refused({ why: 'blocked', code: 429, ...over });
  test.each<[string, Outcome, number, string]>([
    ['[rule 18] accepted is not gone: awaited', { ok: true }, 9.9, 'accepted'],
    ['[rule 18] accepted long ago and still there: asked again', { ok: true }, 10, 'ask'],
    ['[rule 18] gone: the cache is behind', refused({ why: 'gone', code: 404 }), 0.9, 'accepted'],
    ['[rule 18] gone, and the cache does not say so', refused({ why: 'gone', code: 404 }), 1, 'ask'],
    ['[rule 18] another by that name: the cache is behind', refused({ why: 'conflict', code: 409 }), 0.9, 'accepted'],
    ['[rule 18] another by that name, and the cache does not say so', refused({ why: 'conflict' }), 1, 'ask'],
    ['[rule 19] the budget said no just now', no({ cause: 'DisruptionBudget' }), 0.9, 'BudgetExhausted'],
    ['[rule 19] the budget said no, and says since that it allows one', no({ cause: 'DisruptionBudget' }), 1, 'ask'],
    [
      '[rule 19] the limit of requests is no budget',
      no({ cause: 'RateLimited', why: 'unavailable' }),
      0.9,
      'RateLimited',
    ],
    [
      '[rule 19] Retry-After is honoured',
      no({ cause: 'RateLimited', why: 'unavailable', retryAfterSeconds: 15 }),
      14,
      'RateLimited',
    ],
    [
      '[rule 19] Retry-After is over',
      no({ cause: 'RateLimited', why: 'unavailable', retryAfterSeconds: 15 }),
      15,
      'ask: RateLimited',
    ],
    [
      '[rule 20] the budget was not observed',
      no({ cause: 'BudgetNotObserved', retryAfterSeconds: 10 }),
      0.9,
      'BudgetNotObserved',
    ],
    [
      '[rule 20] caught: it was observed since, so ten seconds are not waited',
      no({ cause: 'BudgetNotObserved', retryAfterSeconds: 10 }),
      1,
      'ask',
    ],
    ['[rule 22] the namespace is going', no({ cause: 'NamespaceTerminating', code: 403 }), 0.5, 'NamespaceTerminating'],
    ['[rule 22] another refusal', refused(), 59, 'Refused'],
    ['[rule 22] another refusal: asked again, and still said', refused(), 60, 'ask: Refused'],
    ['[rule 23] no answer: asked again soon', refused({ why: 'unavailable', code: 504 }), 0.5, 'Unavailable'],
    ['an error inside is not asked for again at once', refused({ why: 'unavailable', code: 500 }), 9, 'Unavailable'],
    ['an error inside is asked for again later', refused({ why: 'unavailable', code: 500 }), 10, 'ask: Unavailable'],
    ['[rule 23] no answer: asked again', refused({ why: 'unavailable', code: 504 }), 1, 'ask: Unavailable'],
    [
      '[rule 25] a webhook that moves the workload denies on purpose',
      no({ cause: 'Other', code: 403 }),
      9.9,
      'WebhookDenied',
    ],
    [
      '[rule 25] a webhook that moves the workload denies on purpose: keep asking',
      no({ cause: 'Other', code: 403 }),
      10,
      'ask: WebhookDenied',
    ],
    ['[rule 17] a webhook that does not answer', no({ cause: 'WebhookFailed', code: 500 }), 9.9, 'WebhookFailed'],
  ])('%s', (_, outcome, secondsAgo, expected) => {
    expect(said(permitOf(pod(), [budget()], [outcome, secondsAgo]))).toBe(expected);
  });

  test('a budget that is used up for now and refused is not asked again before it allows', () => {
    expect(said(permitOf(pod(), [exhausted()], [no({ cause: 'DisruptionBudget' }), 999]))).toBe('BudgetExhausted');
  });

  test('[rule 25] caught: whoever waits behind a budget that says 0 for good must be asked, and is so once a minute', () => {
    const shut = exhausted('web', { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 });
    const denied = (seconds: number) => permitOf(pod(), [shut], [no({ cause: 'DisruptionBudget' }), seconds]);
    expect(said(permitOf(pod(), [shut]))).toBe('ask: BudgetNeverAllows');
    expect(denied(59)).toMatchObject({ ask: false, againAt: NOW + 1000 });
    expect(said(denied(60))).toBe('ask: BudgetNeverAllows');
    // A webhook that has answered is asked at its own pace, whatever the budget says.
    expect(said(permitOf(pod(), [shut], [no({ cause: 'Other' }), 10]))).toBe('ask: WebhookDenied');
  });

  test.each<[string, Partial<BudgetView>, string]>([
    ['not while a pod may only lack its successor', { minAvailable: 2, deniedSince: NOW - 19_999 }, 'BudgetExhausted'],
    ['after twenty seconds', { minAvailable: 2, deniedSince: NOW - 20_000 }, 'ask: BudgetNeverAllows'],
    ['at once, where controllers say how many', { minAvailable: '100%', deniedSince: NOW }, 'ask: BudgetNeverAllows'],
  ])('caught: an integer minAvailable is called one that never allows: %s', (_, over, expected) => {
    const shut = exhausted('web', { currentHealthy: 2, desiredHealthy: 2, expectedPods: 2, ...over });
    expect(said(permitOf(pod(), [shut]))).toBe(expected);
    if (expected === 'BudgetExhausted') expect(permitOf(pod(), [shut])).toMatchObject({ againAt: NOW + 1 });
  });

  test('a budget that refused may be asked at once when it has changed since', () => {
    const last = { outcome: no({ cause: 'DisruptionBudget' }), at: NOW - 100, version: '4' };
    const now = (version: string) => permits([pod()], [budget()], () => ({ ...last, version }), NOW).get(pod().uid);
    expect(said(now('4'))).toBe('ask');
    expect(said(now(budget().resourceVersion))).toBe('BudgetExhausted');
  });

  test.each<[string, readonly BudgetView[], number, string]>([
    ['asked now and then', [budget('a'), budget('b')], 59, 'TooManyBudgets'],
    ['asked again, so that a mended cluster is noticed', [budget('a'), budget('b')], 60, 'ask: TooManyBudgets'],
    ['asked at once when one of them was taken away', [budget('a')], 1, 'ask'],
  ])('[rule 21] more than one budget: %s', (_, budgets, secondsAgo, expected) => {
    const two = refused({ cause: 'TooManyBudgets', code: 500 });
    expect(said(permitOf(pod(), budgets, [two, secondsAgo]))).toBe(expected);
  });

  test.each<[string, Outcome, boolean]>([
    ['a budget', no({ cause: 'DisruptionBudget' }), true],
    ['two budgets', refused({ cause: 'TooManyBudgets' }), false],
    ['a refusal', refused(), false],
    ['a webhook', no({ cause: 'Other' }), true],
    ['a limit of requests', no({ cause: 'RateLimited', why: 'unavailable' }), true],
    ['a budget that nobody looked at', no({ cause: 'BudgetNotObserved' }), true],
    ['a namespace on its way out', no({ cause: 'NamespaceTerminating' }), true],
    ['no answer', refused({ why: 'unavailable' }), true],
  ])('whether %s may clear by itself', (_, outcome, selfClearing) => {
    const own = outcome.ok || outcome.cause !== 'TooManyBudgets' ? [budget('b')] : [budget('b'), budget('a')];
    const permit = permitOf(pod(), own, [outcome, 0]);
    expect(permit).toMatchObject({ hindrance: { selfClearing } });
  });
});
