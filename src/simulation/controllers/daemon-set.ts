import { keyOf, type NodeObject, type PodObject, type Toleration, type WorkloadObject } from '../objects.ts';
import { isWanted, onlyNode, tolerates, UNSCHEDULABLE } from './fit.ts';
import { controllerOf, isLeaving, isOver, isReady, untilAvailable } from './pods.ts';
import type { Scene } from './scene.ts';
import { counts, podFrom, report, templateHash } from './workload.ts';

const SETS = 'daemonsets.apps';
const HASH = 'controller-revision-hash';
const BY = 'daemonset-controller';

/** What the pods of DaemonSets tolerate unasked (AddOrUpdateDaemonPodTolerations). */
const TOLERATED: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: UNSCHEDULABLE.key, operator: 'Exists', effect: 'NoSchedule' },
];

/** How one DaemonSet stands on one node. */
type Standing = {
  readonly isWanted: boolean;
  readonly isThere: boolean;
  readonly isReady: boolean;
  readonly isAvailable: boolean;
  readonly isUpdated: boolean;
};

/** With the pods that are made for a pair and not bound yet: no index finds them by their node. */
type Inside = Scene & { readonly waiting: ReadonlyMap<string, string> };

/** By node. */
type Standings = Map<string, Standing>;

/**
 * Keeps a pod on each node that a DaemonSet is for, one pair of them at a time, so that the event of a pod costs the same in a
 * cluster of any size. RollingUpdate takes one node at a time; OnDelete and surge are not known.
 */
export function startDaemonSets(scene: Scene): void {
  const { registry } = scene;
  const standings = new Map<string, Standings>();
  const waiting = new Map<string, string>();
  const inside = { ...scene, waiting };
  const pairs = scene.react('daemonSet', (pair) => {
    const [key = '', node = ''] = pair.split(' ');
    const set = registry.get<WorkloadObject>(SETS, key);
    const known = standings.get(key);
    if (set === undefined || known === undefined) return undefined;
    const { standing, wait } = place(inside, set, node);
    if (standing === undefined) known.delete(node);
    else known.set(node, standing);
    sets.touch(key);
    return wait;
  });
  const sets = scene.react('daemonSet', (key) => {
    const set = registry.get<WorkloadObject>(SETS, key);
    const known = standings.get(key);
    if (set === undefined || known === undefined) return undefined;
    tell(scene, set, known);
    if (!isLeaving(set)) update(inside, set, known);
    return undefined;
  });

  scene.hear([SETS], ({ key, by, before, after }) => {
    if (after === undefined) return void standings.delete(key);
    if (by === BY) return;
    if (!standings.has(key)) standings.set(key, new Map());
    sets.touch(key);
    if (before?.spec === after.spec && before?.metadata.deletionTimestamp === after.metadata.deletionTimestamp) return;
    for (const node of registry.all<NodeObject>('nodes')) pairs.touch(`${key} ${node.metadata.name}`);
  });
  scene.hear(['nodes'], ({ key, before, after }) => {
    const isSame = before?.spec === after?.spec && before?.metadata.labels === after?.metadata.labels;
    if (isSame && before !== undefined) return;
    for (const set of standings.keys()) pairs.touch(`${set} ${key}`);
  });
  scene.hear(['pods'], ({ key, last, after }) => {
    const owner = controllerOf(last);
    if (owner?.kind !== 'DaemonSet') return;
    const node = nodeOf(last as PodObject);
    if (node === undefined) return;
    const pair = `${last.metadata.namespace}/${owner.name} ${node}`;
    if (after !== undefined && !(after as PodObject).spec.nodeName) waiting.set(pair, key);
    else if (waiting.get(pair) === key) waiting.delete(pair);
    pairs.touch(pair);
  });
}

function nodeOf({ spec }: PodObject): string | undefined {
  return spec.nodeName ?? onlyNode(spec);
}

/** The pods of a set on a node: bound to it, or made for it and not bound yet. */
function podsOn({ registry, index, waiting }: Inside, set: WorkloadObject, node: string): readonly PodObject[] {
  const isIts = (pod: PodObject) => controllerOf(pod)?.uid === set.metadata.uid;
  const bound = [...index.podsOn(node)].filter(isIts);
  const unbound = waiting.get(`${keyOf(set)} ${node}`);
  const pod = unbound === undefined ? undefined : registry.get<PodObject>('pods', unbound);
  return pod !== undefined && pod.spec.nodeName === undefined && isIts(pod) ? [...bound, pod] : bound;
}

