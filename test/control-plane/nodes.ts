import { randomUUID } from 'node:crypto';
import { CONTROL_PLANE, fakeNode, type FakeNode as ModelNode } from '../../src/simulation/controllers/fake-node.ts';
import type { Taint } from '../../src/simulation/objects.ts';
import { kubernetesVersion } from './binaries.ts';
import { type Client, type Metadata, PATCH, Refused } from './client.ts';
import type { Cluster } from './cluster.ts';
import { until } from './until.ts';

/** A node that has no machine. */
export type FakeNode = Omit<ModelNode, 'kubeletVersion'> & {
  /** Default: the version of the API server. */
  readonly kubeletVersion?: string;
  /** Of its static pods, where it is a control plane; default: that of its kubelet. */
  readonly controlPlaneVersion?: string;
};

/** A node as far as the harness looks. */
export type Node = {
  readonly metadata: Metadata & { readonly uid: string; readonly resourceVersion: string };
  readonly spec: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[] };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
    readonly nodeInfo: { readonly kubeletVersion: string; readonly bootID: string; readonly machineID: string };
  };
};

const KUBELET = 'test.drydock.dev/kubelet';
const READY = 'test.drydock.dev/ready';
const STATIC_PODS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'] as const;
const ETCD_TAG = '3.6.8-0';
const SIDE_BY_SIDE = 20;

/** The path of a node. */
export function nodePath(name: string): string {
  return `/api/v1/nodes/${name}`;
}

/** Reads a node. */
export function readNode(cluster: Cluster, name: string): Promise<Node> {
  return cluster.kubelets.get<Node>(nodePath(name));
}

