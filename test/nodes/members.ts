import { until } from '../control-plane/until.ts';
import type { NodeCluster } from './cluster.ts';
import { membersOf } from './etcd.ts';
import type { Machine } from './machines.ts';

const MANIFEST = '/etc/kubernetes/manifests/etcd.yaml';
const AWAY = '/etc/kubernetes/etcd.yaml.away';

/**
 * Takes the manifest of etcd away from its kubelet, and waits until the member is gone. The API server there has no other, and the
 * kubelet no other API server: its node is NotReady within a minute.
 */
export async function takeAway(machine: Machine): Promise<void> {
  await machine.exec(['mv', MANIFEST, AWAY], { what: 'the manifest of etcd goes' });
  const gone = async () => (await machine.tried(['pgrep', '-x', 'etcd'], { what: 'does etcd run' })).code !== 0;
  await until(gone, { what: `etcd of ${machine.name} is gone`, seconds: 60 });
}

/** Gives it back, and waits until every member of the cluster is healthy and every node Ready. */
export async function giveBack(cluster: NodeCluster, machine: Machine): Promise<void> {
  await machine.exec(['mv', AWAY, MANIFEST], { what: 'the manifest of etcd comes back' });
  await allHealthy(cluster);
  await cluster.kubectlOrThrow(['wait', '--for=condition=Ready', 'node', '--all', '--timeout=120s']);
}

/** Stops the process of etcd, as a disk that hangs would: it neither answers nor goes. */
export async function freeze(...machines: readonly Machine[]): Promise<void> {
  for (const machine of machines) await signal(machine, 'STOP');
}

/** Lets it go on, and waits until every member is healthy. */
export async function thaw(cluster: NodeCluster, ...machines: readonly Machine[]): Promise<void> {
  for (const machine of machines) await signal(machine, 'CONT');
  await allHealthy(cluster);
}

async function allHealthy(cluster: NodeCluster): Promise<void> {
  const healthy = await membersOf(cluster);
  const all = async () => (await healthy()).length === cluster.controlPlanes.length;
  await until(all, { what: 'every member of etcd is healthy', seconds: 180 });
}

async function signal(machine: Machine, name: 'STOP' | 'CONT'): Promise<void> {
  await machine.exec(['bash', '-euc', `kill -${name} $(pgrep -x etcd)`], { what: `${name} for etcd` });
}
