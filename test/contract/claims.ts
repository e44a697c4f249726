import type { Claim } from './asker.ts';
import { DELETION } from './claims-deletion.ts';
import { EVICTIONS } from './claims-evictions.ts';
import { KINDS_OF_KUBERNETES } from './claims-kinds.ts';
import { LISTS } from './claims-lists.ts';
import { OBJECTS } from './claims-objects.ts';
import { OPERATOR } from './claims-operator.ts';
import { OURS_CLAIMS } from './claims-ours.ts';
import { PATCHES } from './claims-patches.ts';
import { WATCHES } from './claims-watches.ts';
import { WRITES } from './claims-writes.ts';

/** Everything that is claimed of an API server, simulated or real. */
export const CLAIMS: readonly Claim[] = [
  ...OBJECTS,
  ...WRITES,
  ...PATCHES,
  ...DELETION,
  ...LISTS,
  ...WATCHES,
  ...EVICTIONS,
  ...KINDS_OF_KUBERNETES,
  ...OURS_CLAIMS,
  ...OPERATOR,
];
