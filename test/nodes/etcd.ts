import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeCluster } from './cluster.ts';
import type { Machine } from './machines.ts';
import { ask } from './observer.ts';

const PKI = 'etc/kubernetes/pki/etcd';
/** It runs outside of its container: no API server, no runtime and no quorum is needed to ask. */
const CTL = `p=/etc/kubernetes/pki/etcd
exec "/proc/$(pgrep -x etcd | head -n 1)/root/usr/local/bin/etcdctl" --endpoints=https://127.0.0.1:2379 \\
  --cacert=$p/ca.crt --cert=$p/server.crt --key=$p/server.key "$@"`;
const PATIENCE_MS = 2_000;

/** Asks the member of etcd on a machine, as a person who is logged in there would. */
export async function etcdctl(machine: Machine, ...args: readonly string[]): Promise<string> {
  const asked = ['bash', '-euc', CTL, 'etcdctl', ...args];
  return (await machine.exec(asked, { what: `etcdctl ${args.join(' ')}`, seconds: 30 })).stdout;
}

/** Asks each member whether it is healthy: it says so when a read through the quorum has come back to it. */
export async function membersOf(cluster: NodeCluster): Promise<() => Promise<readonly string[]>> {
  const [first] = cluster.controlPlanes;
  const file = (name: string) => readFile(join(first?.disk ?? '', PKI, name), 'utf8');
  const manner = {
    ca: await file('ca.crt'),
    cert: await file('healthcheck-client.crt'),
    key: await file('healthcheck-client.key'),
    patienceMs: PATIENCE_MS,
  };
  return async () => {
    const asked = cluster.controlPlanes.map(async ({ name, address }) => {
      const { status, text } = await ask(`https://${address}:2379/health`, manner);
      return status === 200 && text.includes('"health":"true"') ? [name] : [];
    });
    return (await Promise.all(asked)).flat();
  };
}

/** The hash of what each member has at one revision, by the names of the members' addresses. */
export async function hashes({ controlPlanes }: NodeCluster): Promise<ReadonlyMap<string, string>> {
  const [first] = controlPlanes;
  if (first === undefined) return new Map();
  type Said = readonly { readonly Endpoint: string; readonly HashKV: { readonly hash: number } }[];
  const status = JSON.parse(await etcdctl(first, 'endpoint', 'status', '-w', 'json')) as readonly {
    readonly Status: { readonly header: { readonly revision: number } };
  }[];
  const revision = status[0]?.Status.header.revision ?? 0;
  const said = JSON.parse(
    await etcdctl(first, 'endpoint', 'hashkv', '--cluster', `--rev=${revision}`, '-w', 'json'),
  ) as Said;
  return new Map(said.map(({ Endpoint, HashKV }) => [Endpoint, String(HashKV.hash)]));
}
