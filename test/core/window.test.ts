import { describe, expect, test } from 'vitest';
import { type NamedWindow, type Opening, opening, windowOpening, windowProblem } from '../../src/core/window.ts';
import { windowSpec } from '../support/build-own.ts';

type Written = Readonly<Record<string, unknown>>;
const window = (over: Written = {}, name = 'nights'): NamedWindow => ({ name, spec: windowSpec(over) });
const at = (text: string) => Date.parse(text);
const time = (instant: number | undefined) =>
  instant === undefined ? 'never' : new Date(instant).toISOString().slice(0, 16);
/** `open until …`, `closed until …`. */
const said = ({ open, changesAt }: Opening) => `${open ? 'open' : 'closed'} until ${time(changesAt)}`;
const RUN = { policyPaused: false, upgradePaused: false };
const together = (windows: readonly NamedWindow[], now: string, freezes: Parameters<typeof opening>[1] = []) =>
  opening(windows, freezes, RUN, at(now));

describe('[rule 92] a window over midnight belongs to the day it starts on', () => {
  const fridays = window({ openings: [{ schedule: '0 22 * * 5', durationMinutes: 480 }] });
  test.each([
    ['Friday at noon', '2026-11-13T12:00:00Z', 'closed until 2026-11-13T21:00'],
    ['Friday, the first instant', '2026-11-13T21:00:00Z', 'open until 2026-11-14T05:00'],
    ['Saturday at 3, the Friday window', '2026-11-14T02:00:00Z', 'open until 2026-11-14T05:00'],
    ['Saturday, the first instant after it', '2026-11-14T05:00:00Z', 'closed until 2026-11-20T21:00'],
    ['caught: Friday at 3 is Thursday night, and closed', '2026-11-13T02:00:00Z', 'closed until 2026-11-13T21:00'],
  ])('%s', (_, now, expected) => {
    expect(said(windowOpening(fridays, at(now)))).toBe(expected);
  });
});

describe('[rule 93] Europe/Paris in 2026', () => {
  const gap = window({ openings: [{ schedule: '30 2 * * *', durationMinutes: 60 }] });
  test.each([
    ['29 March, 02:30 does not exist: closed before', '2026-03-29T00:59:59Z', 'closed until 2026-03-29T01:00'],
    ['it opens at the first instant after the gap', '2026-03-29T01:00:00Z', 'open until 2026-03-29T02:00'],
    ['and lasts elapsed minutes from there', '2026-03-29T01:59:59Z', 'open until 2026-03-29T02:00'],
    ['and no longer', '2026-03-29T02:00:00Z', 'closed until 2026-03-30T00:30'],
    ['25 October, 02:30 comes twice: it opens at the first', '2026-10-25T00:30:00Z', 'open until 2026-10-25T01:30'],
    ['at the second it does not open again', '2026-10-25T01:30:00Z', 'closed until 2026-10-26T01:30'],
  ])('%s', (_, now, expected) => {
    expect(said(windowOpening(gap, at(now)))).toBe(expected);
  });

  test.each([
    ['over the gap, six hours are six hours', '2026-03-28T21:00:00Z', 'open until 2026-03-29T03:00'],
    ['over the overlap, six hours are six hours', '2026-10-24T20:00:00Z', 'open until 2026-10-25T02:00'],
  ])('%s', (_, now, expected) => {
    const long = window({ openings: [{ schedule: '0 22 * * *', durationMinutes: 360 }] });
    expect(said(windowOpening(long, at(now)))).toBe(expected);
  });

  test('the same schedule in winter and summer', () => {
    expect(said(windowOpening(window(), at('2026-07-06T19:59:00Z')))).toBe('closed until 2026-07-06T20:00');
    expect(said(windowOpening(window(), at('2026-12-07T20:59:00Z')))).toBe('closed until 2026-12-07T21:00');
  });
});

