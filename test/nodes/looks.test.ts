import { expect, test } from 'vitest';
import { until } from '../control-plane/until.ts';
import { looks } from './looks.ts';

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
