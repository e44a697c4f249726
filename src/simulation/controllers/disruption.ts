import { matches } from '../../core/selector.ts';
import type { Written } from '../etcd.ts';
import { type BudgetObject, keyOf, type PodObject, type WorkloadObject } from '../objects.ts';
import { budgetStatus, type Scale } from './budget-status.ts';
import { controllerOf } from './pods.ts';
import type { Scene } from './scene.ts';
import { report } from './workload.ts';

const BUDGETS = 'poddisruptionbudgets.policy';
const BY = 'disruption-controller';

/**
 * Keeps the status of budgets, from which the API server grants evictions. As the real one it hears of pods and budgets only:
 * a workload that is scaled is seen with the next event of a pod.
 */
export function startDisruption(scene: Scene): void {
  const { registry } = scene;
  /** By namespace, then by budget: the keys of the pods that it selects. */
  const selected = new Map<string, Map<string, Set<string>>>();
  const queue = scene.react('disruption', (key) => {
    const budget = registry.get<BudgetObject>(BUDGETS, key);
    if (budget === undefined) return undefined;
    const keys = selected.get(budget.metadata.namespace ?? '')?.get(key) ?? [];
    const pods = [...keys].map((each) => registry.get<PodObject>('pods', each)).filter((pod) => pod !== undefined);
    const now = scene.timeline.now();
    const known = { ...budget, status: budget.status ?? {} };
    const judged = budgetStatus({ budget: known, pods, scaleOf: (pod) => scaleOf(scene, pod), now });
    report(registry, BUDGETS, key, BY, judged.status);
    return judged.recheckAt === undefined ? undefined : judged.recheckAt - now;
  });

  scene.hear([BUDGETS], (written) => {
    const [before, after] = [written.before, written.after] as (BudgetObject | undefined)[];
    const namespace = written.last.metadata.namespace ?? '';
    if (after === undefined) {
      selected.get(namespace)?.delete(written.key);
      return;
    }
    if (before?.spec.selector !== after.spec.selector || before === undefined) {
      const pods = [...scene.index.podsIn(namespace)].filter((pod) => selects(after, pod));
      const all = selected.get(namespace) ?? new Map<string, Set<string>>();
      selected.set(namespace, all.set(written.key, new Set(pods.map(keyOf))));
    }
    // Its own writes come back to it as well, and then it finds nothing to say.
    if (written.by !== BY) queue.touch(written.key);
  });

  scene.hear(['pods'], (written) => {
    for (const [key, pods] of selected.get(written.last.metadata.namespace ?? '') ?? []) {
      const budget = registry.get<BudgetObject>(BUDGETS, key);
      if (budget !== undefined && follow(budget, pods, written)) queue.touch(key);
    }
  });
}

/** Whether a budget has to do with a write to a pod; keeps its list of pods. */
function follow(budget: BudgetObject, pods: Set<string>, { key, before, after }: Written): boolean {
  const was = pods.has(key);
  const sameLabels = before !== undefined && before.metadata.labels === after?.metadata.labels;
  const is = after !== undefined && (sameLabels ? was : selects(budget, after as PodObject));
  if (is) pods.add(key);
  else pods.delete(key);
  return was || is;
}

/** A selector that is absent selects nothing, one that is empty everything (policy/v1). */
function selects({ spec }: BudgetObject, { metadata }: PodObject): boolean {
  return spec.selector != null && matches(spec.selector, metadata.labels ?? {});
}

/** What has no scale of its own, said as the scale client says it. */
const WITHOUT_SCALE: { readonly [kind: string]: string } = {
  DaemonSet: 'daemonsets.apps',
  Job: 'jobs.batch',
  Node: 'nodes',
};

/** As the finders of the disruption controller: a ReplicaSet of a Deployment counts as that Deployment. */
function scaleOf({ registry }: Scene, pod: PodObject): Scale {
  const owner = controllerOf(pod);
  if (owner === undefined) return undefined;
  const find = (id: string, { name, uid }: { name: string; uid: string }) => {
    const found = registry.get<WorkloadObject>(id, `${pod.metadata.namespace}/${name}`);
    return found?.metadata.uid === uid ? found : undefined;
  };
  const counted = (found: WorkloadObject | undefined): Scale =>
    found === undefined ? undefined : { uid: found.metadata.uid, scale: found.spec.replicas ?? 1 };
  switch (owner.kind) {
    case 'StatefulSet':
      return counted(find('statefulsets.apps', owner));
    case 'ReplicaSet': {
      const set = find('replicasets.apps', owner);
      const above = set === undefined ? undefined : controllerOf(set);
      const deployment = above?.kind === 'Deployment' ? find('deployments.apps', above) : undefined;
      return counted(deployment ?? set);
    }
    default: {
      const what = WITHOUT_SCALE[owner.kind];
      if (what !== undefined) return { problem: `${what} does not implement the scale subresource` };
      return {
        problem: `no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`,
      };
    }
  }
}
