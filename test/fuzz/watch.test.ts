import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unavailable } from '../../src/cluster/outcomes.ts';
import { IDLE, step, type WatchCommand, type WatchEvent, type WatchState } from '../../src/cluster/watch-step.ts';
import { planted, runs } from './runs.ts';

type Thing = { readonly name: string };
type Event = WatchEvent<Thing>;
type Step = typeof step<Thing>;

/** A move of the world outside: which of the things that may happen now does, how much later, and what it says. */
const move = fc.record({
  pick: fc.nat(30),
  after: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.constantFrom(90_000, 120_000, 400_000)),
  dice: fc.constantFrom(0, 0.25, 0.5, 1),
  newer: fc.integer({ min: -1, max: 3 }),
  retryAfter: fc.constantFrom(undefined, 0, 1, 60, 100_000),
  late: fc.nat(9),
});
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

/** What is under way outside: at most one request, and what was promised. */
type World = {
  request: 'list' | 'watch' | 'probe' | undefined;
  wakes: Set<number>;
  told: number;
  stopped: boolean;
  mustList: boolean;
};

/** The events that may come now: answers to what is under way, wakes that are due, and late answers to anything earlier. */
function possible(world: World, state: WatchState, { newer, retryAfter, late }: Move): readonly Event[] {
  const { serial } = state;
  const refusal = { ...unavailable('down'), ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }) };
  const resourceVersion = `${world.told + newer}`;
  const answers = (of: number): readonly Event[] => [
    { is: 'page', serial: of, views: [{ name: 'a' }], resourceVersion },
    { is: 'page', serial: of, views: [], resourceVersion, continue: 'more' },
    { is: 'heard', serial: of, resourceVersion, change: { type: 'modified', view: { name: 'a' } } },
    { is: 'heard', serial: of, resourceVersion },
    { is: 'probed', serial: of, resourceVersion },
    { is: 'ended', serial: of },
    { is: 'expired', serial: of, refusal },
    { is: 'failed', serial: of, refusal },
  ];
  const [pages, rest] = [answers(serial).slice(0, 2), answers(serial).slice(6)];
  const now = {
    list: [...pages, ...rest],
    watch: [...answers(serial).slice(2, 4), ...answers(serial).slice(5)],
    probe: [...answers(serial).slice(4, 5), ...rest],
    none: [],
  }[world.request ?? 'none'];
  const woke = [...world.wakes].map((of): Event => ({ is: 'woke', serial: of }));
  const stale = serial === 0 ? [] : answers(Math.max(0, serial - 1 - (late % serial)));
  return [{ is: 'start' }, ...now, ...now, ...now, ...woke, ...stale, ...(late === 9 ? [{ is: 'stop' } as const] : [])];
}

const number = (text: string) => Number(text);

/** Carries commands out, and complains of any that must not be given. */
function carryOut(
  world: World,
  event: Event,
  before: WatchState,
  commands: readonly WatchCommand<Thing>[],
  state: WatchState,
): void {
  const current = !('serial' in event) || event.serial === before.serial;
  if (!current && event.is !== 'woke') expect(commands).toEqual([]);
  if (world.stopped) expect(commands).toEqual([]);
  if (current && ['ended', 'expired', 'failed', 'probed'].includes(event.is)) world.request = undefined;
  if (current && event.is === 'page') world.request = undefined;
  if (current && event.is === 'expired') world.mustList = true;
  if (event.is === 'stop') world.stopped = true;
  for (const command of commands) {
    if (command.do === 'abandon') world.request = undefined;
    if (command.do === 'list' || command.do === 'watch' || command.do === 'probe') {
      expect(world.request).toBeUndefined();
      expect(command.serial).toBe(state.serial);
      world.request = command.do;
    }
    if (command.do === 'list') world.mustList = false;
    if (command.do === 'watch') {
      expect(world.mustList).toBe(false);
      if (event.is === 'page') world.told = number(event.resourceVersion);
      // Never back: it goes on exactly where it was told that it is.
      expect(number(command.resourceVersion)).toBe(world.told);
    }
    if (command.do === 'wake') {
      expect(command.afterMs).toBeGreaterThanOrEqual(0);
      expect(command.serial).toBe(state.serial);
      world.wakes.add(command.serial);
    }
    if (command.do === 'say') expectPause(command.againAfterMs, event, command.why);
  }
  if (event.is === 'heard' && current && state.at === 'watching') {
    expect(number(event.resourceVersion)).toBeGreaterThanOrEqual(world.told);
    world.told = number(event.resourceVersion);
  }
}

function expectPause(pause: number, event: Event, why: string): void {
  const asked = 'refusal' in event ? Math.min(event.refusal.retryAfterSeconds ?? 0, 300) * 1000 : 0;
  expect(pause).toBeGreaterThanOrEqual(asked);
  expect(pause).toBeLessThanOrEqual(Math.max(30_000, asked + 1000));
  if (why !== 'expired') expect(pause).toBeGreaterThanOrEqual(800);
}

function property(of: Step) {
  return fc.property(fc.array(move, { maxLength: 60, size: 'max' }), (moves) => {
    let state: WatchState = IDLE;
    let now = 0;
    const world: World = { request: undefined, wakes: new Set(), told: 100, stopped: false, mustList: false };
    for (const each of moves) {
      now += each.after;
      const events = possible(world, state, each);
      const event = events[each.pick % events.length];
      if (event === undefined) continue;
      if (event.is === 'woke') world.wakes.delete(event.serial);
      const [next, commands] = of(state, event, { now, dice: each.dice });
      expect(next.serial).toBeGreaterThanOrEqual(state.serial);
      carryOut(world, event, state, commands, next);
      state = next;
      // It never sleeps for good: something is under way, or it will be woken.
      if (state.at !== 'idle' && state.at !== 'stopped') {
        expect(world.request !== undefined || world.wakes.has(state.serial)).toBe(true);
        if (state.at === 'watching') expect(world.wakes.has(state.serial)).toBe(true);
      }
      expect(world.stopped).toBe(state.at === 'stopped');
    }
  });
}

describe('a watch under any sequence of answers, silences and late answers', () => {
  test('has one request at most, goes on where it was told, pauses within bounds, and never sleeps for good', () => {
    fc.assert(property(step), runs(600));
  });

  const check = (of: Step) => fc.check(property(of), planted(600)).failed;
  test.each<[string, Step]>([
    [
      'late answers are listened to',
      (state, event, chance) => step(state, 'serial' in event ? { ...event, serial: state.serial } : event, chance),
    ],
    [
      'what has expired is watched again',
      (state, event, chance) => step(state, event.is === 'expired' ? { ...event, is: 'failed' } : event, chance),
    ],
    [
      'bookmarks are forgotten',
      (state, event, chance) =>
        event.is === 'heard' && event.change === undefined ? [state, []] : step(state, event, chance),
    ],
    [
      'a stopped watch can be started',
      (state, event, chance) => step(state.at === 'stopped' && event.is === 'start' ? IDLE : state, event, chance),
    ],
  ])('planted bug: %s', (_, of) => {
    expect(check(of)).toBe(true);
  });
});
