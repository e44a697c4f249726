import { describe, expect, test } from 'vitest';
import { unavailable } from '../../src/cluster/outcomes.ts';
import { IDLE, step, type WatchCommand, type WatchEvent, type WatchState } from '../../src/cluster/watch-step.ts';
import type { Refusal } from '../../src/core/decision.ts';

type Thing = { name: string };
type Event = WatchEvent<Thing>;
const DOWN = unavailable('connect ECONNREFUSED');
const asked = (retryAfterSeconds: number): Refusal => ({ ...DOWN, cause: 'RateLimited', code: 429, retryAfterSeconds });

/** Drives the machine as its shell would: the clock is a number, the dice always the same. */
function machine(dice = 0) {
  let state: WatchState = IDLE;
  let now = 0;
  let last: readonly WatchCommand<Thing>[] = [];
  const feed = (event: Event) => {
    [state, last] = step(state, event, { now, dice });
    return last;
  };
  /** An event about the request that is under way. */
  const now_ = (event: object) => feed({ serial: state.serial, ...event } as Event);
  return {
    feed,
    now: now_,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    state: () => state,
    command: <D extends WatchCommand<Thing>['do']>(of: D) =>
      last.find((each) => each.do === of) as Extract<WatchCommand<Thing>, { do: D }> | undefined,
    does: () => last.map((each) => each.do),
  };
}

const page = (resourceVersion: string, more: object = {}) => ({
  is: 'page',
  views: [{ name: 'a' }],
  resourceVersion,
  ...more,
});

function watching(dice = 0) {
  const one = machine(dice);
  one.feed({ is: 'start' });
  one.now(page('100'));
  one.now({ is: 'opened' });
  expect(one.state().at).toBe('watching');
  return one;
}

describe('the first list', () => {
  test('is begun by start, once', () => {
    const one = machine();
    one.feed({ is: 'start' });
    expect(one.does()).toEqual(['apply', 'list']);
    one.feed({ is: 'start' });
    expect(one.does()).toEqual([]);
  });

  test('asks page after page and is shown only when it is whole; then the watch is opened where it ended', () => {
    const one = machine();
    one.feed({ is: 'start' });
    one.now(page('100', { continue: 'token' }));
    expect(one.does()).toEqual(['apply', 'list']);
    expect(one.command('list')).toMatchObject({ continue: 'token' });
    expect(one.command('apply')).toMatchObject({ event: { type: 'page' } });
    one.now(page('100'));
    expect(one.does()).toEqual(['apply', 'apply', 'watch', 'wake']);
    expect(one.command('watch')).toMatchObject({ resourceVersion: '100' });
  });

  test('that fails is begun again from its start, after a pause', () => {
    const one = machine();
    one.feed({ is: 'start' });
    one.now(page('100', { continue: 'token' }));
    one.now({ is: 'failed', refusal: DOWN });
    expect(one.does()).toEqual(['abandon', 'say', 'wake']);
    expect(one.command('say')).toMatchObject({ why: 'listFailed', againAfterMs: 800 });
    one.now({ is: 'woke' });
    expect(one.does()).toEqual(['apply', 'list']);
    expect(one.command('list')).not.toHaveProperty('continue');
  });

  test('whose pages expired is begun again at once, and after a pause if that happens again', () => {
    const one = machine();
    one.feed({ is: 'start' });
    one.now({ is: 'expired', refusal: DOWN });
    expect(one.command('wake')).toMatchObject({ afterMs: 0 });
    one.now({ is: 'woke' });
    one.now({ is: 'expired', refusal: DOWN });
    expect(one.command('wake')).toMatchObject({ afterMs: 1600 });
  });
});

