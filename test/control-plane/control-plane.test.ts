import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlane } from './control-plane.ts';
import { startHoldProxy } from './hold-proxy.ts';
import { controlPlaneForTests, hasControlPlane } from './ladder.ts';
import { type NodeAgent, startNodeAgent } from './node-agent.ts';
import { createNodes, isReady, powerOff, powerOn, readNode, setReady } from './nodes.ts';
import { until } from './until.ts';

type Pod = {
  metadata: { name: string; namespace: string; uid: string; labels?: Record<string, string> };
  spec: { nodeName?: string; containers: { image: string }[] };
  status: { phase: string; conditions?: { type: string; status: string }[]; containerStatuses?: { state: object }[] };
};
type Job = { status: { conditions?: { type: string; status: string }[] } };

const WORKLOAD = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata:
      labels: { app: web }
      annotations: { test.drydock.dev/ready-after: "2" }
    spec: { containers: [{ name: web, image: example/web:1 }] }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web }
spec: { minAvailable: 1, selector: { matchLabels: { app: web } } }
`;

let cluster: ControlPlane;
let agent: NodeAgent;

const there = await hasControlPlane();
const inCluster = test.runIf(there);

beforeAll(async () => {
  if (!there) return;
  cluster = await controlPlaneForTests();
  await createNodes(cluster, [
    { name: 'cp-1', controlPlane: true, kubeletVersion: 'v1.35.4', zone: 'a' },
    { name: 'worker-1', kubeletVersion: 'v1.35.4', zone: 'a' },
    { name: 'worker-2', kubeletVersion: 'v1.35.4', zone: 'b' },
  ]);
  await cluster.createNamespace('drydock-jobs', { 'pod-security.kubernetes.io/enforce': 'privileged' });
  agent = startNodeAgent(cluster);
});

afterAll(async () => {
  await agent?.stop();
  await cluster?.stop();
});

describe('nodes', () => {
  inCluster('a control plane has its taint and static pods of its version', async () => {
    const node = await readNode(cluster, 'cp-1');
    expect(node.spec.taints).toEqual([{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }]);
    const [pod] = await cluster.admin.list<Pod>(
      '/api/v1/namespaces/kube-system/pods?labelSelector=component%3Dkube-apiserver',
    );
    expect(pod?.spec.containers[0]?.image).toBe('registry.k8s.io/kube-apiserver:v1.35.4');
  });

  inCluster('a node stays NotReady until it is said otherwise', async () => {
    await setReady(cluster, 'worker-2', false);
    await until(
      async () => (await readNode(cluster, 'worker-2')).spec.taints?.some(({ key }) => key.endsWith('not-ready')),
      {
        what: 'the controller manager sees it',
      },
    );
    await setReady(cluster, 'worker-2', true);
  });

  inCluster('a node without power comes back with another boot ID', async () => {
    const before = await readNode(cluster, 'worker-2');
    await powerOff(cluster, 'worker-2');
    expect(isReady(await readNode(cluster, 'worker-2'))).toBe(false);
    await powerOn(cluster, 'worker-2');
    const after = await until(
      async () => {
        const node = await readNode(cluster, 'worker-2');
        return isReady(node) && node;
      },
      { what: 'worker-2 is Ready' },
    );
    expect(after.status.nodeInfo.bootID).not.toBe(before.status.nodeInfo.bootID);
  });
});

inCluster('a budget lets one eviction pass and refuses the next', async () => {
  const from = cluster.audit.mark();
  await cluster.admin.apply(WORKLOAD);
  const [first, second] = await until(
    async () => {
      const pods = await readyPods('default', 'app%3Dweb');
      return (await allowed()) === 1 && pods.length === 2 && pods;
    },
    { what: 'two pods are ready and the budget allows one disruption' },
  );
  expect((await evict(first)).status).toBe(201);
  expect((await evict(second)).status).toBe(429);
  const { accepted, refused } = cluster.audit.evictions({ from, user: 'drydock-test-admin' });
  expect(accepted.map(({ name, objectUID }) => [name, objectUID])).toEqual([
    [first?.metadata.name, first?.metadata.uid],
  ]);
  expect(refused.map(({ name }) => name)).toEqual([second?.metadata.name]);
  await until(async () => (await readyPods('default', 'app%3Dweb')).length === 2, { what: 'the pod is replaced' });
  expect(cluster.audit.podDeletions({ from })).toEqual([]);
});

describe('Jobs', () => {
  inCluster('the agent upgrades the node of a control plane and completes the Job', async () => {
    await cluster.admin.create('/apis/batch/v1/namespaces/drydock-jobs/jobs', upgradeJob('up', 'cp-1', 'v1.36.4'));
    await finished('drydock-jobs', 'up', 'Complete');
    expect((await readNode(cluster, 'cp-1')).status.nodeInfo.kubeletVersion).toBe('v1.36.4');
    const [pod] = await cluster.admin.list<Pod>(
      '/api/v1/namespaces/kube-system/pods?labelSelector=component%3Dkube-apiserver',
    );
    expect(pod?.spec.containers[0]?.image).toBe('registry.k8s.io/kube-apiserver:v1.36.4');
    expect(agent.works.map(({ node, jobName }) => [node, jobName])).toEqual([['cp-1', 'up']]);
  });

  inCluster('the agent fails a Job with a message when told so', async () => {
    agent.behave('worker-1', { result: 'fail', exitCode: 3, message: 'no space left' });
    await cluster.admin.create(
      '/apis/batch/v1/namespaces/drydock-jobs/jobs',
      upgradeJob('down', 'worker-1', 'v1.36.4'),
    );
    await finished('drydock-jobs', 'down', 'Failed');
    const [pod] = await cluster.admin.list<Pod>('/api/v1/namespaces/drydock-jobs/pods?labelSelector=job-name%3Ddown');
    expect(pod?.status.containerStatuses?.[0]?.state).toMatchObject({
      terminated: { exitCode: 3, message: 'no space left' },
    });
    expect((await readNode(cluster, 'worker-1')).status.nodeInfo.kubeletVersion).toBe('v1.35.4');
  });

  inCluster('a deleted Job ends its running pod', async () => {
    agent.behave('worker-2', { hang: true });
    await cluster.admin.create(
      '/apis/batch/v1/namespaces/drydock-jobs/jobs',
      upgradeJob('gone', 'worker-2', 'v1.36.4'),
    );
    await until(() => agent.works.some(({ jobName }) => jobName === 'gone'), { what: 'the pod runs' });
    await cluster.admin.delete('/apis/batch/v1/namespaces/drydock-jobs/jobs/gone', {
      propagationPolicy: 'Background',
    });
    const pods = () => cluster.admin.list<Pod>('/api/v1/namespaces/drydock-jobs/pods?labelSelector=job-name%3Dgone');
    await until(async () => (await pods()).length === 0, { what: 'the pod is gone' });
  });

  inCluster('any other Job does what its annotations say', async () => {
    const annotations = {
      'test.drydock.dev/complete-after': '0.1',
      'test.drydock.dev/exit-code': '4',
      'test.drydock.dev/termination-message': 'as "told"',
    };
    const job = upgradeJob('other', 'worker-1', '');
    await cluster.admin.create('/apis/batch/v1/namespaces/default/jobs', {
      ...job,
      spec: { ...job.spec, template: { ...job.spec.template, metadata: { annotations } } },
    });
    await finished('default', 'other', 'Failed');
    const [pod] = await cluster.admin.list<Pod>('/api/v1/namespaces/default/pods?labelSelector=job-name%3Dother');
    expect(pod?.status.containerStatuses?.[0]?.state).toMatchObject({
      terminated: { exitCode: 4, message: 'as "told"' },
    });
  });
});

inCluster('a pod terminates as slowly as it is told, and a crash-looping one is never ready', async () => {
  await cluster.admin.apply(pod('slow', { 'test.drydock.dev/terminate-after': '600' }, 1));
  await cluster.admin.apply(pod('crashes', { 'test.drydock.dev/crash-loop': 'true' }, 30));
  const read = (name: string) => cluster.admin.find<Pod>(`/api/v1/namespaces/default/pods/${name}`);
  await until(async () => (await read('slow'))?.status.phase === 'Running', { what: 'slow runs' });
  await until(async () => (await read('crashes'))?.status.phase === 'Running', { what: 'crashes runs' });
  expect((await read('crashes'))?.status.conditions).toContainEqual(
    expect.objectContaining({ type: 'Ready', status: 'False' }),
  );
  const from = performance.now();
  await cluster.admin.delete('/api/v1/namespaces/default/pods/slow');
  await until(async () => (await read('slow')) === undefined, { what: 'slow is gone' });
  expect(performance.now() - from).toBeGreaterThan(900);
});

inCluster('a stopped API server starts again with the same data on the same port', async () => {
  const { server } = cluster;
  await cluster.stopApiServer();
  await expect(cluster.admin.get('/api/v1/nodes/cp-1')).rejects.toThrow();
  await cluster.startApiServer();
  expect(cluster.server).toBe(server);
  expect((await readNode(cluster, 'cp-1')).status.nodeInfo.kubeletVersion).toBe('v1.36.4');
  await cluster.admin.patch('/api/v1/nodes/worker-1', { metadata: { labels: { after: 'restart' } } });
  const [event] = cluster.audit.writes({ resource: 'nodes', name: 'worker-1', user: 'drydock-test-admin' });
  expect(event).toMatchObject({
    verb: 'patch',
    code: 200,
    requestObject: { metadata: { labels: { after: 'restart' } } },
  });
  await cluster.admin.apply(pod('later', {}, 1));
  const later = () => cluster.admin.get<Pod>('/api/v1/namespaces/default/pods/later');
  await until(async () => (await later()).status.phase === 'Running', { what: 'scheduler and kwok are back' });
});

inCluster('a service account is refused what it may not do, and the log says so', async () => {
  const kubeconfig = await cluster.kubeconfigFor('default', 'default');
  const said = await cluster.kubectl(['delete', 'node', 'worker-1'], { kubeconfig });
  expect([said.code, said.stderr]).toEqual([1, expect.stringContaining('Forbidden')]);
  const [event] = cluster.audit.events({ user: 'system:serviceaccount:default:default', verb: 'delete' });
  expect(event).toMatchObject({ resource: 'nodes', name: 'worker-1', code: 403 });
});

inCluster('a write is held between the API server and its sender', async () => {
  const proxy = await startHoldProxy(cluster);
  const kubeconfig = await cluster.kubeconfigFor('default', 'default', { server: proxy.server });
  const hold = proxy.hold({ at: 'after', match: ({ path }) => path.startsWith('/apis/authentication') });
  const asked = cluster.kubectl(['auth', 'whoami', '-o', 'name'], { kubeconfig });
  expect(await hold.reached).toMatchObject({ n: 1, method: 'POST' });
  const user = 'system:serviceaccount:default:default';
  expect(cluster.audit.events({ user, resource: 'selfsubjectreviews' })).toMatchObject([{ code: 201 }]);
  hold.release();
  expect((await asked).code).toBe(0);
  await proxy.stop();
});

async function readyPods(namespace: string, selector: string): Promise<readonly Pod[]> {
  const pods = await cluster.admin.list<Pod>(`/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`);
  return pods.filter(({ status }) =>
    status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  );
}

async function allowed(): Promise<number | undefined> {
  type Budget = { status?: { disruptionsAllowed: number } };
  return (await cluster.admin.get<Budget>('/apis/policy/v1/namespaces/default/poddisruptionbudgets/web')).status
    ?.disruptionsAllowed;
}

function evict(pod: Pod | undefined) {
  if (pod === undefined) throw new Error('no pod');
  const { name, namespace, uid } = pod.metadata;
  return cluster.admin.request('POST', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid } },
  });
}

function finished(namespace: string, name: string, condition: string): Promise<true> {
  const isFinished = async () => {
    const { status } = await cluster.admin.get<Job>(`/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
    return status.conditions?.some(({ type, status }) => type === condition && status === 'True') && (true as const);
  };
  return until(isFinished, { what: `Job ${name} is ${condition}` });
}

function upgradeJob(name: string, node: string, version: string) {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      template: {
        metadata: { labels: { 'drydock.dev/job': 'upgrade' } },
        spec: {
          restartPolicy: 'Never',
          nodeName: node,
          containers: [
            { name: 'drydock', image: 'example/node:1', env: [{ name: 'DRYDOCK_TARGET_VERSION', value: version }] },
          ],
        },
      },
    },
  };
}

function pod(
  name: string,
  annotations: Readonly<Record<string, string>>,
  terminationGracePeriodSeconds: number,
): string {
  const spec = { terminationGracePeriodSeconds, containers: [{ name: 'c', image: 'example/c:1' }] };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations }, spec });
}
