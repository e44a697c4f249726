import type { z } from 'zod';
import { KINDS } from '../api/crd.ts';
import { type Column, GROUP, type ResourceDefinition, VERSION } from '../api/resource.ts';

/** One resource that the model serves. */
export type Resource = {
  /** As the store files it: plural, with the group where there is one. */
  readonly id: string;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** Whether status is written through a path of its own. */
  readonly hasStatus: boolean;
  /** Whether `metadata.generation` counts the changes of the spec. */
  readonly counts: boolean;
  readonly subresources: readonly string[];
  readonly categories: readonly string[];
  /** Of ours: what checks and completes it, and its columns. */
  readonly definition?: ResourceDefinition<z.ZodType, z.ZodType>;
  readonly columns?: readonly Column[];
};

type Shape = Partial<
  Pick<Resource, 'shortNames' | 'namespaced' | 'hasStatus' | 'counts' | 'subresources' | 'categories'>
>;

function resource(group: string, version: string, plural: string, kind: string, shape: Shape = {}): Resource {
  return {
    id: group === '' ? plural : `${plural}.${group}`,
    group,
    version,
    plural,
    singular: kind.toLowerCase(),
    kind,
    shortNames: [],
    namespaced: true,
    hasStatus: false,
    counts: false,
    subresources: [],
    categories: [],
    ...shape,
  };
}

const RUNS: Shape = { hasStatus: true, counts: true };
const OPEN: Shape = { namespaced: false };
const RBAC = 'rbac.authorization.k8s.io';

/** Everything that is served. What stands here is stored; what gives it life are the controllers of the model. */
export const RESOURCES: readonly Resource[] = [
  resource('', 'v1', 'nodes', 'Node', { namespaced: false, hasStatus: true, shortNames: ['no'] }),
  resource('', 'v1', 'pods', 'Pod', {
    hasStatus: true,
    counts: true,
    shortNames: ['po'],
    subresources: ['eviction', 'binding'],
    categories: ['all'],
  }),
  resource('', 'v1', 'namespaces', 'Namespace', { namespaced: false, hasStatus: true, shortNames: ['ns'] }),
  resource('', 'v1', 'events', 'Event', { shortNames: ['ev'] }),
  resource('', 'v1', 'configmaps', 'ConfigMap', { shortNames: ['cm'] }),
  resource('', 'v1', 'secrets', 'Secret'),
  resource('', 'v1', 'services', 'Service', { hasStatus: true, shortNames: ['svc'], categories: ['all'] }),
  resource('', 'v1', 'serviceaccounts', 'ServiceAccount', { shortNames: ['sa'] }),
  resource('', 'v1', 'persistentvolumes', 'PersistentVolume', {
    namespaced: false,
    hasStatus: true,
    shortNames: ['pv'],
  }),
  resource('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', { hasStatus: true, shortNames: ['pvc'] }),
  resource('apps', 'v1', 'deployments', 'Deployment', { ...RUNS, shortNames: ['deploy'], categories: ['all'] }),
  resource('apps', 'v1', 'replicasets', 'ReplicaSet', { ...RUNS, shortNames: ['rs'], categories: ['all'] }),
  resource('apps', 'v1', 'statefulsets', 'StatefulSet', { ...RUNS, shortNames: ['sts'], categories: ['all'] }),
  resource('apps', 'v1', 'daemonsets', 'DaemonSet', { ...RUNS, shortNames: ['ds'], categories: ['all'] }),
  resource('batch', 'v1', 'jobs', 'Job', { ...RUNS, categories: ['all'] }),
  resource('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget', { ...RUNS, shortNames: ['pdb'] }),
  resource('storage.k8s.io', 'v1', 'volumeattachments', 'VolumeAttachment', { namespaced: false, hasStatus: true }),
  resource('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  resource('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', { ...OPEN, shortNames: ['pc'] }),
  resource(RBAC, 'v1', 'clusterroles', 'ClusterRole', OPEN),
  resource(RBAC, 'v1', 'clusterrolebindings', 'ClusterRoleBinding', OPEN),
  resource(RBAC, 'v1', 'roles', 'Role'),
  resource(RBAC, 'v1', 'rolebindings', 'RoleBinding'),
  resource('admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', OPEN),
  resource(
    'admissionregistration.k8s.io',
    'v1',
    'validatingadmissionpolicybindings',
    'ValidatingAdmissionPolicyBinding',
    OPEN,
  ),
  resource('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', {
    namespaced: false,
    hasStatus: true,
    counts: true,
    shortNames: ['crd', 'crds'],
  }),
  ...KINDS.map((definition): Resource => {
    const { plural, kind, singular, shortName, columns } = definition;
    const shape = { ...RUNS, namespaced: false, shortNames: [shortName], categories: ['drydock'] };
    return { ...resource(GROUP, VERSION, plural, kind, shape), singular, definition, columns };
  }),
];

const BY_ID = new Map(RESOURCES.map((each) => [each.id, each]));

/** A resource that must be there. */
export function resourceOf(id: string): Resource {
  const found = BY_ID.get(id);
  if (found === undefined) throw new Error(`impossible: no resource ${id}`);
  return found;
}

/** The resource that a path names, if it is served. */
export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return RESOURCES.find((each) => each.group === group && each.version === version && each.plural === plural);
}

/** How an object of a resource says what it is: its version, with the group before it where there is one. */
export function apiVersionOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}