describe('zones', () => {
  const daily = { openings: [{ schedule: '0 22 * * *', durationMinutes: 60 }] };
  test.each([
    ['Asia/Seoul', '2026-11-10T13:00'],
    ['Asia/Kathmandu', '2026-11-10T16:15'],
    ['Australia/Lord_Howe', '2026-11-11T11:00'],
    ['America/St_Johns', '2026-11-11T01:30'],
    ['Pacific/Kiritimati', '2026-11-11T08:00'],
    ['Etc/UTC', '2026-11-10T22:00'],
  ])('%s', (timeZone, opens) => {
    expect(said(windowOpening(window({ ...daily, timeZone }), at('2026-11-10T12:00:00Z')))).toBe(
      `closed until ${opens}`,
    );
  });

  test.each(['Mars/Base', 'UTC+9', 'GMT+1', ' Asia/Seoul', 'Etc/Unknown'])(
    '[rule 91] "%s" is none: closed, and it says so',
    (timeZone) => {
      const unknown = window({ ...daily, timeZone });
      expect(windowProblem(unknown.spec)).toEqual({ reason: 'InvalidTimeZone', zone: timeZone });
      expect(together([unknown], '2026-11-10T22:30:00Z')).toMatchObject({
        open: false,
        because: { reason: 'WindowClosed' },
      });
    },
  );

  test.each(['0 22 * *', '* * * * * *', '60 1 * * *', '*/0 * * * *', 'soon', ''])(
    '[rule 91] the schedule "%s" cannot be read: closed, and it says so',
    (schedule) => {
      const unreadable = window({ openings: [{ schedule, durationMinutes: 60 }] });
      expect(windowProblem(unreadable.spec)).toMatchObject({ reason: 'InvalidSchedule', schedule });
      expect(together([unreadable], '2026-11-10T22:30:00Z').open).toBe(false);
    },
  );

  test('caught: an unreadable window does not bring down the others, nor what asks it', () => {
    const open = window({ timeZone: 'Etc/UTC', ...daily });
    expect(said(together([window({ timeZone: 'Mars/Base' }, 'bad'), open], '2026-11-10T22:30:00Z'))).toBe(
      'open until 2026-11-10T23:00',
    );
    const bare = window({ timeZone: 'Mars/Base', openings: [], freezes: [freeze('2026-12-20', '2026-12-21')] });
    expect(together([bare], '2026-11-10T22:30:00Z').open).toBe(false);
  });

  test('a schedule that never comes', () => {
    const never = window({ openings: [{ schedule: '0 0 31 2 *', durationMinutes: 60 }] });
    expect(said(together([never], '2026-11-10T22:30:00Z'))).toBe('closed until never');
  });
});

