import type { BudgetObject, NodeObject, PodObject } from '../../src/simulation/objects.ts';
import type { Registry } from '../../src/simulation/registry.ts';
import type { Request } from '../../src/simulation/request.ts';

const BUDGETS = 'poddisruptionbudgets.policy';
const CONTROLLER = 'disruption-controller';
const EVICTION = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/eviction$/;

/** From each moment at which a budget allows something again for which a pod waits, until the next eviction against it. */
export type Freed = { readonly milliseconds: readonly number[]; answered(request: Request): void; stop(): void };

/** Watches budgets and evictions where they happen, in the API server: the whole way to the operator and back counts. */
export function watchFreed(registry: Registry, now: () => number): Freed {
  const milliseconds: number[] = [];
  const since = new Map<string, number>();
  const stop = registry.etcd.subscribe(({ resource, key, by, before, after }) => {
    if (resource !== BUDGETS || before === undefined || after === undefined) return;
    const [was, is] = [allowedBy(before as BudgetObject), allowedBy(after as BudgetObject)];
    // An eviction takes its allowance before it is answered: what was free until then is what it answers to.
    if (is === 0 && by === CONTROLLER) since.delete(key);
    else if (was === 0 && someoneWaits(registry, key)) since.set(key, now());
  });
  return {
    milliseconds,
    answered: ({ path }) => {
      const [, namespace, name] = EVICTION.exec(path) ?? [];
      if (namespace === undefined) return;
      const pod = registry.get<PodObject>('pods', `${namespace}/${name}`);
      const key = `${namespace}/${pod?.metadata.labels?.['app']}`;
      const from = since.get(key);
      if (from !== undefined) milliseconds.push(now() - from);
      since.delete(key);
    },
    stop,
  };
}

function allowedBy({ status }: BudgetObject): number {
  return status.disruptionsAllowed ?? 0;
}

/** Whether a pod of the budget, which has the name of its app, stands on a cordoned node and was not told to go yet. */
function someoneWaits(registry: Registry, budget: string): boolean {
  for (const pod of registry.all<PodObject>('pods')) {
    const { namespace, labels, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined || `${namespace}/${labels?.['app']}` !== budget) continue;
    if (registry.get<NodeObject>('nodes', pod.spec.nodeName ?? '')?.spec.unschedulable) return true;
  }
  return false;
}
