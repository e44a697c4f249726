import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { until } from '../control-plane/until.ts';
import type { NodeCluster } from './cluster.ts';
import { copiedFolder } from './image.ts';
import { type Image, writeDrydockImage, writeShellImage } from './images.ts';
import { ask } from './observer.ts';
import { DOOR, SHELL_IMAGE, shop } from './shop.ts';

const ROOT = join(import.meta.dirname, '../..');
/** The repository of the payload's image. */
export const REPOSITORY = 'ghcr.io/drydock-dev/drydock-node';

type Kustomization = { readonly images: readonly [{ readonly name: string; readonly newTag: string }] };

/** The images that are no part of Kubernetes. */
export type Images = { readonly drydock: Image; readonly payload: Image };

/** Writes the images of Drydock, of the payload and of the workload, and puts them onto every node, as a pull would. */
export async function bringImages(cluster: NodeCluster): Promise<Images> {
  const directory = join(cluster.share, 'images');
  const { images } = parse(readFileSync(join(ROOT, 'deploy/operator/kustomization.yaml'), 'utf8')) as Kustomization;
  const drydock = await writeDrydockImage(directory, `${images[0].name}:${images[0].newTag}`);
  const payload = await writeShellImage(
    directory,
    'payload',
    `${REPOSITORY}:test`,
    copiedFolder(join(ROOT, 'deploy/payload'), 'drydock'),
  );
  await writeShellImage(directory, 'shell', SHELL_IMAGE, []);
  await Promise.all(
    cluster.machines.flatMap((machine) =>
      ['drydock.tar', 'payload.tar', 'shell.tar'].map((file) => cluster.load(machine, file)),
    ),
  );
  return { drydock, payload };
}

/** Installs Drydock as the README says, and waits until both replicas are there. */
export async function installDrydock(cluster: NodeCluster): Promise<void> {
  await cluster.kubectlOrThrow(['apply', '-k', join(ROOT, 'deploy')]);
  await cluster.kubectlOrThrow(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  await isThere(cluster);
}

async function isThere(cluster: NodeCluster): Promise<void> {
  const status = ['-n', 'drydock-system', 'rollout', 'status', 'deployment/drydock', '--timeout=180s'];
  await cluster.kubectlOrThrow(status);
}

/** Stops Drydock, as a person does before a restore, and waits until nothing of it runs. */
export async function stopDrydock(cluster: NodeCluster): Promise<void> {
  await cluster.kubectlOrThrow(['-n', 'drydock-system', 'scale', 'deployment', 'drydock', '--replicas=0']);
  await cluster.kubectlOrThrow(['-n', 'drydock-system', 'wait', '--for=delete', 'pod', '--all', '--timeout=60s']);
}

/** Starts it again, both replicas. */
export async function startDrydock(cluster: NodeCluster): Promise<void> {
  await cluster.kubectlOrThrow(['-n', 'drydock-system', 'scale', 'deployment', 'drydock', '--replicas=2']);
  await isThere(cluster);
}

/** Starts the workload, and waits until it answers at the door of every node: each learns of a Service in its own time. */
export async function openShop(cluster: NodeCluster): Promise<void> {
  await apply(cluster, shop);
  for (const name of ['web', 'orders']) {
    await cluster.kubectlOrThrow(['-n', 'shop', 'rollout', 'status', `deployment/${name}`, '--timeout=120s']);
  }
  for (const url of Object.values(doorsOf(cluster))) {
    await until(async () => (await ask(url)).status === 200, { what: `${url} answers`, seconds: 60 });
  }
}

/** Where the workload is asked, by the names of the nodes. */
export function doorsOf({ machines }: NodeCluster): Readonly<Record<string, string>> {
  return Object.fromEntries(machines.map(({ name, address }) => [name, `http://${address}:${DOOR}/`]));
}

/** Applies objects as a person does, by a kubectl of the release. */
export async function apply(cluster: NodeCluster, objects: readonly unknown[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await cluster.kubectlOrThrow(['apply', '-f', '-'], JSON.stringify(list));
}

const API = 'drydock.dev/v1alpha1';
const OPEN = [{ from: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' }];

/** What a cluster admin writes before anything may move: the profiles as they are shipped, with what this cluster needs. */
export function permissions(payload: Image): readonly unknown[] {
  const policy = { maxUnavailable: 1, images: [REPOSITORY] };
  return [
    { apiVersion: API, kind: 'MaintenancePolicy', metadata: { name: 'cluster' }, spec: policy },
    {
      apiVersion: API,
      kind: 'MaintenanceWindow',
      metadata: { name: 'now' },
      spec: { timeZone: 'Etc/UTC', openings: OPEN },
    },
    profile(payload, 'kubeadm-apt', { env: CGROUPS_V1 }),
    profile(payload, 'reboot', { env: SOON }),
  ];
}

/** Control groups of version 1 are an error to kubeadm since 1.35, unless it is told otherwise by name. */
export const CGROUPS_V1 = { PAYLOAD_IGNORE_PREFLIGHT_ERRORS: 'SystemVerification' } as const;
/** As short as the payload lets it be. */
export const SOON = { PAYLOAD_REBOOT_DELAY_SECONDS: '30' } as const;

type Profile = { readonly spec: { readonly drain?: object; readonly env?: readonly object[] } };
type Otherwise = {
  /** What it is called, if not as it is shipped. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly drain?: object;
  /** Any other field of the spec. */
  readonly work?: object;
};

/** A profile as it is shipped, with the image of this cluster, and with what a scenario wants otherwise. */
export function profile(
  payload: Image,
  shipped: string,
  { name = shipped, env = {}, drain = {}, work = {} }: Otherwise = {},
): unknown {
  const { spec, ...read } = parse(readFileSync(join(ROOT, 'deploy/profiles', `${shipped}.yaml`), 'utf8')) as Profile;
  const added = Object.entries(env).map(([key, value]) => ({ name: key, value }));
  return {
    ...read,
    metadata: { name },
    spec: {
      ...spec,
      image: `${REPOSITORY}@${payload.digest}`,
      env: [...(spec.env ?? []), ...added],
      // Whatever keeps pods on a node is a failure here, and soon.
      drain: { ...spec.drain, deadlineSeconds: 300, onDeadline: 'Fail', loadBalancer: { exclude: false }, ...drain },
      readySeconds: 5,
      ...work,
    },
  };
}

/** An upgrade of every node, or of some, by a profile. */
export function upgrade(name: string, profileName: string, target: object, ...nodeNames: readonly string[]): unknown {
  const values = nodeNames.length === 0 ? undefined : nodeNames;
  const selector =
    values === undefined ? {} : { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }] };
  return {
    apiVersion: API,
    kind: 'ClusterUpgrade',
    metadata: { name },
    spec: { profileName, target, nodes: { selector }, windowNames: ['now'], rollout: { maxUnavailable: 1 } },
  };
}
