import type { NodeState, Plan } from '../api/node-maintenance.ts';
import { never } from './decision.ts';
import { decideLost, decideRebooting, decideUpgrading, decideVerifying } from './node-after.ts';
import { decideCordoning, decideDetaching, decideDraining, decidePreparing, decideStarting } from './node-before.ts';
import { decideHeld, decideQuarantining, decideSettled, decideUncordoning } from './node-end.ts';
import { decidePending } from './node-pending.ts';
import { type NodeDecision, type NodeFacts, secondsUntil, wait } from './passage.ts';

/** What to do about one passage, once: pure, total, the same for caches and live reads. */
export function decide(plan: Plan | undefined, state: NodeState, facts: NodeFacts): NodeDecision {
  const decision = decideIn(plan, state, facts);
  const { closesAt, now } = facts;
  if (closesAt === undefined || (decision.kind !== 'wait' && decision.kind !== 'act')) return decision;
  return { ...decision, recheckAfterSeconds: Math.min(decision.recheckAfterSeconds, secondsUntil(closesAt, now)) };
}

function decideIn(plan: Plan | undefined, state: NodeState, facts: NodeFacts): NodeDecision {
  if (state.phase === 'Pending') return decidePending(plan, state, facts);
  // What was cancelled before there was a plan, for want of its node, still has its finalizer to give up.
  if (state.phase === 'Cancelled') return decideSettled(facts);
  if (plan === undefined) return wait({ reason: 'Refused', detail: 'the frozen plan is missing from status' }, 60);
  switch (state.phase) {
    case 'Preparing':
      return decidePreparing(plan, state, facts);
    case 'Cordoning':
      return decideCordoning(plan, state, facts);
    case 'Draining':
      return decideDraining(plan, state, facts);
    case 'Detaching':
      return decideDetaching(plan, state, facts);
    case 'Held':
      return decideHeld(plan, state, facts);
    case 'Starting':
      return decideStarting(plan, state, facts);
    case 'Upgrading':
      return decideUpgrading(plan, state, facts);
    case 'Rebooting':
      return decideRebooting(plan, state, facts);
    case 'Lost':
      return decideLost(plan, state, facts);
    case 'Verifying':
      return decideVerifying(plan, state, facts);
    case 'Uncordoning':
      return decideUncordoning(plan, state, facts);
    case 'Quarantining':
      return decideQuarantining(state, facts);
    case 'Succeeded':
    case 'Skipped':
    case 'Failed':
      return decideSettled(facts);
    default:
      return never(state);
  }
}

/** Whether a move must be decided again on a live read before it is stored, because what follows cannot be undone. */
export function needsLook(from: NodeState, decision: NodeDecision): boolean {
  if (decision.kind === 'act') return from.phase === 'Pending' && decision.effects[0].kind === 'writeLedger';
  if (decision.kind !== 'move') return false;
  const to = decision.to.phase;
  if (to === 'Quarantining' || to === 'Lost') return true;
  if (from.phase === 'Pending') return true;
  return (
    (from.phase === 'Draining' && to === 'Detaching') ||
    (from.phase === 'Detaching' && to === 'Starting') ||
    (from.phase === 'Cordoning' && to === 'Starting') ||
    (from.phase === 'Preparing' && to === 'Starting') ||
    (from.phase === 'Starting' && to === 'Upgrading') ||
    (from.phase === 'Upgrading' && (to === 'Verifying' || to === 'Rebooting' || to === 'Starting')) ||
    // A cordon that was sent and is not seen yet looks like none: "no mark of ours there" is believed only of a live read.
    from.phase === 'Uncordoning' ||
    from.phase === 'Quarantining' ||
    // What its pod said at its end may come by a watch that hangs at an API server in trouble, and is lost with the pod.
    decision.because.reason === 'PrepareFailed' ||
    decision.because.reason === 'NodeGone' ||
    decision.because.reason === 'NoTicket' ||
    decision.because.reason === 'UpgradeDeleted'
  );
}
