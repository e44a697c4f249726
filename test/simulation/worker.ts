import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { COMPILED } from '../support/built.ts';
import type { Orders } from './crew.ts';
import { plant } from './mutants.ts';

const orders = workerData as Orders;
// Each planted bug has a thread of its own, which would compile everything anew.
enableCompileCache(COMPILED);
// Before anything of the operator is loaded: what is planted is planted while its file is read.
if (orders.play === 'seeds' && orders.mutant !== undefined) plant(orders.mutant);
const { play } = await import('./play.ts');
const { scenario } = await import('./scenario.ts');
const { playPlan } = await import('./matrix.ts');

if (orders.play === 'seeds') {
  const enough = orders.mutant?.guarantee;
  for (const seed of orders.items) {
    const { trace: _, ...summary } = await play(scenario(seed), { enough });
    parentPort?.postMessage(summary);
  }
} else {
  for (const plan of orders.items) parentPort?.postMessage(await playPlan(plan, orders.end));
}
