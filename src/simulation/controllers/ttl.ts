import { holds, type JobObject } from '../objects.ts';
import { isFinished } from './job-verdict.ts';
import { isLeaving } from './pods.ts';
import type { Scene } from './scene.ts';

const JOBS = 'jobs.batch';
const BY = 'ttl-after-finished-controller';

/** Deletes Jobs some time after they finished, where they say so (pkg/controller/ttlafterfinished). */
export function startTTL(scene: Scene): void {
  const { registry, timeline } = scene;
  const queue = scene.react('ttl', (key) => {
    const job = registry.get<JobObject>(JOBS, key);
    if (job === undefined || isLeaving(job)) return undefined;
    const { ttlSecondsAfterFinished } = job.spec;
    if (ttlSecondsAfterFinished === undefined || !isFinished(job)) return undefined;
    const last = job.status.conditions?.find((one) => holds([one], 'Complete') || holds([one], 'Failed'));
    const wait = Date.parse(last?.lastTransitionTime ?? '') + ttlSecondsAfterFinished * 1000 - timeline.now();
    if (wait > 0) return wait;
    const preconditions = { uid: job.metadata.uid };
    registry.remove(JOBS, key, { propagationPolicy: 'Foreground', preconditions }, { by: BY });
    return undefined;
  });
  scene.hear([JOBS], ({ key, after }) => {
    const job = after as JobObject | undefined;
    if (job?.spec.ttlSecondsAfterFinished !== undefined && isFinished(job)) queue.touch(key);
  });
}
