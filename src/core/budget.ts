import type { Remembered } from './decision.ts';
import { matches } from './selector.ts';
import type { BudgetView, Instant, PodView } from './world.ts';

/** A refused eviction is not repeated sooner than this, unless its budget has said since that it allows one. */
const ASK_AGAIN_MS = 1_000;
const WEBHOOK_AGAIN_MS = 10_000;
/** An eviction that can only be refused again is asked this often, so that a mended cluster is noticed. */
const HOPELESS_AGAIN_MS = 60_000;
/** After an accepted eviction the cache may lag: the pod is taken to be on its way for this long. */
const ACCEPTED_MS = 10_000;

/** Why a pod that should leave is not asked to, in words that stay stable. */
export type Hindrance = {
  readonly reason:
    | 'BudgetExhausted'
    | 'BudgetNeverAllows'
    | 'BudgetNotObserved'
    | 'TooManyBudgets'
    | 'UnhealthyPod'
    | 'NamespaceTerminating'
    | 'RateLimited'
    | 'Refused'
    | 'Unavailable'
    | 'Unmanaged'
    | 'EmptyDir';
  readonly budgets: readonly string[];
  readonly selfClearing: boolean;
  readonly detail: string;
};

/** An eviction that was sent against a budget, until the budget shows it. */
export type Claim = {
  /** `namespace/name` of the pod. */
  readonly pod: string;
  /** The resourceVersion of the budget that was decided on. */
  readonly over: string;
  readonly answeredAt?: Instant;
};

/** However the watches of pods and budgets lag: after this a claim that was answered is taken to be shown. */
export const CLAIM_MS = 2_000;

/**
 * Whether a budget as it is seen has already been reduced by a claim. The API server names the pod in `disruptedPods` in the
 * write that takes one from the allowance; the disruption controller removes it when it counts the pod as gone.
 */