describe('[rule 94] openings are a union, and a freeze beats every one', () => {
  const evening = window(
    { timeZone: 'Etc/UTC', openings: [{ schedule: '0 20 * * *', durationMinutes: 120 }] },
    'evening',
  );
  const night = window({ timeZone: 'Etc/UTC', openings: [{ schedule: '0 22 * * *', durationMinutes: 120 }] }, 'night');
  const frozen = window({ timeZone: 'Etc/UTC', openings: [], freezes: [freeze('2026-11-12', '2026-11-14')] }, 'freeze');
  const policy = [freeze('2026-11-10T21:00:00Z', '2026-11-10T23:30:00Z')];
  test.each<[string, readonly NamedWindow[], string, string, Parameters<typeof opening>[1]?]>([
    ['no window: always open', [], '2026-11-10T12:00:00Z', 'open until never'],
    ['openings that touch are one', [evening, night], '2026-11-10T21:00:00Z', 'open until 2026-11-11T00:00'],
    ['the earliest of the next', [night, evening], '2026-11-10T12:00:00Z', 'closed until 2026-11-10T20:00'],
    ['only freezes: open at all other times', [frozen], '2026-11-10T12:00:00Z', 'open until 2026-11-12T00:00'],
    ['only freezes, frozen', [frozen], '2026-11-12T12:00:00Z', 'closed until 2026-11-14T00:00'],
    [
      'a window of freezes opens nothing beside others',
      [frozen, night],
      '2026-11-10T12:00:00Z',
      'closed until 2026-11-10T22:00',
    ],
    ['its freeze counts for the others', [frozen, night], '2026-11-12T22:30:00Z', 'closed until 2026-11-14T22:00'],
    ['a freeze cuts an opening short', [evening], '2026-11-10T20:30:00Z', 'open until 2026-11-10T21:00', policy],
    ['thawed in the middle of an opening', [night], '2026-11-10T22:30:00Z', 'closed until 2026-11-10T23:30', policy],
    [
      'an opening that is frozen whole is none',
      [evening],
      '2026-11-12T12:00:00Z',
      'closed until 2026-11-13T20:00',
      [freeze('2026-11-12', '2026-11-13')],
    ],
    [
      'freezes that touch are one',
      [],
      '2026-11-12T12:00:00Z',
      'closed until 2026-11-14T00:00',
      [freeze('2026-11-12', '2026-11-13'), freeze('2026-11-13', '2026-11-14')],
    ],
    [
      'a single opening',
      [window({ openings: [{ from: '2026-12-05T20:00:00+09:00', until: '2026-12-06T04:00:00+09:00' }] })],
      '2026-11-10T12:00:00Z',
      'closed until 2026-12-05T11:00',
    ],
    [
      'a single opening, inside',
      [window({ openings: [{ from: '2026-12-05T20:00:00+09:00', until: '2026-12-06T04:00:00+09:00' }] })],
      '2026-12-05T12:00:00Z',
      'open until 2026-12-05T19:00',
    ],
    [
      'a single opening that has passed',
      [window({ openings: [{ from: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' }] })],
      '2026-11-10T12:00:00Z',
      'closed until never',
    ],
    [
      'every minute: open without an end that could be told',
      [window({ openings: [{ schedule: '* * * * *', durationMinutes: 1 }] })],
      '2026-11-10T12:00:00Z',
      'open until never',
    ],
  ])('%s', (_, windows, now, expected, freezes) => {
    expect(said(together(windows, now, freezes))).toBe(expected);
  });

  test('what is said of a freeze', () => {
    expect(together([frozen], '2026-11-12T12:00:00Z').because).toEqual({
      reason: 'Frozen',
      freeze: 'f',
      until: at('2026-11-14T00:00:00Z'),
    });
  });

  test('the first instant of a freeze is frozen, the first after it is not', () => {
    expect(together([], '2026-11-12T00:00:00Z', [freeze('2026-11-12', '2026-11-13')]).open).toBe(false);
    expect(together([], '2026-11-13T00:00:00Z', [freeze('2026-11-12', '2026-11-13')]).open).toBe(true);
  });
});

describe('pauses, overrides and what closing does', () => {
  const night = window({ timeZone: 'Etc/UTC', openings: [{ schedule: '0 22 * * *', durationMinutes: 120 }] }, 'night');
  const noon = at('2026-11-10T12:00:00Z');
  const override = { until: '2026-11-10T13:00:00Z', reason: 'urgent' };
  const own = window({ ...night.spec, freezes: [freeze('2026-11-10', '2026-11-11')] });
  const asked = (
    windows: readonly NamedWindow[],
    switches: Parameters<typeof opening>[2],
    freezes: Parameters<typeof opening>[1] = [],
  ) => {
    const { open, because } = opening(windows, freezes, switches, noon);
    return open ? 'open' : because?.reason;
  };
  test.each<
    [string, readonly NamedWindow[], Partial<Parameters<typeof opening>[2]>, string, Parameters<typeof opening>[1]?]
  >([
    ['the policy is paused', [], { policyPaused: true }, 'PolicyPaused'],
    ['the upgrade is paused', [], { upgradePaused: true }, 'UpgradePaused'],
    ['its only window is paused', [{ name: 'n', spec: { ...night.spec, paused: true } }], {}, 'WindowPaused'],
    ['[rule 101] overridden: windows do not count', [night], { override }, 'open'],
    ['[rule 101] overridden: nor do their freezes', [own], { override }, 'open'],
    ['[rule 101] an override never beats a pause', [night], { override, policyPaused: true }, 'PolicyPaused'],
    [
      '[rule 101] an override never beats the pause of its own upgrade',
      [night],
      { override, upgradePaused: true },
      'UpgradePaused',
    ],
    ['[rule 101] nor the freezes of the policy', [night], { override }, 'Frozen', [freeze('2026-11-10', '2026-11-11')]],
    [
      '[rule 101] an override that is over is none',
      [night],
      { override: { ...override, until: '2026-11-10T12:00:00Z' } },
      'WindowClosed',
    ],
  ])('%s', (_, windows, switches, expected, freezes) => {
    expect(asked(windows, { ...RUN, ...switches }, freezes)).toBe(expected);
  });

  test('a paused window opens nothing, the other still does', () => {
    const paused = {
      name: 'always',
      spec: { ...night.spec, openings: [{ schedule: '* * * * *', durationMinutes: 5 }], paused: true },
    };
    expect(said(opening([paused, night], [], RUN, noon))).toBe('closed until 2026-11-10T22:00');
    expect(said(opening([paused, night], [], RUN, at('2026-11-10T22:30:00Z')))).toBe('open until 2026-11-11T00:00');
  });

  test('the end of an override is a closing, and it is said who asked for it', () => {
    expect(opening([night], [], { ...RUN, override }, noon)).toEqual({
      open: true,
      onClose: 'TurnBack',
      changesAt: at(override.until),
      override: { until: at(override.until), reason: 'urgent' },
    });
  });

  test.each<[string, readonly NamedWindow[], string]>([
    ['no window says otherwise', [], 'TurnBack'],
    ['all say Finish', [window({ onClose: 'Finish' }), window({ onClose: 'Finish' })], 'Finish'],
    ['one of them says TurnBack: the strictest rules', [window({ onClose: 'Finish' }), window()], 'TurnBack'],
  ])('closing, %s', (_, windows, expected) => {
    expect(opening(windows, [], RUN, noon).onClose).toBe(expected);
    expect(opening(windows, [], { ...RUN, policyPaused: true }, noon).onClose).toBe(expected);
    expect(opening(windows, [], { ...RUN, override }, noon).onClose).toBe(expected);
  });
});

function freeze(from: string, until: string) {
  return {
    name: 'f',
    from: from.includes('T') ? from : `${from}T00:00:00Z`,
    until: until.includes('T') ? until : `${until}T00:00:00Z`,
  };
}
