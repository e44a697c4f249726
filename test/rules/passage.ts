import type { Rule } from './rule.ts';

const SEEN = 'controllers/drain-seen.test.ts';
const DRAINING = 'core/node-draining.test.ts';
const BEFORE = 'core/node-before.test.ts';
const JOB = 'core/node-job.test.ts';
const AFTER = 'core/node-after.test.ts';
const MANIFEST = 'core/job.test.ts';
const PATCH = 'core/patch.test.ts';
const EFFECTS = 'cluster/effects.test.ts';
const LOOP = 'controllers/loop.test.ts';
const RETURNS = 'core/ledger-returns.test.ts';

/** What is written on a node. */
export const MARKS: Readonly<Record<number, Rule>> = {
  41: {
    says: 'The state before is saved in the patch that cordons.',
    shown: [
      [PATCH, 'whatever it was, cordon and uncordon leave no trace'],
      [PATCH, 'cordon: mark, cordon, load balancers and autoscaler'],
    ],
  },
  42: {
    says: 'Who uncordons before the Job is overruled; later it is said.',
    shown: [
      [DRAINING, '[rule 42] somebody uncordoned: it is cordoned again before anything else'],
      [BEFORE, '[rule 42] somebody uncordoned: it is cordoned again'],
      [JOB, '[rule 42] somebody uncordoned: it is cordoned again'],
      ['core/node-end.test.ts', '[rule 42] caught: somebody uncordoned it: said, and not fought over'],
      ['core/passage-report.test.ts', '[rule 42] caught: somebody uncordoned the node %s: %s'],
      [PATCH, '[rule 42] a person asked with the hold annotation: given back cordoned'],
    ],
  },
  43: {
    says: 'Of two who want a node the second waits.',
    shown: [
      ['core/node-pending.test.ts', 'the node is in a passage of an upgrade'],
      ['core/choice.test.ts', 'one that has a ticket of anybody: no'],
    ],
    otherwise: '**One ticket a node.**',
  },
  44: {
    says: 'Nodes out by other hands count, unless that is not wanted.',
    shown: [
      ['core/choice-room.test.ts', 'a node that is not Ready uses up room'],
      ['core/choice-room.test.ts', 'foreign: Ignore, and it does not'],
      ['core/choice.test.ts', '[rule 44] one that is cordoned already'],
    ],
  },
  45: {
    says: 'Load balancers forget the node before pods leave; only ours undone.',
    shown: [
      [DRAINING, '[rule 45] load balancers are given their time before the first eviction'],
      [PATCH, 'whatever it was, cordon and uncordon leave no trace'],
    ],
  },
  46: {
    says: 'What must be trusted is under a prefix no kubelet may write.',
    shown: [
      ['core/choice.test.ts', '[rule 46] a success is remembered under a prefix that no kubelet may write'],
      [PATCH, 'caught: forged from its node it cannot have labels written that no kubelet may set'],
    ],
  },
  47: {
    says: 'Small patches against the version seen; a conflict looks again.',
    shown: [
      [EFFECTS, 'the end of a mark, which leaves everything else alone'],
      [EFFECTS, 'a cordon'],
      [LOOP, 'that was refused is repeated at once when it is decided again'],
    ],
  },
  48: {
    says: 'Another machine under the name is another node.',
    shown: [
      [AFTER, '[rule 48] another machine under the name'],
      [RETURNS, '[rule 48] another machine under the name, whatever its mark: back'],
      ['controllers/see.test.ts', 'is gone when another machine has its name'],
    ],
  },
  49: {
    says: 'A node is known by its name, never by its hostname label.',
    shown: [
      [MANIFEST, '[rules 49, 53] is pinned by the name of the node'],
      [SEEN, '[rule 49] the hostname label may be any'],
    ],
  },
  50: {
    says: 'Volumes of drained pods are awaited, not longer than allowed.',
    shown: [
      [BEFORE, '[rule 50] a volume is attached: it waits'],
      [BEFORE, 'after volumeDetachSeconds it goes on and says so'],
      ['controllers/see.test.ts', 'has the volumes that are attached, but for those of pods that stay'],
    ],
  },
  51: {
    says: 'A fast reboot shows no NotReady; waiting pods are no fault.',
    shown: [
      [AFTER, '[rule 106] a new boot ID and Ready'],
      [AFTER, 'an unready pod of anything else does not count'],
    ],
  },
};

