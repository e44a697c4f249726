import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sayToStderr } from '../control-plane/binaries.ts';
import { playSeeds, type Summary } from './crew.ts';
import { MUTANTS, planted } from './mutants.ts';

const SRC = join(import.meta.dirname, '../../src');
const SEEDS = Array.from({ length: 1_000 }, (_, at) => at + 1);

describe.concurrent.each(MUTANTS)('$guarantee, planted: $name', (mutant) => {
  it('has its place in the code', () => {
    const text = readFileSync(join(SRC, mutant.file), 'utf8');
    expect(planted(mutant, text)).not.toBe(text);
  });

  it('is caught by its checker within a thousand seeds', { timeout: 300_000 }, async () => {
    let caught: number | undefined;
    const heard = ({ seed, violations }: Summary) => {
      if (violations.some(({ guarantee }) => guarantee === mutant.guarantee)) caught ??= seed;
      return caught === undefined;
    };
    // Alone, so that no second thread loads the whole operator for a seed that nobody waits for.
    await playSeeds([mutant.seed], heard, mutant);
    if (caught === undefined) await playSeeds(SEEDS, heard, mutant);
    expect(caught).toBeDefined();
    if (caught !== mutant.seed)
      sayToStderr(
        `mutants.ts: seed ${mutant.seed} no longer catches "${mutant.name}"; seed ${caught} does: write that.`,
      );
  });
});
