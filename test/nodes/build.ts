import { chosen, coreDNS } from './chosen.ts';
import { judge, thisHost } from './possible.ts';
import { builtRelease } from './releases.ts';

/** Builds both releases before any test begins, so that no hook has to wait for a compiler. */
export default async function build(): Promise<void> {
  if (!judge(thisHost()).runs) return;
  const { from, to } = chosen();
  await builtRelease(from, coreDNS(from));
  await builtRelease(to, coreDNS(to));
}
