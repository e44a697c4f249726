import { type Condition, holds, type KubeObject, type OwnerReference, type PodObject, stamp } from '../objects.ts';

const NOBODY: readonly OwnerReference[] = [];

/** The owner that manages an object; there is one at most. */
export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  for (const owner of metadata.ownerReferences ?? NOBODY) if (owner.controller === true) return owner;
  return undefined;
}

/** Whether a pod has ended. */
export function isOver({ status }: PodObject): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

/** Whether a pod is being deleted. */
export function isLeaving({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** As IsPodActive of pkg/controller: neither ended nor being deleted. */
export function isActive(pod: PodObject): boolean {
  return !isOver(pod) && !isLeaving(pod);
}

/** Whether the Ready condition of a pod is True. */
export function isReady({ status }: PodObject): boolean {
  return holds(status.conditions, 'Ready');
}

/** For how many milliseconds a pod that is ready must still stay so to count as available; 0: it does. */
export function untilAvailable(pod: PodObject, minReadySeconds: number, now: number): number | undefined {
  if (!isReady(pod)) return undefined;
  const since = pod.status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  if (minReadySeconds === 0 || since === undefined) return 0;
  return Math.max(0, Date.parse(since) + minReadySeconds * 1000 - now);
}

/** The conditions with one of them set; when it changed is kept where its status does not. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  { type, ...said }: Condition,
  now: number,
): readonly Condition[] {
  const old = conditions?.find((one) => one.type === type);
  const unchanged = old?.status === said.status ? old.lastTransitionTime : undefined;
  const next = { type, lastTransitionTime: unchanged ?? stamp(now), ...said };
  if (old === undefined) return [...(conditions ?? []), next];
  return (conditions ?? []).map((one) => (one === old ? next : one));
}

/** The number that an annotation of a pod says. */
export function annotated({ metadata }: KubeObject, name: string): number | undefined {
  const value = metadata.annotations?.[`test.drydock.dev/${name}`];
  const number = value === undefined ? Number.NaN : Number(value);
  return Number.isNaN(number) ? undefined : number;
}
