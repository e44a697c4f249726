import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planted } from '../simulation/mutants.ts';
import { MUTANTS } from './mutants.ts';
import { PROPERTIES } from './oracle.ts';
import { playPlanted, SHORT } from './planting.ts';
import { deadlines } from './silence.ts';
import { storm } from './storm.ts';

const SRC = join(import.meta.dirname, '../../src');
const SEEDS = [1, 2, 3, 4, 5];

it('the caches are the truth after everything that a network and a server may do', { timeout: 120_000 }, async () => {
  const stormed = await storm(SHORT);
  expect(stormed.violations, stormed.injuries.join('\n')).toEqual([]);
  expect(stormed.disconnects).toBeGreaterThanOrEqual(SHORT.disconnects);
  expect(stormed.events).toBeGreaterThanOrEqual(SHORT.events);
  expect(stormed.quietPoints).toBe(SHORT.rounds);
});

it('a server that falls silent is noticed, with a clock that is sixty times as fast', { timeout: 60_000 }, async () => {
  const { silent, mute } = await deadlines(60);
  expect(silent.noticedMs).toBeGreaterThan(80_000);
  expect(silent.noticedMs).toBeLessThan(120_000);
  expect(mute.noticedMs).toBeLessThan(120_000);
});

it('every property has a planted bug', () => {
  expect(new Set(MUTANTS.flatMap(({ breaks }) => breaks))).toEqual(new Set(Object.keys(PROPERTIES)));
});

it.each(MUTANTS)('$name: has its place in the code', (mutant) => {
  const text = readFileSync(join(SRC, mutant.file), 'utf8');
  expect(planted(mutant, text)).not.toBe(text);
});

// Side by side: each in a thread of its own, most of whose time goes by in waiting.
describe.concurrent('planted', () => {
  it('nothing: nothing is found', { timeout: 120_000 }, async ({ expect }) => {
    expect(await playPlanted(SEEDS[0] ?? 1)).toEqual([]);
  });

  it.each(MUTANTS)('$name: is caught by its property', { timeout: 120_000 }, async (mutant) => {
    const found = new Set<string>();
    for (const seed of SEEDS) {
      for (const { property } of await playPlanted(seed, mutant)) found.add(property);
      if (mutant.breaks.some((property) => found.has(property))) break;
    }
    expect(mutant.breaks.filter((property) => found.has(property))).not.toEqual([]);
  });
});
