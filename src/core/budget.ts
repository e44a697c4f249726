import type { Refusal, Remembered } from './decision.ts';
import type { Hindrance } from './hindrance.ts';
import { matches } from './selector.ts';
import type { BudgetView, Instant, PodView } from './world.ts';

/** What was refused for a reason that passes is not repeated sooner than this. */
const ASK_AGAIN_MS = 1_000;
/** Who refuses on purpose (a webhook that moves the workload itself) needs time, not questions. */
const WEBHOOK_AGAIN_MS = 10_000;
/** An eviction that can only be refused again is asked this often, so that a mended cluster is noticed. */
const HOPELESS_AGAIN_MS = 60_000;
const INTERNAL_ERROR = 500;
/**
 * An integer minAvailable is compared with the pods that are there, and between a pod and its successor there is one less
 * (disruption.go, getExpectedPodCount): for a moment a budget looks as if it could never allow anything.
 */
const SUCCESSOR_MS = 20_000;
/** After an accepted eviction the cache may lag: the pod is taken to be on its way for this long. */
const ACCEPTED_MS = 10_000;

/** An eviction that was sent against a budget, until the budget shows it. */
export type Claim = {
  readonly uid: string;
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
 * write that takes one from the allowance; the disruption controller removes it when it counts the pod as gone. `pod` is
 * whichever has the name of the claim's.
 */
export function isShown(claim: Claim, budget: BudgetView, pod: PodView | undefined, now: Instant): boolean {
  if (claim.answeredAt !== undefined && now > claim.answeredAt + CLAIM_MS) return true;
  if (budget.resourceVersion === claim.over) return false;
  // A pod of a StatefulSet is followed by one of its name.
  const isLeaving = pod === undefined || pod.uid !== claim.uid || pod.deletedAt !== undefined;
  return isLeaving || budget.disruptedPods.includes(nameOf(claim.pod));
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

/**
 * What the gate thinks of one pod: ask now, on which lane, or what is in the way and when to look again. A pod may be asked
 * though something is in the way: who moves a workload by himself does it because he is asked.
 */
export type Permit =
  | { readonly ask: true; readonly lane: string; readonly spends?: string; readonly hindrance?: Hindrance }
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
  const left = new Map<string, number>();
  const near = Map.groupBy(budgets, ({ namespace }) => namespace);
  return new Map(
    pods.map((pod) => {
      const own = covering(pod, near.get(pod.namespace) ?? []);
      return [pod.uid, permit({ pod, own, left, spent, last: recall(pod.uid), now })];
    }),
  );
}

type Asked = {
  readonly pod: PodView;
  readonly own: readonly BudgetView[];
  /** What is left of budgets that pods before this one may use up. */
  readonly left: Map<string, number>;
  readonly spent: Spent;
  readonly last: Remembered | undefined;
  readonly now: Instant;
};

function permit(asked: Asked): Permit {
  const { last, now, own } = asked;
  if (last === undefined) return allowance(asked);
  if (last.outcome.ok) return now < last.at + ACCEPTED_MS ? { ask: false, accepted: true } : allowance(asked);
  const { why, cause } = last.outcome;
  // The pod is not there any more, or is another by that name: the cache says so in a moment.
  if (why === 'gone' || why === 'conflict')
    return now < last.at + ASK_AGAIN_MS ? { ask: false, accepted: true } : allowance(asked);
  if (cause === 'DisruptionBudget' || cause === 'BudgetNotObserved') {
    const unchanged = last.version === undefined || own[0]?.resourceVersion === last.version;
    if (!unchanged || now >= last.at + ASK_AGAIN_MS) return allowance(asked);
    return { ask: false, hindrance: refusedFor(last.outcome, own), againAt: last.at + ASK_AGAIN_MS };
  }
  // One budget of the two was taken away since: what the API server said no longer holds. Two are judged as they are seen.
  if (cause === 'TooManyBudgets') return allowance(asked);
  const hindrance = refusedFor(last.outcome, own);
  const againAt = last.at + pause(last.outcome);
  if (now < againAt) return { ask: false, hindrance, againAt };
  // What a webhook or a policy said does not come from the budget, so what the budget says is no reason not to ask again.
  const gate = allowance(asked);
  if (gate.ask || why === 'unavailable') return gate.ask ? { ...gate, hindrance } : gate;
  return { ask: true, lane: own[0]?.uid ?? asked.pod.uid, hindrance };
}

function allowance({ pod, own, left, spent, last, now }: Asked): Permit {
  const [budget, second] = own;
  if (budget === undefined || pod.phase === 'Pending') return { ask: true, lane: budget?.uid ?? pod.uid };
  const lane = budget.uid;
  if (second !== undefined)
    return nowAndThen(
      { reason: 'TooManyBudgets', budgets: names(own), selfClearing: false, detail: '' },
      lane,
      last,
      now,
    );
  if (!pod.ready && unhealthyMayGo(budget)) return { ask: true, lane };
  if (budget.failed !== undefined)
    return { ask: false, hindrance: about(budget, 'BudgetFailed', false, budget.failed) };
  if (budget.observedGeneration < budget.generation)
    return { ask: false, hindrance: about(budget, 'BudgetNotObserved', true, '') };
  const allowed = left.get(budget.uid) ?? budget.disruptionsAllowed - spent(budget);
  if (allowed > 0) {
    left.set(budget.uid, allowed - 1);
    return { ask: true, lane, spends: budget.resourceVersion };
  }
  const changing = successorDueUntil(budget);
  const hindrance = exhausted(pod, budget, now < changing);
  // Webhooks are asked before the budget is: who shuts his budget for good and moves the workload himself (KubeVirt, drain
  // cleaners) learns of the drain by this question alone. Upstream: eviction.go, Create.
  if (hindrance.reason === 'BudgetNeverAllows' || hindrance.reason === 'HeldByOperator')
    return nowAndThen(hindrance, lane, last, now);
  // Only what is on its way is in the way: should it never be shown, nothing else would say so.
  const looks = [...(budget.disruptionsAllowed > 0 ? [now + CLAIM_MS] : []), ...(now < changing ? [changing] : [])];
  return { ask: false, hindrance, ...(looks.length === 0 ? {} : { againAt: Math.min(...looks) }) };
}

/** Until when a budget that is shut may only lack a successor. */
function successorDueUntil({ minAvailable, deniedSince }: BudgetView): Instant {
  return typeof minAvailable === 'number' && deniedSince !== undefined ? deniedSince + SUCCESSOR_MS : 0;
}

function nowAndThen(hindrance: Hindrance, lane: string, last: Remembered | undefined, now: Instant): Permit {
  const againAt = last === undefined ? now : last.at + HOPELESS_AGAIN_MS;
  return now >= againAt ? { ask: true, lane, hindrance } : { ask: false, hindrance, againAt };
}

/** Upstream: pkg/registry/core/pod/storage/eviction.go, the branch on UnhealthyPodEvictionPolicy. */
function unhealthyMayGo(budget: BudgetView): boolean {
  return budget.alwaysAllowUnhealthy || (budget.desiredHealthy > 0 && budget.currentHealthy >= budget.desiredHealthy);
}

/** Who moves his workload by himself when its node is cordoned, told by the labels of its pods: their budgets look shut for good. */
const OPERATORS: readonly { readonly name: string; readonly label: RegExp }[] = [
  { name: 'CloudNativePG', label: /^cnpg\.io\// },
  { name: 'Longhorn', label: /^longhorn\.io\// },
  { name: 'Rook', label: /^(rook\.io\/|rook_cluster$|ceph_daemon_)/ },
  { name: 'KubeVirt', label: /^kubevirt\.io/ },
  { name: 'Strimzi', label: /^strimzi\.io\// },
];

function exhausted(pod: PodView, budget: BudgetView, changing: boolean): Hindrance {
  const allowed = Math.max(0, budget.disruptionsAllowed);
  const detail = `${budget.currentHealthy} of ${budget.expectedPods} pods healthy, ${budget.desiredHealthy} needed, ${allowed > 0 ? `${allowed} allowed, taken by pods that leave just now` : '0 disruptions allowed'}`;
  // However healthy its pods are: nothing would be left over.
  const never = !changing && budget.expectedPods > 0 && budget.desiredHealthy >= budget.expectedPods;
  const operator = OPERATORS.find(({ label }) => Object.keys(pod.labels).some((key) => label.test(key)));
  if (never && operator !== undefined) return about(budget, 'HeldByOperator', true, operator.name);
  if (!pod.ready) return about(budget, 'UnhealthyPod', false, detail);
  return never ? about(budget, 'BudgetNeverAllows', false, detail) : about(budget, 'BudgetExhausted', true, detail);
}

/** How long to wait before the same question is put again. */
function pause({ why, cause, code, retryAfterSeconds = 0 }: Refusal): number {
  if (why === 'refused') return HOPELESS_AGAIN_MS;
  // What fails inside of the API server, as where the patch of a webhook does not fit, mostly fails again.
  const isSlow = (why === 'blocked' && cause !== 'NamespaceTerminating') || code === INTERNAL_ERROR;
  return Math.max(isSlow ? WEBHOOK_AGAIN_MS : ASK_AGAIN_MS, retryAfterSeconds * 1000);
}

/** What the API server said, as what is in the way. */
export function refusedFor({ cause, why, message }: Refusal, own: readonly BudgetView[]): Hindrance {
  const hindrance = (reason: Hindrance['reason'], selfClearing = true): Hindrance => ({
    reason,
    budgets: names(own),
    selfClearing,
    detail: message,
  });
  switch (cause) {
    case 'DisruptionBudget':
      return hindrance('BudgetExhausted');
    case 'BudgetNotObserved':
    case 'NamespaceTerminating':
    case 'RateLimited':
    case 'WebhookFailed':
      return hindrance(cause);
    default:
      if (why === 'unavailable') return hindrance('Unavailable');
      return why === 'blocked' ? hindrance('WebhookDenied') : hindrance('Refused', false);
  }
}

function about(budget: BudgetView, reason: Hindrance['reason'], selfClearing: boolean, detail: string): Hindrance {
  return { reason, budgets: names([budget]), selfClearing, detail };
}

function names(budgets: readonly BudgetView[]): readonly string[] {
  return budgets.map(({ namespace, name }) => `${namespace}/${name}`).sort();
}
