import fc from 'fast-check';
import type { Days } from './wall-clock.ts';

/** One field of a schedule: how it is written, and what it holds for, said apart so that nothing is parsed here. */
type Field = { readonly text: string; readonly holds: (value: number) => boolean; readonly loose: boolean };

/** A schedule as it is written, and the wall clock minutes it names. */
export type Schedule = { readonly text: string; readonly fixed: boolean; readonly names: (wall: number) => boolean };

const any: Field = { text: '*', holds: () => true, loose: true };

function field(low: number, high: number, likely: readonly number[]): fc.Arbitrary<Field> {
  const value = fc.oneof(fc.constantFrom(...likely), fc.integer({ min: low, max: high }));
  const one = value.map((at): Field => ({ text: `${at}`, holds: (each) => each === at, loose: false }));
  const several = fc
    .uniqueArray(value, { minLength: 2, maxLength: 4 })
    .map((at): Field => ({ text: at.join(','), holds: (each) => at.includes(each), loose: false }));
  const range = fc.tuple(value, value).map(([a, b]): Field => {
    const [from, to] = [Math.min(a, b), Math.max(a, b)];
    return { text: `${from}-${to}`, holds: (each) => from <= each && each <= to, loose: false };
  });
  const every = fc
    .integer({ min: 2, max: Math.max(2, Math.floor((high - low) / 2)) })
    .map((by): Field => ({ text: `*/${by}`, holds: (each) => (each - low) % by === 0, loose: true }));
  const stepped = fc.tuple(range, fc.integer({ min: 2, max: 5 })).map(([within, by]): Field => {
    const from = Number(within.text.split('-')[0]);
    return {
      text: `${within.text}/${by}`,
      holds: (each) => within.holds(each) && (each - from) % by === 0,
      loose: true,
    };
  });
  return fc.oneof({ arbitrary: one, weight: 4 }, several, range, every, stepped, fc.constant(any));
}

const NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const month = fc.oneof(
  { arbitrary: fc.constant(any), weight: 6 },
  fc.constant<Field>({ text: '1-6', holds: (each) => each <= 6, loose: false }),
  fc.constant<Field>({ text: 'OCT,MAR', holds: (each) => each === 10 || each === 3, loose: false }),
);
/** Every second day and the like go without a day of the week: whether `*\/2` restricts a day, crons disagree. */
const day = fc.oneof(
  { arbitrary: fc.constant(any), weight: 4 },
  field(1, 31, [1, 8, 15, 29, 30, 31]).filter(({ loose }) => !loose),
);
const weekday = fc.oneof(
  { arbitrary: fc.constant(any), weight: 4 },
  fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 3 }).chain((held) =>
    fc
      .constantFrom(
        held.map(String),
        held.map((each) => NAMES[each]),
        held.map((each) => (each === 0 ? '7' : `${each}`)),
      )
      .map((words): Field => ({ text: words.join(','), holds: (each) => held.includes(each), loose: false })),
  ),
);

/** Any schedule of five fields, most of them near midnight and near the small hours, where clocks are changed. */
export const schedule: fc.Arbitrary<Schedule> = fc
  .record({
    minute: field(0, 59, [0, 15, 29, 30, 45, 59]),
    hour: field(0, 23, [0, 1, 2, 3, 4, 22, 23]),
    day,
    month,
    weekday,
  })
  .map((of) => ({
    text: [of.minute, of.hour, of.day, of.month, of.weekday].map(({ text }) => text).join(' '),
    fixed: !of.minute.loose && !of.hour.loose,
    names: (wall) => {
      const at = new Date(wall * 60_000);
      if (!of.minute.holds(at.getUTCMinutes()) || !of.hour.holds(at.getUTCHours())) return false;
      if (!of.month.holds(at.getUTCMonth() + 1)) return false;
      const [byDay, byWeekday] = [of.day.holds(at.getUTCDate()), of.weekday.holds(at.getUTCDay())];
      // Of two days that are both told, either is enough, as in every cron.
      return of.day !== any && of.weekday !== any ? byDay || byWeekday : byDay && byWeekday;
    },
  }));

/**
 * The minutes at which a schedule starts, walked one by one. Fixed times (no `*` and no step in minute and hour): one that
 * is left out starts at the first minute after the gap, one that comes twice starts at the first. What goes by the clock
 * (`*\/15 * * * *`) starts at every minute that a wall shows, so twice in an hour that comes twice and not in a gap.
 */
export function startsOf({ fixed, names }: Schedule, { walls }: Days): readonly number[] {
  const starts: number[] = [];
  let shown = (walls[0] ?? 0) - 1;
  for (const [index, wall] of walls.entries()) {
    if (fixed) {
      for (let each = shown + 1; each <= wall; each++) {
        if (!names(each)) continue;
        starts.push(index);
        break;
      }
    } else if (names(wall)) starts.push(index);
    shown = Math.max(shown, wall);
  }
  return starts;
}
