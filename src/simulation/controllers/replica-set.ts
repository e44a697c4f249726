import { keyOf, type PodObject, type WorkloadObject } from '../objects.ts';
import type { Registry } from '../registry.ts';
import { controllerOf, isActive, isLeaving, isReady, untilAvailable } from './pods.ts';
import type { Scene } from './scene.ts';
import { counts, podFrom, report, toSpare } from './workload.ts';

const SETS = 'replicasets.apps';
const BY = 'replicaset-controller';

/**
 * Keeps so many pods. A pod that is being deleted does not count any more, so its successor is made before it is gone. Pods
 * that nobody owns are not adopted.
 */
export function startReplicaSets(scene: Scene): void {
  const { registry } = scene;
  const queue = scene.react('replicaSet', (key) => {
    const set = registry.get<WorkloadObject>(SETS, key);
    if (set === undefined) return undefined;
    if (!isLeaving(set)) adjust(registry, set, active(scene, set));
    return tell(scene, set, active(scene, set));
  });
  scene.hear([SETS], ({ key, by }) => {
    if (by !== BY) queue.touch(key);
  });
  scene.hear(['pods'], ({ last }) => {
    const owner = controllerOf(last);
    if (owner?.kind === 'ReplicaSet') queue.touch(`${last.metadata.namespace}/${owner.name}`);
  });
}

function active({ index }: Scene, set: WorkloadObject): readonly PodObject[] {
  return [...index.podsOf(set.metadata.uid)].filter(isActive);
}

function adjust(registry: Registry, set: WorkloadObject, pods: readonly PodObject[]): void {
  const missing = (set.spec.replicas ?? 1) - pods.length;
  for (let made = 0; made < missing; made += 1) {
    // Refused only where the namespace is closed; then the set goes with it.
    registry.create('pods', podFrom(set, set.spec.template), { by: BY });
  }
  if (missing >= 0) return;
  for (const pod of toSpare(pods).slice(0, -missing)) {
    registry.remove('pods', keyOf(pod), { preconditions: { uid: pod.metadata.uid } }, { by: BY });
  }
}

/** Writes the status; says when the next pod has been ready for long enough. */
function tell({ registry, timeline }: Scene, set: WorkloadObject, pods: readonly PodObject[]): number | undefined {
  const { minReadySeconds = 0, template } = set.spec;
  const waits = pods.map((pod) => untilAvailable(pod, minReadySeconds, timeline.now()));
  const labels = Object.entries(template.metadata?.labels ?? {});
  const isLabeled = ({ metadata }: PodObject) => labels.every(([name, value]) => metadata.labels?.[name] === value);
  report(registry, SETS, keyOf(set), BY, {
    replicas: pods.length,
    ...counts({
      fullyLabeledReplicas: pods.filter(isLabeled).length,
      readyReplicas: pods.filter(isReady).length,
      availableReplicas: waits.filter((wait) => wait === 0).length,
      observedGeneration: set.metadata.generation,
    }),
  });
  const open = waits.filter((wait) => wait !== undefined && wait > 0) as number[];
  return open.length === 0 ? undefined : Math.min(...open);
}
