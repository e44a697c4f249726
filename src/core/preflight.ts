import type { Blocker } from '../api/blocker.ts';
import type { UpgradeSpec } from '../api/cluster-upgrade.ts';
import { refusedFor } from './budget.ts';
import type { Choice } from './choice.ts';
import type { NonEmpty, Outcome, Refusal } from './decision.ts';
import type { Effect } from './effect.ts';
import { type Hindrance, MOST_SAID } from './hindrance.ts';
import type { BudgetView, NodeView, PodView } from './world.ts';

/** Asked in one pass: an admission waits until the API server has answered. */
const MOST_TRIED = 10;
/** What clears by itself is worth saying ahead only where it takes somebody's doing, or long. */
const NOTEWORTHY: ReadonlySet<string> = new Set([
  'HeldByOperator',
  'WebhookDenied',
  'WebhookFailed',
  'WaitingForCompletion',
]);

/** What is known of the nodes that an upgrade still has to do, before their turn has come. */
export type Ahead = {
  /** How many of them have been looked at. */
  readonly looked: number;
  readonly of: number;
  readonly blockers: readonly Blocker[];
  /** One pod of each owner that nothing known keeps: whether a webhook does can only be asked. */
  readonly untried: readonly PodView[];
  /** Owners of whose pods it is not known yet. */
  readonly unknown: number;
  /** When to look again. */
  readonly againSeconds: number;
};

/** Looks at some nodes, a few more in each pass: the answer grows. */
export type LookAhead = (nodes: readonly NodeView[]) => Ahead;

/** What has not been asked for yet, as where pods stay. */
export const NOTHING_AHEAD: Ahead = { looked: 0, of: 0, blockers: [], untried: [], unknown: 0, againSeconds: 3600 };

/** Whether a blocker is worth saying while nobody is held up by it. */
export function isWorthSaying({ selfClearing, reason }: Blocker): boolean {
  return !selfClearing || NOTEWORTHY.has(reason);
}

/** What a trial says is in the way of all pods of an owner; undefined where nothing new is, for budgets are counted as they are seen. */
export function ofTrial(outcome: Outcome, budgets: readonly BudgetView[]): Hindrance | undefined {
  if (outcome.ok || outcome.why === 'gone' || outcome.why === 'conflict' || outcome.why === 'unavailable')
    return undefined;
  // A webhook that has side effects is never called for a trial (apiserver webhook/generic, SideEffects): it says nothing.
  if (outcome.code === 400 && outcome.message.includes('dry run')) return undefined;
  return SEEN.has(outcome.cause) ? undefined : refusedFor(outcome, budgets);
}

const SEEN: ReadonlySet<Refusal['cause']> = new Set([
  'DisruptionBudget',
  'BudgetNotObserved',
  'TooManyBudgets',
  'RateLimited',
]);

/** Whether a trial has told what it can: who got no answer is asked again. */
export function isTold(outcome: Outcome): boolean {
  return outcome.ok || outcome.why !== 'unavailable';
}

/** The trials to ask for now. */
export function trials({ untried }: Ahead): NonEmpty<Effect> | undefined {
  const [first, ...rest] = untried.slice(0, MOST_TRIED).map(trial);
  return first === undefined ? undefined : [first, ...rest];
}

function trial({ namespace, name, uid }: PodView): Effect {
  return { kind: 'tryEvict', namespace, pod: name, uid };
}

/** What cannot clear by itself. */
export function lasting({ blockers }: Ahead): readonly Blocker[] {
  return blockers.filter(({ selfClearing }) => !selfClearing);
}

/** Under `preflight: Enforce` no node begins while anything that cannot clear by itself is in the way of one still to do. */
export function enforce(choice: Choice, ahead: Ahead, { preflight }: UpgradeSpec): Choice {
  if (preflight !== 'Enforce' || choice.requests.length === 0) return choice;
  const blockers = lasting(ahead);
  if (blockers.length > 0)
    return { requests: [], because: { reason: 'PreflightFailed', blockers: blockers.slice(0, MOST_SAID) } };
  const { looked, of, unknown } = ahead;
  if (looked === of && unknown === 0) return choice;
  return { requests: [], because: { reason: 'PreflightUnderWay', looked, of, unknown } };
}

/** What is said for the first time of nodes whose turn has not come. */
export function foretold(
  { blockers }: Ahead,
  before: readonly Blocker[],
  after: readonly Blocker[],
): readonly Blocker[] {
  const isSame = (one: Blocker) => (other: Blocker) =>
    one.nodeName === other.nodeName && one.pod === other.pod && one.reason === other.reason;
  return blockers.filter((one) => !one.selfClearing && after.some(isSame(one)) && !before.some(isSame(one)));
}
