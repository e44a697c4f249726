import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { kubernetesVersion } from '../control-plane/binaries.ts';
import { chosen, coreDNS } from './chosen.ts';
import { nextPatch, required, sourceOf } from './releases.ts';

function goMod(path: string): string {
  return readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
}

test('the cheapest honest upgrade is to the next patch, stamped on the same source', () => {
  expect(chosen({})).toEqual({ from: kubernetesVersion(), to: nextPatch(kubernetesVersion()) });
  expect(sourceOf(chosen({}).to)).toBe(kubernetesVersion());
});

test('a release that no module builds is refused before anything is built', () => {
  expect(() => chosen({ DRYDOCK_TEST_NODES_TO: 'v1.12.0' })).toThrow('no module');
});

test('nodes and control plane are built from the same releases, so that one compile serves both', () => {
  const of = (text: string) =>
    Object.fromEntries([...text.matchAll(/^\t(\S+) (v\S+)/gm)].map(([, name, version]) => [name, version]));
  const [nodes, plane] = [goMod('modules/kubernetes-1.36/go.mod'), goMod('../control-plane/go.mod')].map(of);
  expect(nodes).toMatchObject(plane ?? {});
});

test('CoreDNS is the one that is named', () => {
  const dns = coreDNS(kubernetesVersion());
  expect(required(goMod(`modules/coredns-${dns.slice(1)}/go.mod`), 'github.com/coredns/coredns')).toBe(dns);
});
