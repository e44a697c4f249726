import type { Condition } from '../api/field.ts';
import type { Because, Missing } from './because.ts';
import { never } from './decision.ts';
import { subjectOf } from './hindrance.ts';
import { rolloutSentence } from './rollout-sentences.ts';
import { warningSentence } from './warning-sentences.ts';
import type { Instant } from './world.ts';

/** An instant as it is written in an object. */
export function iso(at: Instant): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** The sentence a person reads for a reason. Prose is written here and in the files of sentences beside, and nowhere read back. */
export function sentence(because: Because): string {
  return (
    endingSentence(because) ??
    stepSentence(because) ??
    warningSentence(because) ??
    rolloutSentence(because) ??
    because.reason
  );
}

function endingSentence(b: Because): string | undefined {
  switch (b.reason) {
    case 'Succeeded':
      return 'The node was upgraded, verified and given back.';
    case 'PassageDeleted':
      return 'This NodeMaintenance was deleted, so the node is put back.';
    case 'UpgradeDeleted':
      return `ClusterUpgrade ${b.upgrade} was deleted, so the node is put back.`;
    case 'TargetChanged':
      return `The target changed from ${b.from} to ${b.to} before this node was committed, so it is put back and comes again.`;
    case 'NoTicket':
      return noTicket[b.detail];
    case 'NodeGone':
      return `Node ${b.node} is gone.`;
    case 'PrepareFailed':
      return `The check before the cordon failed, so the node was not touched: ${b.detail}`;
    case 'PrepareDeadline':
      return `The node was not prepared within ${b.seconds} s, so it was not touched: ${b.detail}`;
    case 'CordonDeadline':
      return `The node could not be cordoned: ${b.detail}`;
    case 'DrainDeadline':
      return `The node was not empty within ${b.seconds} s.${b.blockers.map((one) => ` ${subjectOf(one)}: ${one.message}`).join('')}`;
    case 'DrainsBlockEachOther':
      return `No pod has left this node for ${b.seconds} s, nor ${b.other}, which is drained at the same time: one of the two is given up so that its room helps the other.`;
    case 'JobRefused':
      return `The upgrade Job was refused: ${b.detail}`;
    case 'JobFailed':
      return `Attempt ${b.attempt} of the upgrade Job failed${b.exitCode === undefined ? '' : ` with exit code ${b.exitCode}`}: ${b.detail}`;
    case 'JobGone':
      return `Job ${b.job} disappeared before its result was recorded, so what it did is unknown; it is not run again blindly. Look at the node.`;
    case 'Orphaned':
      return `Job ${b.job} ended after its NodeMaintenance was gone, so nobody judged what it did. Look at the node, then kubectl uncordon it.`;
    case 'RebootedDuringJob':
      return `The node rebooted while attempt ${b.attempt} was running, so the attempt counts as failed.`;
    case 'RebootMissing':
      return `A reboot was expected within ${b.seconds} s and did not happen: the node is Ready with its old boot ID.`;
    case 'UnexpectedReboot':
      return 'The node came back with another boot ID than expected: it rebooted when it should not have.';
    case 'MachineReplaced':
      return `Another machine has registered as ${b.node}; it is not touched.`;
    case 'Released':
      return `A person asked with the annotation drydock.dev/release to stop waiting for ${b.node}. Look at the node, then kubectl uncordon it.`;
    case 'VerifyDeadline':
      return `The node was not back within ${b.seconds} s: ${missing(b.missing)}`;
    default:
      return undefined;
  }
}

const noTicket = {
  none: 'The ledger has no ticket for this NodeMaintenance, so it ends without touching the node.',
  another: 'The ticket of this node belongs to another NodeMaintenance, so this one ends without touching the node.',
  name: 'This is not the name that its ticket gives it: it was not made by Drydock, so it ends without touching the node. To take a node out by hand, write hold: true.',
  owner:
    'Its owner is not the holder of the ticket: it was not made by Drydock, so it ends without touching the node. To take a node out by hand, write hold: true.',
  mode: 'Its ticket takes no room, and its profile takes the node out by now, so it ends without touching the node and comes again.',
} as const;

function missing(m: Missing): string {
  switch (m.what) {
    case 'Ready':
      return 'it is not Ready.';
    case 'ReadyLongEnough':
      return `it has not been Ready long enough, which it will have been at ${iso(m.at)}.`;
    case 'Taint':
      return `it still has the taint ${m.taint}.`;
    case 'Version':
      return `its ${m.component} runs ${m.has}, not ${m.want}.`;
    case 'DaemonSetPod':
      return `the DaemonSet pod ${m.pod} is not ready on it.`;
    default:
      return never(m);
  }
}