describe('a watch', () => {
  test.each([
    [0, 300],
    [0.5, 450],
    [1, 600],
  ])('lasts 5 to 10 minutes: with the dice at %s %s s', (dice, timeoutSeconds) => {
    const one = machine(dice);
    one.feed({ is: 'start' });
    one.now(page('100'));
    expect(one.command('watch')).toMatchObject({ timeoutSeconds });
  });

  test('that ends in time is opened again at once, where the last event was', () => {
    const one = watching();
    one.now({ is: 'heard', resourceVersion: '107', change: { type: 'added', view: { name: 'b' } } });
    expect(one.does()).toEqual(['apply']);
    one.now({ is: 'heard', resourceVersion: '120' });
    expect(one.does()).toEqual([]);
    one.pass(300_000);
    one.now({ is: 'ended' });
    expect(one.command('watch')).toMatchObject({ resourceVersion: '120' });
  });

  test('that ends as soon as it is open is opened again after a pause', () => {
    const one = watching();
    one.pass(999);
    one.now({ is: 'ended' });
    expect(one.does()).toEqual(['abandon', 'say', 'wake']);
    one.now({ is: 'woke' });
    expect(one.does()).toEqual(['watch', 'wake']);
  });

  test('that breaks goes on where it was, without a list', () => {
    const one = watching();
    one.now({ is: 'heard', resourceVersion: '107' });
    one.now({ is: 'failed', refusal: DOWN });
    expect(one.command('say')).toMatchObject({ why: 'watchFailed' });
    one.now({ is: 'woke' });
    expect(one.command('watch')).toMatchObject({ resourceVersion: '107' });
  });

  test.each([
    [0, 0],
    [0.5, 200],
    [1, 400],
  ])('that breaks after it was open goes on almost at once: with the dice at %s after %s ms', (dice, afterMs) => {
    const one = watching(dice);
    for (let time = 0; time < 5; time += 1) {
      one.now({ is: 'heard', resourceVersion: String(107 + time) });
      one.pass(1_000);
      one.now({ is: 'failed', refusal: DOWN });
      expect(one.does()).toEqual(['abandon', 'say', 'wake']);
      expect(one.command('say')).toMatchObject({ why: 'watchFailed', againAfterMs: afterMs });
      one.now({ is: 'woke' });
      expect(one.command('watch')).toMatchObject({ resourceVersion: String(107 + time) });
      one.now({ is: 'opened' });
    }
  });

  test.each([
    ['was never opened, however long that took', false, DOWN, 800],
    ['was told to come back later', true, asked(7), 7_000],
    ['was told an error by the server itself', true, { ...DOWN, code: 500 }, 800],
  ])('that %s is no such watch', (_, isOpened, refusal, afterMs) => {
    const one = machine();
    one.feed({ is: 'start' });
    one.now(page('100'));
    if (isOpened) one.now({ is: 'opened' });
    one.pass(30_000);
    one.now({ is: 'failed', refusal });
    expect(one.command('wake')).toMatchObject({ afterMs });
  });

  test('whose resourceVersion expired is replaced by a list, at once', () => {
    const one = watching();
    one.pass(1);
    one.now({ is: 'expired', refusal: DOWN });
    expect(one.command('wake')).toMatchObject({ afterMs: 0 });
    one.now({ is: 'woke' });
    expect(one.does()).toEqual(['apply', 'list']);
  });

  test('of a server that went back is replaced by a list', () => {
    const one = watching();
    one.now({ is: 'heard', resourceVersion: '99', change: { type: 'added', view: { name: 'b' } } });
    expect(one.does()).toEqual(['abandon', 'say', 'wake']);
    expect(one.command('say')).toMatchObject({ message: 'the server went back to resourceVersion 99' });
    one.now({ is: 'woke' });
    expect(one.does()).toEqual(['apply', 'list']);
  });
});

describe('silence', () => {
  const silent = () => {
    const one = watching();
    one.pass(90_000);
    one.now({ is: 'woke' });
    return one;
  };

  test('of 90 s ends the watch and asks the server where it is', () => {
    expect(silent().does()).toEqual(['abandon', 'probe']);
  });

  test.each(['100', '101'])(
    'of a kind where nothing happened goes on where it was: the server is at %s',
    (resourceVersion) => {
      const one = silent();
      one.now({ is: 'probed', resourceVersion });
      expect(one.does()).toEqual(['watch', 'wake']);
      expect(one.command('watch')).toMatchObject({ resourceVersion: '100' });
    },
  );

  test('of a server that was restored from an older state ends in a list', () => {
    const one = silent();
    one.now({ is: 'probed', resourceVersion: '99' });
    expect(one.command('say')).toMatchObject({ why: 'expired', message: 'the server went back to resourceVersion 99' });
    one.now({ is: 'woke' });
    expect(one.does()).toEqual(['apply', 'list']);
  });

  test('of a dead server is said, and tried again after a pause where it was', () => {
    const one = silent();
    one.now({ is: 'failed', refusal: DOWN });
    expect(one.command('say')).toMatchObject({ why: 'silent', againAfterMs: 800 });
    one.now({ is: 'woke' });
    expect(one.command('watch')).toMatchObject({ resourceVersion: '100' });
  });

  test('is counted from the last that was heard, a bookmark too', () => {
    const one = watching();
    one.pass(60_000);
    one.now({ is: 'heard', resourceVersion: '101' });
    one.pass(30_000);
    one.now({ is: 'woke' });
    expect(one.does()).toEqual(['wake']);
    expect(one.command('wake')).toMatchObject({ afterMs: 60_000 });
  });
});

