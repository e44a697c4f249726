import { keyOf, type NodeObject, type PodObject, type Taint } from '../objects.ts';
import { covering } from './fit.ts';
import { isLeaving, isOver, withCondition } from './pods.ts';
import type { Scene } from './scene.ts';

const BY = 'taint-eviction-controller';

/** Deletes the pods that do not tolerate a NoExecute taint of their node, or not for longer (pkg/controller/tainteviction). */
export function startTaintEviction(scene: Scene): void {
  const { registry, timeline } = scene;
  /** When a pod began to tolerate for a limited time; kept while any such taint is there. */
  const since = new Map<string, number>();
  const queue = scene.react('taintEviction', (key) => {
    const pod = registry.get<PodObject>('pods', key);
    const node = registry.get<NodeObject>('nodes', pod?.spec.nodeName ?? '');
    const taints = executing(node);
    if (pod === undefined || isLeaving(pod) || isOver(pod) || taints.length === 0) {
      since.delete(key);
      return undefined;
    }
    const limit = patience(pod, taints);
    if (limit === undefined) {
      since.delete(key);
      return undefined;
    }
    const now = timeline.now();
    const start = since.get(key) ?? now;
    if (start + limit > now) {
      since.set(key, start);
      return start + limit - now;
    }
    since.delete(key);
    evict(scene, pod);
    return undefined;
  });
  scene.hear(['nodes'], (written) => {
    const [before, after] = [executing(written.before), executing(written.after)];
    if (before === after || (before.length === 0 && after.length === 0)) return;
    for (const pod of scene.index.podsOn(written.key)) queue.touch(keyOf(pod));
  });
  scene.hear(['pods'], ({ key, before, after }) => {
    const node = (after as PodObject | undefined)?.spec.nodeName;
    if (after === undefined) {
      if (since.has(key)) queue.touch(key);
    } else if (node !== undefined && node !== (before as PodObject | undefined)?.spec.nodeName) {
      if (executing(registry.get('nodes', node)).length > 0) queue.touch(key);
    }
  });
}

const NONE: readonly Taint[] = [];

function executing(node: unknown): readonly Taint[] {
  const taints = (node as NodeObject | undefined)?.spec.taints;
  return taints?.some(({ effect }) => effect === 'NoExecute')
    ? taints.filter(({ effect }) => effect === 'NoExecute')
    : NONE;
}

/** For how many milliseconds a pod tolerates all of these taints; undefined: for ever. */
function patience({ spec }: PodObject, taints: readonly Taint[]): number | undefined {
  const used = taints.map((taint) => covering(spec.tolerations, taint));
  if (used.some((each) => each.length === 0)) return 0;
  const limits = used.flat().flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
  return limits.length === 0 ? undefined : Math.max(0, Math.min(...limits)) * 1000;
}

function evict({ registry, timeline }: Scene, pod: PodObject): void {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
  } as const;
  registry.write<PodObject>('pods', keyOf(pod), BY, (before) => ({
    ...before,
    status: { ...before.status, conditions: withCondition(before.status.conditions, condition, timeline.now()) },
  }));
  registry.remove('pods', keyOf(pod), {}, { by: BY });
}
