import { badRequest, conflict, type Did, did, invalid, wrong } from './failure.ts';
import { type KubeObject, type PodObject, stamp } from './objects.ts';
import type { DeleteOptions, Draft, Writing } from './registry.ts';
import type { Request } from './request.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import type { Route } from './route.ts';
import { comesBack } from './strategy.ts';

/** Gives a pod its node; it can have one only once. */
export function bind(pod: PodObject, nodeName: string, now: number): Did<PodObject> {
  const { name } = pod.metadata;
  const binding = { plural: 'pods/binding', group: '' };
  if (pod.metadata.deletionTimestamp !== undefined) {
    return conflict(binding, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (pod.spec.nodeName) {
    return conflict(binding, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  }
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: stamp(now) } as const;
  const others = (pod.status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  const after = {
    ...pod,
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions: [...others, scheduled] },
  };
  return did(after);
}

/** Who writes, and whether it is meant. */
export function writingOf({ user }: Request, { query }: Route): Writing {
  return { by: user, ...(query.get('dryRun') === 'All' ? { dryRun: true } : {}) };
}

/** Whether a resource has such a path below it. */
export function knows(resource: Resource, subresource: string): boolean {
  return (subresource === 'status' && resource.hasStatus) || resource.subresources.includes(subresource);
}

/** What a patch may not change, it must not even name otherwise. */
export function patched(before: KubeObject, after: unknown, resource: Resource): Did<KubeObject> {
  const whole = after as KubeObject;
  const { uid, name } = whole.metadata;
  if (uid !== before.metadata.uid) {
    const cause = wrong('metadata.uid', `Invalid value: "${uid}": field is immutable`);
    return invalid(resource, before.metadata.name, [cause]);
  }
  if (name !== before.metadata.name) {
    return badRequest(`the name of the object (${name}) does not match the name on the URL (${before.metadata.name})`);
  }
  return did(whole);
}

/** The object that a request carries, if it may stand where it is sent. */
export function draftOf({ body }: Request, resource: Resource, namespace: string | undefined): Did<Draft> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return badRequest('the body must be an object');
  const draft = body as Draft;
  const wanted = apiVersionOf(resource);
  if ((draft.kind ?? resource.kind) !== resource.kind || (draft.apiVersion ?? wanted) !== wanted) {
    return badRequest(
      `the API version in the data (${draft.apiVersion}/${draft.kind}) does not match the expected API version (${wanted}/${resource.kind})`,
    );
  }
  const own = draft.metadata?.namespace;
  if (own !== undefined && namespace !== undefined && own !== namespace) {
    return badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const { namespace: _, ...metadata } = draft.metadata ?? {};
  return did({ ...draft, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } });
}

/** A new object without the status it came with: only that of a node is taken. */
export function fresh(draft: Draft, { id }: Resource): Draft {
  if (id === 'nodes') return draft;
  const { status: _, ...bare } = draft;
  return bare;
}

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** What must hold when something is deleted, and how. */
export function deleteOptions(body: unknown): Did<DeleteOptions> {
  const options = (body ?? {}) as DeleteOptions;
  const { propagationPolicy } = options;
  if (propagationPolicy === undefined || POLICIES.includes(propagationPolicy)) return did(options);
  const values = [...POLICIES, 'nil'].map((each) => JSON.stringify(each)).join(', ');
  const text = `Unsupported value: "${propagationPolicy}": supported values: ${values}`;
  const about = { plural: '', group: 'meta.k8s.io', kind: 'DeleteOptions' };
  return invalid(about, '', [wrong('propagationPolicy', text, 'FieldValueNotSupported')]);
}

/** The answer to a deletion: the object as long as it stays, or comes back anyway; otherwise what it was. */
export function deletion(resource: Resource, object: KubeObject): unknown {
  const { name, uid, deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  const stays = deletionTimestamp !== undefined && (finalizers.length > 0 || deletionGracePeriodSeconds > 0);
  if (stays || comesBack(resource)) return object;
  const { plural: kind, group } = resource;
  const details = { name, ...(group === '' ? {} : { group }), kind, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
