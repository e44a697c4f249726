import { type BudgetObject, type Condition, type PodObject, stamp } from '../objects.ts';
import { controllerOf, isLeaving, isReady, withCondition } from './pods.ts';

/** How many pods a controller should have; a problem where that cannot be known, nothing where it is gone. */
export type Scale = { readonly uid: string; readonly scale: number } | { readonly problem: string } | undefined;

/** A status, and when it must be looked at again if nothing happens. */
export type Judged = { readonly status: BudgetObject['status']; readonly recheckAt?: number };

/** How long the API server's word that a pod will go is believed (DeletionTimeout of pkg/controller/disruption). */
const DELETION_TIMEOUT_MS = 120_000;

type Seen = {
  readonly budget: BudgetObject;
  readonly pods: readonly PodObject[];
  readonly scaleOf: (pod: PodObject) => Scale;
  readonly now: number;
};

/** What the disruption controller writes of a budget (trySync, updatePdbStatus and failSafe of pkg/controller/disruption). */
export function budgetStatus(seen: Seen): Judged {
  const { budget, pods, now } = seen;
  const counted = expected(seen);
  if ('problem' in counted) {
    const { observedGeneration } = budget.status;
    const failed = { status: 'False', reason: 'SyncFailed', message: counted.problem } as const;
    return {
      status: { ...budget.status, disruptionsAllowed: 0, conditions: said(budget, failed, observedGeneration, now) },
    };
  }
  const { disruptedPods, recheckAt } = disrupted(budget, pods, now);
  const currentHealthy = pods.filter((pod) => {
    return !isLeaving(pod) && disruptedPods[pod.metadata.name] === undefined && isReady(pod);
  }).length;
  const { expectedPods, desiredHealthy } = counted;
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const { generation } = budget.metadata;
  const allowed =
    disruptionsAllowed > 0
      ? ({ status: 'True', reason: 'SufficientPods', message: '' } as const)
      : ({ status: 'False', reason: 'InsufficientPods', message: '' } as const);
  return {
    status: {
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
      disruptionsAllowed,
      currentHealthy,
      desiredHealthy,
      expectedPods,
      conditions: said(budget, allowed, generation, now),
    },
    ...(recheckAt === undefined ? {} : { recheckAt }),
  };
}

function said(
  { status }: BudgetObject,
  says: Omit<Condition, 'type'>,
  observedGeneration: number | undefined,
  now: number,
): readonly Condition[] {
  const condition = { type: 'DisruptionAllowed', ...says, observedGeneration };
  return withCondition(status.conditions, condition, now);
}

type Counted = { readonly expectedPods: number; readonly desiredHealthy: number } | { readonly problem: string };

/** As getExpectedPodCount: only an integer minAvailable counts the pods that are there, all else what controllers want. */
function expected({ budget, pods, scaleOf }: Seen): Counted {
  const { minAvailable, maxUnavailable } = budget.spec;
  if (maxUnavailable === undefined && minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 };
  if (maxUnavailable === undefined && typeof minAvailable === 'number') {
    return { expectedPods: pods.length, desiredHealthy: minAvailable };
  }
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    // A pod without controller is left out of the sum; what the status then says is undefined upstream too.
    if (owner === undefined || scales.has(owner.uid)) continue;
    const scale = scaleOf(pod);
    if (scale === undefined) return { problem: `found no controllers for pod ${JSON.stringify(pod.metadata.name)}` };
    if ('problem' in scale) return scale;
    scales.set(scale.uid, scale.scale);
  }
  const expectedPods = [...scales.values()].reduce((sum, each) => sum + each, 0);
  const share = scaled(maxUnavailable ?? minAvailable ?? 0, expectedPods);
  if (typeof share !== 'number') return share;
  const desiredHealthy = maxUnavailable === undefined ? share : Math.max(0, expectedPods - share);
  return { expectedPods, desiredHealthy };
}

/** A percentage is rounded up, for both fields. */
function scaled(value: number | string, of: number): number | { readonly problem: string } {
  if (typeof value === 'number') return value;
  const percent = /^(-?\d+)%$/.exec(value)?.[1];
  if (percent === undefined) {
    return { problem: 'invalid value for IntOrString: invalid type: string is not a percentage' };
  }
  return Math.ceil((Number(percent) * of) / 100);
}

/** Those of which the API server said that they will go, that have not begun to, and for which there is still time. */
function disrupted(budget: BudgetObject, pods: readonly PodObject[], now: number) {
  const disruptedPods: Record<string, string> = {};
  let recheckAt: number | undefined;
  for (const pod of pods) {
    const since = budget.status.disruptedPods?.[pod.metadata.name];
    if (since === undefined || isLeaving(pod)) continue;
    const end = Date.parse(since) + DELETION_TIMEOUT_MS;
    if (end < now) continue;
    disruptedPods[pod.metadata.name] = stamp(Date.parse(since));
    recheckAt = Math.min(recheckAt ?? end + 1, end + 1);
  }
  return { disruptedPods, ...(recheckAt === undefined ? {} : { recheckAt }) };
}
