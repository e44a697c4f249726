import { expect, it } from 'vitest';
import { playSeeds, type Summary } from './crew.ts';
import { play } from './play.ts';
import { scenario } from './scenario.ts';

const SEEDS = 500;

it('a seed goes the same way twice, to the last line of its story', async () => {
  for (const seed of [3, 14, 15]) {
    const [first, second] = [await play(scenario(seed), { trace: true }), await play(scenario(seed), { trace: true })];
    expect(second.trace).toEqual(first.trace);
    expect(first.trace.length).toBeGreaterThan(200);
  }
});

it(`${SEEDS} simulated clusters with faults break no guarantee`, { timeout: 600_000 }, async () => {
  const broken: string[] = [];
  let played = 0;
  await playSeeds(
    Array.from({ length: SEEDS }, (_, at) => at + 1),
    ({ seed, violations }: Summary) => {
      played += 1;
      for (const { guarantee, text } of violations) broken.push(`seed ${seed}: ${guarantee} ${text}`);
      return true;
    },
  );
  expect(broken).toEqual([]);
  expect(played).toBe(SEEDS);
});
