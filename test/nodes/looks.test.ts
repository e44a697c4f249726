import { expect, test } from 'vitest';
import { until } from '../control-plane/until.ts';
import { looks, unstalled } from './looks.ts';

test('each look is had again after its own pause, and none after the end', async () => {
  const [first, second] = [looks(), looks()];
  const had = { often: 0, seldom: 0, later: 0 };
  const count = (what: keyof typeof had) => async () => {
    had[what] += 1;
  };
  first.every(1, count('often'));
  first.every(200, count('seldom'));
  await until(() => had.seldom > 1, { what: 'a second look', seconds: 5 });
  await first.stop();
  const { often, seldom } = had;
  expect(often).toBeGreaterThan(2 * seldom);
  second.every(1, count('later'));
  await until(() => had.later > 20, { what: 'time has passed', seconds: 5 });
  await second.stop();
  expect(had).toMatchObject({ often, seldom });
});

test('a look that fails is told at the end: nobody takes no answer for a good one', async () => {
  const { every, stop } = looks();
  every(1, () => Promise.reject(new Error('no eyes')));
  await expect(stop()).rejects.toThrow('no eyes');
});

test('a time in which nobody here ran is known (planted: a process that is busy with something else)', async () => {
  const { every, stalls, stop } = looks();
  let had = 0;
  every(1, async () => {
    had += 1;
  });
  await until(() => had > 3, { what: 'it looks', seconds: 5 });
  const from = Date.now();
  while (Date.now() - from < 600) had += 1;
  await until(() => stalls().length > 0, { what: 'it is known', seconds: 5 });
  await stop();
  const [stall = { at: 0, ms: 0 }] = stalls();
  expect(stall.ms).toBeGreaterThan(400);
  expect(stall.at).toBeLessThan(from + 600);
  expect(stall.at + stall.ms).toBeGreaterThan(from + 400);
});

test.each([
  ['long before', 1_000, true],
  ['while it was still waited for', 9_500, false],
  ['in it', 10_300, false],
  ['after it', 10_900, true],
])('what was asked in vain %s says something of who was asked, or not', (_, at, counts) => {
  expect(unstalled([{ at }], [{ at: 10_000, ms: 800 }], 1_000)).toEqual(counts ? [{ at }] : []);
});
