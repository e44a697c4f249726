import type { BudgetObject, PodObject, WorkloadObject } from '../objects.ts';
import { budgetIndex } from './budget-index.ts';
import { budgetStatus, type Scale } from './budget-status.ts';
import { controllerOf, isActive, withCondition } from './pods.ts';
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
  const budgets = budgetIndex({
    budget: (key) => registry.get<BudgetObject>(BUDGETS, key),
    pod: (key) => registry.get<PodObject>('pods', key),
    podsIn: scene.index.podsIn,
  });
  const queue = scene.react('disruption', (key) => {
    const budget = registry.get<BudgetObject>(BUDGETS, key);
    if (budget === undefined) return undefined;
    const pods = [...budgets.selected(key)]
      .map((each) => registry.get<PodObject>('pods', each))
      .filter((pod) => pod !== undefined);
    const now = scene.timeline.now();
    const known = { ...budget, status: budget.status ?? {} };
    const judged = budgetStatus({ budget: known, pods, scaleOf: (pod) => scaleOf(scene, pod), now });
    report(registry, BUDGETS, key, BY, judged.status);
    return judged.recheckAt === undefined ? undefined : judged.recheckAt - now;
  });

  scene.hear([BUDGETS], (written) => {
    const [before, after] = [written.before, written.after] as (BudgetObject | undefined)[];
    if (before === undefined || before.spec.selector !== after?.spec.selector) {
      budgets.follow(after, before);
    }
    // Its own writes come back to it as well, and then it finds nothing to say.
    if (after !== undefined && written.by !== BY) queue.touch(written.key);
  });

  const stale = scene.react('disruption', (key) => {
    const pod = registry.get<PodObject>('pods', key);
    const since = pod === undefined ? undefined : disruptedSince(pod);
    if (since === undefined) return undefined;
    const now = scene.timeline.now();
    if (since + STALE_MS > now) return since + STALE_MS - now;
    registry.write<PodObject>('pods', key, BY, (before) => {
      const conditions = withCondition(before.status.conditions, { type: 'DisruptionTarget', status: 'False' }, now);
      return { ...before, status: { ...before.status, conditions } };
    });
    return undefined;
  });

  scene.hear(['pods'], (written) => {
    for (const key of budgets.concerned(written)) queue.touch(key);
    if (written.after !== undefined && disruptedSince(written.after as PodObject) !== undefined)
      stale.touch(written.key);
  });
}

/** A pod that was to be disrupted and was not deleted is not said to be any more after this time. */
const STALE_MS = 120_000;

function disruptedSince(pod: PodObject): number | undefined {
  if (!isActive(pod)) return undefined;
  const target = pod.status.conditions?.find(({ type }) => type === 'DisruptionTarget');
  return target?.status === 'True' ? Date.parse(target.lastTransitionTime ?? '') : undefined;
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
