import type { Written } from '../../src/simulation/etcd.ts';
import type { NodeObject } from '../../src/simulation/objects.ts';
import { FOUND, isReady, type Truth } from './truth.ts';

/** Since when each node has been in service without a break. */
export function service({ now }: Truth) {
  const since = new Map<string, number>();
  return {
    /** Must hear of every write. */
    heard({ resource, key, after, by }: Written): void {
      if (resource !== 'nodes') return;
      const node = after as NodeObject | undefined;
      if (node === undefined || node.spec.unschedulable || !isReady(node)) since.delete(key);
      else if (!since.has(key)) since.set(key, by === FOUND ? Number.NEGATIVE_INFINITY : now());
    },
    /** Whether another node than this has been in service since an instant. */
    inServiceElsewhere(nodeName: string, from: number): boolean {
      for (const [name, at] of since) if (name !== nodeName && at <= from) return true;
      return false;
    },
  };
}
