import { randomBytes } from 'node:crypto';
import { accessSync, closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { systemClock } from '../../src/runtime/clock.ts';
import { ApiServer } from '../../src/simulation/api-server.ts';
import type { AuditLine } from '../../src/simulation/audit-lines.ts';
import { startControllers } from '../../src/simulation/controllers/controllers.ts';
import { fakeNode } from '../../src/simulation/controllers/fake-node.ts';
import type { Behaves } from '../../src/simulation/controllers/payload.ts';
import { createStaticPods } from '../../src/simulation/controllers/static-pods.ts';
import { dice } from '../../src/simulation/dice.ts';
import { Etcd } from '../../src/simulation/etcd.ts';
import { RealTime } from '../../src/simulation/real-time.ts';
import { served } from '../../src/simulation/served.ts';
import { Timeline } from '../../src/simulation/timeline.ts';
import { AuditLog } from '../control-plane/audit.ts';
import { cachedBinaries, kubernetesVersion } from '../control-plane/binaries.ts';
import { removeAtEnd } from '../control-plane/child.ts';
import { Client } from '../control-plane/client.ts';
import type { Plane } from '../control-plane/cluster.ts';
import { kubeconfig } from '../control-plane/kubeconfig.ts';
import { runKubectl } from '../control-plane/kubectl.ts';
import type { FakeNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { selfSigned } from './certificate.ts';
import { ownKubectl } from './own-kubectl.ts';

/** How a simulated plane is started. */
export type SimulatedOptions = {
  /** What chance does in it. */
  readonly seed?: number;
  /** How many times faster than the wall clock it lives. */
  readonly speed?: number;
  /** Another kubectl, or none. */
  readonly kubectl?: string | undefined;
};

/** A model of a cluster, spoken to as the real one is. */
export type SimulatedPlane = Plane & {
  /** Where the kubectl is that runs; undefined where the machine has none and a few of its verbs are done in its place. */
  readonly kubectlFile: string | undefined;
  /** Makes nodes with their static pods, and waits until all are Ready. */
  createNodes(nodes: readonly FakeNode[]): Promise<void>;
  /** What payloads do on a node ('*': on every other). */
  behave(node: string, behaves: Behaves, job?: 'upgrade' | 'prepare'): void;
};

const ADMIN = 'drydock-test-admin';
const AGENT = 'node-agent';
const BOOT = 'system:apiserver';
const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];
const SEED = 36;
const TOKEN_SECONDS = 30 * 24 * 3600;
const OPERATOR = /^system:serviceaccount:drydock-system:/;

/** Starts a model of a cluster in this process and serves it on a port of its own, as of now and in real time. */
export async function startSimulatedPlane(options: SimulatedOptions = {}): Promise<SimulatedPlane> {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-simulated-'));
  removeAtEnd(directory);
  const model = startModel(options, directory);
  const certificate = selfSigned(systemClock.now());
  const caFile = join(directory, 'ca.crt');
  writeFileSync(caFile, certificate.cert);
  const server = createServer(certificate, model.listener);
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients = [ADMIN, AGENT].map((user) => new Client(url, certificate.cert, model.tokens[user] ?? '', user));
  const [admin, kubelets] = clients as [Client, Client];
  const write = (user: string, token: string, to = url) => {
    const file = join(directory, `kubeconfig-${user.replaceAll('/', '-')}-${randomBytes(3).toString('hex')}`);
    writeFileSync(file, kubeconfig(to, Buffer.from(certificate.cert), user, token), { mode: 0o600 });
    return file;
  };
  const own = write(ADMIN, model.tokens[ADMIN] ?? '');
  const kubectlFile = 'kubectl' in options ? options.kubectl : findKubectl();
  return {
    server: url,
    kubeconfig: own,
    admin,
    kubelets,
    directory,
    caFile,
    audit: model.audit,
    kubectlFile,
    kubeconfigFor: async (namespace, name, { server: other } = {}) => {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
      type TokenRequest = { readonly status: { readonly token: string } };
      const { status } = await admin.create<TokenRequest>(path, { spec: { expirationSeconds: TOKEN_SECONDS } });
      return write(`${namespace}/${name}`, status.token, other);
    },
    kubectl: (args, given = {}) =>
      kubectlFile === undefined
        ? ownKubectl(admin, args, given.input)
        : runKubectl(kubectlFile, args, { kubeconfig: own, home: directory, ...given }),
    createNamespace: async (name, labels = {}) => {
      await admin.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
      await admin.create(`/api/v1/namespaces/${name}/serviceaccounts`, account);
    },
    createNodes: async (nodes) => {
      for (const node of nodes) model.addNode(node);
      await until(() => nodes.every(({ name }) => model.isReady(name)), { what: `${nodes.length} nodes are Ready` });
    },
    behave: model.behave,
    assertAlive: () => {},
    stop: async () => {
      model.stop();
      await Promise.all(clients.map((client) => client.close()));
      await closed(server);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The kubectl of an earlier build, or of the machine. */
export function findKubectl(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  const built = cachedBinaries()?.kubectl;
  const onPath = (env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'kubectl'));
  return [...(built === undefined ? [] : [built]), ...onPath].find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function startModel({ seed = SEED, speed = 1 }: SimulatedOptions, directory: string) {
  const [etcd, timeline, chance] = [new Etcd(), new Timeline(systemClock.now()), dice(seed)];
  const api = new ApiServer({ etcd, timeline, dice: chance, release: kubernetesVersion() });
  const { registry } = api;
  const controllers = startControllers({ registry, timeline, dice: chance.fork('controllers') });
  for (const name of NAMESPACES) {
    registry.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { by: BOOT });
    const metadata = { name: 'default', namespace: name };
    registry.create('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata }, { by: BOOT });
  }
  const tokens = Object.fromEntries([ADMIN, AGENT].map((user) => [user, randomBytes(24).toString('hex')]));
  const file = join(directory, 'audit.log');
  const log = openSync(file, 'a');
  let open = true;
  const audit = new AuditLog(file);
  const time = new RealTime(timeline, systemClock, speed);
  const { listener, stop } = served({
    api,
    time,
    dice: chance,
    users: Object.fromEntries(Object.entries(tokens).map(([user, token]) => [token, user])),
    audit: (line) => {
      if (open && isKept(line)) writeSync(log, `${JSON.stringify(line)}\n`);
    },
  });
  time.arm();
  return {
    listener,
    tokens,
    audit,
    addNode: (fake: FakeNode) => {
      time.catchUp();
      const { kubeletVersion = kubernetesVersion(), controlPlane, controlPlaneVersion = kubeletVersion } = fake;
      const by = `kubelet/${fake.name}`;
      const made = registry.create('nodes', fakeNode({ ...fake, kubeletVersion }, chance), { by });
      if (!made.ok) throw new Error(made.failure.message);
      if (controlPlane) createStaticPods(registry, chance, fake.name, controlPlaneVersion);
      time.arm();
    },
    isReady: (name: string) => {
      type Node = {
        readonly spec?: { readonly taints?: readonly { readonly key: string }[] };
        readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
      };
      const node = registry.get('nodes', name) as Node | undefined;
      const isReady = node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
      return isReady === true && !node?.spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready');
    },
    behave: (node: string, behaves: Behaves, job?: 'upgrade' | 'prepare') =>
      controllers.kubelets.behave(node, behaves as never, job),
    stop: () => {
      time.stop();
      controllers.stop();
      stop();
      api.watches.endAll();
      audit.stop();
      open = false;
      closeSync(log);
    },
  };
}

/** What the audit policy of the demo keeps: all of the operator, the writes of others, nothing of Leases and Events. */
function isKept({ user, verb, objectRef }: AuditLine): boolean {
  if (OPERATOR.test(user.username)) return true;
  if (objectRef?.['resource'] === 'events' || objectRef?.['resource'] === 'leases') return false;
  return !['get', 'list', 'watch'].includes(verb);
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
