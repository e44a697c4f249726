import type { ProfileStatus } from '../api/maintenance-profile.ts';
import type { WindowStatus } from '../api/maintenance-window.ts';
import type { Because } from './because.ts';
import { conditions, iso } from './conditions.ts';
import { same } from './same.ts';
import { windowOpening, windowProblem } from './window.ts';
import type { Instant, ProfileObject, Read, WindowObject } from './world.ts';

/** The status a window should have now, or undefined where it has it; and when it changes next by itself. */
export function windowStatus(
  window: Read<WindowObject>,
  now: Instant,
): { readonly next?: WindowStatus; readonly changesAt?: Instant } {
  const { spec, status, generation } = window;
  const problem = windowProblem(spec);
  const opening = problem === undefined ? windowOpening(window, now) : ({ open: false } as const);
  const changesAt = 'changesAt' in opening ? opening.changesAt : undefined;
  const because: Because | undefined = problem ?? ('because' in opening ? opening.because : undefined);
  const at = changesAt === undefined ? {} : opening.open ? { closesAt: iso(changesAt) } : { opensAt: iso(changesAt) };
  const ready = { type: 'Ready', status: problem === undefined ? 'True' : 'False' } as const;
  const stalled = { type: 'Stalled', status: problem === undefined ? 'False' : 'True' } as const;
  const told = because === undefined ? { reason: 'Open', message: 'The window is open.' } : { because };
  const wanted: WindowStatus = {
    observedGeneration: generation,
    open: opening.open,
    ...at,
    ...(because?.reason === 'Frozen' ? { frozenBy: because.freeze } : {}),
    conditions: conditions(
      [
        { ...ready, ...told },
        { ...stalled, ...told },
      ],
      status.conditions,
      generation,
      now,
    ),
  };
  return { ...(same(wanted, status) ? {} : { next: wanted }), ...(changesAt === undefined ? {} : { changesAt }) };
}

/** The status a profile should have, or undefined where it has it: that it was read. */
export function profileStatus({ status, generation }: Read<ProfileObject>, now: Instant): ProfileStatus | undefined {
  const read = { reason: 'Read', message: 'The profile can be used.' };
  const wanted: ProfileStatus = {
    observedGeneration: generation,
    conditions: conditions([{ type: 'Ready', status: 'True', ...read }], status.conditions, generation, now),
  };
  return same(wanted, status) ? undefined : wanted;
}
