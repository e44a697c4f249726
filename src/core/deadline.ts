import type { NodeState, Plan } from '../api/node-maintenance.ts';
import { since } from './passage.ts';
import type { Instant } from './world.ts';

const CORDON_DEADLINE_SECONDS = 300;
/** The Job controller marks a Job that is over its deadline; only when it has had this long is silence taken for a loss. */
const JOB_GRACE_SECONDS = 30;

/**
 * When a phase is given up, as an absolute time: of what is stored and frozen only, so that no restart moves it. Decisions
 * and status read it here. Absent where a phase has no end but what it waits for.
 */
export function deadlineOf({ drain, work }: Plan, state: NodeState): Instant | undefined {
  const after = (seconds: number) => since(state) + seconds * 1000;
  switch (state.phase) {
    case 'Cordoning':
      return after(CORDON_DEADLINE_SECONDS);
    case 'Draining':
      return drain.onDeadline === 'Wait' || work === undefined ? undefined : after(drain.deadlineSeconds);
    case 'Detaching':
      return after(drain.volumeDetachSeconds);
    default:
      return work === undefined ? undefined : workDeadline(work, state.phase, after);
  }
}

function workDeadline(
  work: NonNullable<Plan['work']>,
  phase: NodeState['phase'],
  after: (seconds: number) => Instant,
): Instant | undefined {
  switch (phase) {
    case 'Preparing':
      return after(work.prepareDeadlineSeconds);
    case 'Upgrading':
      return after(work.activeDeadlineSeconds + JOB_GRACE_SECONDS);
    case 'Rebooting':
      return after(work.rebootDeadlineSeconds);
    case 'Verifying':
      return after(work.verifyDeadlineSeconds);
    default:
      return undefined;
  }
}
