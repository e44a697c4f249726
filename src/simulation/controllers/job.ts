import { type Condition, holds, keyOf, type PodObject, stamp } from '../objects.ts';
import {
  deadline,
  ensured,
  type FullJob,
  final,
  hasFailed,
  isFinished,
  jobCondition,
  replacesOnlyFailed,
  success,
  verdict,
} from './job-verdict.ts';
import { controllerOf, isActive, isLeaving, isOver, isReady } from './pods.ts';
import type { Scene } from './scene.ts';
import { counts, podFrom, report, toSpare } from './workload.ts';

const JOBS = 'jobs.batch';
const TRACKING = 'batch.kubernetes.io/job-tracking';
const BY = 'job-controller';
const BACKOFF_MS = 10_000;
const MOST_BACKOFF_MS = 600_000;

/** Of the pods that failed one after another: how many, and when the last one did. */
type Backoff = { readonly failures: number; readonly last: number };

/**
 * Runs the pods of Jobs to their end and counts them (syncJob of pkg/controller/job). Indexed Jobs, success policies and pod
 * failure policies are not known, nor restarts within a pod.
 */
export function startJobs(scene: Scene): void {
  const { registry } = scene;
  const backoffs = new Map<string, Backoff>();
  const jobs = scene.react('job', (key) => {
    const job = registry.get<FullJob>(JOBS, key);
    return job === undefined || isFinished(job) ? undefined : sync(scene, job, backoffs);
  });
  // A pod whose Job is gone is let go (syncOrphanPod).
  const orphans = scene.react('job', (key) => {
    const pod = registry.get<PodObject>('pods', key);
    if (pod !== undefined && jobOf(scene, pod) === undefined) untrack(scene, pod);
    return undefined;
  });
  scene.hear([JOBS], ({ key, by, before, after }) => {
    if (after === undefined) {
      backoffs.delete(before?.metadata.uid ?? '');
      for (const pod of scene.index.podsOf(before?.metadata.uid ?? '')) orphans.touch(keyOf(pod));
    } else if (by !== BY) jobs.touch(key);
  });
  scene.hear(['pods'], ({ key, last, after }) => {
    const owner = controllerOf(last);
    if (owner?.kind !== 'Job') return;
    jobs.touch(`${last.metadata.namespace}/${owner.name}`);
    if (after?.metadata.finalizers?.includes(TRACKING) && scene.index.find(owner.uid) === undefined) orphans.touch(key);
  });
}

function jobOf({ registry }: Scene, pod: PodObject): FullJob | undefined {
  const owner = controllerOf(pod);
  const job = registry.get<FullJob>(JOBS, `${pod.metadata.namespace}/${owner?.name}`);
  return job?.metadata.uid === owner?.uid ? job : undefined;
}

function isTracked({ metadata }: PodObject): boolean {
  return metadata.finalizers?.includes(TRACKING) ?? false;
}

function untrack({ registry }: Scene, pod: PodObject): void {
  registry.write<PodObject>('pods', keyOf(pod), BY, (before) => {
    const { finalizers: all, ...metadata } = before.metadata;
    const finalizers = (all ?? []).filter((each) => each !== TRACKING);
    return { ...before, metadata: finalizers.length === 0 ? metadata : { ...metadata, finalizers } };
  });
}

function remove({ registry }: Scene, pods: readonly PodObject[]): void {
  for (const pod of pods) {
    registry.remove('pods', keyOf(pod), { preconditions: { uid: pod.metadata.uid } }, { by: BY });
  }
}

/** One pass over one Job. What it says of active and terminating pods counts what it does to them itself. */
function sync(scene: Scene, job: FullJob, backoffs: Map<string, Backoff>): number | undefined {
  const now = scene.timeline.now();
  const pods = [...scene.index.podsOf(job.metadata.uid)];
  const active = pods.filter(isActive);
  const newSucceeded = pods.filter((pod) => isTracked(pod) && pod.status.phase === 'Succeeded');
  const newFailed = pods.filter((pod) => isTracked(pod) && pod.status.phase !== 'Succeeded' && hasFailed(pod, job));
  const succeeded = (job.status.succeeded ?? 0) + newSucceeded.length;
  const failed = (job.status.failed ?? 0) + newFailed.length;
  const backoff = backedOff(backoffs.get(job.metadata.uid), newSucceeded, newFailed, now);
  backoffs.set(job.metadata.uid, backoff);

  const { suspend = false, completions = 1 } = job.spec;
  let startTime = job.status.startTime ?? (suspend ? undefined : stamp(now));
  let conditions = job.status.conditions ?? [];
  let verdictNow = verdict(
    { ...job, status: { ...job.status, ...(startTime === undefined ? {} : { startTime }) } },
    failed,
    now,
  );
  let stillActive = active.length;
  let wait: number | undefined;
  if (verdictNow !== undefined) {
    remove(scene, active);
    stillActive = 0;
  } else if (isLeaving(job)) {
    if (succeeded >= completions && stillActive === 0) verdictNow = success(now);
  } else {
    const managed = manage(scene, job, { pods, active, succeeded, backoff });
    stillActive = managed.active;
    wait = managed.wait;
    if (succeeded >= completions && stillActive === 0) verdictNow = success(now);
    else {
      const told = ensured(conditions, suspension(suspend, now));
      conditions = told.conditions;
      if (told.changed) startTime = suspend ? undefined : stamp(now);
    }
  }
  track(scene, job, { startTime, conditions, stillActive, verdictNow, now });
  const end = deadline(job, startTime);
  const waits = [wait, end === undefined ? undefined : end - now].filter((each) => each !== undefined);
  return verdictNow !== undefined || waits.length === 0 ? undefined : Math.min(...waits);
}

