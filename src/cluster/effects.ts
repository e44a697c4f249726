import { POLICY_NAME } from '../api/maintenance-policy.ts';
import { API_VERSION } from '../api/resource.ts';
import { type Effect, type StatusWrite, tainted } from '../core/effect.ts';
import { PASSAGE_FINALIZER } from '../core/node-pending.ts';
import type { Kind, OwnKind } from '../core/world.ts';
import { type Below, OWN_KINDS, PLACES, type Place, pathOf, RELEASED } from './kinds.ts';
import type { Asked } from './outcomes.ts';
import type { Permission, Verb } from './permission.ts';

/** A request as it goes out. */
export type Sent = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** What it is about, without names: for counters. */
  readonly resource: string;
  readonly contentType?: string;
  readonly body?: unknown;
};

/** Which namespace the Jobs are in. */
export type Names = { readonly jobsNamespace: string };

type Of<E extends Effect['kind']> = Extract<Effect, { kind: E }>;

/** Everything about one effect: how it is asked for, what keeps it harmless when it comes twice or late, what it may do. */
export type Entry<E> = {
  readonly request: (effect: E, names: Names) => Sent;
  /** By what the API server tells that the world is still the one that was decided on. */
  readonly guard: 'resourceVersion' | 'uid' | 'uid and resourceVersion' | 'name';
  readonly asked: Asked;
  readonly needs: readonly Permission[];
};

const KEPT_KINDS = ['ClusterUpgrade', 'NodeMaintenance', 'MaintenancePolicy'] as const satisfies readonly OwnKind[];

/**
 * The table of requests behind the union of effects. RBAC is generated from it: a right that no entry names, Drydock does
 * not have. There is no entry that deletes a pod.
 */
export const EFFECTS: { readonly [E in Effect['kind']]: Entry<Of<E>> } = {
  patchNode: {
    // Taints too are safe under this guard, and by nothing else (kubernetes pkg/controller/controller_utils.go, PatchNodeTaints).
    request: ({ nodeName, resourceVersion, unschedulable, taints, labels, annotations }) =>
      patch(
        'Node',
        { name: nodeName },
        {
          metadata: { resourceVersion, ...(labels && { labels }), ...(annotations && { annotations }) },
          ...(unschedulable === undefined && taints === undefined
            ? {}
            : {
                spec: {
                  ...(unschedulable === undefined ? {} : { unschedulable }),
                  ...(taints && { taints: tainted(taints) }),
                },
              }),
        },
      ),
    guard: 'resourceVersion',
    asked: 'other',
    needs: [needs('Node', 'patch')],
  },
  evict: {
    request: ({ gracePeriodSeconds, ...of }) =>
      eviction(
        of,
        // 0 would be a force delete, which takes the pod out of the books while it still runs.
        gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: Math.max(1, Math.floor(gracePeriodSeconds)) },
      ),
    guard: 'uid',
    asked: 'evict',
    needs: [{ ...needs('Pod', 'create'), subresource: 'eviction' }],
  },
  tryEvict: {
    request: (of) => {
      const { path, ...sent } = eviction(of, { dryRun: ['All'] });
      // In the address as well: audit logs and proxies tell it from an eviction by that.
      return { path: `${path}?dryRun=All`, ...sent };
    },
    guard: 'uid',
    asked: 'evict',
    needs: [{ ...needs('Pod', 'create'), subresource: 'eviction' }],
  },
  createJob: {
    request: ({ name, manifest }, { jobsNamespace }) =>
      send(
        'POST',
        'Job',
        { namespace: jobsNamespace },
        {
          ...manifest,
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { ...(manifest['metadata'] as object | undefined), name, namespace: jobsNamespace },
        },
      ),
    guard: 'name',
    asked: 'create',
    needs: [needs('Job', 'create')],
  },
  releaseJob: {
    request: ({ name, uid, resourceVersion }, { jobsNamespace }) =>
      patch(
        'Job',
        { namespace: jobsNamespace, name },
        // In the same patch, so that whoever finds it suspended later knows that it was let go before.
        { metadata: { uid, resourceVersion, annotations: { [RELEASED]: 'true' } }, spec: { suspend: false } },
      ),
    guard: 'uid and resourceVersion',
    asked: 'other',
    needs: [needs('Job', 'patch')],
  },
  deleteJob: {
    request: ({ name, uid, resourceVersion }, { jobsNamespace }) =>
      remove('Job', { namespace: jobsNamespace, name }, { uid, ...(resourceVersion && { resourceVersion }) }),
    guard: 'uid',
    asked: 'other',
    needs: [needs('Job', 'delete')],
  },
  createPassage: {
    request: ({ name, labels, owner, spec }) =>
      send(
        'POST',
        'NodeMaintenance',
        {},
        {
          apiVersion: API_VERSION,
          kind: 'NodeMaintenance',
          metadata: {
            name,
            labels,
            finalizers: [PASSAGE_FINALIZER],
            // To block the owner's deletion would ask for the right to write its finalizers, and the owner has its own.
            ownerReferences: [{ apiVersion: API_VERSION, ...owner, controller: true, blockOwnerDeletion: false }],
          },
          spec,
        },
      ),
    guard: 'name',
    asked: 'create',
    needs: [needs('NodeMaintenance', 'create')],
  },
  deletePassage: {
    request: ({ name, uid }) => remove('NodeMaintenance', { name }, { uid }),
    guard: 'uid',
    asked: 'other',
    needs: [needs('NodeMaintenance', 'delete')],
  },
  createPolicy: {
    request: ({ name }) =>
      send(
        'POST',
        'MaintenancePolicy',
        {},
        {
          apiVersion: API_VERSION,
          kind: 'MaintenancePolicy',
          metadata: { name },
          spec: {},
        },
      ),
    guard: 'name',
    asked: 'create',
    needs: [needs('MaintenancePolicy', 'create')],
  },
  setFinalizers: {
    request: ({ of, name, uid, resourceVersion, finalizers }) =>
      patch(of, { name }, { metadata: { uid, resourceVersion, finalizers } }),
    guard: 'uid and resourceVersion',
    asked: 'other',
    needs: KEPT_KINDS.map((kind) => needs(kind, 'patch')),
  },
  writeLedger: {
    request: ({ uid, resourceVersion, status }) =>
      STATUS.request(
        { of: 'MaintenancePolicy', name: POLICY_NAME, uid, resourceVersion, status },
        { jobsNamespace: '' },
      ),
    guard: 'uid and resourceVersion',
    asked: 'other',
    needs: [{ ...needs('MaintenancePolicy', 'update'), subresource: 'status' }],
  },
};

