import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Say } from '../control-plane/binaries.ts';
import type { Entry } from './archive.ts';
import type { NodeCluster } from './cluster.ts';
import { copied } from './image.ts';
import { type Image, writeDrydockImage, writeShellImage } from './images.ts';
import { SHELL_IMAGE, shop } from './shop.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What works on nodes: the payload that is shipped, or, where there is none, what the documentation of kubeadm says. */
const PAYLOAD = [join(ROOT, 'deploy/payload'), join(import.meta.dirname, 'files/payload')];
const REPOSITORY = 'ghcr.io/drydock-dev/drydock-node';

type Kustomization = { readonly images: readonly [{ readonly name: string; readonly newTag: string }] };

/** The images that are no part of Kubernetes. */
export type Images = { readonly drydock: Image; readonly payload: Image };

/** Writes the images of Drydock, of the payload and of the workload, and puts them onto every node, as a pull would. */
export async function bringImages(cluster: NodeCluster): Promise<Images> {
  const directory = join(cluster.share, 'images');
  const { images } = parse(readFileSync(join(ROOT, 'deploy/operator/kustomization.yaml'), 'utf8')) as Kustomization;
  const drydock = await writeDrydockImage(directory, `${images[0].name}:${images[0].newTag}`);
  const payload = await writeShellImage(directory, 'payload', `${REPOSITORY}:test`, payloadEntries());
  await writeShellImage(directory, 'shell', SHELL_IMAGE, []);
  await Promise.all(
    cluster.machines.flatMap((machine) =>
      ['drydock.tar', 'payload.tar', 'shell.tar'].map((file) => cluster.load(machine, file)),
    ),
  );
  return { drydock, payload };
}

/** Installs Drydock as the README says, and waits until both replicas are there. */
export async function installDrydock(cluster: NodeCluster, say: Say): Promise<void> {
  say('kubectl apply -k deploy');
  await cluster.kubectlOrThrow(['apply', '-k', join(ROOT, 'deploy')]);
  await cluster.kubectlOrThrow(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  const status = ['-n', 'drydock-system', 'rollout', 'status', 'deployment/drydock', '--timeout=180s'];
  await cluster.kubectlOrThrow(status);
}

/** Starts the workload, and waits until it is there. */
export async function openShop(cluster: NodeCluster): Promise<void> {
  await apply(cluster, shop);
  for (const name of ['web', 'orders']) {
    await cluster.kubectlOrThrow(['-n', 'shop', 'rollout', 'status', `deployment/${name}`, '--timeout=120s']);
  }
}

/** Applies objects as a person does, by a kubectl of the release. */
export async function apply(cluster: NodeCluster, objects: readonly unknown[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await cluster.kubectlOrThrow(['apply', '-f', '-'], JSON.stringify(list));
}

const API = 'drydock.dev/v1alpha1';
const OPEN = [{ from: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' }];

/** What a cluster admin writes before anything may move. */
export function permissions(payload: Image): readonly unknown[] {
  const shared = {
    image: `${REPOSITORY}@${payload.digest}`,
    hostPID: true,
    hostNetwork: true,
    securityContext: { privileged: true },
    // Control groups of version 1 are an error to kubeadm since 1.35, unless it is told otherwise by name.
    env: [{ name: 'PAYLOAD_IGNORE_PREFLIGHT_ERRORS', value: 'SystemVerification' }],
    drain: { deadlineSeconds: 300, onDeadline: 'Fail' },
    readySeconds: 5,
  };
  const profile = (name: string, spec: object) => ({
    apiVersion: API,
    kind: 'MaintenanceProfile',
    metadata: { name },
    spec: { ...shared, ...spec },
  });
  const apply = ['/drydock/kubeadm-apt', 'apply'];
  const node = ['/drydock/kubeadm-apt', 'node'];
  return [
    {
      apiVersion: API,
      kind: 'MaintenancePolicy',
      metadata: { name: 'cluster' },
      spec: { maxUnavailable: 1, images: [REPOSITORY] },
    },
    {
      apiVersion: API,
      kind: 'MaintenanceWindow',
      metadata: { name: 'now' },
      spec: { timeZone: 'Etc/UTC', openings: OPEN },
    },
    profile('kubeadm-apt', { commands: { firstControlPlane: apply, controlPlane: node, worker: node } }),
    profile('reboot', {
      commands: { worker: ['/drydock/reboot'] },
      env: [{ name: 'PAYLOAD_REBOOT_DELAY_SECONDS', value: '30' }],
      reboot: 'Expected',
    }),
  ];
}

/** An upgrade of every node, or of one, by a profile. */
export function upgrade(name: string, profileName: string, target: object, nodeName?: string): unknown {
  const selector = nodeName === undefined ? {} : { matchLabels: { 'kubernetes.io/hostname': nodeName } };
  return {
    apiVersion: API,
    kind: 'ClusterUpgrade',
    metadata: { name },
    spec: { profileName, target, nodes: { selector }, windowNames: ['now'], rollout: { maxUnavailable: 1 } },
  };
}

function payloadEntries(): readonly Entry[] {
  const from = PAYLOAD.find((directory) => existsSync(directory)) ?? '';
  return readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
    .map((file) => copied(file, `drydock${file.slice(from.length)}`));
}
