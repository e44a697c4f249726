import { expect, test } from 'vitest';
import { Queue } from '../../src/runtime/queue.ts';
import { FakeClock } from '../support/fake-clock.ts';

function setUp(random = () => 1) {
  const clock = new FakeClock();
  return { clock, queue: new Queue({ clock, random }) };
}

/** Takes what is due now, without waiting for more. */
async function taken(queue: Queue, clock: FakeClock): Promise<string | undefined> {
  let key: string | undefined;
  void queue.take().then((found) => {
    key = found;
  });
  await clock.advance(0);
  return key;
}

test('a key that is added three times before it is taken is given out once', async () => {
  const { clock, queue } = setUp();
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
  expect(await taken(queue, clock)).toBe('a');
  expect(await taken(queue, clock)).toBe('b');
  expect(await taken(queue, clock)).toBeUndefined();
});

test('a key is never given out twice at once: what is added while it runs, runs again afterwards', async () => {
  const { clock, queue } = setUp();
  queue.add('a');
  await taken(queue, clock);
  queue.add('a');
  const second = queue.take();
  await clock.advance(60_000);
  expect(queue.figures).toMatchObject({ ready: 0, running: 1 });
  queue.succeeded('a');
  expect(await second).toBe('a');
});

test('of two times the earlier wins, whichever was said first', async () => {
  const { clock, queue } = setUp();
  queue.addAfter('a', 5_000);
  queue.addAfter('a', 1_000);
  queue.addAfter('b', 1_000);
  queue.addAfter('b', 5_000);
  await clock.advance(999);
  expect(queue.figures.ready).toBe(0);
  await clock.advance(1);
  expect(queue.figures).toMatchObject({ ready: 2, delayed: 0 });
  await clock.advance(10_000);
  expect(queue.figures.ready).toBe(2);
});

test('news overtakes a key that waits for its time, and the time is forgotten', async () => {
  const { clock, queue } = setUp();
  queue.addAfter('a', 5_000);
  queue.add('a');
  expect(queue.figures).toMatchObject({ ready: 1, delayed: 0 });
  expect(clock.timers).toBe(0);
});

test('a time that comes while its key runs makes it run again', async () => {
  const { clock, queue } = setUp();
  queue.add('a');
  await taken(queue, clock);
  queue.addAfter('a', 1_000);
  await clock.advance(1_000);
  expect(queue.figures).toMatchObject({ ready: 0, running: 1 });
  queue.succeeded('a');
  expect(await taken(queue, clock)).toBe('a');
});

test('a key that fails comes again after 0.2 s, doubling to 60 s at most', async () => {
  const { clock, queue } = setUp();
  const waits: number[] = [];
  queue.add('a');
  for (let round = 0; round < 11; round += 1) {
    const from = clock.monotonic();
    while (queue.figures.ready === 0) await clock.advance(100);
    waits.push(clock.monotonic() - from);
    await taken(queue, clock);
    queue.failed('a');
  }
  expect(waits).toEqual([0, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000]);
});

test('a key that went well begins its back-off anew', async () => {
  const { clock, queue } = setUp();
  queue.add('a');
  for (let round = 0; round < 4; round += 1) {
    await clock.advance(60_000);
    await taken(queue, clock);
    queue.failed('a');
  }
  await clock.advance(60_000);
  await taken(queue, clock);
  queue.succeeded('a');
  expect(queue.figures.failing).toBe(0);
  queue.add('a');
  await taken(queue, clock);
  queue.failed('a');
  await clock.advance(199);
  expect(queue.figures.ready).toBe(0);
  await clock.advance(1);
  expect(queue.figures.ready).toBe(1);
});

test('jitter only shortens a back-off, by half at most', async () => {
  for (const [random, after] of [
    [0, 100],
    [0.5, 150],
    [1, 200],
  ] as const) {
    const { clock, queue } = setUp(() => random);
    queue.add('a');
    await taken(queue, clock);
    queue.failed('a');
    await clock.advance(after - 1);
    expect(queue.figures.ready).toBe(0);
    await clock.advance(1);
    expect(queue.figures.ready).toBe(1);
  }
});

test('news brings a failing key forward to a second after it failed, not further: what it writes itself is news too', async () => {
  const { clock, queue } = setUp();
  queue.add('a');
  for (let round = 0; round < 10; round += 1) {
    await clock.advance(60_000);
    expect(await taken(queue, clock)).toBe('a');
    queue.add('a');
    queue.failed('a');
  }
  await clock.advance(999);
  expect(queue.figures.ready).toBe(0);
  await clock.advance(1);
  expect(queue.figures.ready).toBe(1);
});

test('a paused queue keeps what is added, once, and gives it out when it is resumed', async () => {
  const { clock, queue } = setUp();
  queue.pause();
  queue.add('a');
  queue.add('a');
  const first = queue.take();
  await clock.advance(60_000);
  expect(queue.figures).toMatchObject({ ready: 1, running: 0 });
  queue.resume();
  expect(await first).toBe('a');
});

test('a stopped queue lets every taker go, and leaves no timer behind', async () => {
  const { clock, queue } = setUp();
  queue.addAfter('a', 5_000);
  const takers = [queue.take(), queue.take()];
  queue.stop();
  expect(await Promise.all(takers)).toEqual([undefined, undefined]);
  expect(await queue.take()).toBeUndefined();
  queue.add('b');
  expect(queue.figures).toEqual({ ready: 0, running: 0, delayed: 0, failing: 0 });
  expect(clock.timers).toBe(0);
});

test('a key that fails after the stop leaves no timer behind', async () => {
  const { clock, queue } = setUp();
  queue.add('a');
  await taken(queue, clock);
  queue.stop();
  queue.failed('a');
  expect(clock.timers).toBe(0);
});
