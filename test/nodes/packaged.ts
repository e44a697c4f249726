import { join } from 'node:path';
import { until } from '../control-plane/until.ts';
import type { NodeCluster } from './cluster.ts';
import type { Machine } from './machines.ts';
import { addPackages, packageVersion } from './packages.ts';
import type { Release } from './releases.ts';
import { isReady, nodeOf } from './seen.ts';

const KUBERNETES = ['kubeadm', 'kubectl', 'kubelet'] as const;

/** The folder from which every machine has its packages. */
export function repositoryOf({ share }: NodeCluster): string {
  return join(share, 'packages');
}

/** Which packages of Kubernetes a machine has, which of them are on hold, and what dpkg has to complain of. */
export async function packagesOn(machine: Machine) {
  const query = ['dpkg-query', '-W', ...KUBERNETES];
  const lines = async (args: readonly string[]) =>
    (await machine.exec(args, { what: args.join(' ') })).stdout.trim().split('\n').filter(Boolean).toSorted();
  return {
    installed: await lines(query),
    held: await lines(['apt-mark', 'showhold']),
    complaints: await lines(['dpkg', '--audit']),
  };
}

/** What it says of a machine on which everything of a release is as it should be. */
export function inOrder(version: string) {
  return {
    installed: KUBERNETES.map((name) => `${name}\t${packageVersion(version)}`),
    held: [...KUBERNETES],
    complaints: [],
  };
}

/** Puts workers back to an earlier release: a cluster whose control plane has gone before them, as in every upgrade. */
export async function putBehind(cluster: NodeCluster, release: Release, names: readonly string[]): Promise<void> {
  await addPackages(repositoryOf(cluster), release);
  const wanted = KUBERNETES.map((name) => `${name}=${packageVersion(release.version)}`).join(' ');
  const script = `apt-get update -qq
apt-get install -qqy --allow-downgrades --allow-change-held-packages --no-install-recommends ${wanted} > /dev/null
apt-mark hold ${KUBERNETES.join(' ')} > /dev/null
systemctl daemon-reload
systemctl restart kubelet`;
  await Promise.all(
    names.map(async (name) => {
      await cluster.machine(name).exec(['bash', '-euc', script], { what: `back to ${release.version}` });
      const isBack = async () => {
        const node = await nodeOf(cluster, name);
        return node.status.nodeInfo.kubeletVersion === release.version && isReady(node);
      };
      await until(isBack, { what: `${name} runs ${release.version}`, seconds: 60 });
    }),
  );
}
