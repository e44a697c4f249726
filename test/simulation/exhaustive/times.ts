import type { MaintenanceStatus } from '../../../src/api/node-maintenance.ts';
import type { StatusWrite } from '../../../src/core/effect.ts';
import type { PassageObject } from '../../../src/core/world.ts';
import { NOW } from '../../support/build.ts';

/** The two instants that a decision can tell apart in a tiny world: less than five seconds ago, and longer. */
export const RECENTLY = new Date(NOW).toISOString().replace('.000Z', 'Z');
export const EARLIER = new Date(NOW - 30_000).toISOString().replace('.000Z', 'Z');

/** What decisions read of a status: reports are left out, and of times only whether the five seconds after a cordon are over. */
export function essence(write: StatusWrite): StatusWrite {
  if (write.of !== 'NodeMaintenance') return write;
  const { plan, state, job } = write.status as MaintenanceStatus;
  const since = state.since === undefined || state.phase === 'Draining' ? state.since : EARLIER;
  const status = {
    ...(plan === undefined ? {} : { plan }),
    state: since === undefined ? state : { ...state, since },
    blockers: [],
    ...(job === undefined ? {} : { job }),
    conditions: [],
  };
  return { ...write, status };
}

/** A status when five seconds have passed. */
export function olderStatus(status: MaintenanceStatus): MaintenanceStatus {
  return status.state.since === RECENTLY ? { ...status, state: { ...status.state, since: EARLIER } } : status;
}

/** A passage when five seconds have passed. */
export function older(passage: PassageObject): PassageObject {
  if (!passage.readable || passage.status.state.since !== RECENTLY) return passage;
  return { ...passage, status: olderStatus(passage.status) };
}
