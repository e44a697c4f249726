import type { Blocker } from '../api/blocker.ts';
import type { Instant } from './world.ts';

/** What closed the time in which work may begin. */
export type Closed =
  | { readonly reason: 'WindowClosed'; readonly opensAt?: Instant }
  | { readonly reason: 'Frozen'; readonly freeze: string; readonly until: Instant }
  | { readonly reason: 'WindowPaused'; readonly window: string }
  | { readonly reason: 'PolicyPaused' }
  | { readonly reason: 'UpgradePaused' };

/** What makes an object impossible to serve until somebody changes it. */
export type Invalid =
  | { readonly reason: 'ProfileNotFound'; readonly name: string; readonly field?: string }
  | { readonly reason: 'SnapshotDrains'; readonly name: string; readonly mode: string }
  | { readonly reason: 'WindowNotFound'; readonly name: string }
  | {
      readonly reason: 'InvalidProfile' | 'InvalidWindow' | 'InvalidPolicy';
      readonly name: string;
      readonly problem: string;
    }
  | { readonly reason: 'InvalidTimeZone'; readonly zone: string; readonly window?: string }
  | {
      readonly reason: 'InvalidSchedule';
      readonly schedule: string;
      readonly problem: string;
      readonly window?: string;
    }
  | { readonly reason: 'MissingHop'; readonly from: string; readonly to: string; readonly next: string }
  | { readonly reason: 'SkewTooWide'; readonly node: string; readonly kubelet: string; readonly to: string }
  | { readonly reason: 'CordonForMinor'; readonly node: string; readonly from: string; readonly to: string }
  | { readonly reason: 'Unreadable'; readonly problem: string };

/** What a passage may give up for, or end with. */
export type Ending =
  | { readonly reason: 'Succeeded' }
  | { readonly reason: 'PassageDeleted' }
  | { readonly reason: 'UpgradeDeleted'; readonly upgrade: string }
  | { readonly reason: 'TargetChanged'; readonly from: string; readonly to: string }
  | { readonly reason: 'NoTicket'; readonly detail: 'none' | 'another' | 'name' | 'owner' | 'mode' }
  | { readonly reason: 'NodeGone'; readonly node: string }
  | { readonly reason: 'PrepareFailed'; readonly detail: string }
  | { readonly reason: 'PrepareDeadline'; readonly seconds: number; readonly detail: string }
  | { readonly reason: 'CordonDeadline'; readonly detail: string }
  | { readonly reason: 'DrainDeadline'; readonly seconds: number; readonly blockers: readonly Blocker[] }
  | { readonly reason: 'DrainsBlockEachOther'; readonly other: string; readonly seconds: number }
  | { readonly reason: 'JobRefused'; readonly detail: string }
  | { readonly reason: 'JobFailed'; readonly attempt: number; readonly exitCode?: number; readonly detail: string }
  | { readonly reason: 'JobGone'; readonly job: string }
  | { readonly reason: 'Orphaned'; readonly job: string }
  | { readonly reason: 'RebootedDuringJob'; readonly attempt: number }
  | { readonly reason: 'RebootMissing'; readonly seconds: number }
  | { readonly reason: 'UnexpectedReboot' }
  | { readonly reason: 'MachineReplaced'; readonly node: string }
  | { readonly reason: 'Released'; readonly node: string }
  | { readonly reason: 'VerifyDeadline'; readonly seconds: number; readonly missing: Missing };

/** What a node still lacks before it is given back. */
export type Missing =
  | { readonly what: 'Ready' }
  | { readonly what: 'ReadyLongEnough'; readonly at: Instant }
  | { readonly what: 'Taint'; readonly taint: string }
  | { readonly what: 'Version'; readonly component: string; readonly want: string; readonly has: string }
  | { readonly what: 'DaemonSetPod'; readonly pod: string };

