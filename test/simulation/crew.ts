import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Plan, PlanPlayed } from './matrix.ts';
import type { Mutant } from './mutants.ts';
import type { Played } from './play.ts';

/** Worlds make much that is soon forgotten: with more room for it the garbage collector has less to copy. */
const YOUNG_MB = 64;
const WORKER = join(import.meta.dirname, 'worker.ts');

/** What a worker is told to play, one after another. */
export type Orders =
  | { readonly play: 'seeds'; readonly items: readonly number[]; readonly mutant?: Mutant }
  /** Each is compared with where the reference run ended. */
  | { readonly play: 'plans'; readonly items: readonly Plan[]; readonly end: string };

/** A played seed without its trace: what is worth sending between threads. */
export type Summary = Omit<Played, 'trace'>;

/** Plays seeds on every core; `heard` is told of each as it ends, and says whether to go on. */
export function playSeeds(
  seeds: readonly number[],
  heard: (summary: Summary) => boolean,
  mutant?: Mutant,
): Promise<void> {
  const orders = { play: 'seeds', items: seeds, ...(mutant === undefined ? {} : { mutant }) } as const;
  return shareOut(orders, (message) => heard(message as Summary));
}

/** Plays plans on every core. */
export function playPlans(plans: readonly Plan[], end: string, heard: (played: PlanPlayed) => void): Promise<void> {
  return shareOut({ play: 'plans', items: plans, end }, (message) => {
    heard(message as PlanPlayed);
    return true;
  });
}

async function shareOut(orders: Orders, heard: (message: unknown) => boolean): Promise<void> {
  const { length } = orders.items;
  const crew = Math.min(availableParallelism(), length);
  const workers = Array.from({ length: crew }, (_, index) => {
    const isIts = (__: unknown, at: number) => at % crew === index;
    const share =
      orders.play === 'seeds'
        ? { ...orders, items: orders.items.filter(isIts) }
        : { ...orders, items: orders.items.filter(isIts) };
    return new Worker(WORKER, { workerData: share, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
  });
  const stopAll = () => {
    for (const worker of workers) void worker.terminate();
  };
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.on('message', (message: unknown) => {
            if (!heard(message)) stopAll();
          });
          worker.on('error', reject);
          worker.on('exit', () => resolve());
        }),
    ),
  );
}