export function isShown(claim: Claim, budget: BudgetView, pod: PodView | undefined, now: Instant): boolean {
  if (claim.answeredAt !== undefined && now > claim.answeredAt + CLAIM_MS) return true;
  if (budget.resourceVersion === claim.over) return false;
  return budget.disruptedPods.includes(nameOf(claim.pod)) || pod === undefined || pod.deletedAt !== undefined;
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

/** What the gate thinks of one pod: ask now, on which lane, or what is in the way and when to look again. */
export type Permit =
  | { readonly ask: true; readonly lane: string; readonly spends?: string }
  | { readonly ask: false; readonly hindrance: Hindrance; readonly againAt?: Instant }
  | { readonly ask: false; readonly accepted: true };

/** How many of what a budget allows are used up by evictions that it does not show yet, whoever sent them. */
export type Spent = (budget: BudgetView) => number;
type Recall = (podUID: string) => Remembered | undefined;

/** The budgets that select a pod: the API server's rule, its namespace and the whole selector. */
export function covering(pod: PodView, budgets: readonly BudgetView[]): readonly BudgetView[] {
  return budgets.filter(
    (budget) =>
      budget.namespace === pod.namespace && budget.selector !== undefined && matches(budget.selector, pod.labels),
  );
}

/**
 * Which of some pods to ask the API server to evict now. The gate is the eviction itself, never this arithmetic: it explains,
 * and it paces, so that a budget is asked only for what it says it allows.
 */
export function permits(
  pods: readonly PodView[],
  budgets: readonly BudgetView[],
  recall: Recall,
  now: Instant,
  spent: Spent = () => 0,
): ReadonlyMap<string, Permit> {
  const left = new Map(budgets.map((budget) => [budget.uid, budget.disruptionsAllowed - spent(budget)]));
  const near = Map.groupBy(budgets, ({ namespace }) => namespace);
  return new Map(
    pods.map((pod) => {
      const own = covering(pod, near.get(pod.namespace) ?? []);
      const last = recall(pod.uid);
      const accepted = last?.outcome.ok === true && now < last.at + ACCEPTED_MS;
      return [
        pod.uid,
        accepted ? { ask: false, accepted } : (refusal(own, last, now) ?? allowance(pod, own, left, now)),
      ];
    }),
  );
}

function allowance(pod: PodView, own: readonly BudgetView[], left: Map<string, number>, now: Instant): Permit {
  const [budget, second] = own;
  if (budget === undefined || pod.phase === 'Pending') return { ask: true, lane: budget?.uid ?? pod.uid };
  if (second !== undefined) return { ask: true, lane: budget.uid };
  if (!pod.ready && unhealthyMayGo(budget)) return { ask: true, lane: budget.uid };
  if (budget.observedGeneration < budget.generation) return held(own, 'BudgetNotObserved', true);
  const allowed = left.get(budget.uid) ?? 0;
  if (allowed > 0) {
    left.set(budget.uid, allowed - 1);
    return { ask: true, lane: budget.uid, spends: budget.resourceVersion };
  }
  // Only what is on its way is in the way: should it never be shown, nothing else would say so.
  const taken = budget.disruptionsAllowed > 0 ? { againAt: now + CLAIM_MS } : {};
  return { ask: false, hindrance: exhausted(pod, budget), ...taken };
}

/** Upstream: pkg/registry/core/pod/storage/eviction.go, the branch on UnhealthyPodEvictionPolicy. */
function unhealthyMayGo(budget: BudgetView): boolean {
  return budget.alwaysAllowUnhealthy || (budget.desiredHealthy > 0 && budget.currentHealthy >= budget.desiredHealthy);
}

function exhausted(pod: PodView, budget: BudgetView): Hindrance {
  const detail = `${budget.currentHealthy} of ${budget.expectedPods} pods healthy, ${budget.desiredHealthy} needed, 0 disruptions allowed`;
  const healthy = budget.currentHealthy >= budget.expectedPods;
  const never = budget.expectedPods > 0 && healthy && budget.desiredHealthy >= budget.expectedPods;
  if (never) return { reason: 'BudgetNeverAllows', budgets: names([budget]), selfClearing: false, detail };
  if (!pod.ready) return { reason: 'UnhealthyPod', budgets: names([budget]), selfClearing: false, detail };
  return { reason: 'BudgetExhausted', budgets: names([budget]), selfClearing: true, detail };
}

function refusal(own: readonly BudgetView[], last: Remembered | undefined, now: Instant): Permit | undefined {
  if (last === undefined || last.outcome.ok || last.outcome.why === 'gone' || last.outcome.why === 'conflict')
    return undefined;
  const { cause, why, message, retryAfterSeconds } = last.outcome;
  // One budget of the two was taken away since: what the API server said no longer holds.
  if (cause === 'TooManyBudgets' && own.length < 2) return undefined;
  const hopeless = cause === 'TooManyBudgets' || why === 'refused';
  // Who refuses on purpose (a webhook that moves the workload itself) needs time, not questions.
  const ask = why === 'blocked' && cause === 'Other' ? WEBHOOK_AGAIN_MS : ASK_AGAIN_MS;
  const pause = hopeless
    ? HOPELESS_AGAIN_MS
    : Math.max(ask, cause === 'DisruptionBudget' ? 0 : (retryAfterSeconds ?? 0) * 1000);
  const againAt = last.at + pause;
  if (now >= againAt) return undefined;
  const hindrance = (reason: Hindrance['reason'], selfClearing: boolean): Permit => ({
    ask: false,
    hindrance: { reason, budgets: names(own), selfClearing, detail: message },
    againAt,
  });
  switch (cause) {
    case 'DisruptionBudget':
      return hindrance('BudgetExhausted', true);
    case 'BudgetNotObserved':
      return hindrance('BudgetNotObserved', true);
    case 'TooManyBudgets':
      return hindrance('TooManyBudgets', false);
    case 'NamespaceTerminating':
      return hindrance('NamespaceTerminating', true);
    case 'RateLimited':
      return hindrance('RateLimited', true);
    default:
      return hindrance(why === 'unavailable' ? 'Unavailable' : 'Refused', why !== 'refused');
  }
}

function held(own: readonly BudgetView[], reason: Hindrance['reason'], selfClearing: boolean): Permit {
  return { ask: false, hindrance: { reason, budgets: names(own), selfClearing, detail: '' } };
}

function names(budgets: readonly BudgetView[]): readonly string[] {
  return budgets.map(({ namespace, name }) => `${namespace}/${name}`).sort();
}
