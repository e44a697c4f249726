import { until } from '../control-plane/until.ts';
import type { NodeCluster } from './cluster.ts';
import { apply } from './installation.ts';
import { type Difference, differences } from './running.ts';
import { SHELL_IMAGE } from './shop.ts';

const NAMESPACE = 'town';
const RIGHT_SECONDS = 60;

/** What there is before anything changes: some of it will be deleted, and some be changed. */
export async function foundTown(cluster: NodeCluster): Promise<void> {
  await apply(cluster, [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'early', namespace: NAMESPACE } },
    house('early', 1),
    house('web', 3),
  ]);
  for (const name of ['early', 'web']) await housed(cluster, name);
}

/** What a restore must take back: something made, something deleted, something scaled. */
export async function changeTown(cluster: NodeCluster): Promise<void> {
  const inTown = (...args: readonly string[]) => cluster.kubectlOrThrow(['-n', NAMESPACE, ...args]);
  await apply(cluster, [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late', namespace: NAMESPACE } },
    house('late', 1),
    house('web', 5),
  ]);
  await inTown('delete', 'configmap', 'early');
  await inTown('delete', 'deployment', 'early');
  for (const name of ['late', 'web']) await housed(cluster, name);
  await inTown('wait', '--for=delete', 'pod', '-l', 'app=early', '--timeout=60s');
}

/** The town as the API has it. */
export async function townNow(cluster: NodeCluster) {
  type Named = { readonly metadata: { readonly name: string }; readonly spec: { readonly replicas: number } };
  const deployments = await listed<Named>(cluster, `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`);
  const configMaps = await listed<Named>(cluster, `/api/v1/namespaces/${NAMESPACE}/configmaps`);
  const own = configMaps.map(({ metadata }) => metadata.name).filter((name) => name !== 'kube-root-ca.crt');
  return {
    deployments: deployments.map(({ metadata, spec }) => `${metadata.name} ${spec.replicas}`),
    configMaps: own,
  };
}

/** The town before it changed. */
export const EARLY = { deployments: ['early 1', 'web 3'], configMaps: ['early'] } as const;

/** Waits until what runs is what the API says, and returns what still differs when that takes too long. */
export async function rightAgain(cluster: NodeCluster): Promise<Difference> {
  let last: Difference = { unknown: [], missing: [] };
  const same = async () => {
    last = await differences(cluster);
    return last.unknown.length === 0 && last.missing.length === 0;
  };
  await until(same, { what: 'what runs is what the API says', seconds: RIGHT_SECONDS, everyMs: 1_000 }).catch(() => {});
  return last;
}

/** What there is of a kind. An API server that has just started may say that its storage is not there yet, of one kind after another. */
export function listed<T>({ admin }: NodeCluster, path: string): Promise<readonly T[]> {
  return until(() => admin.list<T>(path).catch(() => undefined), { what: path, seconds: 60 });
}

/** How far the API server has come: a restore must not take it back. */
export async function revisionNow({ admin }: NodeCluster): Promise<number> {
  const { metadata } = await admin.get('/api/v1/namespaces');
  return Number(metadata.resourceVersion);
}

function housed(cluster: NodeCluster, name: string): Promise<string> {
  return cluster.kubectlOrThrow(['-n', NAMESPACE, 'rollout', 'status', `deployment/${name}`, '--timeout=120s']);
}

/** A Deployment whose processes can be told on the machine by their names. */
function house(app: string, replicas: number): unknown {
  const container = {
    name: app,
    image: SHELL_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/sh', '-c', 'while :; do sleep 1; done', `the-town-of-${app}`],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: app, namespace: NAMESPACE },
    spec: {
      replicas,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app } },
        spec: { terminationGracePeriodSeconds: 1, containers: [container] },
      },
    },
  };
}
