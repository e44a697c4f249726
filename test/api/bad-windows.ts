import { type Case, misshapen, opening, unknown, unruly, window } from './objects.ts';

const NIGHT = { schedule: '0 22 * * 1-5', durationMinutes: 360 };
const INSTANT = /openings\[0\]\.from.*must be a date and time of day with seconds and offset, in quotes, as in/;
const until = '2026-12-06T04:00:00+09:00';
const from = (value: unknown) => opening({ from: value, until });
const freeze = (value: object) => window({ freezes: [{ name: 'year-end', ...value }] });
const EITHER = /spec\.openings\[0\].*either schedule and durationMinutes, or from and until/;

/** Windows that are refused. */
export const BAD_WINDOWS: readonly Case[] = [
  misshapen('a window without spec', { kind: 'MaintenanceWindow', spec: undefined }, /spec: Required value/),
  misshapen('a window without zone', window({ timeZone: undefined, openings: [NIGHT] }), /timeZone: Required value/),
  misshapen('a window with an empty zone', window({ timeZone: '', openings: [NIGHT] }), /timeZone.*at least 1 chars/),
  unruly('a window that says nothing', window({}), /both empty, so this window says nothing: add an opening, or a/),
  unruly('a window whose lists are empty', window({ openings: [], freezes: [] }), /both empty/),
  unruly('an opening without its length', opening({ schedule: '0 22 * * *' }), EITHER),
  unruly('an opening without its schedule', opening({ durationMinutes: 60 }), EITHER),
  unruly('an opening of both sorts', opening({ ...NIGHT, until }), EITHER),
  unruly('an opening without its end', opening({ from: '2026-12-05T20:00:00+09:00' }), EITHER),
  unruly('an opening that says nothing', opening({}), EITHER),
  unruly(
    'an opening that ends before it begins',
    from('2026-12-07T00:00:00+09:00'),
    /spec\.openings\[0\].*until must be later than from/,
  ),
  unruly('an opening that ends when it begins', from(until), /until must be later than from/),
  unruly('an opening that ends before it begins, in other zones', from('2026-12-05T20:00:00Z'), /until must be later/),
  unruly('a time without offset', from('2026-12-05T20:00:00'), INSTANT),
  unruly('a time without seconds', from('2026-12-05T20:00+09:00'), INSTANT),
  unruly('a time with a space', from('2026-12-05 20:00:00+09:00'), INSTANT),
  unruly('a time in lower case', from('2026-12-05t20:00:00z'), INSTANT),
  unruly('a time with an offset without colon', from('2026-12-05T20:00:00+0900'), INSTANT),
  unruly('a time with an offset of 25 hours', from('2026-12-05T20:00:00+25:00'), INSTANT),
  unruly('a time finer than milliseconds', from('2026-12-05T20:00:00.0001Z'), INSTANT),
  unruly('a day that does not exist', from('2026-02-30T20:00:00Z'), INSTANT),
  unruly('a leap day in a common year', from('2026-02-29T20:00:00Z'), INSTANT),
  unruly('hour 24', from('2026-12-05T24:00:00Z'), INSTANT),
  unruly('a leap second', from('2026-12-05T23:59:60Z'), INSTANT),
  unruly('a date without time', from('2026-12-05'), INSTANT),
  unruly('tomorrow', from('tomorrow'), INSTANT),
  misshapen('a time as a number', from(1_796_342_400), /from in body must be of type string/),
  misshapen('an opening of no length', opening({ ...NIGHT, durationMinutes: 0 }), /durationMinutes.*equal to 1/),
  misshapen('an opening of more than a month', opening({ ...NIGHT, durationMinutes: 44_641 }), /equal to 44640/),
  misshapen('a length with a unit', opening({ ...NIGHT, durationMinutes: '6h' }), /durationMinutes.*type integer/),
  misshapen('33 openings', opening(...Array.from({ length: 33 }, () => NIGHT)), /openings: Too many: 33: must have at/),
  unknown('openings that are no list', window({ openings: NIGHT }), /unknown field "spec.openings.durationMinutes"/),
  misshapen(
    'what closing does, in lower case',
    window({ openings: [NIGHT], onClose: 'finish' }),
    /"TurnBack", "Finish"/,
  ),
  misshapen('paused in words', window({ openings: [NIGHT], paused: 'yes' }), /spec\.paused.*type boolean/),
  misshapen(
    'a freeze without name',
    freeze({ name: undefined, from: '2026-01-01T00:00:00Z', until }),
    /name: Required/,
  ),
  misshapen('a freeze without end', freeze({ from: '2026-01-01T00:00:00Z' }), /freezes\[0\]\.until: Required value/),
  unruly(
    'a freeze that ends before it begins',
    freeze({ from: '2027-01-01T00:00:00Z', until }),
    /spec\.freezes\[0\].*until must be later than from/,
  ),
  misshapen(
    'two freezes of one name',
    window({
      freezes: [1, 2].map((month) => ({ name: 'twice', from: `2026-0${month}-01T00:00:00Z`, until })),
    }),
    /spec\.freezes\[1\]: Duplicate value/,
  ),
  unknown('a misspelt field', window({ openings: [NIGHT], timezone: 'Asia/Seoul' }), /unknown field "spec.timezone"/),
  unknown(
    'a misspelt field of an opening',
    opening({ ...NIGHT, duration: 1 }),
    /unknown field "spec.openings\[0\].dur/,
  ),
];
