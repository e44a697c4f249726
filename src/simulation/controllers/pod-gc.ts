import { keyOf, type PodObject } from '../objects.ts';
import { isLeaving, isOver, withCondition } from './pods.ts';
import { draw, type Scene } from './scene.ts';

const BY = 'pod-garbage-collector';

/**
 * Ends the pods that no kubelet will: those of nodes that are gone, and those that were deleted before they had one
 * (pkg/controller/podgc). Pods that have ended are never too many, and the taint out-of-service is not known.
 */
export function startPodGC(scene: Scene): void {
  const { registry } = scene;
  const dice = scene.fork('pod-gc');
  const waiting = new Set<string>();
  const orphaned = (node: string) => {
    if (waiting.has(node)) return;
    waiting.add(node);
    scene.after(draw(scene, dice, 'podGarbage'), () => {
      waiting.delete(node);
      if (registry.get('nodes', node) !== undefined) return;
      for (const pod of [...scene.index.podsOn(node)]) end(scene, pod, true);
    });
  };
  const unbound = scene.react('podGarbagePeriod', (key) => {
    const pod = registry.get<PodObject>('pods', key);
    if (pod !== undefined && isLeaving(pod) && !pod.spec.nodeName && !isOver(pod)) end(scene, pod, false);
    return undefined;
  });
  scene.hear(['nodes'], ({ key, after }) => {
    if (after !== undefined) return;
    for (const _ of scene.index.podsOn(key)) return orphaned(key);
  });
  scene.hear(['pods'], ({ key, before, after }) => {
    if (after === undefined) return;
    const pod = after as PodObject;
    const { nodeName } = pod.spec;
    if (!nodeName && isLeaving(pod) && !isOver(pod)) unbound.touch(key);
    const isNew = nodeName !== undefined && nodeName !== (before as PodObject | undefined)?.spec.nodeName;
    if (isNew && registry.get('nodes', nodeName) === undefined) orphaned(nodeName);
  });
}

function end({ registry, timeline }: Scene, pod: PodObject, isOrphan: boolean): void {
  const target = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
  } as const;
  const key = keyOf(pod);
  if (!isOver(pod)) {
    registry.write<PodObject>('pods', key, BY, ({ status, ...before }) => {
      const conditions = isOrphan ? withCondition(status.conditions, target, timeline.now()) : status.conditions;
      return { ...before, status: { ...status, phase: 'Failed', ...(conditions === undefined ? {} : { conditions }) } };
    });
  }
  if (registry.get('pods', key) !== undefined) registry.remove('pods', key, { gracePeriodSeconds: 0 }, { by: BY });
}
