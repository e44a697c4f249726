/**
 * A zone and some days around an instant at which its clocks do something odd, read minute by minute from Intl: slow, and
 * with no rule of its own. `walls[i]` is what clocks on walls say i minutes after `from`, in minutes as if they were UTC.
 */
export type Days = { readonly zone: string; readonly around: number; readonly from: number; readonly walls: number[] };

export const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** What happens, where and when (the first instant after the change). */
const ODD: readonly (readonly [what: string, zone: string, around: string])[] = [
  ['an hour is left out', 'Europe/Berlin', '2026-03-29T01:00:00Z'],
  ['an hour comes twice', 'Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['an hour is left out', 'America/New_York', '2026-03-08T07:00:00Z'],
  ['an hour comes twice', 'America/New_York', '2026-11-01T06:00:00Z'],
  ['an hour is left out, half past', 'America/St_Johns', '2026-03-08T05:30:00Z'],
  ['an hour comes twice, half past', 'America/St_Johns', '2026-11-01T04:30:00Z'],
  ['half an hour comes twice', 'Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['half an hour is left out', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  ['an hour comes twice, for Ramadan', 'Africa/Casablanca', '2026-02-15T02:00:00Z'],
  ['an hour is left out, after Ramadan', 'Africa/Casablanca', '2026-03-22T02:00:00Z'],
  ['a day is left out', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['nothing', 'Asia/Kathmandu', '2026-06-01T00:00:00Z'],
  ['a quarter is left out over midnight', 'Asia/Kathmandu', '1985-12-31T18:30:00Z'],
  ['two hours are left out', 'Antarctica/Troll', '2026-03-29T01:00:00Z'],
  ['two hours come twice', 'Antarctica/Troll', '2026-10-25T01:00:00Z'],
  ['the zone changes, the clocks do not', 'America/Scoresbysund', '2024-03-31T01:00:00Z'],
  ['the hour before midnight is left out', 'America/Scoresbysund', '2025-03-30T01:00:00Z'],
  ['the hour before midnight comes twice', 'America/Scoresbysund', '2025-10-26T01:00:00Z'],
  ['half an hour before midnight comes twice', 'Asia/Pyongyang', '2015-08-14T15:00:00Z'],
  ['half an hour before midnight is left out', 'Asia/Pyongyang', '2018-05-04T15:00:00Z'],
  ['the hour after midnight is left out', 'America/Havana', '2026-03-08T05:00:00Z'],
  ['the hour after midnight comes twice', 'America/Havana', '2026-11-01T05:00:00Z'],
];

/** The names of the days, for whoever picks one. */
export const ODD_DAYS: readonly number[] = ODD.map((_, index) => index);

const READ = new Map<number, Days>();

/** The days by their number. */
export function days(index: number): Days {
  const known = READ.get(index);
  if (known !== undefined) return known;
  const [, zone, text] = ODD[index] ?? ['', 'Etc/UTC', '2026-01-01T00:00:00Z'];
  const around = Date.parse(text);
  const read = readDays(zone, around, 5, 4);
  READ.set(index, read);
  return read;
}

/** Reads the clocks of a zone for some days before and after an instant. */
export function readDays(zone: string, around: number, before: number, after: number): Days {
  const from = around - before * DAY;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const walls = Array.from({ length: ((before + after) * DAY) / MINUTE }, (_, index) => {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = (
      format.format(from + index * MINUTE).match(/\d+/g) ?? []
    ).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute) / MINUTE;
  });
  return { zone, around, from, walls };
}
