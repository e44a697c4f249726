import { expect, test } from 'vitest';
import { makespanPage, playScene } from './makespan-figures.ts';
import { scene } from './scenes.ts';

test('a tiny rollout is measured from its first request to its last node, and is never faster than its bound', async () => {
  const tiny = { ...scene('B', 4, 30), podsPerNode: 6 };
  const said: string[] = [];
  const pair = await playScene(tiny, [1], (line) => said.push(line));
  for (const [rollout] of [pair.drydock, pair.kubectlLike]) {
    expect(rollout?.seconds).toBeGreaterThan(rollout?.bound ?? Number.NaN);
    expect(rollout?.tally.granted).toBeGreaterThanOrEqual(24);
    expect(rollout?.tally.evictionCalls).toBeGreaterThanOrEqual(rollout?.tally.granted ?? Number.NaN);
  }
  expect(said).toHaveLength(2);
  expect(makespanPage([pair])).toMatch(/^ +B +\d+ s +\d+ s +\d\.\d{3} +\d+ s +\d\.\d{3} +\d+ s$/m);
});

test('the same seed takes the same time twice', async () => {
  const tiny = { ...scene('B', 3, 10), podsPerNode: 4 };
  const [first, second] = [await playScene(tiny, [7], () => {}), await playScene(tiny, [7], () => {})];
  expect(second).toEqual(first);
});
