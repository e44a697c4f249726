import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtBinaries } from './binaries.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Where Node keeps what it compiled of the operator, which the tests start a hundred times. */
export const COMPILED = join(ROOT, 'node_modules/.cache/drydock-compiled');

/** Builds the control plane before any test begins, so that no hook has to wait for a compiler. */
export default async function build(): Promise<void> {
  await builtBinaries();
  // Node writes it at an orderly end, and most operators of the tests are killed.
  const env = { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: COMPILED };
  await promisify(execFile)(process.execPath, [join(ROOT, 'src/main.ts'), '--help'], { env });
}
