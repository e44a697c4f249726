import type { Blocker } from '../api/blocker.ts';
import type { Because } from './because.ts';
import { subjectOf } from './hindrance.ts';

const SHOWN = 10;

/** An instant as sentences write it. */
export function iso(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

function some(names: readonly string[]): string {
  return names.length <= SHOWN
    ? names.join(', ')
    : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;
}

/** What is in the way, as one text. */
export function inTheWay(blockers: readonly Blocker[]): string {
  return blockers.map((one) => `${one.nodeName}: ${subjectOf(one)}: ${one.message} ${one.advice}`.trim()).join(' ');
}

function closedSentence(b: Because): string | undefined {
  switch (b.reason) {
    case 'WindowClosed':
      return b.opensAt === undefined
        ? 'No window is open, and none opens again.'
        : `No window is open; the next opens at ${iso(b.opensAt)}.`;
    case 'Frozen':
      return `Freeze ${b.freeze} lasts until ${iso(b.until)}.`;
    case 'WindowPaused':
      return `MaintenanceWindow ${b.window} is paused.`;
    case 'PolicyPaused':
      return 'MaintenancePolicy cluster is paused: nothing new begins anywhere until spec.paused is false.';
    case 'UpgradePaused':
      return 'This ClusterUpgrade is paused: set spec.mode: Run to go on.';
    default:
      return undefined;
  }
}

/** An upgrade may name several windows: which of them is meant. */
function inWindow({ window }: { readonly window?: string }): string {
  return window === undefined ? '' : `MaintenanceWindow ${window}: `;
}

function invalidSentence(b: Because): string | undefined {
  switch (b.reason) {
    case 'ProfileNotFound':
      return `There is no MaintenanceProfile ${b.name}: create it or correct ${b.field ?? 'spec.profileName'}.`;
    case 'SnapshotDrains':
      return `MaintenanceProfile ${b.name} takes snapshots of etcd and has drain.mode: ${b.mode}: nothing must leave a node for that, so use a profile with drain.mode: Leave.`;
    case 'WindowNotFound':
      return `There is no MaintenanceWindow ${b.name}: create it or correct spec.windowNames.`;
    case 'InvalidProfile':
    case 'InvalidWindow':
    case 'InvalidPolicy':
      return `${b.reason.replace('Invalid', 'Maintenance')} ${b.name} cannot be used: ${b.problem}`;
    case 'InvalidTimeZone':
      return `${inWindow(b)}"${b.zone}" is not a time zone of the IANA database: write one such as Asia/Seoul or Etc/UTC. Until then the window is closed.`;
    case 'InvalidSchedule':
      return `${inWindow(b)}"${b.schedule}" is not a schedule (${b.problem}): write minute, hour, day of month, month and day of week, as in "0 22 * * 1-5". Until then the window is closed.`;
    case 'MissingHop':
      return `The API servers run ${b.from}, and ${b.to} is more than one minor away: upgrade to a release of ${b.next} first.`;
    case 'SkewTooWide':
      return `The kubelet of ${b.node} runs ${b.kubelet}, which is more than three minors older than ${b.to}: upgrade that node first.`;
    case 'CordonForMinor':
      return `Going from ${b.from} to ${b.to} changes the minor of the kubelet of ${b.node}, for which its pods must leave: use a profile with drain.mode: Drain.`;
    case 'Unreadable':
      return `This object cannot be read (${b.problem}): correct it and apply it again.`;
    default:
      return undefined;
  }
}

function waitSentence(b: Because): string | undefined {
  switch (b.reason) {
    case 'NoRoom':
      return `${b.out === 1 ? '1 node is' : `${b.out} nodes are`} out of service and ${b.limit} may be (${b.of === 'cluster' ? 'maxUnavailable of MaintenancePolicy cluster' : 'rollout.maxUnavailable'}).${
        b.foreign.length === 0 ? '' : ` Not taken out by Drydock: ${some(b.foreign)}.`
      }${b.left.length === 0 ? '' : ` Left cordoned after a failure, to be mended and then uncordoned: ${some(b.left)}.`}`;
    case 'WaitingForControlPlane':
      return `Workers wait until every control plane is at the target: ${some(b.nodes)}.`;
    case 'ControlPlaneTicket':
      return b.failed
        ? `Control plane ${b.node} failed and keeps the only ticket for control planes: mend it and kubectl uncordon it, or raise rollout.retry.`
        : `Control plane ${b.node} is out, and only one may be at a time.`;
    case 'SavingEtcd':
      return `etcd is saved before the first control plane begins: a snapshot is taken on ${b.node}.`;
    case 'VersionsDisagree':
      return `The API server calls itself ${b.server}, but the static pods run ${some(b.pods)}: nothing begins until they agree.`;
    case 'VersionUnknown':
      return `The version of the cluster is not known: ${b.detail}.`;
    case 'SetAside':
      return `Set aside and tried again after ${iso(b.until)}: ${some(b.nodes)}.`;
    case 'StillInTheWay':
      return `Put back, and returned to when this has cleared: ${inTheWay(b.blockers)}`;
    case 'PreflightFailed':
      return `Nothing begins while this is in the way of nodes still to do (preflight: Enforce): ${inTheWay(b.blockers)}`;
    case 'BlockersAhead':
      return `Nodes still to do could not be drained as things are: ${inTheWay(b.blockers)}`;
    case 'PreflightUnderWay':
      return `Before anything begins, ${b.of} nodes are looked at (${b.looked} have been), and ${b.unknown} workloads are still to be asked for (preflight: Enforce).`;
    case 'NodesUnavailable':
      return `Not begun because not Ready, held by annotation or on their way out of the cluster: ${some(b.nodes)}.`;
    case 'LedgerFull':
      return 'The ledger holds 2,000 tickets and takes no more until some are returned.';
    case 'LedgerClosing':
      return 'MaintenancePolicy cluster is being deleted: nothing is admitted; it goes when its last ticket has come back.';
    case 'WindowOverridden':
      return `Windows do not count until ${iso(b.until)}: ${b.detail}`;
    default:
      return undefined;
  }
}

/** The sentence for what closed a window, made an object impossible to serve, or moves a rollout. */
export function rolloutSentence(b: Because): string | undefined {
  const said = closedSentence(b) ?? invalidSentence(b) ?? waitSentence(b);
  if (said !== undefined) return said;
  switch (b.reason) {
    case 'Complete':
      return `All ${b.nodes} selected nodes are at the target.`;
    case 'CompleteWithNewcomers':
      return `The rollout is complete; ${b.nodes} nodes that came later are taken in as windows and limits allow.`;
    case 'Rolling':
      return `${b.inFlight} ${b.inFlight === 1 ? 'node' : 'nodes'} in flight, ${b.waiting} waiting.${
        (b.missing ?? []).length === 0
          ? ''
          : ` Not come back, and keeping their place until they are or until somebody gives them up (drydock.dev/release): ${some(b.missing ?? [])}.`
      }${b.held === undefined ? '' : ` No further node begins now. ${b.held}`}`;
    case 'OnlyFailedLeft':
      return `Nothing goes on by itself any more${b.waiting === 0 ? '' : `, and ${b.waiting} wait for it`}: ${b.failures
        .slice(0, SHOWN)
        .map(({ nodeName, reason }) => `${nodeName}: ${reason}`)
        .join(' ')} Look at the node, mend what is wrong, then raise rollout.retry to try again.`;
    case 'RolloutBlocked':
      return inTheWay(b.blockers);
    case 'Halted':
      return `${b.failures.length} failed of ${b.threshold} that halt the rollout. ${b.failures.map(({ nodeName, reason }) => `${nodeName}: ${reason}`).join(' ')} Look at the node, mend what is wrong, then raise rollout.retry to try again.`;
    case 'Admitting':
      return `Admitted: ${some(b.nodes)}.`;
    case 'Steering':
      return `Soft taint drydock.dev/due set or taken back: ${some(b.nodes)}.`;
    case 'LookingAhead':
      return `Asked, without doing it, whether ${b.pods === 1 ? '1 pod' : `${b.pods} pods`} may be evicted.`;
    case 'HandingBack':
      return `Handed back before anything began: ${some(b.nodes)}.`;
    case 'Sending':
      return `NodeMaintenances made for ${some(b.nodes)}.`;
    case 'Removing':
      return `Tickets returned: ${some(b.nodes)}.`;
    case 'Planning':
      return 'Drydock is finding out what there is to do.';
    case 'PolicyReady':
      return 'The ledger is in order.';
    case 'LedgerRebuilt':
      return 'The ledger was rebuilt from what is in flight.';
    case 'Finishing':
      return 'The object is being deleted; nodes whose Job runs are awaited, the others are put back.';
    default:
      return undefined;
  }
}