/** The Job. */
export const JOBS: Readonly<Record<number, Rule>> = {
  52: {
    says: 'The Job tolerates everything, without a limit of time.',
    shown: [[MANIFEST, '[rule 52] tolerates everything, without a limit of time']],
  },
  53: {
    says: 'It is pinned by node affinity, through the scheduler.',
    shown: [[MANIFEST, '[rules 49, 53] is pinned by the name of the node']],
  },
  54: {
    says: 'One pod, one try, one deadline.',
    shown: [[MANIFEST, '[rule 54] is tried once, and no second pod begins while the first is ending']],
  },
  55: {
    says: 'Made suspended, recorded, then released; its name cannot be another.',
    shown: [
      [JOB, '[rule 55] the Job is made suspended'],
      [JOB, 'the Job is seen: recorded'],
      [JOB, 'a Job of that name of another passage is not ours'],
      [MANIFEST, '[rule 55] is made suspended: it is recorded before it may run'],
    ],
  },
  56: {
    says: 'A Job that is gone without a result is not run again.',
    shown: [
      [JOB, '[rule 56] its Job is gone: what it did is unknown'],
      [MANIFEST, '[rule 56] has no TTL'],
    ],
  },
  57: {
    says: 'A reboot while the Job runs is a failed attempt.',
    shown: [
      [JOB, '[rule 57] rebooted while it ran: a failed attempt'],
      [JOB, 'rebooted after its container ended well'],
    ],
    otherwise: '**A reboot proves nothing.**',
  },
  58: {
    says: 'The image is on the node before the node is touched.',
    shown: [
      [BEFORE, '[rule 58] a wrong image says so while it waits, and costs no disruption'],
      [BEFORE, 'the check failed: set aside, the node untouched'],
      [MANIFEST, 'runs at once, in the same place, with the same image and volumes'],
    ],
  },
  59: {
    says: 'Exit code and last words are kept in status, bounded.',
    shown: [
      [JOB, '[rule 59] the exit code and the last of the log are the reason'],
      [BEFORE, '[rule 59] the end of its container becomes the reason'],
      ['core/passage-report.test.ts', '[rule 59] the last Job and how it ended is kept'],
      [MANIFEST, '[rule 59] the kubelet gives the last of its log itself'],
    ],
  },
  60: {
    says: 'Failed is an end; only a raised retry tries again.',
    shown: [
      ['core/rollout-memory.test.ts', '[rule 60] retry raised: every failed node gets one new try'],
      ['core/choice.test.ts', 'one that failed, until retry is raised: no'],
      [JOB, 'failed, the last attempt'],
    ],
  },
  61: {
    says: 'What Jobs may be is limited: listed images, no token.',
    shown: [
      ['end-to-end/deploy.test.ts', 'the operator may not run %s'],
      ['end-to-end/deploy.test.ts', 'the operator may not give a Job %j'],
      ['end-to-end/deploy.test.ts', 'the operator may not add images to the list that guards it'],
      [MANIFEST, 'has no rights of its own'],
    ],
  },
  62: {
    says: 'Nothing of ours runs behind the Job; it cleans up itself.',
    shown: [[JOB, 'failed, the last attempt']],
    otherwise: '**Nothing runs after the Job.**',
  },
};

/** The way back. */
export const BACK: Readonly<Record<number, Rule>> = {
  63: {
    says: 'The boot ID before is stored; back is another, and Ready.',
    shown: [
      [JOB, '[rule 63] it records the Job, the machine and the boot ID before anything runs'],
      [AFTER, 'a new boot ID, not Ready yet'],
      [AFTER, '[rule 106] a new boot ID and Ready'],
    ],
    otherwise: 'The Lease of the node is not read',
  },
  64: {
    says: 'Ready flips early: time, taints and DaemonSet pods are asked too.',
    shown: [
      [AFTER, '[rule 64] a start-up taint is still there'],
      [AFTER, 'a DaemonSet pod is not ready'],
      ['controllers/see.test.ts', '[rule 64] keeps what was wrong with the node before'],
      [AFTER, 'readySeconds count from entering, not only from Ready'],
    ],
  },
  65: {
    says: 'A restart moves no deadline; a lost node keeps its slot.',
    shown: [
      [AFTER, '[rule 65] at the deadline, '],
      [JOB, '[rule 65] '],
      [AFTER, 'the deadline is absolute, so a restart does not move it'],
      ['core/rollout-memory.test.ts', 'a node that is lost counts while it is, and no longer'],
    ],
  },
  66: {
    says: 'A ticket goes when its node is gone, never by time.',
    shown: [
      [RETURNS, '[rule 66] the node is gone: back'],
      [RETURNS, '[rule 66] the node is gone but its passage waits for it: not back'],
    ],
  },
};