/**
 * How a status is written: whole, and nothing else with it. The API server takes everything but the status from the stored
 * object, after it has compared UID and resourceVersion (apiextensions-apiserver status_strategy.go, PrepareForUpdate).
 */
export const STATUS: Entry<StatusWrite> = {
  request: ({ of, name, uid, resourceVersion, status }) =>
    send(
      'PUT',
      of,
      { name, subresource: 'status' },
      {
        apiVersion: API_VERSION,
        kind: of,
        metadata: { name, uid, resourceVersion },
        status,
      },
    ),
  guard: 'uid and resourceVersion',
  asked: 'other',
  needs: OWN_KINDS.map((kind) => ({ ...needs(kind, 'update'), subresource: 'status' })),
};

/** The request behind an effect and what its answer means. */
export function requestOf<E extends Effect['kind']>(
  effect: Of<E>,
  names: Names,
): { readonly sent: Sent; readonly asked: Asked } {
  const entry = EFFECTS[effect.kind as E];
  return { sent: entry.request(effect, names), asked: entry.asked };
}

/** The right to one verb on a kind, where the kind is seen. */
export function needs(kind: Kind, verb: Verb): Permission {
  const { group, plural, namespaces }: Place = PLACES[kind];
  return { apiGroup: group, resource: plural, verb, ...(namespaces === 'jobs' ? { namespace: 'jobs' } : {}) };
}

function send(method: Sent['method'], kind: Kind, below: Below, body: unknown, contentType = 'application/json'): Sent {
  const { plural } = PLACES[kind];
  const resource = below.subresource === undefined ? plural : `${plural}/${below.subresource}`;
  return { method, path: pathOf(PLACES[kind], below), resource, contentType, body };
}

function eviction({ namespace, pod, uid }: Pick<Of<'evict'>, 'namespace' | 'pod' | 'uid'>, options: object): Sent {
  return send(
    'POST',
    'Pod',
    { namespace, name: pod, subresource: 'eviction' },
    {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod, namespace },
      deleteOptions: { preconditions: { uid }, ...options },
    },
  );
}

function patch(kind: Kind, below: Below, body: unknown): Sent {
  return send('PATCH', kind, below, body, 'application/merge-patch+json');
}

function remove(
  kind: Kind,
  below: Below,
  preconditions: { readonly uid: string; readonly resourceVersion?: string },
): Sent {
  return send('DELETE', kind, below, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions,
    propagationPolicy: 'Background',
  });
}
