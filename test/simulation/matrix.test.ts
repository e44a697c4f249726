import { expect, it } from 'vitest';
import { playPlans } from './crew.ts';
import { type Plan, plans, reference } from './matrix.ts';

/** One in so many of the whole matrix, which `npm run simulate -- --matrix` plays; a prime, so that every kind of plan has its turn. */
const EVERY = 37;

it('faults and stale views, one at a time, end where the reference run ends', { timeout: 300_000 }, async () => {
  const { writes, end } = await reference();
  const all = plans(writes);
  expect(all.length).toBeGreaterThan(3_000);
  const some = all.filter((_, at) => at % EVERY === 0);
  expect(new Set(some.map(({ what }) => what)).size).toBe(new Set(all.map(({ what }) => what)).size);
  const broken: (readonly [Plan, readonly string[]])[] = [];
  let played = 0;
  await playPlans(some, end, ({ plan, broken: what }) => {
    played += 1;
    if (what.length > 0) broken.push([plan, what]);
  });
  expect(broken).toEqual([]);
  expect(played).toBe(some.length);
});

it('an end elsewhere is found out (planted: another end to compare with)', async () => {
  const found: string[] = [];
  await playPlans([{ write: 1, what: 'conflict' }], 'another end', ({ broken }) => void found.push(...broken));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain('it ends elsewhere');
});
