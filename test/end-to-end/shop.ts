import type { FakeNode } from '../control-plane/nodes.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const API = 'drydock.dev/v1alpha1';
/** The repository that the policy of the tests allows. */
export const REPOSITORY = 'ghcr.io/drydock-dev/drydock-node';

type Spec = Readonly<Record<string, unknown>>;

/** Workers, and control planes named cp-1, cp-2 …, at an older release than the API server's. */
export function nodes(workers: number, controlPlanes = 0): readonly FakeNode[] {
  const older = { kubeletVersion: 'v1.35.7' };
  return [
    ...Array.from({ length: controlPlanes }, (_, i) => ({
      name: `cp-${i + 1}`,
      controlPlane: true,
      controlPlaneVersion: 'v1.36.4',
      ...older,
    })),
    ...Array.from({ length: workers }, (_, i) => ({ name: `worker-${i + 1}`, ...older })),
  ];
}

const metadata = (name: string, namespace = 'shop') => ({ name, namespace });

function template(app: string, annotations: Readonly<Record<string, string>> = {}) {
  return {
    metadata: { labels: { app }, annotations },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: app, image: `shop/${app}` }] },
  };
}

/** A Deployment with its budget. */
export function deployment(
  app: string,
  replicas: number,
  budget?: Spec,
  annotations?: Readonly<Record<string, string>>,
): readonly unknown[] {
  const spec = { replicas, selector: { matchLabels: { app } }, template: template(app, annotations) };
  return [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadata(app), spec }, ...pdb(app, budget)];
}

/** A StatefulSet with its budget. */
export function statefulSet(
  app: string,
  replicas: number,
  budget?: Spec,
  annotations?: Readonly<Record<string, string>>,
): readonly unknown[] {
  const spec = {
    replicas,
    serviceName: app,
    podManagementPolicy: 'Parallel',
    selector: { matchLabels: { app } },
    template: template(app, annotations),
  };
  return [{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: metadata(app), spec }, ...pdb(app, budget)];
}

/** A DaemonSet on every node. */
export function daemonSet(app: string): readonly unknown[] {
  const { spec, ...rest } = template(app);
  const tolerant = { ...rest, spec: { ...spec, tolerations: [{ operator: 'Exists' }] } };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: metadata(app),
      spec: { selector: { matchLabels: { app } }, template: tolerant },
    },
  ];
}

/** A budget over the pods of an app. */
export function pdb(app: string, budget: Spec | undefined): readonly unknown[] {
  if (budget === undefined) return [];
  const spec = { ...budget, selector: { matchLabels: { app } } };
  return [{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: metadata(app), spec }];
}

/** A profile that gives nodes back quickly. */
export function profile(spec: Spec = {}, name = 'quick'): unknown {
  return {
    apiVersion: API,
    kind: 'MaintenanceProfile',
    metadata: { name },
    spec: {
      image: `${REPOSITORY}@${DIGEST}`,
      commands: { firstControlPlane: ['/drydock/node', 'apply'], worker: ['/drydock/node'] },
      readySeconds: 1,
      ...spec,
    },
  };
}

/** The policy, which lets the image of the tests run. */
export function policy(spec: Spec = {}): unknown {
  return {
    apiVersion: API,
    kind: 'MaintenancePolicy',
    metadata: { name: 'cluster' },
    spec: { maxUnavailable: 2, images: [REPOSITORY], ...spec },
  };
}

/** An upgrade of all nodes to a release. */
export function upgrade(spec: Spec = {}, name = 'to-1-36'): unknown {
  return {
    apiVersion: API,
    kind: 'ClusterUpgrade',
    metadata: { name },
    spec: {
      profileName: 'quick',
      target: { kubernetesVersion: 'v1.36.4' },
      nodes: { selector: {} },
      windowNames: [],
      rollout: { maxUnavailable: 2 },
      ...spec,
    },
  };
}

/** A window that is open or closed for as long as a test lasts. */
export function window(name: string, isOpen: boolean, spec: Spec = {}): unknown {
  const opening = isOpen
    ? { from: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' }
    : { from: '2099-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' };
  return {
    apiVersion: API,
    kind: 'MaintenanceWindow',
    metadata: { name },
    spec: { timeZone: 'Etc/UTC', openings: [opening], ...spec },
  };
}

/** A node taken out by hand. */
export function hold(name: string, nodeName: string, spec: Spec = {}): unknown {
  return {
    apiVersion: API,
    kind: 'NodeMaintenance',
    metadata: { name },
    spec: { nodeName, hold: true, reason: 'replace a fan', ...spec },
  };
}
