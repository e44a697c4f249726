import { kubernetesVersion } from '../control-plane/binaries.ts';
import { nextPatch, sourceOf } from './releases.ts';

/** The CoreDNS that kubeadm of a release asks for, by the minor release. */
const CORE_DNS_OF: Readonly<Record<string, string>> = { '1.36': 'v1.14.2', '1.37': 'v1.14.6' };

/** From which release to which: a relink of the same source, unless DRYDOCK_TEST_NODES_TO names another. */
export function chosen(env: Readonly<Record<string, string | undefined>> = process.env) {
  const from = kubernetesVersion();
  const to = env['DRYDOCK_TEST_NODES_TO'] || nextPatch(from);
  sourceOf(to);
  return { from, to };
}

/** The CoreDNS of a release. */
export function coreDNS(version: string): string {
  const minor = version.replace(/^v(\d+\.\d+)\..*$/, '$1');
  const found = CORE_DNS_OF[minor];
  if (found === undefined) throw new Error(`nobody knows which CoreDNS belongs to ${version}`);
  return found;
}
