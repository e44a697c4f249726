import type { Plan } from '../api/node-maintenance.ts';
import type { Because } from './because.ts';
import { iso } from './conditions.ts';
import { deadlineOf } from './deadline.ts';
import type { Assessment } from './drain.ts';
import { prepareJob, upgradeJob } from './job.ts';
import { isAtWork, isInOrder, isUpgradeJob, ticketOf } from './ledger.ts';
import { jobName, prepareJobName } from './name.ts';
import {
  act,
  type In,
  type NodeDecision,
  type NodeFacts,
  putBack,
  quarantine,
  secondsUntil,
  since,
  step,
  wait,
  why,
} from './passage.ts';
import { cordonPatch, isCordonedBy } from './patch.ts';
import { STANDSTILL_MS } from './standstill.ts';
import type { Instant } from './world.ts';

/** No pod bound before a cordon can appear on the node later than this after the cordon was seen: a scheduler in between. */
const LATE_BINDING_MS = 5_000;
const JOB_REFUSED_MS = 300_000;

/** The end of a passage that has changed nothing on its node. */
export function cancelled(because: Because, facts: NodeFacts): In<'Cancelled'> {
  return { phase: 'Cancelled', since: iso(facts.now), ...why(because) };
}

/** Why a passage should not go on while it is not committed. */
export function turnBack({ abandoned, closing, passage }: NodeFacts): Because | undefined {
  return abandoned ?? (passage.spec.hold ? undefined : closing);
}

function nodeGone(
  state: In<'Preparing' | 'Cordoning' | 'Draining' | 'Detaching' | 'Starting'>,
  facts: NodeFacts,
): NodeDecision {
  const because = { reason: 'NodeGone', node: facts.passage.spec.nodeName } as const;
  return step(state, cancelled(because, facts), because);
}

/** What can fail without touching the node fails here: a wrong tag costs no disruption. */
export function decidePreparing(plan: Plan, state: In<'Preparing'>, facts: NodeFacts): NodeDecision {
  const { now, node, passage, jobs } = facts;
  if (node === undefined) return nodeGone(state, facts);
  const back = turnBack(facts);
  if (back !== undefined) return step(state, putBack('Cancelled', back, now), back);
  const { work } = plan;
  if (work === undefined || !work.prePull) return prepared(plan, state, now);
  const name = prepareJobName(passage);
  const job = jobs.find((found) => found.name === name);
  const { detail, stuck } = jobDetail(name, facts);
  if (job?.finished?.as === 'Complete') return prepared(plan, state, now);
  if (job?.finished !== undefined) {
    const because = { reason: 'PrepareFailed', detail: detail || job.finished.message } as const;
    return step(state, putBack('Skipped', because, now), because);
  }
  const deadline = deadlineOf(plan, state) ?? now;
  if (now >= deadline) {
    const because = { reason: 'PrepareDeadline', seconds: work.prepareDeadlineSeconds, detail } as const;
    return step(state, putBack('Skipped', because, now), because);
  }
  if (job !== undefined) {
    const because: Because = stuck ? { reason: 'JobCannotRun', job: name, detail } : { reason: 'Preparing', detail };
    return wait(because, secondsUntil(deadline, now));
  }
  const effect = { kind: 'createJob', name, manifest: prepareJob(plan, work, passage, facts.jobsNamespace) } as const;
  return act([effect], { reason: 'Preparing', detail: refusal(`createJob/${name}`, facts) }, 5);
}

function prepared(plan: Plan, state: In<'Preparing'>, now: number): NodeDecision {
  const at = iso(now);
  if (plan.drain.mode === 'Leave')
    return step(state, { phase: 'Starting', since: at, attempt: 1 }, { reason: 'Prepared' });
  return step(state, { phase: 'Cordoning', since: at }, { reason: 'Prepared' });
}

/** The cordon is done when it is seen with our mark, not when it was sent. */
export function decideCordoning(plan: Plan, state: In<'Cordoning'>, facts: NodeFacts): NodeDecision {
  const { now, node, passage } = facts;
  if (node === undefined) return nodeGone(state, facts);
  const back = turnBack(facts);
  if (back !== undefined) return step(state, putBack('Cancelled', back, now), back);
  if (isCordonedBy(node, passage.uid)) {
    const at = iso(now);
    if (plan.drain.mode === 'Drain') return step(state, { phase: 'Draining', since: at }, { reason: 'Cordoned' });
    // Where the pods stay, traffic to them must have ended before anything happens to the node.
    const until = forgottenAt(plan, state, facts);
    if (now < until) return wait({ reason: 'WaitingForLoadBalancer', until }, secondsUntil(until, now));
    if (plan.work === undefined) return step(state, { phase: 'Held', since: at }, { reason: 'Held', pods: 'stay' });
    return step(state, { phase: 'Starting', since: at, attempt: 1 }, { reason: 'Cordoned' });
  }
  if (now >= (deadlineOf(plan, state) ?? now)) {
    const because = { reason: 'CordonDeadline', detail: refusal(`patchNode/cordon/${node.name}`, facts) } as const;
    return step(state, putBack('Skipped', because, now), because);
  }
  return cordon(plan, facts);
}

