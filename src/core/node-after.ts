import type { Plan } from '../api/node-maintenance.ts';
import type { Because } from './because.ts';
import { iso } from './conditions.ts';
import { deadlineOf } from './deadline.ts';
import { rebootArmedIn } from './evidence.ts';
import { jobDetail } from './node-before.ts';
import {
  act,
  type In,
  type NodeDecision,
  type NodeFacts,
  putBack,
  quarantine,
  secondsUntil,
  step,
  wait,
} from './passage.ts';
import { savesEtcd } from './snapshot.ts';
import { missing } from './verify.ts';
import type { NodeView } from './world.ts';

const QUIET_SECONDS = 30;

type Begun = In<'Upgrading' | 'Rebooting' | 'Verifying' | 'Lost'>;

function begunOf({ attempt, jobUID, bootIDBefore, machineID, rebootArmed }: Begun) {
  return { attempt, jobUID, bootIDBefore, machineID, ...(rebootArmed === undefined ? {} : { rebootArmed }) };
}

/** Whether the node must have another boot ID in the end; undefined where it is the payload's to say and it has not. */
function mustReboot(plan: Plan, { rebootArmed }: Begun): boolean | undefined {
  const reboot = plan.work?.reboot ?? 'Never';
  return reboot === 'IfArmed' ? rebootArmed : reboot === 'Expected';
}

function lose(state: In<'Upgrading' | 'Rebooting' | 'Verifying'>, facts: NodeFacts): NodeDecision {
  const because = { reason: 'NodeLost', node: facts.passage.spec.nodeName, from: state.phase } as const;
  return step<'Upgrading'>(
    state as In<'Upgrading'>,
    { phase: 'Lost', since: iso(facts.now), ...begunOf(state), from: state.phase },
    because,
  );
}

/** The Job is released and awaited; whatever happens, it is never run again blindly. */
export function decideUpgrading(plan: Plan, state: In<'Upgrading'>, facts: NodeFacts): NodeDecision {
  const { now, node, passage, jobs } = facts;
  if (passage.released) return leave(state, { reason: 'Released', node: passage.spec.nodeName }, now);
  if (node === undefined) return lose(state, facts);
  const job = jobs.find(({ uid }) => uid === state.jobUID);
  if (job === undefined) return leave(state, { reason: 'JobGone', job: `of attempt ${state.attempt}` }, now);
  const { detail, exitCode, stuck } = jobDetail(job.name, facts);
  const begun = begunOf(state);
  const deadline = deadlineOf(plan, state) ?? now;
  if (job.finished?.as === 'Complete') {
    const because = { reason: 'JobComplete', job: job.name } as const;
    // The pod may be seen after its Job, and what it saved is known of it alone.
    if (savesEtcd(plan) && exitCode === undefined && now < deadline) return wait(because, secondsUntil(deadline, now));
    const armed = plan.work?.reboot === 'IfArmed' ? rebootArmedIn(detail) : undefined;
    const done = { since: iso(now), ...begun, ...(armed === undefined ? {} : { rebootArmed: armed }) };
    // Of a payload that does not say, a reboot is awaited: given back before it came, the node would take pods down with it.
    const phase = mustReboot(plan, { ...state, ...done }) === false ? 'Verifying' : 'Rebooting';
    return step(state, { phase, ...done }, because);
  }
  if (job.finished !== undefined) {
    const because = {
      reason: 'JobFailed',
      attempt: state.attempt,
      detail: detail || job.finished.message || job.finished.reason,
      ...(exitCode === undefined ? {} : { exitCode }),
    } as const;
    return again(plan, state, facts, because);
  }
  // A container that ended well before the reboot has done its work, though the Job controller has not counted it yet.
  if (node.bootID !== state.bootIDBefore && exitCode !== 0)
    return again(plan, state, facts, { reason: 'RebootedDuringJob', attempt: state.attempt });
  if (job.suspended && !job.released) {
    const { name, uid, resourceVersion } = job;
    return act(
      [{ kind: 'releaseJob', name, uid, resourceVersion }],
      { reason: 'ReleasingJob', job: name, detail: '' },
      5,
    );
  }
  if (!node.ready && now >= deadline) return lose(state, facts);
  const recheck = now < deadline ? Math.min(QUIET_SECONDS, secondsUntil(deadline, now)) : QUIET_SECONDS;
  if (job.suspended) return wait({ reason: 'JobSuspended', job: job.name, node: passage.spec.nodeName }, recheck);
  return wait({ reason: stuck ? 'JobCannotRun' : 'JobRunning', job: job.name, detail }, recheck);
}

/** A failed attempt is followed by another while there are any, but by none for a passage that nobody wants any more. */
function again(plan: Plan, state: In<'Upgrading'>, facts: NodeFacts, because: Because): NodeDecision {
  const left = state.attempt < (plan.work?.attempts ?? 1) && facts.abandoned === undefined;
  if (!left) return leave(state, because, facts.now);
  return step(state, { phase: 'Starting', since: iso(facts.now), attempt: state.attempt + 1 }, because);
}

