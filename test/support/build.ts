import type { Outcome, Refusal, Remembered } from '../../src/core/decision.ts';
import type { DrainFacts } from '../../src/core/drain.ts';
import { HELD_BY, LEFT_CORDONED, type Mark, type Previous, writeMark } from '../../src/core/mark.ts';
import { passageName } from '../../src/core/name.ts';
import type { BudgetView, JobView, NodeView, PodView } from '../../src/core/world.ts';

/** The present of every table. */
export const NOW = Date.parse('2026-11-10T12:00:00Z');
export const UPGRADE_UID = 'uid-upgrade';
export const POLICY_UID = 'uid-policy';

/** The name that the passage of `ticket()` has. */
export const PASSAGE = passageName('worker-1', UPGRADE_UID, 'uid-worker-1', `${POLICY_UID}-1`);

/** An instant so many seconds before the present, as objects write it. */
export function ago(seconds: number): string {
  return new Date(NOW - seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** An instant so many seconds after the present. */
export function ahead(seconds: number): string {
  return ago(-seconds);
}

/** A schedulable, Ready worker. */
export function node(name = 'worker-1', over: Partial<NodeView> = {}): NodeView {
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '5',
    labels: {},
    annotations: {},
    unschedulable: false,
    taints: [],
    ready: true,
    unreachable: false,
    readySince: NOW - 86_400_000,
    bootID: 'boot-1',
    machineID: `machine-${name}`,
    kubeletVersion: 'v1.35.7',
    controlPlane: false,
    deleting: false,
    ...over,
  };
}

/** A mark as a passage writes it. */
export function mark(uid: string, previous: Partial<Previous> = {}, over: Partial<Mark> = {}): Mark {
  const whole = { unschedulable: false, labels: {}, annotations: {}, ...previous };
  return { nodeMaintenance: `name-of-${uid}`, uid, ticket: `${POLICY_UID}-1`, previous: whole, ...over };
}

/** A node that a passage has cordoned. */
export function cordoned(uid: string, over: Partial<NodeView> = {}, previous: Partial<Previous> = {}): NodeView {
  return node('worker-1', { unschedulable: true, annotations: { [HELD_BY]: writeMark(mark(uid, previous)) }, ...over });
}

/** A node that was left cordoned for a person to look at. */
export function leftCordoned(uid: string, over: Partial<NodeView> = {}, previous: Partial<Previous> = {}): NodeView {
  const annotations = { [LEFT_CORDONED]: writeMark(mark(uid, previous, { reason: 'JobFailed' })) };
  return node('worker-1', { unschedulable: true, annotations, ...over });
}

/** A running pod of a ReplicaSet, bound to `worker-1`. */
export function pod(name = 'web-1', over: Partial<PodView> = {}): PodView {
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '5',
    namespace: 'shop',
    nodeName: 'worker-1',
    phase: 'Running',
    ready: true,
    createdAt: NOW - 86_400_000,
    evictedAfterSeconds: 300,
    labels: { app: 'web' },
    toleratesCordon: false,
    mirror: false,
    controller: { kind: 'ReplicaSet', name: 'web', uid: 'uid-rs-web' },
    emptyDir: false,
    claims: [],
    finalizers: [],
    ...over,
  };
}

/** A budget over `app: web` that allows one disruption. */
export function budget(name = 'web', over: Partial<BudgetView> = {}): BudgetView {
  return {
    name,
    uid: `uid-budget-${name}`,
    resourceVersion: '5',
    namespace: 'shop',
    selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
    generation: 1,
    observedGeneration: 1,
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    alwaysAllowUnhealthy: false,
    disruptedPods: [],
    ...over,
  };
}

/** A budget that allows nothing now. */
export function exhausted(name = 'web', over: Partial<BudgetView> = {}): BudgetView {
  return budget(name, { disruptionsAllowed: 0, currentHealthy: 2, ...over });
}

/** What is seen of a drain of `worker-1`, beside nodes that could take its pods. */
export function drainFacts(pods: readonly PodView[], over: Partial<DrainFacts> = {}): DrainFacts {
  return {
    now: NOW,
    node: node(),
    pods,
    budgets: [],
    daemonSets: new Set(),
    ownNamespace: 'drydock-system',
    jobsNamespace: 'drydock-jobs',
    elsewhere: true,
    namespaceLabels: () => ({}),
    recall: recalling(),
    earlier: [],
    ...over,
  };
}

/** What an effect was answered. */
export function refused(over: Partial<Refusal> = {}): Refusal {
  return { ok: false, why: 'refused', cause: 'Other', message: 'no', code: 403, ...over };
}

/** A memory of outcomes, so many seconds ago. */
export function recalling(
  outcomes: Readonly<Record<string, readonly [Outcome, number]>> = {},
): (key: string) => Remembered | undefined {
  return (key) => {
    const [outcome, secondsAgo] = outcomes[key] ?? [];
    return outcome === undefined || secondsAgo === undefined ? undefined : { outcome, at: NOW - secondsAgo * 1000 };
  };
}

/** A Job of the passage. */
export function job(over: Partial<JobView> = {}, attempt: number | 'prepare' = 1): JobView {
  return {
    name: `${PASSAGE}-${attempt}`,
    uid: `uid-job-${attempt}`,
    resourceVersion: '5',
    labels: {
      'drydock.dev/passage': 'uid-passage',
      'drydock.dev/job': attempt === 'prepare' ? 'prepare' : 'upgrade',
      'drydock.dev/node-uid': 'uid-worker-1',
    },
    suspended: false,
    released: over.suspended !== true,
    createdAt: NOW - 60_000,
    deleting: false,
    started: true,
    ...over,
  };
}

export const COMPLETE = { as: 'Complete', reason: 'Completed', message: '' } as const;
export const FAILED = { as: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has failed' } as const;
