import { parentPort, workerData } from 'node:worker_threads';
import type { Orders } from './crew.ts';
import { plant } from './mutants.ts';

const { seeds, mutant, untilViolation } = workerData as Orders;
// Before anything of the operator is loaded: what is planted is planted while its file is read.
if (mutant !== undefined) plant(mutant);
const { play } = await import('./play.ts');
const { scenario } = await import('./scenario.ts');

for (const seed of seeds) {
  const { trace: _, ...summary } = await play(scenario(seed));
  parentPort?.postMessage(summary);
  if (untilViolation && summary.violations.length > 0) break;
}