/** Whether the node's Ready condition is True. */
export function isReady(node: Node): boolean {
  return node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Creates nodes, with the static pods of control planes, and waits until all are Ready and open for pods. */
export async function createNodes(cluster: Cluster, nodes: readonly FakeNode[]): Promise<void> {
  for (let from = 0; from < nodes.length; from += SIDE_BY_SIDE) {
    await Promise.all(nodes.slice(from, from + SIDE_BY_SIDE).map((node) => createNode(cluster, node)));
  }
  const names = new Set(nodes.map(({ name }) => name));
  const allReady = async () => {
    const seen = await cluster.kubelets.list<Node>('/api/v1/nodes');
    const ready = seen.filter((node) => names.has(node.metadata.name) && isReady(node) && !isTaintedNotReady(node));
    return ready.length === names.size;
  };
  await until(allReady, { what: `${nodes.length} nodes are Ready`, seconds: 60 });
}

/** The node is NotReady (its kubelet goes on) until it is said otherwise. */
export async function setReady(cluster: Cluster, name: string, ready: boolean): Promise<void> {
  await cluster.kubelets.patch(nodePath(name), { metadata: { annotations: { [READY]: ready ? null : 'false' } } });
  await until(async () => isReady(await readNode(cluster, name)) === ready, {
    what: `node ${name} is ${ready ? 'Ready' : 'NotReady'}`,
  });
}

/**
 * Takes the power from a node: no heartbeats, its pods neither start nor end. Unless `unnoticed`, Ready becomes Unknown at
 * once, as the controller manager says after its grace period.
 */
export async function powerOff(
  cluster: Cluster,
  name: string,
  options: { readonly unnoticed?: boolean } = {},
): Promise<void> {
  await cluster.kubelets.patch(nodePath(name), { metadata: { labels: { [KUBELET]: 'stopped' } } });
  if (options.unnoticed) return;
  const lost = { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' };
  await patchConditions(cluster, name, lost);
}

/** Boots a node that had no power, with a new boot ID; Ready soon after. */
export async function powerOn(cluster: Cluster, name: string): Promise<void> {
  await patchNodeInfo(cluster, name, { bootID: randomUUID() });
  await cluster.kubelets.patch(nodePath(name), { metadata: { labels: { [KUBELET]: 'running' } } });
}

/** A boot so quick that NotReady is never seen: only the boot ID tells. */
export function quickReboot(cluster: Cluster, name: string): Promise<void> {
  return patchNodeInfo(cluster, name, { bootID: randomUUID() });
}

/** The kubelet of the node calls itself this version from now on. */
export function setKubeletVersion(cluster: Cluster, name: string, version: string): Promise<void> {
  return patchNodeInfo(cluster, name, { kubeletVersion: version, kubeProxyVersion: version });
}

/** Makes the static pods of a control plane anew with this version, as a kubelet does when their manifests change. */
export async function setControlPlaneVersion(cluster: Cluster, name: string, version: string): Promise<void> {
  const { metadata } = await readNode(cluster, name);
  for (const component of STATIC_PODS) {
    const path = `/api/v1/namespaces/kube-system/pods/${component}-${name}`;
    await cluster.kubelets.delete(path, { gracePeriodSeconds: 0 });
    await createStaticPod(cluster.kubelets, metadata, component, version);
  }
}

/** Whether the node has static pods of a control plane. */
export function isControlPlane(node: Node): boolean {
  return node.metadata.labels?.[CONTROL_PLANE] !== undefined;
}

async function createNode(cluster: Cluster, fake: FakeNode): Promise<void> {
  const version = fake.kubeletVersion ?? kubernetesVersion();
  const { metadata } = await cluster.kubelets.create<Node>('/api/v1/nodes', nodeObject(fake, version));
  if (!fake.controlPlane) return;
  await until(() => cluster.kubelets.find('/api/v1/namespaces/kube-system'), { what: 'kube-system is there' });
  const ofPods = fake.controlPlaneVersion ?? version;
  await Promise.all(STATIC_PODS.map((component) => createStaticPod(cluster.kubelets, metadata, component, ofPods)));
}

function nodeObject(fake: FakeNode, version: string) {
  const node = fakeNode({ ...fake, kubeletVersion: version }, { uuid: randomUUID });
  return { ...node, metadata: { ...node.metadata, labels: { ...node.metadata.labels, [KUBELET]: 'running' } } };
}

/** As a kubelet does: a mirror pod of an earlier node of that name is taken away, by its UID, before the new one is made. */
async function createStaticPod(
  client: Client,
  node: Node['metadata'],
  component: string,
  version: string,
): Promise<void> {
  const pod = staticPod(node, component, version);
  const path = '/api/v1/namespaces/kube-system/pods';
  const created = async () => {
    const reply = await client.request('POST', path, pod);
    if (reply.status !== 409 && reply.status >= 400) throw new Refused(`POST ${path}`, reply);
    if (reply.status < 400) return true;
    const found = await client.find<{ readonly metadata: Metadata }>(`${path}/${pod.metadata.name}`);
    if (found === undefined || found.metadata.ownerReferences?.[0]?.uid === node.uid) return undefined;
    const preconditions = { uid: found.metadata.uid };
    await client.request('DELETE', `${path}/${pod.metadata.name}`, { gracePeriodSeconds: 0, preconditions });
    return undefined;
  };
  await until(created, { what: `static pod ${pod.metadata.name} is created` });
}

function staticPod(node: Node['metadata'], component: string, version: string) {
  const hash = randomUUID().replaceAll('-', '');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${component}-${node.name}`,
      namespace: 'kube-system',
      labels: { component, tier: 'control-plane' },
      annotations: {
        'kubernetes.io/config.hash': hash,
        'kubernetes.io/config.mirror': hash,
        'kubernetes.io/config.source': 'file',
        'kubernetes.io/config.seen': new Date().toISOString(),
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid, controller: true }],
    },
    spec: {
      nodeName: node.name,
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
      containers: [
        { name: component, image: `registry.k8s.io/${component}:${component === 'etcd' ? ETCD_TAG : version}` },
      ],
    },
  };
}

async function patchNodeInfo(cluster: Cluster, name: string, nodeInfo: Partial<Record<string, string>>): Promise<void> {
  await cluster.kubelets.patch(`${nodePath(name)}/status`, { status: { nodeInfo } });
}

async function patchConditions(
  cluster: Cluster,
  name: string,
  said: { readonly status: string; readonly reason: string; readonly message: string },
): Promise<void> {
  const lastTransitionTime = new Date().toISOString();
  const conditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
    type,
    lastTransitionTime,
    ...said,
  }));
  await cluster.kubelets.patch(`${nodePath(name)}/status`, { status: { conditions } }, PATCH.strategic);
}

/** The node lifecycle controller takes this taint away a moment after Ready. */
function isTaintedNotReady({ spec }: Node): boolean {
  return spec.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready') ?? false;
}
