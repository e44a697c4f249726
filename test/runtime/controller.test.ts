import { expect, test } from 'vitest';
import { type Next, type Ran, runController } from '../../src/runtime/controller.ts';
import { Queue } from '../../src/runtime/queue.ts';
import { FakeClock } from '../support/fake-clock.ts';

function setUp(reconcile: (key: string) => Promise<Next>, concurrency = 2) {
  const clock = new FakeClock();
  const queue = new Queue({ clock, random: () => 1 });
  const runs: Ran[] = [];
  const reconciler = { name: 'Ship', reconcile };
  const over = runController({ reconciler, queue, concurrency, clock, ran: (run) => runs.push(run) });
  return { clock, queue, runs, over };
}

test('a key that is done is not worked on again until something happens', async () => {
  const { clock, queue, runs } = setUp(async () => ({}));
  queue.add('a');
  await clock.advance(3_600_000);
  expect(runs).toMatchObject([{ controller: 'Ship', key: 'a', result: 'done' }]);
});

test('a key that asks for it is worked on again after that time', async () => {
  const { clock, queue, runs } = setUp(async () => ({ again: 10 }));
  queue.add('a');
  await clock.advance(25_000);
  expect(runs).toHaveLength(3);
});

test('a key that could not be served backs off and says why', async () => {
  const { clock, queue, runs } = setUp(async () => ({ retry: 'no answer' }));
  queue.add('a');
  await clock.advance(700);
  expect(runs).toHaveLength(3);
  expect(runs[0]).toMatchObject({ result: 'retry', reason: 'no answer' });
});

test('no more keys are worked on at once than allowed, and never one key twice', async () => {
  const running = new Set<string>();
  let most = 0;
  const { clock, queue } = setUp(async (key) => {
    expect(running.has(key)).toBe(false);
    running.add(key);
    most = Math.max(most, running.size);
    await new Promise<void>((resolve) => clock.after(50, resolve));
    running.delete(key);
    return { again: 0.01 };
  }, 3);
  for (let key = 0; key < 10; key += 1) queue.add(`${key}`);
  for (let step = 0; step < 20; step += 1) {
    queue.add(`${step % 3}`);
    await clock.advance(20);
  }
  expect(most).toBe(3);
});

test('a stopped controller ends the runs that have begun, begins no other, and resolves', async () => {
  const { clock, queue, runs, over } = setUp(async () => {
    await new Promise<void>((resolve) => clock.after(100, resolve));
    return {};
  }, 1);
  queue.add('a');
  queue.add('b');
  await clock.advance(10);
  queue.stop();
  await clock.advance(1_000);
  await over;
  expect(runs.map(({ key }) => key)).toEqual(['a']);
});

test('a bug in a reconciler is told, stops the queue and ends the controller with what was thrown', async () => {
  const bug = new Error('undefined is not a function');
  const { clock, queue, runs, over } = setUp(async (key) => {
    if (key === 'bad') throw bug;
    return {};
  });
  const ended = over.then(
    () => 'resolved',
    (error: unknown) => error,
  );
  queue.add('bad');
  queue.add('good');
  await clock.advance(60_000);
  expect(await ended).toBe(bug);
  expect(runs.filter(({ result }) => result === 'threw')).toMatchObject([{ key: 'bad', error: bug }]);
  queue.add('other');
  expect(queue.figures.ready).toBe(0);
});
