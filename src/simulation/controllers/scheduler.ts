import { type KubeObject, type NodeObject, type PodObject, stamp } from '../objects.ts';
import { chooser } from './choose-node.ts';
import { nodeCache } from './node-cache.ts';
import { isLeaving, isOver, withCondition } from './pods.ts';
import { draw, type Scene } from './scene.ts';

const BY = 'scheduler';
const NAME = 'default-scheduler';
const LEAST_BACKOFF_MS = 1_000;
const MOST_BACKOFF_MS = 10_000;

/** A pod that found no node: how often it was tried, and when it may be tried again. */
type Refused = { readonly uid: string; readonly tries: number; readonly at: number; woken: boolean };

/**
 * Gives pods their nodes. A decision is bound some time after it was made, without another look: so a pod can land on a node
 * that was cordoned between the two, as it can in a real cluster.
 */
export function startScheduler(scene: Scene): void {
  const { registry, timeline } = scene;
  const dice = scene.fork('scheduler');
  const cache = nodeCache();
  const choose = chooser(cache, dice);
  const refused = new Map<string, Refused>();
  const assumed = new Map<string, string>();
  const queue = scene.react('schedule', (key) => {
    const pod = registry.get<PodObject>('pods', key);
    if (pod === undefined || !isOpen(pod) || assumed.has(key)) return undefined;
    const old = refused.get(key);
    const isSame = old?.uid === pod.metadata.uid;
    if (old !== undefined && isSame && (!old.woken || timeline.now() < old.at)) {
      return old.woken ? old.at - timeline.now() : undefined;
    }
    const choice = choose(pod);
    if ('node' in choice) {
      refused.delete(key);
      assumed.set(key, choice.node);
      cache.place(key, choice.node, pod.spec);
      scene.after(draw(scene, dice, 'bind'), () => land(pod, key, choice.node));
      return undefined;
    }
    const tries = isSame ? (old?.tries ?? 0) + 1 : 1;
    const backoff = Math.min(LEAST_BACKOFF_MS * 2 ** (tries - 1), MOST_BACKOFF_MS);
    refused.set(key, { uid: pod.metadata.uid, tries, at: timeline.now() + backoff, woken: false });
    complain(scene, key, choice.message);
    return undefined;
  });

  const land = (decided: PodObject, key: string, node: string) => {
    assumed.delete(key);
    const pod = registry.get<PodObject>('pods', key);
    if (pod?.metadata.uid === decided.metadata.uid && isOpen(pod)) return bind(scene, key, node);
    cache.place(key, pod !== undefined && !isOver(pod) ? pod.spec.nodeName : undefined, decided.spec);
    if (pod !== undefined) queue.touch(key);
  };
  const wake = () => {
    for (const [key, each] of refused) {
      each.woken = true;
      queue.touch(key);
    }
  };

  scene.hear(['nodes'], (written) => {
    const [before, after] = [written.before, written.after] as (NodeObject | undefined)[];
    cache.node(written.key, after);
    if (after !== undefined && matters(before, after)) wake();
  });
  scene.hear(['pods'], ({ key, last, before, after }) => {
    const pod = after as PodObject | undefined;
    const isHere = pod !== undefined && !isOver(pod);
    const was = (before as PodObject | undefined)?.spec.nodeName;
    const wasHere = was !== undefined && !isOver(before as PodObject);
    const place = isHere ? (pod.spec.nodeName ?? assumed.get(key)) : undefined;
    cache.place(key, place, (last as PodObject).spec);
    if (pod === undefined || !isOpen(pod)) refused.delete(key);
    if (wasHere && !isHere) wake();
    if (pod === undefined || !isOpen(pod)) return;
    // Its own complaint is no news.
    if (before === undefined || before.spec !== pod.spec || before.metadata.labels !== pod.metadata.labels) {
      const known = refused.get(key);
      if (known !== undefined) known.woken = true;
      queue.touch(key);
    }
  });
}

/** Whether a pod wants a node of this scheduler. */
function isOpen(pod: PodObject): boolean {
  const { nodeName, schedulerName = NAME } = pod.spec as PodObject['spec'] & { readonly schedulerName?: string };
  return !nodeName && schedulerName === NAME && !isLeaving(pod) && !isOver(pod);
}

/** Whether a change of a node can make a pod fit: its heartbeats and conditions cannot. */
function matters(before: NodeObject | undefined, after: NodeObject): boolean {
  return (
    before === undefined ||
    before.spec !== after.spec ||
    before.metadata.labels !== after.metadata.labels ||
    before.status.allocatable !== after.status.allocatable
  );
}

function bind({ registry, timeline }: Scene, key: string, nodeName: string): void {
  registry.write<PodObject>('pods', key, BY, (before) => ({
    ...before,
    spec: { ...before.spec, nodeName },
    status: {
      ...before.status,
      conditions: withCondition(
        before.status.conditions?.map(({ reason: _, message: __, ...one }) => one),
        { type: 'PodScheduled', status: 'True', lastTransitionTime: stamp(timeline.now()) },
        timeline.now(),
      ),
    },
  }));
}

function complain({ registry, timeline }: Scene, key: string, message: string): void {
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const;
  registry.write<KubeObject>('pods', key, BY, (before) => {
    const { status } = before as PodObject;
    return {
      ...before,
      status: { ...status, conditions: withCondition(status.conditions, condition, timeline.now()) },
    };
  });
}
