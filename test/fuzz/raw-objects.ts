import type { Kind } from '../../src/core/world.ts';

const metadata = {
  name: 'one',
  namespace: 'kube-system',
  uid: 'uid-1',
  resourceVersion: '7',
  generation: 3,
  creationTimestamp: '2026-11-20T10:00:00Z',
  deletionTimestamp: '2026-11-21T10:00:00Z',
  labels: { component: 'etcd', 'node-role.kubernetes.io/control-plane': '', app: 'web' },
  annotations: { 'drydock.dev/hold': 'yes', 'kubernetes.io/config.mirror': 'a', other: 'b' },
  finalizers: ['a.b/c'],
  ownerReferences: [
    { apiVersion: 'v1', kind: 'Other', name: 'x', uid: 'y' },
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'rs', controller: true },
  ],
};

/** Objects as an API server sends them, in which every field says something that its absence would not. */
export const REAL: { readonly [K in Kind]: { readonly [part: string]: unknown } } = {
  Node: {
    metadata,
    spec: { unschedulable: true, taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }, { key: 'c' }] },
    status: {
      conditions: [
        { type: 'DiskPressure', status: 'False' },
        { type: 'Ready', status: 'True', lastTransitionTime: '2026-11-21T10:00:00Z' },
      ],
      nodeInfo: { bootID: 'boot', machineID: 'machine', kubeletVersion: 'v1.36.4' },
    },
  },
  Pod: {
    metadata,
    spec: {
      nodeName: 'worker-1',
      containers: [{ name: 'etcd', image: 'registry.k8s.io/etcd:3.6.5-0@sha256:0' }],
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'b', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'c', ephemeral: { volumeClaimTemplate: {} } },
      ],
    },
    status: {
      phase: 'Running',
      conditions: [
        { type: 'Initialized', status: 'True' },
        { type: 'Ready', status: 'True' },
      ],
      containerStatuses: [{ state: { terminated: { exitCode: 3, message: 'no disk', reason: 'Error' } } }],
    },
  },
  PodDisruptionBudget: {
    metadata,
    spec: {
      minAvailable: 1,
      maxUnavailable: '20%',
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['b', 'c'] }] },
    },
    status: {
      observedGeneration: 3,
      disruptionsAllowed: 1,
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
    },
  },
  Job: {
    metadata,
    spec: { suspend: true },
    status: {
      active: 1,
      conditions: [
        { type: 'Suspended', status: 'False' },
        { type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'too late' },
      ],
      uncountedTerminatedPods: { succeeded: [], failed: [] },
    },
  },
  DaemonSet: { metadata },
  Namespace: { metadata },
  VolumeAttachment: {
    metadata,
    spec: { nodeName: 'worker-1', source: { persistentVolumeName: 'pv-1' } },
    status: { attached: true },
  },
  PersistentVolumeClaim: { metadata, spec: { volumeName: 'pv-1' } },
  MaintenanceWindow: {
    metadata,
    spec: { timeZone: 'Asia/Seoul', openings: [{ schedule: '0 22 * * *', durationMinutes: 60 }] },
    status: { open: true, conditions: [] },
  },
  MaintenanceProfile: {
    metadata,
    spec: {
      image: `ghcr.io/example/drydock-node@sha256:${'a'.repeat(64)}`,
      commands: { worker: ['/drydock/kubeadm-apt', 'node'] },
    },
  },
  MaintenancePolicy: {
    metadata: { ...metadata, name: 'cluster' },
    spec: { maxUnavailable: '20%' },
    status: { tickets: [] },
  },
  ClusterUpgrade: {
    metadata,
    spec: {
      profileName: 'kubeadm-apt',
      target: { kubernetesVersion: 'v1.36.4' },
      nodes: { selector: {} },
      windowNames: [],
    },
  },
  NodeMaintenance: {
    metadata,
    spec: { nodeName: 'worker-1', hold: true, reason: 'replace a fan' },
    status: { state: { phase: 'Pending' } },
  },
};

/** The way to a part of an object. */
export type Path = readonly string[];

/** The ways to all parts of an object. */
export function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, each]) => pathsOf(each, [...path, key]))];
}

/** An object in which one part is another value, or is not there (`undefined`). */
export function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((each, index) => (`${index}` === key ? replaced(each, rest, by) : each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      if (name !== key) return [[name, each]];
      const next = replaced(each, rest, by);
      return next === undefined ? [] : [[name, next]];
    }),
  );
}
