import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NamedWindow, opening } from '../../src/core/window.ts';
import { windowSpec } from '../support/build-own.ts';
import { schedule } from './cron-oracle.ts';
import { type Oracle, oracle, type Plan, type Told } from './opening-oracle.ts';
import { planted, runs } from './runs.ts';
import { days, MINUTE, ODD_DAYS, readDays } from './wall-clock.ts';

const HOUR = 60 * MINUTE;
/** Openings that touch are followed so many times and no further; what is open longer than that has no end that is told. */
const FOLLOWED = 400;

/** Milliseconds from the odd instant: most near it, some far, some between two minutes. */
const moment = fc.oneof(
  fc.integer({ min: -150, max: 150 }).map((minutes) => minutes * MINUTE),
  fc.integer({ min: -12 * 60, max: 12 * 60 }).map((minutes) => minutes * MINUTE),
  fc.integer({ min: -36 * HOUR, max: 36 * HOUR }),
  fc.integer({ min: -24, max: 24 }).map((halves) => (halves * HOUR) / 2),
);
const span = fc.tuple(
  fc.oneof(
    moment,
    fc.integer({ min: -90, max: 60 }).map((hours) => hours * HOUR),
  ),
  fc.oneof(fc.integer({ min: 1, max: 12 * 60 }), fc.integer({ min: 1, max: 60 * 24 * 3 })),
);
const asked = fc.record({
  day: fc.constantFrom(...ODD_DAYS),
  now: moment,
  windows: fc.array(
    fc.record({
      legible: fc.integer({ min: 0, max: 9 }).map((dice) => dice < 9),
      schedules: fc.array(
        fc.record({
          schedule,
          durationMinutes: fc.oneof(fc.integer({ min: 1, max: 180 }), fc.constantFrom(1, 30, 60, 120, 1440, 3000)),
        }),
        { maxLength: 3 },
      ),
      singles: fc.array(span, { maxLength: 1 }),
      freezes: fc.array(span, { maxLength: 2 }),
      paused: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 9),
    }),
    { maxLength: 3 },
  ),
  policyFreezes: fc.array(span, { maxLength: 2 }),
  override: fc.option(moment, { freq: 4, nil: undefined }),
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

/** Half of all questions are about one schedule alone near the odd instant: nothing else then hides what is wrong with it. */
const question = fc.tuple(asked, fc.boolean()).map(([whole, alone]): Asked => {
  const [first] = whole.windows;
  const [only] = first?.schedules ?? [];
  if (!alone || first === undefined || only === undefined) return whole;
  const window = { legible: true, paused: false, singles: [], freezes: [], schedules: [only] };
  return { ...whole, now: whole.now % (2 * HOUR), windows: [window], policyFreezes: [], override: undefined };
});

const iso = (at: number) => new Date(at).toISOString();

function planOf({ day, windows, policyFreezes, override }: Asked): Plan {
  const { zone, around } = days(day);
  // Instants of users are whole seconds.
  const at = ([start, minutes]: readonly [number, number]) => {
    const from = Math.floor((around + start) / 1000) * 1000;
    return { from, until: from + minutes * MINUTE };
  };
  const told = windows.map((of, index): Told => {
    const [singles, freezes] = [of.singles.map(at), of.freezes.map(at)];
    const written = ({ from, until }: { from: number; until: number }) => ({ from: iso(from), until: iso(until) });
    // A window that says nothing is refused when it is written.
    const frozen = of.schedules.length + singles.length + freezes.length === 0 ? [at([-90 * HOUR, 1])] : freezes;
    const window: NamedWindow = {
      name: `w-${index}`,
      spec: windowSpec({
        timeZone: of.legible ? zone : 'Mars/Base',
        openings: [
          ...of.schedules.map(({ schedule: { text }, durationMinutes }) => ({ schedule: text, durationMinutes })),
          ...singles.map(written),
        ],
        freezes: frozen.map((each, number) => ({ name: `f-${number}`, ...written(each) })),
        paused: of.paused,
      }),
    };
    return { window, legible: of.legible, schedules: of.schedules, singles, freezes: frozen };
  });
  return {
    told,
    policyFreezes: policyFreezes.map(at),
    overrideUntil: override === undefined ? undefined : at([override, 0]).from,
    policyPaused: false,
    upgradePaused: false,
  };
}

type Answer = { readonly open: boolean; readonly changesAt?: number | undefined };
type Ask = (plan: Plan, now: number) => Answer;

const core: Ask = ({ told, policyFreezes, overrideUntil, policyPaused, upgradePaused }, now) =>
  opening(
    told.map(({ window }) => window),
    policyFreezes.map(({ from, until }) => ({ name: 'policy', from: iso(from), until: iso(until) })),
    {
      policyPaused,
      upgradePaused,
      ...(overrideUntil === undefined ? {} : { override: { until: iso(overrideUntil), reason: 'urgent' } }),
    },
    now,
  );

/** What is wrong with an answer: whether it is open, and that the change it names is the next one and a change. */
function wrong(answer: Answer, truth: Oracle, plan: Plan, now: number, end: number): string | undefined {
  const isOpen = truth.open(now);
  if (answer.open !== isOpen) return `${isOpen ? 'open' : 'closed'} in truth at ${iso(now)}`;
  const next = truth.edges.find((edge) => edge > now && truth.open(edge) !== isOpen && edge < end);
  const { changesAt } = answer;
  if (changesAt === undefined) {
    if (next === undefined || (isOpen && truth.startsBetween(now, next) >= FOLLOWED)) return undefined;
    return `it changes at ${iso(next)}, and that is not said`;
  }
  if (changesAt <= now) return `${iso(changesAt)} is no time to come`;
  // The end of an override is told though the windows may be as open as it was.
  if (changesAt === plan.overrideUntil && (next === undefined || next >= changesAt)) return undefined;
  if (changesAt >= end)
    return next === undefined ? undefined : `it changes at ${iso(next)}, not as late as ${iso(changesAt)}`;
  if (next === changesAt) return undefined;
  return `it changes at ${next === undefined ? 'no time' : iso(next)}, not at ${iso(changesAt)}`;
}

function property(ask: Ask) {
  return fc.property(question, (each) => {
    const around = days(each.day);
    const plan = planOf(each);
    const now = around.around + each.now;
    const truth = oracle(plan, around);
    const end = around.from + (around.walls.length - 1) * MINUTE;
    // The instant itself, and both sides of where something may begin or end next.
    const edge = truth.edges.find((each) => each > now) ?? now + 1;
    const instants = edge < end - 24 * HOUR ? [now, edge - 1, edge] : [now];
    expect(instants.map((at) => wrong(ask(plan, at), truth, plan, at, end))).toEqual(instants.map(() => undefined));
  });
}

/** A planted bug is found within a few tries, or the property would be for show. */
function finds(ask: Ask) {
  return fc.check(property(ask), planted(400)).failed;
}

const GMT = ['Etc/GMT', 'Etc/GMT-1', 'Etc/GMT+5', 'Etc/GMT+2'];

describe('windows against a walk through the minutes of odd days', () => {
  test('open and closed, and the next change, in every zone', () => {
    fc.assert(property(core), runs(150));
  });

  test.each<[string, Ask]>([
    ['what has just closed counts as open', (plan, now) => ({ ...core(plan, now), open: core(plan, now - 1).open })],
    ['freezes of the policy are no changes', (plan, now) => core({ ...plan, policyFreezes: [] }, now)],
    [
      'a change is told a minute late',
      (plan, now) => {
        const { open, changesAt } = core(plan, now);
        return { open, changesAt: changesAt === undefined ? undefined : changesAt + MINUTE };
      },
    ],
    [
      'an override ends with the day',
      (plan, now) =>
        core(
          { ...plan, overrideUntil: plan.overrideUntil === undefined ? undefined : plan.overrideUntil + 24 * HOUR },
          now,
        ),
    ],
    [
      'zones have one offset all year',
      (plan, now) => core({ ...plan, told: plan.told.map((told) => ({ ...told, window: winter(told.window) })) }, now),
    ],
    [
      'times that are named go by the clock, as steps do',
      (plan, now) => core({ ...plan, told: plan.told.map((told) => ({ ...told, window: stepped(told.window) })) }, now),
    ],
  ])('planted bug: %s', (_, ask) => {
    expect(finds(ask)).toBe(true);
  });
});

function winter({ name, spec }: NamedWindow): NamedWindow {
  const known = ['Etc/GMT', 'Europe/Berlin', 'America/New_York', 'America/Scoresbysund'].indexOf(spec.timeZone);
  return { name, spec: { ...spec, timeZone: GMT[known] ?? spec.timeZone } };
}

/** The same hours, written as steps of one: what leaves out and repeats hours then leaves out and repeats openings. */
function stepped({ name, spec }: NamedWindow): NamedWindow {
  const openings = spec.openings.map((each) => {
    const [minute, hour, ...days] = each.schedule?.split(' ') ?? [];
    if (hour === undefined || !/^[0-9,]+$/.test(hour)) return each;
    const steps = hour.split(',').map((one) => `${one}-${one}/1`);
    return { ...each, schedule: [minute, steps.join(','), ...days].join(' ') };
  });
  return { name, spec: { ...spec, openings } };
}

describe('a year, from change to change', () => {
  test.each<[string, string, number, string]>([
    ['America/Scoresbysund', '30 22,23 * * 5,6', 45, '2025-07-01T00:00:00Z'],
    ['Africa/Casablanca', '15,45 2 * * *', 30, '2026-04-01T00:00:00Z'],
  ])('%s at %s', (timeZone, text, durationMinutes, middle) => {
    const year = readDays(timeZone, Date.parse(middle), 182, 183);
    const [minutes = '', hours = ''] = text.split(' ').map((each) => each);
    const weekdays = text.endsWith('*') ? [0, 1, 2, 3, 4, 5, 6] : [5, 6];
    const names = (wall: number) => {
      const at = new Date(wall * MINUTE);
      const told =
        minutes.split(',').includes(`${at.getUTCMinutes()}`) && hours.split(',').includes(`${at.getUTCHours()}`);
      return told && weekdays.includes(at.getUTCDay());
    };
    const spec = windowSpec({ timeZone, openings: [{ schedule: text, durationMinutes }] });
    const told: Told = {
      window: { name: 'w', spec },
      legible: true,
      schedules: [{ schedule: { text, fixed: true, names }, durationMinutes }],
      singles: [],
      freezes: [],
    };
    const plan: Plan = {
      told: [told],
      policyFreezes: [],
      overrideUntil: undefined,
      policyPaused: false,
      upgradePaused: false,
    };
    const truth = oracle(plan, year);
    const end = year.from + (year.walls.length - 100) * MINUTE;
    const expected = truth.edges.filter((at) => truth.open(at) !== truth.open(at - 1) && at < end).map(iso);
    const changes: string[] = [];
    for (let at = core(plan, year.from).changesAt; at !== undefined && at < end; at = core(plan, at).changesAt)
      changes.push(iso(at));
    expect(expected.length).toBeGreaterThan(100);
    expect(changes).toEqual(expected);
  });
});
