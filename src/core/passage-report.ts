import type { PodCounts } from '../api/blocker.ts';
import type { MaintenanceStatus, NodeState, Plan } from '../api/node-maintenance.ts';
import type { Because } from './because.ts';
import { conditions, iso, type Said, unless } from './conditions.ts';
import { deadlineOf } from './deadline.ts';
import type { Assessment } from './drain.ts';
import { jobName } from './name.ts';
import { isNews } from './news.ts';
import { jobDetail } from './node-before.ts';
import type { NodeFacts } from './passage.ts';
import { cordonLost, threatOf } from './threat.ts';
import { volumesLeft } from './volumes.ts';
import type { Instant } from './world.ts';

/** Reasons for which something outside must change before the passage goes on by itself. */
const BLOCKING: ReadonlySet<Because['reason']> = new Set([
  'Blocked',
  'DrainOverdue',
  'NodeLost',
  'NodeBusy',
  'ControlPlaneBusy',
  'LedgerAbsent',
  'LedgerClosing',
  'LedgerFull',
  'CordonLost',
  'WaitingForEarlierJob',
  'JobCannotRun',
  'JobSuspended',
  'Refused',
]);
/** Reasons for which a person must change something. */
const STALLING: ReadonlySet<Because['reason']> = new Set(['NodeNotFound', 'ProfileNotFound', 'InvalidProfile']);

/** The status of a passage in a state and for a reason, kept to what changes. */
export function passageStatus(
  before: MaintenanceStatus,
  plan: Plan | undefined,
  state: NodeState,
  because: Because,
  facts: NodeFacts,
  generation: number,
): MaintenanceStatus {
  const { drain } = facts;
  const draining = state.phase === 'Draining' && drain !== undefined;
  const threat = threatOf(plan, state, facts);
  const job = jobOf(state, facts) ?? before.job;
  const { job: _, pods: __, plan: ___, deadline: ____, ...kept } = before;
  const deadline = plan === undefined ? undefined : deadlineOf(plan, state);
  return {
    ...kept,
    observedGeneration: generation,
    ...(plan === undefined ? {} : { plan }),
    state,
    ...(draining ? { pods: countsOf(drain.counts, before, facts.now) } : {}),
    ...(deadline === undefined ? {} : { deadline: iso(deadline) }),
    blockers: [...(draining ? drain.blockers : (threat?.blockers ?? volumesLeft(plan, state, facts, before.blockers)))],
    ...(job === undefined ? {} : { job }),
    conditions: conditions(
      said(state, because, facts.now, {
        before: threat?.because,
        after: cordonLost(plan, state, facts) ?? (draining ? lasting(drain, facts.now) : undefined),
      }),
      before.conditions,
      generation,
      facts.now,
    ),
  };
}

/** The counts with since when no pod has left: what tells a drain that is slow from one that stands. */
function countsOf(counts: PodCounts, { pods, state }: MaintenanceStatus, now: Instant): PodCounts {
  const same = state.phase === 'Draining' && pods?.remaining === counts.remaining;
  return { ...counts, since: (same ? pods.since : undefined) ?? iso(now) };
}

/** The last Job and how it ended, as far as it is seen: kept in status before anything of it is deleted. */
function jobOf(state: NodeState, facts: NodeFacts): MaintenanceStatus['job'] {
  const attempt = 'attempt' in state ? state.attempt : undefined;
  const found = facts.jobs
    .filter((job) => job.labels['drydock.dev/job'] === 'upgrade')
    .sort((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1))
    .at(-1);
  if (found === undefined) return undefined;
  const number = Number(found.name.slice(found.name.lastIndexOf('-') + 1));
  const { detail, exitCode } = jobDetail(found.name, facts);
  const message = detail || found.finished?.message || '';
  return {
    name: found.name,
    attempt:
      Number.isInteger(number) && number > 0 && found.name === jobName(facts.passage, number) ? number : (attempt ?? 1),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(message === '' || found.finished === undefined ? {} : { message: message.slice(0, 4096) }),
  };
}

/** What is in the way for longer than a moment stays in the way while other pods are asked to leave. */
function lasting({ blockers, counts }: Assessment, now: Instant): Because | undefined {
  const isInTheWay = counts.blocked > 0 && blockers.some((blocker) => isNews(blocker, now));
  return isInTheWay ? { reason: 'Blocked', blockers } : undefined;
}

function hinders(because: Because, now: Instant): boolean {
  if (because.reason !== 'Blocked') return BLOCKING.has(because.reason);
  const { blockers } = because;
  return blockers.length === 0 || blockers.some((blocker) => isNews(blocker, now));
}

/** What happens to others meanwhile is said before what is waited for, which Ready says; what may only be unwanted, after. */
type Warnings = { readonly before: Because | undefined; readonly after: Because | undefined };

function said(state: NodeState, because: Because, now: Instant, warnings: Warnings): readonly Said[] {
  const { phase } = state;
  const ended = phase === 'Succeeded' || phase === 'Skipped' || phase === 'Cancelled' || phase === 'Failed';
  const ready = phase === 'Succeeded' || (phase === 'Held' && because.reason !== 'CordonLost');
  const stalled = phase === 'Failed' || (!ended && !ready && STALLING.has(because.reason));
  const blocked = ended || !hinders(because, now) ? undefined : told(state, because);
  const why = told(state, because);
  const { before, after } = warnings;
  const inTheWay = before !== undefined ? { because: before } : (blocked ?? (after && { because: after }));
  return [
    { type: 'Ready', status: ready ? 'True' : 'False', ...why },
    { type: 'Reconciling', status: ended || stalled || phase === 'Held' ? 'False' : 'True', ...why },
    { type: 'Stalled', ...(stalled ? { status: 'True', ...why } : unless('NotStalled')) },
    { type: 'Blocked', ...(inTheWay === undefined ? unless('NotBlocked') : { status: 'True', ...inTheWay }) },
  ];
}

/** The stored reason where the state has one, which the present one only carries out. */
function told(state: NodeState, because: Because) {
  return 'reason' in state ? { reason: state.reason, message: state.message } : { because };
}
