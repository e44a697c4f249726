import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { AuditLog } from '../control-plane/audit.ts';
import type { Say } from '../control-plane/binaries.ts';
import { Client } from '../control-plane/client.ts';
import type { Said } from '../control-plane/cluster.ts';
import { runKubectl } from '../control-plane/kubectl.ts';
import { AUDIT, filesOfMachines, initConfiguration, isControlPlane, joinConfiguration } from './configuration.ts';
import { wantedImages, writeReleaseImages } from './images.ts';
import { layOutMachines, type Machine, type Machines } from './machines.ts';
import { addPackages, packageVersion } from './packages.ts';
import type { Release } from './releases.ts';

const HELD = ['kubelet', 'kubeadm', 'kubectl'] as const;
/** Where kubeadm's own way of an administrator is, on a control plane. */
const ADMIN = 'etc/kubernetes/admin.conf';

/** A cluster that kubeadm made, of machines of this one. */
export type NodeCluster = {
  readonly machines: readonly Machine[];
  readonly controlPlanes: readonly Machine[];
  readonly directory: string;
  /** Images go into its folder `images/every`, before they are loaded. */
  readonly share: string;
  readonly kubeconfig: string;
  readonly server: string;
  readonly ca: string;
  readonly audit: AuditLog;
  /** Reads and writes as administrator, by a token of a service account. */
  readonly admin: Client;
  machine(name: string): Machine;
  kubectl(args: readonly string[], input?: string): Promise<Said>;
  /** As kubectl, but rejects unless that ends well. */
  kubectlOrThrow(args: readonly string[], input?: string): Promise<string>;
  /** A token of the administrator for who has connections of his own. */
  token(): Promise<string>;
  /** Puts images of the share onto a machine, as a pull would. */
  load(machine: Machine, pattern: string): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Writes packages and images, boots machines, and makes a cluster of them. Where there is more than one control plane, each has a
 * member of etcd, and everybody reaches their API servers by an endpoint that outlives any of them.
 */
export async function startNodeCluster(
  names: readonly string[],
  releases: readonly [from: Release, ...others: Release[]],
  say: Say,
): Promise<NodeCluster> {
  const [from, ...later] = releases;
  say('laying out the network and the disks');
  const machines = await layOutMachines(names);
  try {
    say(`writing packages and images of ${from.version}`);
    await writeFiles(machines, from);
    // All before anybody asks: apt refuses lists that change while it reads them.
    for (const each of releases) await addPackages(join(machines.share, 'packages'), each);
    const images = join(machines.share, 'images');
    await writeReleaseImages(images, from);
    const [cluster] = await Promise.all([
      makeCluster(machines, from, say),
      inTurn(later, (each) => writeReleaseImages(images, each)),
    ]);
    return cluster;
  } catch (error) {
    await machines.stop();
    throw error;
  }
}

/** Waits until everything that kubeadm has set up is there. */
export async function settled(cluster: NodeCluster): Promise<void> {
  await cluster.kubectlOrThrow(['wait', '--for=condition=Ready', 'node', '--all', '--timeout=120s']);
  for (const each of ['daemonset/kube-proxy', 'deployment/coredns']) {
    await cluster.kubectlOrThrow(['-n', 'kube-system', 'rollout', 'status', each, '--timeout=120s']);
  }
}

async function makeCluster(machines: Machines, { version, ...from }: Release, say: Say): Promise<NodeCluster> {
  const [first, ...others] = machines.all;
  if (first === undefined || !isControlPlane(first)) throw new Error('the first machine is a control plane');
  const controlPlanes = machines.all.filter(isControlPlane);
  const endpoint = controlPlanes.length === 1 ? first.address : await machines.forwardTo(controlPlanes);
  say(`booting ${machines.all.map(({ name }) => name).join(', ')}`);
  await Promise.all(machines.all.map((machine) => machine.boot()));
  say(`installing ${version} on ${first.name}`);
  await install(first, version);
  say('kubeadm init');
  // A worker that waits for its control plane may as well install its packages.
  await Promise.all([init(first, version, endpoint), ...others.map((machine) => install(machine, version))]);
  say('kubeadm join');
  const [members, workers] = [others.filter(isControlPlane), others.filter((machine) => !isControlPlane(machine))];
  // One member of etcd after another: while one learns, no other may come.
  const joined = inTurn(members, async (machine) => {
    await admit(machine, endpoint);
    say(`${machine.name} has joined`);
  });
  await Promise.all([joined, ...workers.map((machine) => admit(machine, endpoint))]);
  return reach(machines, controlPlanes, { version, ...from });
}

async function inTurn<T>(all: readonly T[], each: (one: T) => Promise<void>): Promise<void> {
  for (const one of all) await each(one);
}

async function writeFiles({ directory }: Machines, release: Release): Promise<void> {
  const pause = (await wantedImages(release))['pause'] ?? '';
  for (const [path, text] of Object.entries(filesOfMachines(pause))) {
    const file = join(directory, 'overlay', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

async function put(machine: Machine, path: string, text: string): Promise<void> {
  await writeFile(join(machine.disk, path), text);
}

/** Packages from apt, held as the documentation of kubeadm wants them. */
async function install(machine: Machine, version: string): Promise<void> {
  await load(machine, `*-${version}.tar`);
  const packages = HELD.map((name) => `${name}=${packageVersion(version)}`).join(' ');
  const script = `apt-get update -qq
apt-get install -qqy --allow-downgrades --no-install-recommends ${packages} > /dev/null
apt-mark hold ${HELD.join(' ')} > /dev/null`;
  await machine.exec(['bash', '-euc', script], { what: `packages of ${version}`, seconds: 120 });
}

async function load(machine: Machine, pattern: string): Promise<void> {
  const roles = isControlPlane(machine) ? ['control-plane', 'every'] : ['every'];
  const files = roles.map((role) => `/mnt/share/images/${role}/${pattern}`).join(' ');
  const script = `for f in ${files}; do if [ -e "$f" ]; then ctr -n k8s.io images import "$f" > /dev/null; fi; done`;
  await machine.exec(['bash', '-euc', script], { what: `images ${pattern}`, seconds: 180 });
}

async function init(machine: Machine, version: string, endpoint: string): Promise<void> {
  await put(machine, 'etc/kubeadm.yaml', initConfiguration(version, machine, endpoint));
  const args = ['kubeadm', 'init', '--upload-certs', '--config', '/etc/kubeadm.yaml'];
  await machine.exec(args, { what: 'kubeadm init', seconds: 300 });
}

async function admit(machine: Machine, endpoint: string): Promise<void> {
  await put(machine, 'etc/kubeadm.yaml', joinConfiguration(machine, endpoint));
  await machine.exec(['kubeadm', 'join', '--config', '/etc/kubeadm.yaml'], { what: 'kubeadm join', seconds: 300 });
}

const OBSERVER_ACCOUNT = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: drydock-test-admin, namespace: kube-system }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: drydock-test-admin }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects: [{ kind: ServiceAccount, name: drydock-test-admin, namespace: kube-system }]
`;

type Config = { readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }] };

async function reach(machines: Machines, controlPlanes: readonly Machine[], from: Release): Promise<NodeCluster> {
  const kubeconfig = join(machines.directory, 'kubeconfig');
  await cp(join(controlPlanes[0]?.disk ?? '', ADMIN), kubeconfig);
  const { clusters } = parse(await readFile(kubeconfig, 'utf8')) as Config;
  const { server = '', 'certificate-authority-data': authority = '' } = clusters[0].cluster;
  const ca = Buffer.from(authority, 'base64').toString();
  const kubectl = (args: readonly string[], input = '') =>
    runKubectl(from.programs['kubectl'] ?? '', args, { kubeconfig, home: machines.directory, input });
  const kubectlOrThrow = async (args: readonly string[], input?: string) => {
    const { stdout, stderr, code } = await kubectl(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  };
  await kubectlOrThrow(['apply', '-f', '-'], OBSERVER_ACCOUNT);
  const asked = ['-n', 'kube-system', 'create', 'token', 'drydock-test-admin', '--duration=24h'];
  const token = async () => (await kubectlOrThrow(asked)).trim();
  const admin = new Client(server, ca, await token(), 'drydock-test');
  const audit = new AuditLog(...controlPlanes.map(({ disk }) => join(disk, AUDIT, 'audit.log')));
  return {
    machines: machines.all,
    controlPlanes,
    directory: machines.directory,
    share: machines.share,
    kubeconfig,
    server,
    ca,
    audit,
    admin,
    machine: (name) => {
      const machine = machines.all.find((each) => each.name === name);
      if (machine === undefined) throw new Error(`there is no machine ${name}`);
      return machine;
    },
    kubectl,
    kubectlOrThrow,
    token,
    load,
    stop: async () => {
      await admin.close();
      await machines.stop();
    },
  };
}