/** What a passage does or waits for. */
export type Step =
  | {
      readonly reason:
        | 'Stamping'
        | 'Stamped'
        | 'Cordoning'
        | 'Cordoned'
        | 'Uncordoning'
        | 'Uncordoned'
        | 'Quarantining'
        | 'LeftCordoned';
    }
  | { readonly reason: 'NodeNotFound'; readonly node: string }
  | { readonly reason: 'NodeBusy'; readonly node: string; readonly holder: string }
  | { readonly reason: 'ControlPlaneBusy'; readonly node: string }
  | { readonly reason: 'LedgerAbsent' }
  | { readonly reason: 'Preparing'; readonly detail: string }
  | { readonly reason: 'Prepared' }
  | { readonly reason: 'WaitingForLoadBalancer'; readonly until: Instant }
  | { readonly reason: 'Evicting'; readonly pods: number; readonly nowhere: boolean }
  | { readonly reason: 'DrainOverdue'; readonly seconds: number; readonly blockers: readonly Blocker[] }
  | { readonly reason: 'WaitingForPods'; readonly pods: number }
  | { readonly reason: 'Blocked'; readonly blockers: readonly Blocker[] }
  | { readonly reason: 'Drained' }
  | { readonly reason: 'WaitingForVolumes'; readonly volumes: readonly string[] }
  | { readonly reason: 'VolumesLeft'; readonly volumes: readonly string[] }
  | { readonly reason: 'Detached' }
  | { readonly reason: 'Held'; readonly pods: 'left' | 'stay' }
  | { readonly reason: 'CordonLost'; readonly node: string }
  | { readonly reason: 'PodWillBeDeleted'; readonly at: Instant }
  | {
      readonly reason: 'PodsWillBeDeleted';
      readonly since: Instant;
      readonly pods: number;
      /** Those that go first. */
      readonly names: readonly string[];
      readonly deleted: number;
      /** When the first of them is deleted. */
      readonly at?: Instant;
    }
  | {
      readonly reason: 'CreatingJob' | 'ReleasingJob' | 'WaitingForEarlierJob';
      readonly job: string;
      readonly detail: string;
    }
  | { readonly reason: 'JobCreated' | 'JobComplete'; readonly job: string }
  | { readonly reason: 'JobRunning' | 'JobCannotRun'; readonly job: string; readonly detail: string }
  | { readonly reason: 'JobSuspended'; readonly job: string; readonly node: string }
  | { readonly reason: 'WaitingForReboot'; readonly deadline: Instant }
  | { readonly reason: 'Rebooted' }
  | { readonly reason: 'NotRebooted' }
  | { readonly reason: 'NodeLost'; readonly node: string; readonly from: string }
  | { readonly reason: 'NodeBack' }
  | { readonly reason: 'Verifying'; readonly missing: Missing }
  | { readonly reason: 'Verified' }
  | { readonly reason: 'CleaningUp' }
  | { readonly reason: 'Refused'; readonly detail: string };

/** What a rollout does or waits for. */
export type RolloutStep =
  | {
      readonly reason:
        | 'Remembered'
        | 'Reported'
        | 'Finishing'
        | 'LedgerFull'
        | 'LedgerClosing'
        | 'LedgerRebuilt'
        | 'PolicyReady';
    }
  | { readonly reason: 'HandingBack'; readonly nodes: readonly string[] }
  | { readonly reason: 'Sending'; readonly nodes: readonly string[] }
  | { readonly reason: 'Admitting'; readonly nodes: readonly string[] }
  | { readonly reason: 'LookingAhead'; readonly pods: number }
  | { readonly reason: 'Steering'; readonly nodes: readonly string[] }
  | { readonly reason: 'Removing'; readonly nodes: readonly string[] }
  | { readonly reason: 'Forgetting'; readonly passages: number }
  | { readonly reason: 'Complete'; readonly nodes: number }
  | { readonly reason: 'CompleteWithNewcomers'; readonly nodes: number }
  | {
      readonly reason: 'Rolling';
      readonly inFlight: number;
      readonly waiting: number;
      /** Nodes that went away in the middle of their passage. */
      readonly missing?: readonly string[];
      /** Why no further node begins now, as a sentence. */
      readonly held?: string;
    }
  | {
      readonly reason: 'OnlyFailedLeft';
      readonly failures: readonly { readonly nodeName: string; readonly reason: string }[];
      readonly waiting: number;
    }
  | { readonly reason: 'RolloutBlocked'; readonly blockers: readonly Blocker[] }
  | {
      readonly reason: 'Halted';
      readonly failures: readonly { readonly nodeName: string; readonly reason: string }[];
      readonly threshold: number;
    }
  | {
      readonly reason: 'NoRoom';
      readonly out: number;
      readonly limit: number;
      readonly foreign: readonly string[];
      /** Those that failed and wait for a person. */
      readonly left: readonly string[];
      readonly of: 'upgrade' | 'cluster';
    }
  | { readonly reason: 'WaitingForControlPlane'; readonly nodes: readonly string[] }
  | { readonly reason: 'ControlPlaneTicket'; readonly node: string; readonly failed: boolean }
  | { readonly reason: 'SavingEtcd'; readonly node: string }
  | { readonly reason: 'VersionsDisagree'; readonly server: string; readonly pods: readonly string[] }
  | { readonly reason: 'VersionUnknown'; readonly detail: string }
  | { readonly reason: 'SetAside'; readonly nodes: readonly string[]; readonly until: Instant }
  | { readonly reason: 'StillInTheWay'; readonly blockers: readonly Blocker[] }
  | { readonly reason: 'PreflightFailed' | 'BlockersAhead'; readonly blockers: readonly Blocker[] }
  | {
      readonly reason: 'PreflightUnderWay';
      readonly looked: number;
      readonly of: number;
      /** Workloads of which it is not known whether their pods may leave. */
      readonly unknown: number;
    }
  | { readonly reason: 'NodesUnavailable'; readonly nodes: readonly string[] }
  | { readonly reason: 'Planning' }
  | { readonly reason: 'WindowOverridden'; readonly until: Instant; readonly detail: string };

/** Why Drydock does what it does: data for machines, from which `conditions.ts` makes the sentence. */
export type Because = Closed | Invalid | Ending | Step | RolloutStep;