function leave(
  state: In<'Upgrading' | 'Rebooting' | 'Lost' | 'Verifying'>,
  because: Because,
  now: number,
): NodeDecision {
  return step<'Upgrading'>(state as In<'Upgrading'>, quarantine(because, now), because);
}

/** What the payload of this attempt said of a reboot, as far as its pod has been seen. */
function armedBy({ jobUID }: Begun, facts: NodeFacts): boolean | undefined {
  const job = facts.jobs.find(({ uid }) => uid === jobUID);
  return job === undefined ? undefined : rebootArmedIn(jobDetail(job.name, facts).detail);
}

/** A reboot is seen by its boot ID alone: a quick one never shows the node as NotReady. */
export function decideRebooting(plan: Plan, state: In<'Rebooting'>, facts: NodeFacts): NodeDecision {
  const { now, node, passage } = facts;
  if (passage.released) return leave(state, { reason: 'Released', node: passage.spec.nodeName }, now);
  if (node === undefined) return lose(state, facts);
  // The pod may be seen after its Job: only then is it known what it said.
  const known = mustReboot(plan, state);
  const must = known ?? armedBy(state, facts);
  if (known === undefined && must === false)
    return step(
      state,
      { phase: 'Verifying', since: iso(now), ...begunOf(state), rebootArmed: false },
      { reason: 'NotRebooted' },
    );
  const rebooted = node.bootID !== state.bootIDBefore;
  if (rebooted && node.ready) {
    return step(state, { phase: 'Verifying', since: iso(now), ...begunOf(state) }, { reason: 'Rebooted' });
  }
  const seconds = plan.work?.rebootDeadlineSeconds ?? 0;
  const deadline = deadlineOf(plan, state) ?? now;
  if (now < deadline)
    return wait({ reason: 'WaitingForReboot', deadline }, Math.min(QUIET_SECONDS, secondsUntil(deadline, now)));
  if (!node.ready) return lose(state, facts);
  if (must === undefined)
    return step(state, { phase: 'Verifying', since: iso(now), ...begunOf(state) }, { reason: 'NotRebooted' });
  return leave(state, { reason: 'RebootMissing', seconds }, now);
}

/** A node that does not come back keeps its slot until it is back, or a person says that it is not waited for. */
export function decideLost(plan: Plan, state: In<'Lost'>, facts: NodeFacts): NodeDecision {
  const { now, node, stranger, passage } = facts;
  if (passage.released) return leave(state, { reason: 'Released', node: passage.spec.nodeName }, now);
  if (node === undefined && stranger !== undefined)
    return leave(state, { reason: 'MachineReplaced', node: stranger.name }, now);
  if (node === undefined || !node.ready) {
    return wait({ reason: 'NodeLost', node: passage.spec.nodeName, from: state.from }, QUIET_SECONDS);
  }
  const begun = begunOf(state);
  if (state.from === 'Upgrading')
    return step(state, { phase: 'Upgrading', since: iso(now), ...begun }, { reason: 'NodeBack' });
  if (bootIsAsExpected(plan, state, node))
    return step(state, { phase: 'Verifying', since: iso(now), ...begun }, { reason: 'NodeBack' });
  return leave(
    state,
    mustReboot(plan, state) === true && plan.work !== undefined
      ? { reason: 'RebootMissing', seconds: plan.work.rebootDeadlineSeconds }
      : { reason: 'UnexpectedReboot' },
    now,
  );
}

function bootIsAsExpected(plan: Plan, state: Begun, node: NodeView): boolean {
  const must = mustReboot(plan, state);
  return must === undefined || must === (node.bootID !== state.bootIDBefore);
}

/** A node is given back only when it is truly up: Ready flips early. */
export function decideVerifying(plan: Plan, state: In<'Verifying'>, facts: NodeFacts): NodeDecision {
  const { now, node } = facts;
  if (node === undefined) return lose(state, facts);
  const lacks = missing(plan, state, node, facts);
  if (lacks === undefined) {
    return step(state, putBack('Succeeded', { reason: 'Succeeded' }, now), { reason: 'Verified' });
  }
  const seconds = plan.work?.verifyDeadlineSeconds ?? 0;
  const deadline = deadlineOf(plan, state) ?? now;
  // As at the end of a reboot: who does not answer cannot be judged. It is waited for, keeps its place and counts as a failure;
  // left cordoned it would have failed for good, though it may be back a minute later.
  if (now >= deadline && !node.ready) return lose(state, facts);
  if (now >= deadline) return leave(state, { reason: 'VerifyDeadline', seconds, missing: lacks }, now);
  const next = lacks.what === 'ReadyLongEnough' ? Math.min(lacks.at, deadline) : deadline;
  return wait({ reason: 'Verifying', missing: lacks }, Math.min(QUIET_SECONDS, secondsUntil(next, now)));
}
