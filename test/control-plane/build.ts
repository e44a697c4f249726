import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { COMPILED, OPERATOR } from '../support/built.ts';
import { bundle } from '../support/bundle.ts';
import { builtBinaries } from './binaries.ts';

/** Builds the control plane and the operator before any test begins, so that no hook has to wait for a compiler. */
export default async function build(): Promise<void> {
  await builtBinaries();
  await bundle(OPERATOR);
  // Node writes it at an orderly end, and most operators of the tests are killed.
  const env = { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: COMPILED };
  await promisify(execFile)(process.execPath, [OPERATOR, '--help'], { env });
}
