import type { Cluster } from '../cluster/cluster.ts';
import type { Refusal } from '../core/decision.ts';

const NOT_LEADING: Refusal = { ok: false, why: 'unavailable', cause: 'Other', message: 'not the leader', code: 0 };

/** The same cluster, which nothing changes while this process does not lead: asked again right before each request. */
export function gated(cluster: Cluster, mayWrite: () => boolean): Cluster {
  return {
    caches: cluster.caches,
    watch: (changed, signal) => cluster.watch(changed, signal),
    read: (kind, key) => cluster.read(kind, key),
    list: (kind, where) => cluster.list(kind, where),
    version: () => cluster.version(),
    perform: async (effect) => (mayWrite() ? cluster.perform(effect) : NOT_LEADING),
    store: async (write) => (mayWrite() ? cluster.store(write) : NOT_LEADING),
    tell: (telling) => cluster.tell(telling),
  };
}
