import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { type LastStep, onSignals, stopping } from '../../src/runtime/stop.ts';
import { FakeClock } from '../support/fake-clock.ts';

function setUp(...steps: LastStep[]) {
  const clock = new FakeClock();
  const ends: (readonly [number, string | undefined])[] = [];
  const stop = stopping({ clock, steps, ended: (code, late) => ends.push([code, late]) });
  return { clock, stop, ends };
}

test('the last steps go one after another, and then the process ends well', async () => {
  const done: string[] = [];
  const { clock, stop, ends } = setUp(
    { name: 'queues', run: () => void done.push('queues') },
    { name: 'workers', run: () => new Promise((resolve) => clock.after(1_000, resolve)) },
    { name: 'lease', run: async () => void done.push('lease') },
  );
  stop(0);
  await clock.advance(500);
  expect(done).toEqual(['queues']);
  await clock.advance(500);
  expect(done).toEqual(['queues', 'lease']);
  expect(ends).toEqual([[0, undefined]]);
  await clock.advance(60_000);
  expect(ends).toHaveLength(1);
});

test('a step that hangs takes five seconds at most, is named, and no later step begins', async () => {
  const done: string[] = [];
  const { clock, stop, ends } = setUp(
    { name: 'workers', run: () => new Promise((resolve) => clock.after(10_000, resolve)) },
    { name: 'lease', run: () => void done.push('lease') },
  );
  stop(0);
  await clock.advance(4_999);
  expect(ends).toEqual([]);
  await clock.advance(1);
  expect(ends).toEqual([[1, 'workers']]);
  await clock.advance(60_000);
  expect(done).toEqual([]);
});

test('asked a second time, the process ends at once', async () => {
  const { clock, stop, ends } = setUp({ name: 'workers', run: () => new Promise(() => {}) });
  stop(0);
  await clock.advance(10);
  stop(0);
  expect(ends).toEqual([[1, 'workers']]);
});

test('a process that ends because something is wrong keeps its code', async () => {
  const { clock, stop, ends } = setUp({ name: 'lease', run: async () => {} });
  stop(70);
  await clock.advance(0);
  expect(ends).toEqual([[70, undefined]]);
});

test('a step that throws ends the process, with its name', async () => {
  const { clock, stop, ends } = setUp({ name: 'lease', run: () => Promise.reject(new Error('bug')) });
  stop(0);
  await clock.advance(0);
  expect(ends).toEqual([[1, 'lease']]);
});

test('SIGTERM and SIGINT both ask the process to end', () => {
  const signals = new EventEmitter();
  let asked = 0;
  onSignals(signals, () => {
    asked += 1;
  });
  signals.emit('SIGTERM');
  signals.emit('SIGINT');
  expect(asked).toBe(2);
});
