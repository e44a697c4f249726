import { conditions } from '../core/conditions.ts';
import { same } from '../core/same.ts';
import type { UpgradeObject, WindowObject } from '../core/world.ts';
import type { Loop, Subject } from './loop.ts';

type Told = 'ClusterUpgrade' | 'MaintenanceWindow' | 'MaintenanceProfile';
type Unreadable = Extract<UpgradeObject | WindowObject, { readable: false }>;
type Seen = { readonly now: number; readonly object: Unreadable };

/**
 * Where a field is of another type than a rule of the schema wants, the API server refuses every write of the object, its
 * status too. Events of nodes come all the time: none of them makes such a write sooner than this.
 */
const ASK_AGAIN_MS = 300_000;

/**
 * How an object that an older schema let in is told what is wrong with it. The ledger and passages are not: to write their
 * status without having read it could lose a ticket or a step; for those there is a log line and a metric.
 */
export function unreadable(kind: Told, { cluster, clock }: Loop): Subject<Seen, unknown> {
  const asked = new Map<string, { readonly version: string; readonly at: number }>();
  return {
    name: `Unreadable${kind}`,
    version: ({ object }) => object.resourceVersion,
    about: ({ object: { name, uid } }) => ({ kind, name, uid }),
    observe(key) {
      const object = cluster.caches[kind].get(key);
      return object === undefined || object.readable || object.status === undefined
        ? undefined
        : { now: clock.now(), object };
    },
    look: async (_, seen) => ({ ok: true, value: seen }),
    decide({ now, object }) {
      const status = object.status;
      if (status === undefined) return { kind: 'rest' };
      const because = { reason: 'Unreadable', problem: object.problem } as const;
      const said = [
        { type: 'Ready', status: 'False', because },
        { type: 'Stalled', status: 'True', because },
      ] as const;
      const phase = kind === 'ClusterUpgrade' ? { phase: 'Invalid' } : {};
      const told = conditions(said, status.conditions, object.generation, now);
      const next = { ...status, ...phase, observedGeneration: object.generation, conditions: told };
      if (same(next, status)) return { kind: 'rest' };
      const last = asked.get(object.uid);
      if (last?.version === object.resourceVersion && now < last.at + ASK_AGAIN_MS)
        return { kind: 'wait', because, recheckAfterSeconds: (last.at + ASK_AGAIN_MS - now) / 1000 };
      return { kind: 'move', to: next, because };
    },
    needsLook: () => false,
    status({ now, object }, to) {
      const { name, uid, resourceVersion } = object;
      asked.set(uid, { version: resourceVersion, at: now });
      return { of: kind, name, uid, resourceVersion, status: to };
    },
    report: () => undefined,
    tell: () => undefined,
  };
}
