import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Plan, PlanPlayed } from './matrix.ts';
import type { Mutant } from './mutants.ts';
import type { Played } from './play.ts';

/** Worlds make much that is soon forgotten: with more room for it the garbage collector has less to copy. */
const YOUNG_MB = 64;
const WORKER = join(import.meta.dirname, 'worker.ts');

/** What a worker is there for; what it plays it is told one by one, so that none is idle while another has some left. */
export type Orders =
  | { readonly play: 'seeds'; readonly mutant?: Mutant }
  /** Each is compared with where the reference run ended. */
  | { readonly play: 'plans'; readonly end: string };

/** What a worker is told when nothing is left: it then ends in order, and keeps what it has compiled. */
export const END = 'end';

/** A played seed without its trace: what is worth sending between threads. */
export type Summary = Omit<Played, 'trace'>;

/** Plays seeds on every core; `heard` is told of each as it ends, and says whether to go on. */
export function playSeeds(
  seeds: readonly number[],
  heard: (summary: Summary) => boolean,
  mutant?: Mutant,
): Promise<void> {
  const orders = { play: 'seeds', ...(mutant === undefined ? {} : { mutant }) } as const;
  return shareOut(orders, seeds, (message) => heard(message as Summary));
}

/** Plays plans on every core. */
export function playPlans(plans: readonly Plan[], end: string, heard: (played: PlanPlayed) => void): Promise<void> {
  return shareOut({ play: 'plans', end }, plans, (message) => {
    heard(message as PlanPlayed);
    return true;
  });
}

async function shareOut(
  orders: Orders,
  items: readonly unknown[],
  heard: (message: unknown) => boolean,
): Promise<void> {
  const left = items.values();
  const crew = Math.min(availableParallelism(), items.length);
  const workers = Array.from(
    { length: crew },
    () => new Worker(WORKER, { workerData: orders, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } }),
  );
  const stopAll = () => {
    for (const worker of workers) void worker.terminate();
  };
  const goOn = (worker: Worker) => {
    const { value, done } = left.next();
    worker.postMessage(done ? END : value);
  };
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.on('message', (message: unknown) => {
            if (heard(message)) goOn(worker);
            else stopAll();
          });
          worker.on('error', reject);
          worker.on('exit', () => resolve());
          goOn(worker);
        }),
    ),
  );
}
