import { sayToStderr } from '../control-plane/binaries.ts';
import { chosen, coreDNS } from './chosen.ts';
import { judge, thisHost } from './possible.ts';
import { builtRelease } from './releases.ts';

/**
 * Builds both releases before any test begins, so that no hook has to wait for a compiler, or says why there will be no nodes.
 * Who asks for them and only lacks packages is not left with tests that were skipped.
 */
export default async function build(): Promise<void> {
  const verdict = judge(thisHost());
  if (!verdict.runs) {
    if (verdict.mend !== undefined) throw new Error(`drydock: no real nodes for tests: ${verdict.why}`);
    sayToStderr(`drydock: ALL TESTS ON REAL NODES ARE SKIPPED: ${verdict.why}.`);
    return;
  }
  const { from, to } = chosen();
  await builtRelease(from, coreDNS(from));
  await builtRelease(to, coreDNS(to));
}
