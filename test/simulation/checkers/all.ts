import type { Check, Guarantee } from '../truth.ts';
import { budgetFloor } from './budget-floor.ts';
import { cordonGone, cordonOfOthers, nothingLeft } from './cordons.ts';
import { heldByPeople } from './holds.ts';
import { oneJob } from './jobs.ts';
import { asTheProfileSays } from './profiles.ts';
import { room } from './room.ts';
import { savedBefore } from './snapshots.ts';
import { steps } from './steps.ts';
import { ticketAtTheDoor } from './tickets.ts';
import { undrained } from './undrained.ts';
import { versionStep } from './versions.ts';
import { detached } from './volumes.ts';
import { openWindow } from './windows.ts';

/** Who watches over which guarantee. L1 is watched by the run itself: nothing that happens breaks it, only what does not. */
export const CHECKERS: { readonly [G in Exclude<Guarantee, 'L1'>]: Check } = {
  B1: budgetFloor,
  C1: cordonGone,
  C2: cordonOfOthers,
  C3: nothingLeft,
  H1: heldByPeople,
  T1: ticketAtTheDoor,
  U1: undrained,
  D1: asTheProfileSays,
  D2: detached,
  N1: room,
  E1: savedBefore,
  V1: versionStep,
  W1: openWindow,
  J1: oneJob,
  S1: steps,
};
