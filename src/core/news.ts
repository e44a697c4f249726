import type { Blocker } from '../api/blocker.ts';
import type { Condition } from '../api/field.ts';
import type { Instant } from './world.ts';

const PATIENCE_MS = 60_000;
/** The conditions that are True when something is in the way. */
const HINDRANCES: ReadonlySet<string> = new Set(['Blocked', 'Stalled']);

/** A budget that is used up for the moment is the ordinary pace of a drain; one that stays so is not. */
export function isNews({ selfClearing, since }: Blocker, now: Instant): boolean {
  return !selfClearing || now - Date.parse(since) > PATIENCE_MS;
}

/** What has come in the way since: Blocked or Stalled that turned True, or is so for another reason; each reason once. */
export function newHindrances(before: readonly Condition[], after: readonly Condition[]): readonly Condition[] {
  const isNew = ({ type, status, reason }: Condition) =>
    status === 'True' &&
    HINDRANCES.has(type) &&
    !before.some((old) => old.type === type && old.status === 'True' && old.reason === reason);
  const found = after.filter(isNew);
  return found.filter(({ reason }, place) => found.findIndex((one) => one.reason === reason) === place);
}
