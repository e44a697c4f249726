import type { ProfileStatus } from '../api/maintenance-profile.ts';
import type { WindowStatus } from '../api/maintenance-window.ts';
import { profileStatus, windowStatus } from '../core/window-report.ts';
import type { Instant, ProfileObject, Read, WindowObject } from '../core/world.ts';
import type { Loop, Subject } from './loop.ts';

const QUIET_SECONDS = 3600;

type Seen<T> = { readonly now: Instant; readonly object: T };

/** How a window says for itself whether it is open. */
export function windows({ cluster, clock }: Loop): Subject<Seen<Read<WindowObject>>, WindowStatus> {
  return {
    name: 'MaintenanceWindow',
    version: ({ object }) => object.resourceVersion,
    about: ({ object: { name, uid } }) => ({ kind: 'MaintenanceWindow', name, uid }),
    observe(key) {
      const object = cluster.caches.MaintenanceWindow.get(key);
      return object?.readable ? { now: clock.now(), object } : undefined;
    },
    look: async (_, seen) => ({ ok: true, value: seen }),
    decide({ now, object }) {
      const { next, changesAt } = windowStatus(object, now);
      if (next !== undefined) return { kind: 'move', to: next, because: { reason: 'Reported' } };
      const recheckAfterSeconds = Math.min(
        QUIET_SECONDS,
        changesAt === undefined ? QUIET_SECONDS : (changesAt - now) / 1000 + 0.01,
      );
      return { kind: 'wait', because: { reason: 'Reported' }, recheckAfterSeconds };
    },
    needsLook: () => false,
    status: ({ object }, to) => written('MaintenanceWindow', object, to),
    report: () => undefined,
    tell: () => undefined,
  };
}

/** How a profile says that it was read. */
export function profiles({ cluster, clock }: Loop): Subject<Seen<Read<ProfileObject>>, ProfileStatus> {
  return {
    name: 'MaintenanceProfile',
    version: ({ object }) => object.resourceVersion,
    about: ({ object: { name, uid } }) => ({ kind: 'MaintenanceProfile', name, uid }),
    observe(key) {
      const object = cluster.caches.MaintenanceProfile.get(key);
      return object?.readable ? { now: clock.now(), object } : undefined;
    },
    look: async (_, seen) => ({ ok: true, value: seen }),
    decide({ now, object }) {
      const next = profileStatus(object, now);
      return next === undefined ? { kind: 'rest' } : { kind: 'move', to: next, because: { reason: 'Reported' } };
    },
    needsLook: () => false,
    status: ({ object }, to) => written('MaintenanceProfile', object, to),
    report: () => undefined,
    tell: () => undefined,
  };
}

function written(
  of: 'MaintenanceWindow' | 'MaintenanceProfile',
  { name, uid, resourceVersion }: { readonly name: string; readonly uid: string; readonly resourceVersion: string },
  status: unknown,
) {
  return { of, name, uid, resourceVersion, status } as const;
}
