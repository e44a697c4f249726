import { budgets, drain, type Load, type Standing, type Times, through } from '../bench/bounds.ts';

/** What one node still needs at the least, in seconds, and what stands on it that must leave first. */
export type NodeLeft = {
  /** Before the pods are asked to leave. */
  readonly before: number;
  /** From the cordon until the look that may find the node empty; undefined where it is drained already. */
  readonly look: number | undefined;
  readonly standing: Standing;
  /** From the node that is empty until it is given back. */
  readonly after: number;
};

/** What an upgrade has left to do. */
export type RolloutLeft = {
  /** Workers wait until these are done: its own, or those that bring the same release. */
  readonly first: readonly NodeLeft[];
  /** Its own control planes. */
  readonly own: readonly NodeLeft[];
  /** Workers that nobody has begun. */
  readonly fresh: readonly NodeLeft[];
  readonly begun: readonly NodeLeft[];
  /** How many of its workers may be out at once. */
  readonly most: number;
};

/** What a whole cluster has left to do. */
export type Left = {
  readonly controlPlanes: readonly NodeLeft[];
  readonly rollouts: readonly RolloutLeft[];
  /** Passages of upgrades that nobody wants any more, which finish what they have begun. */
  readonly others: readonly NodeLeft[];
  /** How many nodes may be out at once in the cluster. */
  readonly most: number;
  readonly loads: readonly Load[];
  readonly times: Times;
};

/** The least that one node takes from here. */
export function ofNode({ before, look, standing, after }: NodeLeft, times: Times): number {
  return before + (look === undefined ? 0 : Math.max(look, drain(standing, times))) + after;
}

/** What cannot be divided goes in whole rounds: of `n` times as many as there are slots and one, one slot has `n` and one more. */
export function inSlots(each: readonly number[], slots: number): number {
  const longest = each.toSorted((a, b) => b - a);
  const rounds = longest.flatMap((_, place) =>
    place > 0 && place % slots === 0 ? [sum(longest.slice(place - place / slots, place + 1))] : [],
  );
  return Math.max(through(each, slots), ...rounds);
}

function sum(each: readonly number[]): number {
  return each.reduce((all, one) => all + one, 0);
}

/** What each upgrade would take alone, one after the other: which of two goes first is no rule's matter. */
export function oneByOne(left: Left): number {
  const alone = left.rollouts.map((rollout) => {
    const own = { ...left, controlPlanes: rollout.own, rollouts: [{ ...rollout, first: rollout.own }] };
    return least(own);
  });
  return Math.max(least(left), sum(alone));
}

/**
 * No operator that keeps the rules can be done sooner: control planes one after another in the cluster and before the workers
 * that follow them, workers through their slots (LB1), evictions through their budgets (LB2).
 */
export function least({ controlPlanes, rollouts, others, most, loads, times }: Left): number {
  const each = (nodes: readonly NodeLeft[]) => nodes.map((node) => ofNode(node, times));
  const ofRollouts = rollouts.flatMap(({ first, fresh, begun, most: slots }) => [
    inSlots([...each(fresh), ...each(begun)], slots),
    fresh.length === 0 ? 0 : sum(each(first)) + inSlots(each(fresh), slots),
  ]);
  const workers = rollouts.flatMap(({ fresh, begun }) => [...fresh, ...begun]);
  const all = each([...controlPlanes, ...workers]);
  return Math.max(
    sum(each(controlPlanes)),
    inSlots(all, most),
    budgets(loads, times),
    0,
    ...ofRollouts,
    ...each(others),
  );
}
