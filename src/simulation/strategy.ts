import { same } from './equal.ts';
import type { KubeObject, Meta, NodeObject, PodObject } from './objects.ts';
import type { Resource } from './resources.ts';

/** Whether an object may be replaced without saying which revision it was read at (AllowUnconditionalUpdate). */
export function isFree({ id, definition }: Resource): boolean {
  return definition === undefined && !GUARDED.includes(id);
}

const GUARDED = ['leases.coordination.k8s.io', 'poddisruptionbudgets.policy'];

/** Whether a PUT of what is not there makes it (AllowCreateOnUpdate). */
export function isMadeByPut({ id }: Resource): boolean {
  return id === 'leases.coordination.k8s.io';
}

/** Whether a deletion is answered with the object even when it is gone, instead of a Status (ReturnDeletedObject). */
export function comesBack({ id }: Resource): boolean {
  return RETURNED.includes(id);
}

const RETURNED = [
  'pods',
  'namespaces',
  'services',
  'serviceaccounts',
  'persistentvolumes',
  'persistentvolumeclaims',
  'volumeattachments.storage.k8s.io',
];

/**
 * What an update may change: the main path everything but the status. The status path changes the status, and of the kinds
 * of Kubernetes also the metadata: their strategies keep nothing but the spec.
 */
export function prepared(
  resource: Resource,
  before: KubeObject,
  asked: KubeObject,
  subresource: 'status' | undefined,
): KubeObject {
  const { apiVersion, kind } = before;
  if (subresource === 'status') {
    const status = asked.status ?? (resource.definition === undefined ? {} : undefined);
    if (resource.definition !== undefined) return { ...before, status };
    const { labels, ownerReferences } = before.metadata;
    const kept = {
      ...(resource.id === 'deployments.apps' ? { labels } : {}),
      ...(resource.id === 'pods' ? { ownerReferences } : {}),
    };
    return { ...before, status, metadata: { ...ofServer(before, asked), ...kept } };
  }
  const status = resource.hasStatus ? { status: before.status } : {};
  return { ...asked, ...status, apiVersion, kind, metadata: ofServer(before, asked) };
}

/** The metadata that was asked for, but for what only the API server writes. */
function ofServer(before: KubeObject, asked: KubeObject): Meta {
  const { name, namespace, uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = before.metadata;
  const { generation, resourceVersion } = before.metadata;
  return {
    ...asked.metadata,
    name,
    namespace,
    uid,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    generation,
    resourceVersion,
  } as Meta;
}

/** Counts a change of the spec where changes are counted. A pod's node is given by a binding, which is no change. */
export function counted<T extends KubeObject>(resource: Resource, before: T, after: T): T {
  if (!resource.counts || same(before.spec, after.spec)) return after;
  if (resource.id === 'pods' && same(unbound(before), unbound(after))) return after;
  return { ...after, metadata: { ...after.metadata, generation: (before.metadata.generation ?? 0) + 1 } };
}

function unbound(pod: KubeObject) {
  return { ...(pod as PodObject).spec, nodeName: undefined };
}

/** An object as it is stored: what is empty or false is left out, as the types of Kubernetes leave it out. */
export function stored(resource: Resource, object: KubeObject): KubeObject {
  const { metadata } = object;
  const hasEmpty = MAY_BE_EMPTY.some((field) => metadata[field] !== undefined && isEmpty(metadata[field]));
  const full = hasEmpty
    ? (Object.fromEntries(
        Object.entries(metadata).filter(
          ([field, value]) => !(MAY_BE_EMPTY.includes(field as Filled) && isEmpty(value)),
        ),
      ) as Meta)
    : metadata;
  const slim = full === metadata ? object : { ...object, metadata: full };
  if (resource.id !== 'nodes') return slim;
  const { unschedulable, ...spec } = (slim.spec ?? {}) as NodeObject['spec'];
  return unschedulable === true ? slim : { ...slim, spec };
}

type Filled = 'labels' | 'annotations' | 'finalizers' | 'ownerReferences';
const MAY_BE_EMPTY: readonly Filled[] = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}
