import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { COMPILED } from '../support/built.ts';
import { END, type Orders } from './crew.ts';
import type { Plan } from './matrix.ts';
import { plant } from './mutants.ts';

const orders = workerData as Orders;
// Each planted bug has a thread of its own, which would compile everything anew.
enableCompileCache(COMPILED);
// Before anything of the operator is loaded: what is planted is planted while its file is read.
if (orders.play === 'seeds' && orders.mutant !== undefined) plant(orders.mutant);
const { play } = await import('./play.ts');
const { scenario } = await import('./scenario.ts');
const { playPlan } = await import('./matrix.ts');

async function played(item: unknown): Promise<unknown> {
  if (orders.play === 'plans') return playPlan(item as Plan, orders.end);
  const { trace: _, ...summary } = await play(scenario(item as number), { enough: orders.mutant?.guarantee });
  return summary;
}

parentPort?.on('message', (item) => {
  if (item === END) parentPort?.close();
  // Not caught: a play that throws ends this thread, which says so.
  else void played(item).then((message) => parentPort?.postMessage(message));
});
