import { parentPort, workerData } from 'node:worker_threads';
import type { Orders } from './crew.ts';
import { plant } from './mutants.ts';

const orders = workerData as Orders;
// Before anything of the operator is loaded: what is planted is planted while its file is read.
if (orders.play === 'seeds' && orders.mutant !== undefined) plant(orders.mutant);
const { play } = await import('./play.ts');
const { scenario } = await import('./scenario.ts');
const { playPlan } = await import('./matrix.ts');

if (orders.play === 'seeds') {
  for (const seed of orders.items) {
    const { trace: _, ...summary } = await play(scenario(seed));
    parentPort?.postMessage(summary);
  }
} else {
  for (const plan of orders.items) parentPort?.postMessage(await playPlan(plan, orders.end));
}
