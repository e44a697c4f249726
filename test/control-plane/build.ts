import { builtBinaries } from './binaries.ts';

/** Builds the control plane before any test begins, so that no hook has to wait for a compiler. */
export default async function build(): Promise<void> {
  await builtBinaries();
}
