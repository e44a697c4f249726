import { type BudgetObject, holds, type PodObject } from '../../../src/simulation/objects.ts';
import { selects } from '../../../src/simulation/selectors.ts';
import { type Check, isOurs } from '../truth.ts';

/** How long the disruption controller may take to count what happened to pods by themselves. */
const COUNTED_MS = 30_000;

/** B1: every pod that we remove leaves by the eviction API, and what stays is enough for its budget. */
export const budgetFloor: Check = (truth) => {
  /** When a pod of a namespace last ceased to be healthy by no doing of ours: a count may lag behind that. */
  const disturbed = new Map<string, number>();
  return {
    answered({ user, method, path }) {
      if (isOurs(user) && method === 'DELETE' && /\/pods(\/|\?|$)/.test(path)) {
        truth.violated('B1', `${method} ${path}: a pod was deleted without asking its budget`);
      }
    },
    written({ resource, before, after, by }) {
      if (resource !== 'pods' || before === undefined) return;
      const pod = before as PodObject;
      const { namespace = '' } = pod.metadata;
      const wasHealthy = isHealthy(pod);
      const isStill = after !== undefined && isHealthy(after as PodObject);
      if (!wasHealthy || isStill) return;
      if (!isOurs(by)) {
        disturbed.set(namespace, truth.now());
        return;
      }
      if (truth.now() - (disturbed.get(namespace) ?? Number.NEGATIVE_INFINITY) < COUNTED_MS) return;
      for (const budget of truth.registry.all<BudgetObject>('poddisruptionbudgets.policy')) {
        if (budget.metadata.namespace !== namespace || !selects(budget.spec.selector, pod.metadata.labels)) continue;
        const { desiredHealthy = 0 } = budget.status;
        const healthy = healthyOf(budget);
        if (healthy >= desiredHealthy) continue;
        const text = `${namespace}/${pod.metadata.name} was evicted: budget ${budget.metadata.name} has ${healthy} healthy pods and needs ${desiredHealthy}`;
        truth.violated('B1', text);
      }
    },
  };

  function healthyOf({ metadata, spec }: BudgetObject): number {
    let count = 0;
    for (const pod of truth.registry.all<PodObject>('pods')) {
      const isIts = pod.metadata.namespace === metadata.namespace && selects(spec.selector, pod.metadata.labels);
      if (isIts && isHealthy(pod)) count += 1;
    }
    return count;
  }
};

function isHealthy({ metadata, status }: PodObject): boolean {
  return metadata.deletionTimestamp === undefined && holds(status.conditions, 'Ready');
}
