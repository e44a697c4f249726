import { describe, expect, test } from 'vitest';
import type { Claim } from './asker.ts';
import { CLAIMS } from './claims.ts';
import { MUTANTS } from './mutants.ts';
import { type Bend, startSimulated } from './simulated.ts';

const isModelled = ({ needs }: Claim) => needs !== 'field managers';
const simulated = startSimulated();

/** The sentences that do not hold of a model. */
async function broken(bend?: Bend): Promise<readonly string[]> {
  const model = startSimulated(bend);
  const wrong: string[] = [];
  for (const [at, claim] of CLAIMS.entries()) {
    const held = await claim.asks(model.asker(`claim-${at + 1}`)).then(
      () => true,
      () => false,
    );
    if (!held) wrong.push(claim.says);
  }
  return wrong;
}

describe('a simulated API server', () => {
  const modelled = CLAIMS.map((claim, at) => [claim.says, claim, at] as const).filter(([, claim]) => isModelled(claim));

  test.each(modelled)('%s', async (_, claim, at) => {
    await claim.asks(simulated.asker(`claim-${at + 1}`));
  });

  test('only what is said not to be modelled does not hold', async () => {
    expect(await broken()).toEqual(CLAIMS.filter((claim) => !isModelled(claim)).map(({ says }) => says));
  });
});

test('every claim says something of its own, and there are enough of them', () => {
  expect(new Set(CLAIMS.map(({ says }) => says)).size).toBe(CLAIMS.length);
  expect(CLAIMS.length).toBeGreaterThan(250);
});

test.each(MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))(
  'a model in which %s is found out',
  async (_, { found, bend }) => {
    expect(await broken(bend)).toContain(found);
  },
);
