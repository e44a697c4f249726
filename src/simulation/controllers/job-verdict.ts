import { type Condition, holds, type JobObject, type PodObject, stamp } from '../objects.ts';
import { isLeaving } from './pods.ts';

/** What the model knows of a Job beyond what others read. */
export type FullJob = JobObject & {
  readonly spec: { readonly podReplacementPolicy?: 'Failed' | 'TerminatingOrFailed' };
  readonly status: { readonly uncountedTerminatedPods?: Uncounted };
};

/** Pods that have ended and whose finalizer is not yet taken off, by UID. */
export type Uncounted = { readonly succeeded?: readonly string[]; readonly failed?: readonly string[] };

/** A condition of a Job, as it is written. */
export function jobCondition(type: string, reason: string, message: string, now: number): Condition {
  const at = stamp(now);
  return { type, status: 'True', lastProbeTime: at, lastTransitionTime: at, reason, message } as Condition;
}

/** Whether a Job is over. */
export function isFinished({ status }: JobObject): boolean {
  return holds(status.conditions, 'Complete') || holds(status.conditions, 'Failed');
}

/** As isPodFailed: where only failed pods are replaced, one that is leaving has not failed yet. */
export function hasFailed(pod: PodObject, job: FullJob): boolean {
  if (pod.status.phase === 'Failed') return true;
  if (replacesOnlyFailed(job)) return false;
  return isLeaving(pod) && pod.status.phase !== 'Succeeded';
}

/** Whether the successor of a pod waits until that has ended. */
export function replacesOnlyFailed({ spec }: FullJob): boolean {
  return spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined;
}

/**
 * What is to become of a Job: the interim condition that says so, one that it had before included (syncJob of
 * pkg/controller/job). The verdict of success comes later, from the count.
 */
export function verdict(job: FullJob, failed: number, now: number): Condition | undefined {
  const { conditions, startTime } = job.status;
  const before = (type: string) => conditions?.find((one) => one.type === type && one.status === 'True');
  const old = before('SuccessCriteriaMet') ?? before('FailureTarget');
  if (old !== undefined) return old;
  if (failed > (job.spec.backoffLimit ?? 6)) {
    return jobCondition('FailureTarget', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit', now);
  }
  const end = deadline(job, startTime);
  if (end === undefined || now < end) return undefined;
  return jobCondition('FailureTarget', 'DeadlineExceeded', 'Job was active longer than specified deadline', now);
}

/** When a Job has been active for too long. */
export function deadline({ spec }: FullJob, startTime: string | undefined): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend || startTime === undefined) return undefined;
  return Date.parse(startTime) + spec.activeDeadlineSeconds * 1000;
}

/** The verdict of a Job whose pods have done what was asked. */
export function success(now: number): Condition {
  return jobCondition('SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods', now);
}

/** From the interim condition to the last one. */
export function final({ type, reason = '', message = '' }: Condition, now: number): Condition {
  return jobCondition(type === 'FailureTarget' ? 'Failed' : 'Complete', reason, message, now);
}

/** As ensureJobConditionStatus: what is already said is not said again, and nothing begins with False. */
export function ensured(
  conditions: readonly Condition[],
  condition: Condition,
): { readonly conditions: readonly Condition[]; readonly changed: boolean } {
  const old = conditions.find(({ type }) => type === condition.type);
  if (old === undefined) {
    return condition.status === 'False'
      ? { conditions, changed: false }
      : { conditions: [...conditions, condition], changed: true };
  }
  const isSame =
    old.status === condition.status && old.reason === condition.reason && old.message === condition.message;
  if (isSame) return { conditions, changed: false };
  return { conditions: conditions.map((one) => (one === old ? condition : one)), changed: true };
}
