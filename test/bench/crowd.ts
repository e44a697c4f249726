import { fakeNode } from '../../src/simulation/controllers/fake-node.ts';
import { type NodeObject, stamp } from '../../src/simulation/objects.ts';
import type { Draft } from '../../src/simulation/registry.ts';
import { TO } from '../simulation/scenario.ts';
import type { ServedModel } from './served-model.ts';

/** How large a cluster is; its pods stand already, bound and Ready. */
export type Crowd = {
  readonly nodes: number;
  readonly pods: number;
  readonly budgets: number;
  /** What each budget says it allows now. */
  readonly allows: number;
  /** Of the kubelets; absent: the release of the API server. */
  readonly version?: string;
};

const APPS_PER_NAMESPACE = 50;
const BY = 'bench';

/** Fills the store of a model directly: every app has a budget, and its pods are dealt to the nodes in turn. */
export function fill({ api, timeline, dice, wake }: ServedModel, crowd: Crowd): void {
  const { registry } = api;
  const make = (id: string, draft: Draft) => {
    const made = registry.create(id, draft, { by: BY });
    if (!made.ok) throw new Error(made.failure.message);
    return made.value;
  };
  const namespaces = Math.ceil(crowd.budgets / APPS_PER_NAMESPACE);
  const teams = Array.from({ length: namespaces }, (_, index) => `team-${index}`);
  for (const name of ['default', 'kube-system', 'drydock-system', 'drydock-jobs', ...teams]) {
    make('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  const now = stamp(timeline.now());
  const nodeNames = Array.from({ length: crowd.nodes }, (_, index) => `worker-${String(index).padStart(5, '0')}`);
  for (const name of nodeNames) {
    const { metadata } = make('nodes', fakeNode({ name, kubeletVersion: crowd.version ?? TO }, dice));
    registry.write<NodeObject>('nodes', metadata.name, BY, (before) => ({
      ...before,
      spec: { taints: [] },
      status: {
        ...before.status,
        conditions: [
          { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now },
        ],
      },
    }));
  }
  const each = Math.ceil(crowd.pods / crowd.budgets);
  for (let app = 0; app < crowd.budgets; app += 1) {
    const replicas = Math.max(0, Math.min(each, crowd.pods - app * each));
    const namespace = teams[Math.floor(app / APPS_PER_NAMESPACE)] ?? '';
    make('poddisruptionbudgets.policy', budgetOf(`app-${app}`, namespace, replicas, crowd.allows));
    const podOf = templateOf(`app-${app}`, namespace, dice.uuid(), now);
    for (let index = 0; index < replicas; index += 1) {
      make('pods', podOf(index, nodeNames[(app * each + index) % nodeNames.length] ?? ''));
    }
  }
  wake();
}

function budgetOf(name: string, namespace: string, replicas: number, allows: number): Draft {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace },
    spec: { maxUnavailable: allows, selector: { matchLabels: { app: name } } },
    status: {
      observedGeneration: 1,
      disruptionsAllowed: allows,
      currentHealthy: replicas,
      desiredHealthy: replicas - allows,
      expectedPods: replicas,
      conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', observedGeneration: 1 }],
    },
  };
}

/** Pods as large as common ones are: about 6 KB of JSON without managed fields. */
function templateOf(
  app: string,
  namespace: string,
  owner: string,
  now: string,
): (index: number, node: string) => Draft {
  const hash = owner.slice(0, 8);
  const labels = { app, 'app.kubernetes.io/part-of': namespace, 'pod-template-hash': hash, tier: 'backend' };
  const words = Array.from({ length: 24 }, (_, at) => ({ name: `SETTING_${at}`, value: `the value of setting ${at}` }));
  const probe = { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 1 };
  const container = (name: string) => ({
    name,
    image: `registry.example.com/${namespace}/${name}:1.24.7`,
    env: words,
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    livenessProbe: probe,
    readinessProbe: probe,
    volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }],
    terminationMessagePath: '/dev/termination-log',
    imagePullPolicy: 'IfNotPresent',
  });
  const containers = [container(app), container('proxy')];
  const volumes = [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }];
  const types = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'];
  const conditions = types.map((type) => ({ type, status: 'True', lastTransitionTime: now }));
  const containerStatuses = containers.map(({ name, image }) => ({
    name,
    image,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: now } },
  }));
  const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-${hash}`, uid: owner };
  const ownerReferences = [{ ...reference, controller: true, blockOwnerDeletion: true }];
  return (index, nodeName) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${app}-${hash}-${String(index).padStart(5, '0')}`, namespace, labels, ownerReferences },
    spec: { nodeName, containers, volumes, serviceAccountName: 'default', terminationGracePeriodSeconds: 30 },
    status: { phase: 'Running', qosClass: 'Burstable', startTime: now, conditions, containerStatuses },
  });
}
