import type { Because } from './because.ts';
import { iso } from './conditions.ts';
import type { Effect, Telling } from './effect.ts';
import { isAtWork, isSettled, isUpgradeJob } from './ledger.ts';
import { HELD_BY, LEFT_CORDONED, readMark } from './mark.ts';
import { PASSAGE_FINALIZER } from './node-pending.ts';
import { why } from './passage.ts';
import { dueFor, quarantinePatch, uncordonPatch, unsteerPatch } from './patch.ts';
import type { Instant, JobView, NodeView, PassageObject, UpgradeObject } from './world.ts';

/** A Job is named after its passage, with the attempt or `prepare` behind the last dash. */
export function passageNameOf({ name }: JobView): string {
  return name.slice(0, name.lastIndexOf('-'));
}

/**
 * Takes back what nobody owns: the mark of a passage that is gone or settled, a Job that is finished or was never released,
 * and `left-cordoned` from a node that a person put back in service. A Job at work is awaited, and so is its node; one whose
 * Job ended for nobody is left cordoned: what it did is for a person to judge.
 */
export function sweepNode(
  node: NodeView,
  jobs: readonly JobView[],
  owner: PassageObject | undefined,
  now: Instant,
): Effect | undefined {
  const mark = readMark(node, HELD_BY);
  if (mark === undefined) {
    const left = readMark(node, LEFT_CORDONED);
    if (left === undefined || node.unschedulable) return undefined;
    return {
      kind: 'patchNode',
      as: 'unmark',
      nodeName: node.name,
      resourceVersion: node.resourceVersion,
      labels: left.previous.labels,
      annotations: { ...left.previous.annotations, [LEFT_CORDONED]: null },
    };
  }
  const gone = owner === undefined || owner.uid !== mark.uid;
  if (!gone && !isSettled(owner)) return undefined;
  const own = jobs.filter((job) => isUpgradeJob(job) && job.labels['drydock.dev/passage'] === mark.uid);
  if (own.some(isAtWork)) return undefined;
  const ended = own.find((job) => job.finished !== undefined);
  if (gone && ended !== undefined) {
    const because: Because = { reason: 'Orphaned', job: ended.name };
    return quarantinePatch(node, mark, why(because), iso(now));
  }
  if (!gone && owner.readable && owner.status.state.phase === 'Failed' && owner.status.job !== undefined) {
    const { reason, message } = owner.status.state;
    return quarantinePatch(node, mark, { reason, message }, iso(now));
  }
  return uncordonPatch(node, mark, undefined, 'unmark');
}

/**
 * Takes back the soft taint of an upgrade that is gone or cannot be read; one that is there takes back its own, when it does
 * not roll or the node is not next any more. A node that a passage holds loses it with its mark.
 */
export function sweepDue(node: NodeView, upgrade: UpgradeObject | undefined): Effect | undefined {
  if (dueFor(node) === undefined || readMark(node, HELD_BY) !== undefined) return undefined;
  return upgrade?.readable ? undefined : unsteerPatch(node);
}

/** Takes back a Job whose passage is gone or settled, if it is at no work; one of a gone passage only after its node was marked. */
export function sweepJob(
  job: JobView,
  node: NodeView | undefined,
  owner: PassageObject | undefined,
): Effect | undefined {
  const uid = job.labels['drydock.dev/passage'];
  if (uid === undefined || job.deleting || isAtWork(job)) return undefined;
  const gone = owner === undefined || owner.uid !== uid;
  // A settled passage that still has its finalizer tidies up after itself.
  if (!gone && (!isSettled(owner) || owner.finalizers.includes(PASSAGE_FINALIZER))) return undefined;
  if (gone && node !== undefined && readMark(node, HELD_BY)?.uid === uid) return undefined;
  const { name, resourceVersion, finished } = job;
  return { kind: 'deleteJob', name, uid: job.uid, ...(finished === undefined ? { resourceVersion } : {}) };
}

/** What people are told of what was taken back on a node: whoever finds it changed must find out why. */
export function sweptBy(effect: Effect, node: NodeView): Telling | undefined {
  const on = { kind: 'Node', name: node.name, uid: node.uid } as const;
  const of = readMark(node, HELD_BY)?.nodeMaintenance ?? '';
  if (effect.kind === 'deleteJob')
    return {
      on,
      type: 'Normal',
      reason: 'JobSwept',
      message: `Job ${effect.name} of a NodeMaintenance that is gone or settled was removed.`,
    };
  if (effect.kind !== 'patchNode') return undefined;
  if (effect.as === 'quarantine')
    return {
      on,
      type: 'Warning',
      reason: 'LeftCordoned',
      message: `NodeMaintenance ${of} left the node cordoned, and its Job has ended or failed: look at the node, then kubectl uncordon it.`,
    };
  if (effect.as === 'unmark' && of !== '')
    return {
      on,
      type: 'Normal',
      reason: 'CordonSwept',
      message: `NodeMaintenance ${of} is gone or settled: its mark was taken off, and the node is as it was before.`,
    };
  return undefined;
}
