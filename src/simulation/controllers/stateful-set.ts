import { keyOf, type PodObject, type WorkloadObject } from '../objects.ts';
import { controllerOf, isLeaving, isOver, isReady, untilAvailable } from './pods.ts';
import type { Scene } from './scene.ts';
import { counts, podFrom, report, templateHash } from './workload.ts';

const SETS = 'statefulsets.apps';
const HASH = 'controller-revision-hash';
const BY = 'statefulset-controller';

/**
 * Keeps pods with names, each made again only when the old one is gone. Volumes of templates, partitions, OnDelete and
 * `start` of ordinals are not known.
 */
export function startStatefulSets(scene: Scene): void {
  const { registry } = scene;
  const queue = scene.react('statefulSet', (key) => {
    const set = registry.get<WorkloadObject>(SETS, key);
    if (set === undefined) return undefined;
    const wait = isLeaving(set) ? undefined : adjust(scene, set, podsOf(scene, set));
    tell(scene, set, podsOf(scene, set));
    return wait;
  });
  scene.hear([SETS], ({ key, by }) => {
    if (by !== BY) queue.touch(key);
  });
  scene.hear(['pods'], ({ last }) => {
    const owner = controllerOf(last);
    if (owner?.kind === 'StatefulSet') queue.touch(`${last.metadata.namespace}/${owner.name}`);
  });
}

type Ordered = ReadonlyMap<number, PodObject>;

function podsOf({ index }: Scene, { metadata }: WorkloadObject): Ordered {
  const pods = [...index.podsOf(metadata.uid)];
  return new Map(pods.map((pod) => [Number(pod.metadata.name.slice(metadata.name.length + 1)), pod]));
}

/** One pass of updateStatefulSet (pkg/controller/statefulset): with OrderedReady it stops at the first pod that is not well. */
function adjust(scene: Scene, set: WorkloadObject, pods: Ordered): number | undefined {
  const { replicas = 1, podManagementPolicy, minReadySeconds = 0 } = set.spec;
  const ordered = podManagementPolicy !== 'Parallel';
  for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
    const pod = pods.get(ordinal);
    if (pod === undefined) create(scene, set, ordinal);
    else if (isOver(pod) && !isLeaving(pod)) remove(scene, pod);
    const wait = pod === undefined ? undefined : untilAvailable(pod, minReadySeconds, scene.timeline.now());
    const isWell = pod !== undefined && !isLeaving(pod) && pod.status.phase === 'Running' && wait === 0;
    if (ordered && !isWell) return wait === 0 ? undefined : wait;
  }
  const beyond = [...pods.keys()].filter((ordinal) => ordinal >= replicas).sort((one, other) => other - one);
  for (const ordinal of beyond) {
    const pod = pods.get(ordinal);
    if (pod !== undefined && !isLeaving(pod)) remove(scene, pod);
    if (ordered) return undefined;
  }
  update(scene, set, pods);
  return undefined;
}

/** From the highest ordinal down, the next only when all above are ready. */
function update(scene: Scene, set: WorkloadObject, pods: Ordered): void {
  const hash = templateHash(set);
  for (let ordinal = (set.spec.replicas ?? 1) - 1; ordinal >= 0; ordinal -= 1) {
    const pod = pods.get(ordinal);
    if (pod === undefined || isLeaving(pod)) return;
    const isOld = pod.metadata.labels?.[HASH] !== hash;
    if (isOld) remove(scene, pod);
    if (isOld || !isReady(pod)) return;
  }
}

function create({ registry }: Scene, set: WorkloadObject, ordinal: number): void {
  const name = `${set.metadata.name}-${ordinal}`;
  const labels = {
    [HASH]: templateHash(set),
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  };
  // Refused where a pod of that name, of somebody else, is there: the real one waits for its end as well.
  registry.create('pods', podFrom(set, set.spec.template, { name, labels }), { by: BY });
}

function remove({ registry }: Scene, pod: PodObject): void {
  registry.remove('pods', keyOf(pod), { preconditions: { uid: pod.metadata.uid } }, { by: BY });
}

function tell({ registry, timeline }: Scene, set: WorkloadObject, pods: Ordered): void {
  const all = [...pods.values()];
  const hash = templateHash(set);
  const ready = all.filter((pod) => pod.status.phase === 'Running' && isReady(pod));
  const { minReadySeconds = 0 } = set.spec;
  const updated = all.filter((pod) => pod.metadata.labels?.[HASH] === hash && !isLeaving(pod)).length;
  const available = ready.filter((pod) => untilAvailable(pod, minReadySeconds, timeline.now()) === 0).length;
  report(registry, SETS, keyOf(set), BY, {
    replicas: all.length,
    availableReplicas: available,
    ...counts({
      observedGeneration: set.metadata.generation,
      readyReplicas: ready.length,
      updatedReplicas: updated,
      currentReplicas: updated,
    }),
    currentRevision: `${set.metadata.name}-${hash}`,
    updateRevision: `${set.metadata.name}-${hash}`,
  });
}
