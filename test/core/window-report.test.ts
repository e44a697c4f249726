import { describe, expect, test } from 'vitest';
import { profileStatus, windowStatus } from '../../src/core/window-report.ts';
import { profile, windowObject } from '../support/build-own.ts';

const at = (text: string) => Date.parse(text);

describe('what a window says of itself', () => {
  const conditionsOf = (over: Readonly<Record<string, unknown>>, now = '2026-11-10T12:00:00Z') => {
    const { next } = windowStatus(windowObject('nights', over), at(now));
    return { ...next, conditions: next?.conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`) };
  };
  test.each<[string, Readonly<Record<string, unknown>>, string, object]>([
    [
      'closed',
      {},
      '2026-11-10T12:00:00Z',
      {
        open: false,
        opensAt: '2026-11-10T21:00:00Z',
        conditions: ['Ready=True WindowClosed', 'Stalled=False WindowClosed'],
      },
    ],
    [
      'open',
      {},
      '2026-11-10T22:00:00Z',
      { open: true, closesAt: '2026-11-11T03:00:00Z', conditions: ['Ready=True Open', 'Stalled=False Open'] },
    ],
    [
      'an unknown zone',
      { timeZone: 'Mars/Base' },
      '2026-11-10T22:00:00Z',
      { open: false, conditions: ['Ready=False InvalidTimeZone', 'Stalled=True InvalidTimeZone'] },
    ],
    [
      'frozen',
      { freezes: [{ name: 'f', from: '2026-11-10T00:00:00Z', until: '2026-11-11T00:00:00Z' }] },
      '2026-11-10T12:00:00Z',
      { frozenBy: 'f', opensAt: '2026-11-11T00:00:00Z' },
    ],
  ])('%s', (_, over, now, expected) => {
    expect(conditionsOf(over, now)).toMatchObject(expected);
  });

  test('nothing new is not written again', () => {
    const object = windowObject('nights');
    const now = at('2026-11-10T12:00:00Z');
    const { next } = windowStatus(object, now);
    if (next === undefined) throw new Error('nothing said');
    expect(windowStatus({ ...object, status: next }, now + 60_000)).toEqual({ changesAt: at('2026-11-10T21:00:00Z') });
  });
});

describe('what a profile says of itself', () => {
  test('that it was read, once', () => {
    const read = profile();
    if (!read.readable) throw new Error('unreadable');
    const next = profileStatus(read, 0);
    expect(next?.conditions).toMatchObject([{ type: 'Ready', status: 'True', reason: 'Read' }]);
    if (next === undefined) return;
    expect(profileStatus({ ...read, status: next }, 60_000)).toBeUndefined();
    expect(profileStatus({ ...read, generation: 2, status: next }, 60_000)).toMatchObject({ observedGeneration: 2 });
  });
});
