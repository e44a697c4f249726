import { expect, it } from 'vitest';
import { explore } from './explore.ts';
import { exploreWithout } from './tell.ts';
import { begin, PLANTED, SHORT } from './worlds.ts';

it.each(SHORT)(
  'every interleaving of $name keeps every guarantee and comes to rest',
  { timeout: 60_000 },
  async (world) => {
    const { violation, whole, states, terminals } = await explore(begin(world));
    expect(violation).toBeUndefined();
    expect(whole).toBe(true);
    expect(states).toBeGreaterThan(400);
    expect(terminals).toBeGreaterThan(0);
  },
);

it.each(PLANTED)(
  'planted: $variant, and $guarantee breaks',
  { timeout: 60_000 },
  async ({ variant, guarantee, world }) => {
    const { violation } = await exploreWithout(variant, world);
    expect(violation?.guarantee).toBe(guarantee);
    expect(violation?.path.length).toBeGreaterThan(0);
  },
);