/** When load balancers have had their time after the cordon, or after the last that this process knows of. */
function forgottenAt({ drain }: Plan, state: In<'Cordoning'>, { node, recall, actingSince }: NodeFacts): Instant {
  const { exclude, waitSeconds } = drain.loadBalancer;
  const cordonedAt = recall(`patchNode/cordon/${node?.name}`)?.at ?? actingSince ?? 0;
  return exclude ? Math.max(since(state), cordonedAt) + waitSeconds * 1000 : 0;
}

/** Cordons, or cordons again what somebody uncordoned before the node was committed. */
function cordon(plan: Plan, { node, passage, ledger }: NodeFacts): NodeDecision {
  if (node === undefined) return wait({ reason: 'Cordoning' }, 5);
  const ticket = passage.spec.ticket ?? (ledger === undefined ? '' : (ticketOf(ledger, node.name)?.ticket ?? ''));
  const patch = cordonPatch(node, { name: passage.name, uid: passage.uid, ticket }, plan.drain.loadBalancer.exclude);
  return act([patch], { reason: 'Cordoning' }, 2);
}

/** Pods are asked to leave until a live read, five seconds after the cordon was seen, finds none that must. */
export function decideDraining(plan: Plan, state: In<'Draining'>, facts: NodeFacts): NodeDecision {
  const { now, node, passage, drain } = facts;
  if (node === undefined || drain === undefined) return nodeGone(state, facts);
  const back = turnBack(facts);
  if (back !== undefined) return step(state, putBack('Cancelled', back, now), back);
  if (!isCordonedBy(node, passage.uid)) return cordon(plan, facts);
  const { loadBalancer, deadlineSeconds, onDeadline } = plan.drain;
  // Somebody may have uncordoned the node meanwhile: then it is our last cordon that a late binding may follow. It may be that
  // of a process that has died since, of which only this one's own beginning tells.
  const recalled = facts.recall(`patchNode/cordon/${node.name}`)?.at ?? facts.actingSince;
  const cordonedAt = Math.max(since(state), recalled ?? 0);
  const lookableAt = cordonedAt + LATE_BINDING_MS;
  if (drain.empty) {
    if (now < lookableAt) return wait({ reason: 'WaitingForPods', pods: 0 }, secondsUntil(lookableAt, now));
    return step(state, { phase: 'Detaching', since: iso(now) }, { reason: 'Drained' });
  }
  const evictableAt = since(state) + (loadBalancer.exclude ? loadBalancer.waitSeconds * 1000 : 0);
  if (now < evictableAt)
    return wait({ reason: 'WaitingForLoadBalancer', until: evictableAt }, secondsUntil(evictableAt, now));
  const deadline = since(state) + deadlineSeconds * 1000;
  const patient = onDeadline === 'Wait' || passage.spec.hold;
  if (now >= deadline && !patient) {
    const because = { reason: 'DrainDeadline', seconds: deadlineSeconds, blockers: drain.blockers } as const;
    return step(state, putBack(onDeadline === 'Skip' ? 'Skipped' : 'Failed', because, now), because);
  }
  const { rival } = facts;
  if (rival !== undefined && !passage.spec.hold) {
    const because = { reason: 'DrainsBlockEachOther', other: rival, seconds: STANDSTILL_MS / 1000 } as const;
    return step(state, putBack('Skipped', because, now), because);
  }
  const recheck = Math.min(
    now < deadline ? secondsUntil(deadline, now) : 30,
    drain.againAt === undefined ? 30 : secondsUntil(drain.againAt, now),
  );
  const because = whyDraining(drain, now >= deadline && !passage.spec.hold ? deadlineSeconds : undefined);
  const [first, ...rest] = drain.evictions;
  return first === undefined ? wait(because, recheck) : act([first, ...rest], because, Math.min(recheck, 5));
}

/** What a drain does or waits for; what is only asked again is still waited for. */
function whyDraining(drain: Assessment, overdueSeconds: number | undefined): Because {
  const { blockers, counts, hopeful, nowhere } = drain;
  if (hopeful > 0) return { reason: 'Evicting', pods: hopeful, nowhere };
  if (overdueSeconds !== undefined) return { reason: 'DrainOverdue', seconds: overdueSeconds, blockers };
  if (counts.blocked > 0) return { reason: 'Blocked', blockers };
  return { reason: 'WaitingForPods', pods: counts.remaining };
}

