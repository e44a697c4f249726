import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';

const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('what is due in forty days runs then, though setTimeout cannot wait longer than 24', () => {
  const run = vi.fn();
  systemClock.after(40 * DAY, run);
  vi.advanceTimersByTime(39 * DAY);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(DAY);
  expect(run).toHaveBeenCalledOnce();
});

test('what was cancelled never runs, also after the first of several timers', () => {
  const run = vi.fn();
  const cancel = systemClock.after(40 * DAY, run);
  vi.advanceTimersByTime(30 * DAY);
  cancel();
  vi.advanceTimersByTime(30 * DAY);
  expect(run).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('what is overdue runs in a later turn, never at once', () => {
  const run = vi.fn();
  systemClock.after(-5, run);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledOnce();
});