function suspension(suspend: boolean, now: number): Condition {
  if (suspend) return jobCondition('Suspended', 'JobSuspended', 'Job suspended', now);
  return { ...jobCondition('Suspended', 'JobResumed', 'Job resumed', now), status: 'False' };
}

type Counted = {
  readonly pods: readonly PodObject[];
  readonly active: readonly PodObject[];
  readonly succeeded: number;
  readonly backoff: Backoff;
};

/** As manageJob: makes or deletes pods, never both in one pass. */
function manage(scene: Scene, job: FullJob, { pods, active, succeeded, backoff }: Counted) {
  const { parallelism = 1, completions = 1, suspend } = job.spec;
  const wanted = suspend ? 0 : Math.max(0, Math.min(parallelism, completions - succeeded));
  if (active.length > wanted) {
    remove(scene, toSpare(active).slice(0, active.length - wanted));
    return { active: wanted };
  }
  const terminating = replacesOnlyFailed(job) ? pods.filter((pod) => isLeaving(pod) && !isOver(pod)).length : 0;
  const missing = wanted - active.length - terminating;
  if (missing <= 0) return { active: active.length };
  const share = Math.min(BACKOFF_MS * 2 ** (backoff.failures - 1), MOST_BACKOFF_MS);
  const wait = backoff.failures === 0 ? 0 : backoff.last + share - scene.timeline.now();
  if (wait > 0) return { active: active.length, wait };
  let made = 0;
  for (let at = 0; at < missing; at += 1) {
    const draft = podFrom(job, job.spec.template, { finalizers: [TRACKING] });
    if (scene.registry.create('pods', draft, { by: BY }).ok) made += 1;
  }
  return { active: active.length + made };
}

function backedOff(
  before: Backoff | undefined,
  succeeded: readonly PodObject[],
  failed: readonly PodObject[],
  now: number,
): Backoff {
  const { failures = 0, last = 0 } = before ?? {};
  if (failed.length === 0) return succeeded.length > 0 ? { failures: 0, last: 0 } : { failures, last };
  const ends = failed.map(({ status }) => status.containerStatuses?.[0]?.state?.terminated?.finishedAt);
  const end = Math.max(...ends.map((each) => (each === undefined ? now : Date.parse(each))));
  return { failures: (succeeded.length > 0 ? 0 : failures) + failed.length, last: end };
}

type Tracked = {
  readonly startTime: string | undefined;
  readonly conditions: readonly Condition[];
  readonly stillActive: number;
  readonly verdictNow: Condition | undefined;
  readonly now: number;
};

/**
 * As trackJobStatusAndRemoveFinalizers: the UIDs of pods that have ended are written down first, with the interim condition;
 * then the pods lose their finalizers; then they are counted, and if nothing is left the last condition is written.
 */
function track(scene: Scene, job: FullJob, { startTime, conditions, stillActive, verdictNow, now }: Tracked): void {
  const { registry, index } = scene;
  const key = keyOf(job);
  const pods = [...index.podsOf(job.metadata.uid)];
  const ending = pods.filter(
    (pod) =>
      isTracked(pod) &&
      (isLeaving(job) || verdictNow !== undefined || pod.status.phase === 'Succeeded' || hasFailed(pod, job)),
  );
  const uids = (which: readonly PodObject[]) => which.map(({ metadata }) => metadata.uid);
  const isFailure = (pod: PodObject) => hasFailed(pod, job) || verdictNow?.type === 'FailureTarget';
  const succeeded = uids(ending.filter(({ status }) => status.phase === 'Succeeded'));
  const failed = uids(ending.filter((pod) => pod.status.phase !== 'Succeeded' && isFailure(pod)));
  const terminating = pods.filter((pod) => isLeaving(pod) && !isOver(pod)).length;
  const told = verdictNow === undefined ? conditions : ensured(conditions, verdictNow).conditions;
  const said = {
    ...counts({ active: stillActive, succeeded: job.status.succeeded, failed: job.status.failed }),
    ready: pods.filter((pod) => isActive(pod) && isReady(pod)).length,
    terminating,
    ...(startTime === undefined ? {} : { startTime }),
  };
  const open = { ...counted('succeeded', succeeded), ...counted('failed', failed) };
  report(registry, JOBS, key, BY, { ...said, ...listed(told), uncountedTerminatedPods: open });
  for (const pod of ending) untrack(scene, pod);
  const isDone = verdictNow !== undefined && terminating === 0;
  const last = isDone ? final(verdictNow, now) : undefined;
  const all = last === undefined ? told : ensured(told, last).conditions;
  report(registry, JOBS, key, BY, {
    ...said,
    ...counts({
      succeeded: (job.status.succeeded ?? 0) + succeeded.length,
      failed: (job.status.failed ?? 0) + failed.length,
    }),
    ...listed(all),
    ...(last !== undefined && holds([last], 'Complete') ? { completionTime: stamp(now) } : {}),
    uncountedTerminatedPods: {},
  });
}

function counted(name: 'succeeded' | 'failed', uids: readonly string[]) {
  return uids.length === 0 ? {} : { [name]: uids };
}

function listed(conditions: readonly Condition[]) {
  return conditions.length === 0 ? {} : { conditions };
}
