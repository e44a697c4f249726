import type { KubeObject } from '../../src/simulation/objects.ts';

const API = '/apis/drydock.dev/v1alpha1';

const COLLECTIONS: { readonly [kind: string]: string } = {
  Namespace: '/api/v1/namespaces',
  Deployment: '/apis/apps/v1/namespaces/*/deployments',
  StatefulSet: '/apis/apps/v1/namespaces/*/statefulsets',
  DaemonSet: '/apis/apps/v1/namespaces/*/daemonsets',
  Job: '/apis/batch/v1/namespaces/*/jobs',
  Pod: '/api/v1/namespaces/*/pods',
  PersistentVolumeClaim: '/api/v1/namespaces/*/persistentvolumeclaims',
  PodDisruptionBudget: '/apis/policy/v1/namespaces/*/poddisruptionbudgets',
  MaintenancePolicy: `${API}/maintenancepolicies`,
  MaintenanceProfile: `${API}/maintenanceprofiles`,
  MaintenanceWindow: `${API}/maintenancewindows`,
  ClusterUpgrade: `${API}/clusterupgrades`,
};

/** Where an object of a scene is made. */
export function collectionOf(object: unknown): string {
  const { kind, metadata } = object as KubeObject;
  const found = COLLECTIONS[kind];
  if (found === undefined) throw new Error(`impossible: a scene has no ${kind}`);
  return found.replace('*', metadata.namespace ?? '');
}
