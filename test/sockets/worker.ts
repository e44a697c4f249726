import { parentPort, workerData } from 'node:worker_threads';
import { plant } from '../simulation/mutants.ts';
import type { Mutant } from './mutants.ts';
import type { StormOptions } from './storm.ts';

const { mutant, options } = workerData as { readonly mutant?: Mutant; readonly options: StormOptions };
// Before anything of the operator is loaded: what is planted is planted while its file is read.
if (mutant !== undefined) plant(mutant);
const { storm } = await import('./storm.ts');
const { violations } = await storm(options);
parentPort?.postMessage(violations);
