import type { Written } from '../../src/simulation/etcd.ts';
import type { NodeObject, PodObject } from '../../src/simulation/objects.ts';
import { FOUND, isReady, type Truth } from './truth.ts';

/** Since when each node could have taken any pod without a break, and when it last could. */
export function service({ now }: Truth) {
  const since = new Map<string, number>();
  const last = new Map<string, number>();
  return {
    /** Must hear of every write. */
    heard({ resource, key, after, by }: Written): void {
      if (resource !== 'nodes') return;
      const node = after as NodeObject | undefined;
      if (node !== undefined && isOpen(node)) {
        if (!since.has(key)) since.set(key, by === FOUND ? Number.NEGATIVE_INFINITY : now());
      } else if (since.delete(key) || by === FOUND) last.set(key, now());
    },
    /** Whether another node than this has been in service since an instant. */
    inServiceElsewhere(nodeName: string, from: number): boolean {
      for (const [name, at] of since) if (name !== nodeName && at <= from) return true;
      return false;
    },
    /** Whether any other node was in service at any time since an instant. */
    wasInServiceElsewhere(nodeName: string, from: number): boolean {
      for (const name of since.keys()) if (name !== nodeName) return true;
      for (const [name, at] of last) if (name !== nodeName && at >= from) return true;
      return false;
    },
  };
}

/** Whether a pod that tolerates nothing in particular could be bound to a node. */
function isOpen(node: NodeObject): boolean {
  const isHard = ({ effect }: { readonly effect: string }) => effect !== 'PreferNoSchedule';
  return !node.spec.unschedulable && isReady(node) && !node.spec.taints?.some(isHard);
}

/** Since when each pod has been bound to its node. */
export function bindings({ now }: Truth) {
  const since = new Map<string, number>();
  return {
    /** Must hear of every write. */
    heard({ resource, before, after, by }: Written): void {
      if (resource !== 'pods') return;
      if (after === undefined) {
        if (before !== undefined) since.delete(before.metadata.uid);
        return;
      }
      const [was, is] = [(before as PodObject | undefined)?.spec.nodeName, (after as PodObject).spec.nodeName];
      if (is && was !== is) since.set(after.metadata.uid, by === FOUND ? Number.NEGATIVE_INFINITY : now());
    },
    of: ({ metadata }: PodObject) => since.get(metadata.uid) ?? 0,
  };
}
