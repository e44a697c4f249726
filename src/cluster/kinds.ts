import { NODE_UID_LABEL, UPGRADE_LABEL } from '../api/node-maintenance.ts';
import { GROUP, VERSION } from '../api/resource.ts';
import { PASSAGE_LABEL } from '../core/job.ts';
import type { Kind, OwnKind, World } from '../core/world.ts';

/** The annotation of a Job that Drydock has released. */
export const RELEASED = 'drydock.dev/released';

/** Where the objects of a kind stand in the API. */
export type Place = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** Absent: cluster-scoped. `all`: of every namespace. `jobs`: only of the namespace of the Jobs. */
  readonly namespaces?: 'all' | 'jobs';
};

const own = (plural: string): Place => ({ group: GROUP, version: VERSION, plural });

/** The place of each kind that Drydock sees. */
export const PLACES: { readonly [K in Kind]: Place } = {
  Node: { group: '', version: 'v1', plural: 'nodes' },
  Pod: { group: '', version: 'v1', plural: 'pods', namespaces: 'all' },
  PodDisruptionBudget: { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets', namespaces: 'all' },
  Job: { group: 'batch', version: 'v1', plural: 'jobs', namespaces: 'jobs' },
  DaemonSet: { group: 'apps', version: 'v1', plural: 'daemonsets', namespaces: 'all' },
  Namespace: { group: '', version: 'v1', plural: 'namespaces' },
  VolumeAttachment: { group: 'storage.k8s.io', version: 'v1', plural: 'volumeattachments' },
  PersistentVolumeClaim: { group: '', version: 'v1', plural: 'persistentvolumeclaims', namespaces: 'all' },
  MaintenanceWindow: own('maintenancewindows'),
  MaintenanceProfile: own('maintenanceprofiles'),
  MaintenancePolicy: own('maintenancepolicies'),
  ClusterUpgrade: own('clusterupgrades'),
  NodeMaintenance: own('nodemaintenances'),
};

/** Every kind that Drydock sees. */
export const SEEN_KINDS = Object.keys(PLACES) as readonly Kind[];

/** The kinds that carry a status of Drydock's. */
export const OWN_KINDS: readonly OwnKind[] = [
  'MaintenanceWindow',
  'MaintenanceProfile',
  'MaintenancePolicy',
  'ClusterUpgrade',
  'NodeMaintenance',
];

type Index<V> = (view: V) => string | undefined;

/** By what the objects of a kind are found, other than by key. */
export const INDEXES: { readonly [K in Kind]: { readonly [index: string]: Index<World[K]> } } = {
  Node: {},
  Pod: {
    node: ({ nodeName }) => (nodeName === '' ? undefined : nodeName),
    namespace: ({ namespace }) => namespace,
    'owner-job': ({ controller }) => (controller?.kind === 'Job' ? controller.uid : undefined),
  },
  PodDisruptionBudget: { namespace: ({ namespace }) => namespace },
  Job: { passage: ({ labels }) => labels[PASSAGE_LABEL], node: ({ labels }) => labels[NODE_UID_LABEL] },
  DaemonSet: {},
  Namespace: {},
  VolumeAttachment: { node: ({ nodeName }) => nodeName },
  PersistentVolumeClaim: {},
  MaintenanceWindow: {},
  MaintenanceProfile: {},
  MaintenancePolicy: {},
  ClusterUpgrade: {},
  NodeMaintenance: {
    upgrade: ({ labels }) => labels[UPGRADE_LABEL],
    node: (passage) => (passage.readable ? passage.spec.nodeName : undefined),
  },
};

/** What a live list asks the API server to leave out; what it cannot leave out is left out after. */
export type Narrowed = { readonly namespace?: string; readonly query?: Readonly<Record<string, string>> };

const NARROW: { readonly [K in Kind]?: { readonly [index: string]: (value: string) => Narrowed } } = {
  Pod: {
    node: (name) => ({ query: { fieldSelector: `spec.nodeName=${name}` } }),
    namespace: (namespace) => ({ namespace }),
    'owner-job': (uid) => ({ query: { labelSelector: `batch.kubernetes.io/controller-uid=${uid}` } }),
  },
  PodDisruptionBudget: { namespace: (namespace) => ({ namespace }) },
  Job: {
    passage: (uid) => ({ query: { labelSelector: `${PASSAGE_LABEL}=${uid}` } }),
    node: (uid) => ({ query: { labelSelector: `${NODE_UID_LABEL}=${uid}` } }),
  },
  NodeMaintenance: { upgrade: (name) => ({ query: { labelSelector: `${UPGRADE_LABEL}=${name}` } }) },
};

/** How a list of what is filed under one value is asked for. */
export function narrowed(kind: Kind, index: string, value: string): Narrowed {
  return NARROW[kind]?.[index]?.(value) ?? {};
}

/** Names the part of a path that stands below a place. */
export type Below = {
  readonly namespace?: string | undefined;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: Readonly<Record<string, string>>;
};

/** The path of a request about objects of one place. */
export function pathOf({ group, version, plural }: Place, { namespace, name, subresource, query }: Below): string {
  const parts = [
    ...(group === '' ? ['api'] : ['apis', group]),
    version,
    ...(namespace === undefined ? [] : ['namespaces', encodeURIComponent(namespace)]),
    plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  const asked = query === undefined ? '' : new URLSearchParams(query).toString();
  return `/${parts.join('/')}${asked === '' ? '' : `?${asked}`}`;
}