describe('the pause', () => {
  const pauses = (dice: number, times: number) => {
    const one = watching(dice);
    return Array.from({ length: times }, () => {
      one.now({ is: 'failed', refusal: DOWN });
      const { afterMs } = one.command('wake') ?? { afterMs: -1 };
      one.pass(afterMs);
      one.now({ is: 'woke' });
      return afterMs;
    });
  };

  test('doubles from 0.8 s up to 30 s with the dice, never more', () => {
    expect(pauses(0, 7)).toEqual([800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000]);
    expect(pauses(1, 7)).toEqual([1_200, 2_400, 4_800, 9_600, 19_200, 30_000, 30_000]);
    expect(pauses(1, 2_000).at(-1)).toBe(30_000);
  });

  test('is short again after two quiet minutes', () => {
    const one = watching();
    for (let time = 0; time < 5; time += 1) {
      one.now({ is: 'failed', refusal: DOWN });
      one.now({ is: 'woke' });
    }
    one.pass(120_000);
    one.now({ is: 'failed', refusal: DOWN });
    expect(one.command('wake')).toMatchObject({ afterMs: 800 });
  });

  test('is as long as the server asks, with the dice on top, but never more than five minutes', () => {
    for (const [seconds, dice, afterMs] of [
      [7, 0, 7_000],
      [7, 1, 8_000],
      [86_400, 0, 300_000],
      [0, 0, 800],
    ] as const) {
      const one = watching(dice);
      one.now({ is: 'failed', refusal: asked(seconds) });
      expect(one.command('wake')).toMatchObject({ afterMs });
    }
  });
});

describe('a stop', () => {
  const everywhere: readonly [string, () => ReturnType<typeof machine>][] = [
    ['before the start', () => machine()],
    [
      'during a list',
      () => {
        const one = machine();
        one.feed({ is: 'start' });
        return one;
      },
    ],
    ['during a watch', () => watching()],
    [
      'during a pause',
      () => {
        const one = watching();
        one.now({ is: 'failed', refusal: DOWN });
        return one;
      },
    ],
  ];

  test.each(everywhere)('%s is for good', (_, make) => {
    const one = make();
    one.feed({ is: 'stop' });
    expect(one.does()).toEqual(['abandon']);
    for (const event of [
      { is: 'start' },
      page('5'),
      { is: 'woke' },
      { is: 'ended' },
      { is: 'failed', refusal: DOWN },
      { is: 'stop' },
    ]) {
      one.now(event);
      expect(one.does()).toEqual([]);
    }
    expect(one.state().at).toBe('stopped');
  });
});

test('what belongs to an earlier request changes nothing', () => {
  const one = watching();
  const { serial } = one.state();
  one.now({ is: 'failed', refusal: DOWN });
  one.now({ is: 'woke' });
  const before = one.state();
  for (const event of [
    page('5'),
    { is: 'heard', resourceVersion: '500' },
    { is: 'ended' },
    { is: 'woke' },
    { is: 'expired', refusal: DOWN },
  ]) {
    one.feed({ ...event, serial } as Event);
    expect(one.does()).toEqual([]);
    expect(one.state()).toBe(before);
  }
});

test('after any series of events there is at most one request or one pause, and never one after a stop', () => {
  let dice = 7;
  const roll = (sides: number) => {
    dice = (dice * 1103515245 + 12345) % 2147483648;
    return dice % sides;
  };
  for (let run = 0; run < 300; run += 1) {
    const one = machine(roll(2));
    one.feed({ is: 'start' });
    for (let turn = 0; turn < 60; turn += 1) {
      one.pass(roll(100_000));
      const events = [
        page(String(100 + roll(5)), roll(2) === 0 ? { continue: 't' } : {}),
        { is: 'heard', resourceVersion: String(100 + roll(5)) },
        { is: 'opened' },
        { is: 'ended' },
        { is: 'woke' },
        { is: 'probed', resourceVersion: String(100 + roll(5)) },
        { is: 'failed', refusal: DOWN },
        { is: 'expired', refusal: DOWN },
      ];
      const earlier = one.state();
      one.now(events[roll(events.length)] ?? {});
      const requests = one.does().filter((each) => each === 'list' || each === 'watch' || each === 'probe');
      expect(requests.length).toBeLessThanOrEqual(1);
      // A new request has a new serial, unless it is the next page of the same list.
      if (requests.length === 1 && one.state().serial === earlier.serial)
        expect(one.command('list')?.continue).toBe('t');
      if (one.state().at === 'waiting') expect(earlier.at === 'waiting' || one.does().includes('wake')).toBe(true);
    }
    one.feed({ is: 'stop' });
    expect(one.now({ is: 'woke' })).toEqual([]);
  }
});
