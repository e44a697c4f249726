import type { Blocker } from '../api/blocker.ts';
import type { Drain } from '../api/maintenance-profile.ts';
import type { Caches } from '../cluster/cluster.ts';
import { isShown } from '../core/budget.ts';
import { type Assessment, assess, type DrainFacts } from '../core/drain.ts';
import type { Instant, NodeView, PodView } from '../core/world.ts';
import type { Memory } from './memory.ts';

/** Where things stand that no object says. */
export type Place = { readonly namespace: string; readonly jobsNamespace: string };

/** What everything is seen from. */
export type From = {
  readonly caches: Caches;
  readonly server: { readonly current: string | undefined };
  readonly memory: Memory;
  readonly now: Instant;
  readonly place: Place;
};

/** What a drain of a node has before it: the same for one that is on its way and for one that is only thought of. */
export function seeDrain(
  drain: Drain,
  node: NodeView,
  { pods, ...more }: Pick<DrainFacts, 'pods' | 'earlier' | 'cordonedAt' | 'ahead'>,
  { caches, memory, now, place }: From,
): Assessment {
  const namespaces = new Set(pods.map(({ namespace }) => namespace));
  return assess(drain, {
    now,
    node,
    elsewhere: Iterator.from(caches.Node.all()).some((other) => mayTake(other, node)),
    namespaceLabels: (namespace) => caches.Namespace.get(namespace)?.labels,
    pods,
    budgets: [...namespaces].flatMap((namespace) => [...caches.PodDisruptionBudget.by('namespace', namespace)]),
    daemonSets: daemonSetsOf(pods, caches),
    ownNamespace: place.namespace,
    jobsNamespace: place.jobsNamespace,
    recall: memory.recall,
    spent: (budget) =>
      memory.claims(budget.uid).filter((claim) => !isShown(claim, budget, caches.Pod.get(claim.pod), now)).length,
    ...more,
  });
}

/** The same of a node whose turn has not come: pods of every tier, as they are now. */
export function seeAhead(drain: Drain, node: NodeView, earlier: readonly Blocker[], from: From): Assessment {
  const pods = [...from.caches.Pod.by('node', node.name)];
  return seeDrain(
    drain,
    node,
    { pods, earlier: earlier.filter(({ nodeName }) => nodeName === node.name), ahead: true },
    from,
  );
}

/** Whether a node could take a pod of another: whoever runs there tolerates what that is tainted with, and is not known to tolerate more. */
function mayTake({ name, ready, unschedulable, deleting, taints }: NodeView, from: NodeView): boolean {
  if (name === from.name || !ready || unschedulable || deleting) return false;
  return taints.every(
    ({ key, value, effect }) =>
      effect === 'PreferNoSchedule' || from.taints.some((taint) => taint.key === key && taint.value === value),
  );
}

function daemonSetsOf(pods: readonly PodView[], caches: Caches): ReadonlySet<string> {
  const keys = pods.flatMap(({ namespace, controller }) =>
    controller?.kind === 'DaemonSet' ? [`${namespace}/${controller.name}`] : [],
  );
  return new Set(keys.filter((key) => caches.DaemonSet.get(key) !== undefined));
}
