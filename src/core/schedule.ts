import { Cron } from 'croner';
import type { Instant } from './world.ts';

const MOST_REMEMBERED = 500;
const DAY_MS = 24 * 60 * 60_000;

/** When a schedule starts something, seen from any instant. */
export type Schedule = {
  /** The latest start at or before an instant. */
  readonly atOrBefore: (at: Instant) => Instant | undefined;
  /** The first start after an instant. */
  readonly after: (at: Instant) => Instant | undefined;
};

/**
 * Times that are named one by one, also as lists and ranges, start at the first instant after a gap that leaves them out, and
 * once in an overlap. Steps and `*` go by the clock that runs: not at all in a gap, and on in an hour that comes twice.
 */
const HOW = { mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true } as const;

/** Reads a schedule of five fields in a zone; throws what is wrong with either. */
export function readSchedule(text: string, zone: string): Schedule {
  const cron = new Cron(text, { ...HOW, timezone: zone });
  const [minute = '', hour = ''] = text.trim().split(/\s+/);
  const fixed = !/[*?/]/.test(minute + hour);
  const walls = new Cron(text, { ...HOW, timezone: 'Etc/UTC' });
  const found = (direction: 'next' | 'previous', from: Instant) => {
    const at = fixed ? afterMidnightGap(walls, zone, direction, from) : undefined;
    return at === undefined ? [] : [at];
  };
  const only = (instants: readonly Instant[], pick: (...all: readonly Instant[]) => Instant) =>
    instants.length === 0 ? undefined : pick(...instants);
  const before = (at: Instant) => {
    const run = cron.previousRuns(1, new Date(at + 1))[0]?.getTime();
    return only([...(run === undefined ? [] : [run]), ...found('previous', at + 1)], Math.max);
  };
  const after = (at: Instant) => {
    const run = cron.nextRun(new Date(at))?.getTime();
    return only([...(run === undefined ? [] : [run]), ...found('next', at)], Math.min);
  };
  const around = remembered((at) => ({ start: before(at), next: after(at) }));
  return { atOrBefore: (at) => around(at).start, after: (at) => around(at).next };
}

/** Two starts with none between them. */
type Gap = { readonly start: Instant | undefined; readonly next: Instant | undefined };

/** Each answer takes a tenth of a millisecond, and every decision asks anew: it is the same until the next start. */
function remembered(ask: (at: Instant) => Gap): (at: Instant) => Gap {
  const known: Gap[] = [];
  return (at) => {
    const place = known.findLastIndex(({ start }) => start === undefined || start <= at);
    const gap = known[place];
    if (gap !== undefined && (gap.next === undefined || at < gap.next)) return gap;
    if (known.length >= MOST_REMEMBERED) known.length = 0;
    const answer = ask(at);
    known.splice(Math.min(place + 1, known.length), 0, answer);
    return answer;
  };
}

/**
 * The nearest change of the clocks, if it leaves out a time of the schedule on the day before the one it leads to. The cron
 * skips such a time, because its start would be on another day: where clocks go from 23:00 to midnight (Greenland), a window
 * would stay shut for that night.
 */
function afterMidnightGap(
  walls: Cron,
  zone: string,
  direction: 'next' | 'previous',
  from: Instant,
): Instant | undefined {
  const change = Temporal.Instant.fromEpochMilliseconds(Math.floor(from))
    .toZonedDateTimeISO(zone)
    .getTimeZoneTransition(direction);
  if (change === null) return undefined;
  const [first, until] = [wall(change.subtract({ nanoseconds: 1 })), wall(change)];
  const at = change.epochMilliseconds;
  const leftOut = walls.nextRun(new Date(at + first - 1))?.getTime();
  return leftOut !== undefined && leftOut < Math.floor((at + until) / DAY_MS) * DAY_MS ? at : undefined;
}

/** How far the clocks on the walls are ahead, in milliseconds. */
function wall(time: Temporal.ZonedDateTime): number {
  return time.offsetNanoseconds / 1_000_000;
}
