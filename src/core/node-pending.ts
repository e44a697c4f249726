import type { Ticket } from '../api/maintenance-policy.ts';
import type { Plan } from '../api/node-maintenance.ts';
import { iso } from './conditions.ts';
import { admitHold, controlPlaneTicket, isInOrder, MOST_TICKETS, stamp, ticketOf } from './ledger.ts';
import { passageName } from './name.ts';
import { cancelled, turnBack } from './node-before.ts';
import { act, type In, type NodeDecision, type NodeFacts, step, wait } from './passage.ts';

/** Kept on a passage from its creation until it is settled, so that nobody can take it away under a node that is out. */
export const PASSAGE_FINALIZER = 'drydock.dev/passage';

/** The door: nothing is touched until a live read of the ledger shows this passage on its ticket. */
export function decidePending(plan: Plan | undefined, state: In<'Pending'>, facts: NodeFacts): NodeDecision {
  const { ledger, passage } = facts;
  const back = turnBack(facts);
  if (back !== undefined) return step(state, cancelled(back, facts), back);
  if (passage.spec.hold && !passage.finalizers.includes(PASSAGE_FINALIZER)) {
    const finalizers = [...passage.finalizers, PASSAGE_FINALIZER];
    const { name, uid, resourceVersion } = passage;
    const effect = { kind: 'setFinalizers', of: 'NodeMaintenance', name, uid, resourceVersion, finalizers } as const;
    return act([effect], { reason: 'Stamping' }, 5);
  }
  if (!isInOrder(ledger)) return wait({ reason: 'LedgerAbsent' }, 5);
  const entry = ticketOf(ledger, passage.spec.nodeName);
  if (passage.spec.hold) return decidePendingHold(plan, state, facts, entry);
  const problem = ticketProblem(entry, plan, facts);
  if (problem !== undefined || entry === undefined) {
    const because = { reason: 'NoTicket', detail: problem ?? 'none' } as const;
    return step(state, cancelled(because, facts), because);
  }
  if (entry.passageUID === undefined) return act([stamp(ledger, entry, passage.uid)], { reason: 'Stamping' }, 5);
  return begin(plan, state, facts, entry.nodeUID);
}

/** What is wrong with the right of a passage to its node: asked once, at the door. */
function ticketProblem(
  entry: Ticket | undefined,
  plan: Plan | undefined,
  { passage }: NodeFacts,
): 'none' | 'another' | 'name' | 'owner' | 'mode' | undefined {
  const { nodeName, nodeUID, ticket } = passage.spec;
  if (entry === undefined || entry.ticket !== ticket || entry.nodeUID !== nodeUID) return 'none';
  if (passage.name !== passageName(nodeName, entry.holder.uid, entry.nodeUID, entry.ticket)) return 'name';
  if (!passage.ownerUIDs.includes(entry.holder.uid)) return 'owner';
  // The profile was changed since: who was admitted without asking for room must not take the node out.
  if (entry.mode === 'Leave' && plan !== undefined && plan.drain.mode !== 'Leave') return 'mode';
  return entry.passageUID === undefined || entry.passageUID === passage.uid ? undefined : 'another';
}

function decidePendingHold(
  plan: Plan | undefined,
  state: In<'Pending'>,
  facts: NodeFacts,
  entry: Ticket | undefined,
): NodeDecision {
  const { ledger, passage, node, now } = facts;
  const { nodeName } = passage.spec;
  if (entry?.passageUID === passage.uid) return begin(plan, state, facts, entry.nodeUID);
  if (entry !== undefined)
    return wait({ reason: 'NodeBusy', node: nodeName, holder: `${entry.holder.kind} ${entry.holder.name}` }, 30);
  if (node === undefined) return wait({ reason: 'NodeNotFound', node: nodeName }, 60);
  if (facts.planProblem !== undefined || plan === undefined)
    return wait(facts.planProblem ?? { reason: 'LedgerAbsent' }, 60);
  if (ledger === undefined || ledger.deletedAt !== undefined) return wait({ reason: 'LedgerClosing' }, 10);
  if (ledger.status.tickets.length >= MOST_TICKETS) return wait({ reason: 'LedgerFull' }, 30);
  const other = node.controlPlane ? controlPlaneTicket(ledger) : undefined;
  if (other !== undefined) return wait({ reason: 'ControlPlaneBusy', node: other.nodeName }, 30);
  const request = {
    nodeName,
    nodeUID: node.uid,
    target: '',
    ...(passage.spec.profileName === undefined ? {} : { profileName: passage.spec.profileName }),
    holder: { kind: 'NodeMaintenance', name: passage.name, uid: passage.uid },
    controlPlane: node.controlPlane,
    mode: plan.drain.mode,
  } as const;
  return act([admitHold(ledger, request, passage.uid, now)], { reason: 'Stamping' }, 5);
}

/** Begins, unless the node of the ticket is gone: a hold names its node only by name, and that may be another by now. */
function begin(plan: Plan | undefined, state: In<'Pending'>, facts: NodeFacts, nodeUID: string): NodeDecision {
  const { node, passage, now } = facts;
  if (node === undefined || node.uid !== nodeUID) {
    const because = { reason: 'NodeGone', node: passage.spec.nodeName } as const;
    return step(state, cancelled(because, facts), because);
  }
  if (plan === undefined) return wait(facts.planProblem ?? { reason: 'LedgerAbsent' }, 30);
  return step(state, { phase: 'Preparing', since: iso(now) }, { reason: 'Stamped' });
}