function stepSentence(b: Because): string | undefined {
  const fixed = fixedSteps[b.reason];
  if (fixed !== undefined) return fixed;
  switch (b.reason) {
    case 'NodeNotFound':
      return `There is no node ${b.node}: check spec.nodeName, or delete this object.`;
    case 'NodeBusy':
      return `Node ${b.node} is already being worked on by ${b.holder}; this waits for it.`;
    case 'ControlPlaneBusy':
      return `Control plane ${b.node} is out, and only one may be at a time; this waits for it.`;
    case 'Preparing':
      return `The image is fetched and the check run before the node is touched. ${b.detail}`.trim();
    case 'WaitingForLoadBalancer':
      return `Load balancers are given until ${iso(b.until)} to forget the node.`;
    case 'Evicting':
      return `${plural(b.pods, 'pod')} asked to leave.${b.nowhere ? ' No other node can take them: they start again when this one is back.' : ''}`;
    case 'DrainOverdue':
      return `The node should have been empty within ${b.seconds} s, and onDeadline says to wait.${b.blockers.map((one) => ` ${subjectOf(one)}: ${one.message}`).join('')}`;
    case 'WaitingForPods':
      return b.pods === 0
        ? 'No pod is left; the node is looked at once more, since one that was bound before the cordon may still come.'
        : `${plural(b.pods, 'pod')} on the way out.`;
    case 'Blocked':
      return b.blockers
        .map((one) => `${subjectOf(one)}${one.owner ? ` (${one.owner})` : ''}: ${one.message} ${one.advice}`.trim())
        .join(' ');
    case 'WaitingForVolumes':
      return `Waiting until ${b.volumes.join(', ')} is detached.`;
    case 'VolumesLeft':
      return b.volumes.length === 0
        ? 'All volumes are detached.'
        : `Going on though ${b.volumes.join(', ')} is still attached: the limit of volumeDetachSeconds is over.`;
    case 'CreatingJob':
    case 'ReleasingJob':
      return `Job ${b.job} is being started. ${b.detail}`.trim();
    case 'WaitingForEarlierJob':
      return `Job ${b.job} of an earlier attempt has not ended yet. ${b.detail}`.trim();
    case 'JobCreated':
      return `Job ${b.job} is there and recorded; it is released now.`;
    case 'JobComplete':
      return `Job ${b.job} completed.`;
    case 'JobRunning':
      return `Job ${b.job} runs. ${b.detail}`.trim();
    case 'WaitingForReboot':
      return `The node is expected to reboot before ${iso(b.deadline)}.`;
    case 'NodeLost':
      return `Node ${b.node} has not come back and is waited for. To stop waiting: kubectl annotate the NodeMaintenance drydock.dev/release=${b.node}`;
    case 'Verifying':
      return `The node is not given back yet: ${missing(b.missing)}`;
    case 'Refused':
      return `The API server refused: ${b.detail}`;
    default:
      return undefined;
  }
}

const fixedSteps: Partial<Record<Because['reason'], string>> = {
  Stamping: 'The ticket is being stamped.',
  Stamped: 'The ticket is stamped.',
  LedgerAbsent: 'The MaintenancePolicy named cluster is not there or is being rebuilt; nothing begins without it.',
  Prepared: 'The node is prepared.',
  Cordoning: 'The node is being cordoned.',
  Cordoned: 'The node is cordoned.',
  Drained: 'Every pod that must leave has left.',
  Detached: 'Volumes are detached.',
  Rebooted: 'The node has rebooted and is Ready.',
  NotRebooted: 'No reboot was armed, and none has come.',
  NodeBack: 'The node is back.',
  Verified: 'The node is Ready and at its target.',
  Uncordoning: 'The node is being given back.',
  Uncordoned: 'The node was given back.',
  Quarantining: 'The node is being left cordoned with a mark that says why.',
  LeftCordoned: 'The node was left cordoned for a person to look at.',
  CleaningUp: 'Jobs and finalizers are being removed.',
};

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What one condition should say. */
export type Said = { readonly type: string; readonly status: 'True' | 'False' | 'Unknown' } & (
  | { readonly because: Because }
  | { readonly reason: string; readonly message: string }
);

/** A condition that does not hold needs no sentence. */
export function unless(reason: string): {
  readonly status: 'False';
  readonly reason: string;
  readonly message: string;
} {
  return { status: 'False', reason, message: '' };
}

/** Turns what should be said into conditions, keeping the time of the last change where the status is the same. */
export function conditions(
  said: readonly Said[],
  earlier: readonly Condition[],
  generation: number,
  now: Instant,
): Condition[] {
  return said.map((one) => {
    const { type, status } = one;
    const { reason, message } = 'because' in one ? { reason: one.because.reason, message: sentence(one.because) } : one;
    const before = earlier.find((condition) => condition.type === type);
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : iso(now),
      reason,
      message: message.slice(0, 4096),
    };
  });
}