/** As manage and podsShouldBeOnNode of pkg/controller/daemon: a pod that is leaving is awaited before another is made. */
function place(scene: Inside, set: WorkloadObject, name: string): { standing?: Standing; wait?: number } {
  const { registry } = scene;
  const pods = podsOn(scene, set, name);
  const node = registry.get<NodeObject>('nodes', name);
  if (node === undefined || isLeaving(set)) {
    // On a node that is gone only what was never bound is taken back here; the rest is left to the pod collector.
    if (node === undefined) for (const pod of pods) if (pod.spec.nodeName === undefined) remove(scene, pod);
    return {};
  }
  const { shouldRun, shouldContinue } = should(set, node);
  const kept = pods.filter((pod) => !isLeaving(pod));
  const [first, ...others] = kept.filter((pod) => !isOver(pod));
  for (const pod of shouldContinue ? [...kept.filter(isOver), ...others] : kept) remove(scene, pod);
  if (shouldRun && pods.length === 0) create(scene, set, name);
  const pod = shouldContinue ? first : undefined;
  const wait = pod === undefined ? undefined : untilAvailable(pod, set.spec.minReadySeconds ?? 0, scene.timeline.now());
  const standing = {
    isWanted: shouldRun,
    isThere: first !== undefined,
    isReady: pod !== undefined && isReady(pod),
    isAvailable: wait === 0,
    isUpdated: pod?.metadata.labels?.[HASH] === templateHash(set),
  };
  return { standing, ...(wait === undefined || wait === 0 ? {} : { wait }) };
}

/** As NodeShouldRunDaemonPod: a NoSchedule taint keeps new pods out, a NoExecute taint also sends away those that are there. */
function should({ spec }: WorkloadObject, node: NodeObject) {
  const wanted = isWanted(spec.template.spec, node);
  const tolerations = [...(spec.template.spec.tolerations ?? []), ...TOLERATED];
  const untolerated = (node.spec.taints ?? []).filter(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(tolerations, taint),
  );
  return {
    shouldRun: wanted && untolerated.length === 0,
    shouldContinue: wanted && !untolerated.some(({ effect }) => effect === 'NoExecute'),
  };
}

function create({ registry }: Scene, set: WorkloadObject, node: string): void {
  const { template } = set.spec;
  const labels = { [HASH]: templateHash(set), 'pod-template-generation': String(set.metadata.generation ?? 1) };
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  const required = template.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  // Each term of its own is bound to the node as well (ReplaceDaemonSetPodNodeNameNodeAffinity replaces them all).
  const nodeAffinity = {
    ...template.spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { ...required, nodeSelectorTerms: [{ matchFields }] },
  };
  const spec = {
    affinity: { ...template.spec.affinity, nodeAffinity },
    tolerations: [...(template.spec.tolerations ?? []), ...TOLERATED],
  };
  registry.create('pods', podFrom(set, template, { labels, spec }), { by: BY });
}

function remove({ registry }: Scene, pod: PodObject): void {
  registry.remove('pods', keyOf(pod), { preconditions: { uid: pod.metadata.uid } }, { by: BY });
}

/** One pod of an old template goes when no other is missing. */
function update(scene: Inside, set: WorkloadObject, known: Standings): void {
  let old: string | undefined;
  for (const [node, standing] of known) {
    if (!standing.isWanted) continue;
    if (!standing.isAvailable) return;
    if (!standing.isUpdated) old ??= node;
  }
  if (old === undefined) return;
  for (const pod of podsOn(scene, set, old)) if (!isLeaving(pod)) remove(scene, pod);
}

function tell({ registry }: Scene, set: WorkloadObject, known: Standings): void {
  const all = [...known.values()];
  const wanted = all.filter(({ isWanted }) => isWanted);
  const available = wanted.filter(({ isAvailable }) => isAvailable).length;
  report(registry, SETS, keyOf(set), BY, {
    currentNumberScheduled: wanted.filter(({ isThere }) => isThere).length,
    numberMisscheduled: all.filter(({ isWanted, isThere }) => !isWanted && isThere).length,
    desiredNumberScheduled: wanted.length,
    numberReady: wanted.filter(({ isReady }) => isReady).length,
    ...counts({
      observedGeneration: set.metadata.generation,
      updatedNumberScheduled: wanted.filter(({ isUpdated }) => isUpdated).length,
      numberAvailable: available,
      numberUnavailable: wanted.length - available,
    }),
  });
}
