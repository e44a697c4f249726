import { readFileSync } from 'node:fs';
import { vi } from 'vitest';
import { stringify } from 'yaml';
import type { Change, Cluster } from '../../src/cluster/cluster.ts';
import { PLACES } from '../../src/cluster/kinds.ts';
import { connect } from '../../src/cluster/kubernetes.ts';
import type { Leases } from '../../src/cluster/leases.ts';
import type { Said } from '../../src/cluster/said.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Kind, OwnKind, World } from '../../src/core/world.ts';
import { generated } from '../../src/generated.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Client } from '../control-plane/client.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';

/** A UID that no object has. */
export const OTHER_UID = '00000000-0000-0000-0000-000000000000';
/** Where our own kinds are served. */
export const OURS = '/apis/drydock.dev/v1alpha1';

/** The port to a real API server, as the operator's own service account with the shipped rights and nothing more. */
export type Connected = {
  readonly plane: ControlPlane;
  readonly cluster: Cluster;
  readonly leases: Leases;
  readonly changes: readonly Change[];
  readonly said: readonly Said[];
  /** The same service account without the operator around it. */
  readonly bare: Client;
  /** Aborts what the operator has on its way. */
  readonly abort: () => void;
  readonly close: () => Promise<void>;
  /** The object as a live read finds it. */
  live<K extends Kind>(kind: K, key: string): Promise<World[K]>;
  /** An outcome in a word or two. */
  perform(effect: Effect): Promise<string>;
  /** Makes an object of ours, as a person would. */
  own(kind: OwnKind, name: string, spec: object): Promise<unknown>;
  /** Makes a pod on worker-1 that is Running and Ready; what comes back is its UID. */
  runningPod(name: string, labels?: Readonly<Record<string, string>>): Promise<string>;
};

/** Starts a control plane with the shipped definitions and rights, connects, and waits until every kind was listed. */
export async function connected(): Promise<Connected> {
  const plane = await startControlPlane();
  const bare = await installed(plane);
  const stop = new AbortController();
  const changes: Change[] = [];
  const said: Said[] = [];
  const connection = connect({
    context: 'drydock-test',
    userAgent: 'drydock/test (one)',
    instance: 'one',
    jobsNamespace: 'drydock-jobs',
    leaseNamespace: 'kube-system',
    clock: systemClock,
    random: () => 0.5,
    signal: stop.signal,
    said: (each) => said.push(each),
  });
  if (!connection.ok) throw new Error(connection.problem);
  const { cluster, leases } = connection;
  await plane.admin.create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-1' } });
  await cluster.watch((change) => changes.push(change), stop.signal);
  return {
    plane,
    cluster,
    leases,
    changes,
    said,
    bare,
    abort: () => stop.abort(),
    close: async () => {
      stop.abort();
      vi.unstubAllEnvs();
      await bare.close();
      await plane.stop();
    },
    live: async (kind, key) => {
      const read = await cluster.read(kind, key);
      if (read.ok && read.value !== undefined) return read.value;
      throw new Error(`${kind} ${key}: ${read.ok ? 'is not there' : read.message}`);
    },
    perform: async (effect) => {
      const outcome = await cluster.perform(effect);
      return outcome.ok ? 'done' : `${outcome.why} ${outcome.cause}`;
    },
    own: (kind, name, spec) => {
      const object = { apiVersion: 'drydock.dev/v1alpha1', kind, metadata: { name }, spec };
      return plane.admin.create(`${OURS}/${PLACES[kind].plural}`, object);
    },
    runningPod: (name, labels = {}) => runningPod(plane, name, labels),
  };
}

async function installed(plane: ControlPlane): Promise<Client> {
  const { admin } = plane;
  const shipped = generated('');
  const definitions = Object.keys(shipped).filter((path) => path.startsWith('crds/'));
  await admin.apply(definitions.map((path) => shipped[path]).join('---\n'));
  for (const name of ['drydock-system', 'drydock-jobs', 'shop']) await plane.createNamespace(name);
  const metadata = { name: 'drydock', namespace: 'drydock-system' };
  await admin.apply(stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }));
  await admin.apply(shipped['deploy/operator/rbac.yaml'] ?? '');
  vi.stubEnv('KUBECONFIG', await plane.kubeconfigFor('drydock-system', 'drydock'));
  type TokenRequest = { status: { token: string } };
  const path = '/api/v1/namespaces/drydock-system/serviceaccounts/drydock/token';
  const { status } = await admin.create<TokenRequest>(path, { spec: {} });
  return new Client(plane.server, readFileSync(plane.caFile), status.token, 'drydock/test (bare)');
}

async function runningPod(
  { admin }: ControlPlane,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<string> {
  const { metadata } = await admin.create<{ metadata: { uid: string } }>('/api/v1/namespaces/shop/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { nodeName: 'worker-1', automountServiceAccountToken: false, containers: [{ name: 'c', image: 'app:1' }] },
  });
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  await admin.patch(`/api/v1/namespaces/shop/pods/${name}/status`, { status });
  return metadata.uid;
}
