import type { Plan } from '../api/node-maintenance.ts';
import { iso } from './conditions.ts';
import type { Effect } from './effect.ts';
import { isAtWork, isUpgradeJob } from './ledger.ts';
import { HELD_BY, readMark } from './mark.ts';
import { PASSAGE_FINALIZER } from './node-pending.ts';
import { act, type In, type NodeDecision, type NodeFacts, putBack, step, wait } from './passage.ts';
import { isCordonedBy, quarantinePatch, uncordonPatch } from './patch.ts';
import type { JobView } from './world.ts';

/** A held node stays out until its object is deleted; what somebody uncordons meanwhile is said, and not fought over. */
export function decideHeld(plan: Plan, state: In<'Held'>, facts: NodeFacts): NodeDecision {
  const { abandoned, node, now, passage } = facts;
  if (node === undefined) {
    const because = { reason: 'NodeGone', node: passage.spec.nodeName } as const;
    return step(state, { phase: 'Cancelled', since: iso(now), reason: because.reason, message: '' }, because);
  }
  if (abandoned !== undefined) return step(state, putBack('Succeeded', { reason: 'PassageDeleted' }, now), abandoned);
  if (!isCordonedBy(node, passage.uid)) return wait({ reason: 'CordonLost', node: node.name }, 300);
  return wait({ reason: 'Held', pods: plan.drain.mode === 'Drain' ? 'left' : 'stay' }, 300);
}

/** The one door out: mark off and everything as it was, in one patch; done when it is seen, not when it was sent. */
export function decideUncordoning(plan: Plan, state: In<'Uncordoning'>, facts: NodeFacts): NodeDecision {
  const { node, now, passage, jobs } = facts;
  const { verdict, reason, message } = state;
  const settled = { phase: verdict, since: iso(now), reason, message } as In<
    'Succeeded' | 'Skipped' | 'Cancelled' | 'Failed'
  >;
  if (node === undefined) return step(state, settled, { reason: 'NodeGone', node: passage.spec.nodeName });
  const idle = jobs.filter((job) => !isAtWork(job) && !job.deleting && job.finished === undefined);
  const [first, ...rest] = idle.map(deletion);
  if (first !== undefined) return act([first, ...rest], { reason: 'CleaningUp' }, 2);
  const held = readMark(node, HELD_BY);
  const mark = held?.uid === passage.uid ? held : undefined;
  const memory = verdict === 'Succeeded' ? plan.memory : undefined;
  const remembered = memory === undefined || node.labels[memory.label] === memory.value;
  if (mark === undefined && remembered) return step(state, settled, { reason: 'Uncordoned' });
  return act([uncordonPatch(node, mark, memory, 'uncordon')], { reason: 'Uncordoning' }, 2);
}

/** A node on which a Job failed stays cordoned, with a mark that says why. */
export function decideQuarantining(state: In<'Quarantining'>, facts: NodeFacts): NodeDecision {
  const { node, now, passage, jobs } = facts;
  const { reason, message } = state;
  const released = passage.released ? jobs.filter((job) => isUpgradeJob(job) && isAtWork(job) && !job.deleting) : [];
  const [first, ...rest] = released.map(({ name, uid }) => ({ kind: 'deleteJob', name, uid }) as const);
  if (first !== undefined) return act([first, ...rest], { reason: 'CleaningUp' }, 2);
  const held = node === undefined ? undefined : readMark(node, HELD_BY);
  if (node === undefined || held?.uid !== passage.uid) {
    return step(state, { phase: 'Failed', since: iso(now), reason, message }, { reason: 'LeftCordoned' });
  }
  return act([quarantinePatch(node, held, { reason, message }, iso(now))], { reason: 'Quarantining' }, 2);
}

/** A settled passage tidies up after itself: its ended Jobs, whose results are stored, and its finalizer. */
export function decideSettled({ jobs, passage }: NodeFacts): NodeDecision {
  const effects: Effect[] = jobs.filter((job) => !isAtWork(job) && !job.deleting).map(deletion);
  if (effects.length === 0 && passage.finalizers.includes(PASSAGE_FINALIZER)) {
    const { name, uid, resourceVersion } = passage;
    const finalizers = passage.finalizers.filter((finalizer) => finalizer !== PASSAGE_FINALIZER);
    effects.push({ kind: 'setFinalizers', of: 'NodeMaintenance', name, uid, resourceVersion, finalizers });
  }
  const [first, ...rest] = effects;
  return first === undefined ? { kind: 'rest' } : act([first, ...rest], { reason: 'CleaningUp' }, 10);
}

/** An idle Job is deleted only as it was seen: had it been released since, its resourceVersion would be another. */
function deletion({ name, uid, resourceVersion, finished }: JobView): Extract<Effect, { kind: 'deleteJob' }> {
  return { kind: 'deleteJob', name, uid, ...(finished === undefined ? { resourceVersion } : {}) };
}
