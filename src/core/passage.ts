import type { MaintenanceSpec, NodeState } from '../api/node-maintenance.ts';
import type { Next, Phase } from '../api/phases.ts';
import type { Because } from './because.ts';
import { iso, sentence } from './conditions.ts';
import type { Decision, NonEmpty, Remembered } from './decision.ts';
import type { Assessment } from './drain.ts';
import type { Effect } from './effect.ts';
import type { Ledger } from './ledger.ts';
import type { Instant, JobView, NodeView, PodView } from './world.ts';

/** The passage itself, as decisions need it. */
export type PassageFacts = {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly spec: MaintenanceSpec;
  readonly ownerUIDs: readonly string[];
  readonly finalizers: readonly string[];
  readonly deleting: boolean;
  /** A person asked to stop waiting for this node. */
  readonly released: boolean;
};

/** Everything seen of one passage and its node: the same shape whether read from caches or live. */
export type NodeFacts = {
  readonly now: Instant;
  readonly passage: PassageFacts;
  /** Why there can be no plan yet, while it is not frozen. */
  readonly planProblem?: Because;
  /** The node of the plan. */
  readonly node: NodeView | undefined;
  /** Another machine that has registered under the name. */
  readonly stranger: NodeView | undefined;
  readonly ledger: Ledger | undefined;
  /** Why what is not committed must be put back: a closing under TurnBack, or a changed target. */
  readonly closing?: Because;
  /** When such a closing comes by the clock, of which nothing else would tell. */
  readonly closesAt?: Instant;
  /** Why nobody wants this passage any more. */
  readonly abandoned?: Because;
  /** The node of an older drain that stands still as this one does. */
  readonly rival?: string;
  /** Of the node's pods; absent while there is no node. */
  readonly drain: Assessment | undefined;
  readonly jobs: readonly JobView[];
  readonly jobPods: readonly PodView[];
  /** A Job of an earlier passage that is still at work on the node. */
  readonly busyJob?: string;
  /** Pods bound to the node, DaemonSet pods and static pods among them. */
  readonly pods: readonly PodView[];
  /** Volumes still attached to the node that no staying pod uses. */
  readonly attached: readonly string[];
  readonly jobsNamespace: string;
  readonly recall: (effectKey: string) => Remembered | undefined;
  /** Since when this process acts; what another did before it does not recall. */
  readonly actingSince?: Instant;
};

export type NodeDecision = Decision<NodeState, Effect>;
/** A state in one phase. */
export type In<P extends Phase> = Extract<NodeState, { phase: P }>;

/** A move along an edge of the table: no other compiles. */
export function step<P extends Phase>(_from: In<P>, to: In<Next<P>>, because: Because): NodeDecision {
  return { kind: 'move', to: to as NodeState, because };
}

/** Performs effects of the present state. */
export function act(effects: NonEmpty<Effect>, because: Because, recheckAfterSeconds: number): NodeDecision {
  return { kind: 'act', effects, because, recheckAfterSeconds };
}

/** Does nothing until something happens, or the time is over. */
export function wait(because: Because, recheckAfterSeconds: number): NodeDecision {
  return { kind: 'wait', because, recheckAfterSeconds };
}

/** How long until an instant, in seconds, at least a little. */
export function secondsUntil(at: Instant, now: Instant): number {
  return Math.max(0.05, (at - now) / 1000);
}

/** When the present phase began. */
export function since(state: NodeState): Instant {
  return state.since === undefined ? 0 : Date.parse(state.since);
}

/** The stored form of a reason. */
export function why(because: Because): { readonly reason: string; readonly message: string } {
  return { reason: because.reason, message: sentence(because).slice(0, 1024) };
}

/** Puts a node back: through the one door out, with what its passage ends with. */
export function putBack(
  verdict: 'Skipped' | 'Cancelled' | 'Failed' | 'Succeeded',
  because: Because,
  now: Instant,
): In<'Uncordoning'> {
  return { phase: 'Uncordoning', since: iso(now), verdict, ...why(because) };
}

/** Leaves a node cordoned for a person to look at. */
export function quarantine(because: Because, now: Instant): In<'Quarantining'> {
  return { phase: 'Quarantining', since: iso(now), ...why(because) };
}
