import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Mutant } from './mutants.ts';
import type { Violation } from './oracle.ts';
import type { StormOptions } from './storm.ts';

const WORKER = join(import.meta.dirname, 'worker.ts');

/** A storm in which everything happens to few watchers, in a few seconds. */
export const SHORT: StormOptions = {
  seed: 36,
  disconnects: 300,
  events: 20_000,
  rounds: 4,
  clusters: 4,
  pods: 600,
  nodes: 40,
  life: [40, 400],
  hurry: 20,
  settleMs: 5_000,
};

/** Enough for most planted bugs to show: more objects, so that what is lost is seldom written again. */
const PLANTED: StormOptions = {
  ...SHORT,
  disconnects: 200,
  events: 3_400,
  pods: 1_200,
  clusters: 3,
  rounds: 2,
  settleMs: 2_000,
  untilBroken: true,
};

/** Plays a storm with a bug planted, in a thread of its own. */
export function playPlanted(seed: number, mutant?: Mutant): Promise<readonly Violation[]> {
  const workerData = { options: { ...PLANTED, seed }, ...(mutant === undefined ? {} : { mutant }) };
  const worker = new Worker(WORKER, { workerData });
  return new Promise((resolve, reject) => {
    worker.once('message', (violations: readonly Violation[]) => {
      resolve(violations);
      void worker.terminate();
    });
    worker.once('error', reject);
  });
}
