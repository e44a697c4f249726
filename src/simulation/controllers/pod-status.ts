import { type Condition, type ContainerStatus, type PodObject, stamp } from '../objects.ts';
import { withCondition } from './pods.ts';

type Status = PodObject['status'];

/** Of a container that was lost with its machine, and of one that was told to end, and of one that was made to. */
export const EXIT = { lost: 255, terminated: 143, killed: 137 } as const;

/** The status of a pod whose containers run, ready or not yet. */
export function running(pod: PodObject, isReady: boolean, restarts: number, now: number): Status {
  const startedAt = stamp(now);
  return {
    ...pod.status,
    phase: 'Running',
    startTime: pod.status.startTime ?? startedAt,
    conditions: conditioned(pod, isReady, now),
    containerStatuses: containers(pod, isReady, restarts, { running: { startedAt } }),
  };
}

/** The same pod when its containers have become ready. */
export function ready(pod: PodObject, now: number): Status {
  const said = pod.status.containerStatuses?.map((each) => ({ ...each, ready: true, started: true }));
  return {
    ...pod.status,
    conditions: conditioned(pod, true, now),
    ...(said === undefined ? {} : { containerStatuses: said }),
  };
}

/** The status of a pod that begins again and again, and is never ready. */
export function crashLooping(pod: PodObject, now: number): Status {
  const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' };
  return {
    ...pod.status,
    phase: 'Running',
    startTime: pod.status.startTime ?? stamp(now),
    conditions: conditioned(pod, false, now),
    containerStatuses: containers(pod, false, 7, { waiting }),
  };
}

/** The status of a pod that has ended. */
export function ended(pod: PodObject, exitCode: number, message: string, now: number): Status {
  const at = stamp(now);
  const startedAt = pod.status.containerStatuses?.[0]?.state?.running?.startedAt ?? pod.status.startTime ?? at;
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  const terminated = { exitCode, reason, startedAt, finishedAt: at, ...(message === '' ? {} : { message }) };
  const why = { status: 'False', reason: exitCode === 0 ? 'PodCompleted' : 'PodFailed' } as const;
  const conditions = ['Ready', 'ContainersReady'].reduce(
    (all, type) => withCondition(all, { type, ...why }, now),
    pod.status.conditions ?? [],
  );
  return {
    ...pod.status,
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    startTime: pod.status.startTime ?? at,
    conditions,
    containerStatuses: containers(pod, false, restartsOf(pod), { terminated }),
  };
}

/** How often its containers have begun again. */
export function restartsOf({ status }: PodObject): number {
  const [first] = (status.containerStatuses ?? []) as readonly { readonly restartCount?: number }[];
  return first?.restartCount ?? 0;
}

function conditioned({ spec, status }: PodObject, isReady: boolean, now: number): readonly Condition[] {
  const unready = { reason: 'ContainersNotReady', message: 'containers with unready status' };
  const gates = isReady ? (spec.readinessGates ?? []).map(({ conditionType }) => conditionType) : [];
  const yes = ['PodReadyToStartContainers', 'Initialized', ...gates];
  const said = yes.reduce((all, type) => withCondition(all, { type, status: 'True' }, now), status.conditions ?? []);
  return ['Ready', 'ContainersReady'].reduce<readonly Condition[]>(
    (all, type) => withCondition(all, isReady ? { type, status: 'True' } : { type, status: 'False', ...unready }, now),
    said,
  );
}

function containers(
  { spec }: PodObject,
  isReady: boolean,
  restartCount: number,
  state: ContainerStatus['state'] & object,
): readonly ContainerStatus[] {
  return spec.containers.map(({ name, image = '' }) => {
    const started = isReady || state.running !== undefined;
    return { name, image, imageID: image, ready: isReady, started, restartCount, state };
  });
}