/** Volumes of the drained pods must let go of the node, or the next pod cannot have them; but not for ever. */
export function decideDetaching(plan: Plan, state: In<'Detaching'>, facts: NodeFacts): NodeDecision {
  const { now, node, passage, attached } = facts;
  if (node === undefined) return nodeGone(state, facts);
  const back = turnBack(facts);
  if (back !== undefined) return step(state, putBack('Cancelled', back, now), back);
  if (!isCordonedBy(node, passage.uid)) return cordon(plan, facts);
  const deadline = deadlineOf(plan, state) ?? now;
  if (attached.length > 0 && now < deadline) {
    return wait({ reason: 'WaitingForVolumes', volumes: attached.slice(0, 10) }, secondsUntil(deadline, now));
  }
  const at = iso(now);
  if (plan.work === undefined) return step(state, { phase: 'Held', since: at }, { reason: 'Held', pods: 'left' });
  const lost = lostTicket(facts);
  if (lost !== undefined)
    return lost === 'wait' ? wait({ reason: 'LedgerAbsent' }, 5) : step(state, putBack('Cancelled', lost, now), lost);
  const because: Because =
    attached.length === 0 ? { reason: 'Detached' } : { reason: 'VolumesLeft', volumes: attached.slice(0, 10) };
  return step(state, { phase: 'Starting', since: at, attempt: 1 }, because);
}

/** The ticket is shown again before the Job: a restored or rebuilt ledger may not know it any more. */
function lostTicket({ ledger, passage }: NodeFacts): Because | 'wait' | undefined {
  if (!isInOrder(ledger)) return 'wait';
  return ticketOf(ledger, passage.spec.nodeName)?.passageUID === passage.uid
    ? undefined
    : { reason: 'NoTicket', detail: 'none' };
}

/** The Job is created suspended and recorded before it may run; the ticket is shown once more. */
export function decideStarting(plan: Plan, state: In<'Starting'>, facts: NodeFacts): NodeDecision {
  const { now, node, passage, jobs } = facts;
  const { work } = plan;
  const first = state.attempt === 1;
  if (node === undefined) {
    if (first) return nodeGone(state, facts);
    const because = { reason: 'NodeGone', node: passage.spec.nodeName } as const;
    return step(state, quarantine(because, now), because);
  }
  const lost = first ? lostTicket(facts) : undefined;
  const back = first ? (turnBack(facts) ?? (lost === 'wait' ? undefined : lost)) : facts.abandoned;
  if (back !== undefined) {
    return step(state, first ? putBack('Cancelled', back, now) : quarantine(back, now), back);
  }
  if (lost === 'wait') return wait({ reason: 'LedgerAbsent' }, 5);
  if (plan.drain.mode !== 'Leave' && first && !isCordonedBy(node, passage.uid)) return cordon(plan, facts);
  const name = jobName(passage, state.attempt);
  const own = jobs.find((job) => job.name !== name && isUpgradeJob(job) && isAtWork(job));
  const earlier = own?.name ?? facts.busyJob;
  if (earlier !== undefined) return wait({ reason: 'WaitingForEarlierJob', job: earlier, detail: '' }, 30);
  const job = jobs.find((found) => found.name === name && found.labels['drydock.dev/passage'] === passage.uid);
  if (job !== undefined && !job.deleting) {
    const begun = { attempt: state.attempt, jobUID: job.uid, bootIDBefore: node.bootID, machineID: node.machineID };
    return step(state, { phase: 'Upgrading', since: iso(now), ...begun }, { reason: 'JobCreated', job: name });
  }
  const detail = refusal(`createJob/${name}`, facts);
  if (now >= since(state) + JOB_REFUSED_MS && wasAnswered(`createJob/${name}`, facts) && work !== undefined) {
    const because = { reason: 'JobRefused', detail } as const;
    return step(state, first ? putBack('Failed', because, now) : quarantine(because, now), because);
  }
  if (work === undefined) return wait({ reason: 'Refused', detail: 'the plan has no work' }, 60);
  const manifest = upgradeJob(plan, work, passage, facts.jobsNamespace, state.attempt);
  return act([{ kind: 'createJob', name, manifest }], { reason: 'CreatingJob', job: name, detail }, 5);
}

/** Whether the API server said no: to be away, or never to have been asked for all the other waiting, is no refusal. */
function wasAnswered(key: string, { recall }: NodeFacts): boolean {
  const last = recall(key);
  return last !== undefined && !last.outcome.ok && last.outcome.code !== 0;
}

/** What the API server last said against an effect. */
function refusal(key: string, { recall }: NodeFacts): string {
  const last = recall(key);
  return last === undefined || last.outcome.ok ? '' : last.outcome.message;
}

type JobDetail = { readonly detail: string; readonly stuck: boolean; readonly exitCode?: number };

/** What every container waits for that is about to run. */
const STARTING: ReadonlySet<string> = new Set(['', 'ContainerCreating', 'PodInitializing']);

/** How the container of a Job stands or ended, and whether something keeps it from running: no image, no room. */
export function jobDetail(job: string, { jobPods }: NodeFacts): JobDetail {
  const pods = jobPods.filter(
    ({ labels }) => labels['job-name'] === job || labels['batch.kubernetes.io/job-name'] === job,
  );
  const ended = pods.find((pod) => pod.ended !== undefined)?.ended;
  if (ended !== undefined) return { detail: ended.message.slice(0, 4096), stuck: false, exitCode: ended.exitCode };
  const waiting = pods.find((pod) => pod.waiting !== undefined)?.waiting;
  if (waiting === undefined) return { detail: '', stuck: false };
  return {
    detail: `${waiting.reason}: ${waiting.message}`.slice(0, 1024),
    stuck: !STARTING.has(waiting.reason),
  };
}
