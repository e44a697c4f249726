import type { Parameters } from 'fast-check';
import { vi } from 'vitest';

const TIMES = Number(process.env['DRYDOCK_FUZZ_RUNS'] ?? '1');

/** How often a property is tried: `DRYDOCK_FUZZ_RUNS=100` makes a long run of it. The seed is fixed, so that a failure comes again. */
export function runs<T>(usual: number, seed = 1): Parameters<T> {
  return { numRuns: usual * TIMES, seed: TIMES === 1 ? seed : seed + TIMES };
}

/** How often a planted bug may be missed: the first time it is found is enough, and nobody wants to see it shrunk. */
export function planted<T>(most: number): Parameters<T> {
  return { numRuns: most, seed: 1, endOnFailure: true };
}

// A long run gets the time that it needs.
vi.setConfig({ testTimeout: 60_000 * TIMES });
