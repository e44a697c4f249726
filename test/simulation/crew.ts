import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Mutant } from './mutants.ts';
import type { Played } from './play.ts';

const WORKER = join(import.meta.dirname, 'worker.ts');

/** What a worker is told to play: seeds of a range, one after another, until one breaks something if that is all that is asked. */
export type Orders = {
  readonly seeds: readonly number[];
  readonly mutant?: Mutant;
  readonly untilViolation?: boolean;
};

/** A played seed without its trace: what is worth sending between threads. */
export type Summary = Omit<Played, 'trace'>;

/** Plays seeds on every core; `heard` is told of each as it ends, and says whether to go on. */
export async function playAll(orders: Orders, heard: (summary: Summary) => boolean): Promise<void> {
  const crew = Math.min(availableParallelism(), orders.seeds.length);
  const shares = Array.from({ length: crew }, (_, index) => orders.seeds.filter((__, at) => at % crew === index));
  await Promise.all(shares.map((seeds) => work({ ...orders, seeds }, heard)));
}

function work(orders: Orders, heard: (summary: Summary) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { workerData: orders });
    worker.on('message', (summary: Summary) => {
      if (!heard(summary)) void worker.terminate();
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });
}
