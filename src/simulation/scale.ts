import { badRequest, type Did, did, notFound, refused } from './failure.ts';
import { keyOf, type LabelSelector, type WorkloadObject } from './objects.ts';
import { MERGE, mergePatch } from './patch.ts';
import type { Registry, Writing } from './registry.ts';
import type { Request } from './request.ts';
import type { Route } from './route.ts';

type Scale = {
  readonly metadata: { readonly resourceVersion?: string };
  readonly spec: { readonly replicas?: unknown };
};

/** Reads or writes the number of replicas of a workload, which is all that its path `scale` shows. */
export function scaled(registry: Registry, request: Request, route: Route, writing: Writing): Did<unknown> {
  const { resource, namespace = '', name = '' } = route;
  const key = `${namespace}/${name}`;
  const found = registry.get<WorkloadObject>(resource.id, key);
  if (found === undefined) return notFound(resource, name);
  const now = scaleOf(found);
  switch (request.method) {
    case 'GET':
      return did(now);
    case 'PUT':
      return write(registry, found, request.body as Scale, { resource: resource.id, writing });
    case 'PATCH': {
      if (request.contentType?.split(';')[0] !== MERGE) {
        const message = `the model patches the scale of ${resource.plural} with ${MERGE} only (it was ${request.contentType})`;
        return refused(415, 'UnsupportedMediaType', message);
      }
      return write(registry, found, mergePatch(now, request.body) as Scale, { resource: resource.id, writing });
    }
    default:
      return refused(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
  }
}

function write(
  registry: Registry,
  found: WorkloadObject,
  { metadata, spec }: Scale,
  { resource, writing }: { readonly resource: string; readonly writing: Writing },
): Did<unknown> {
  const { replicas = 0 } = spec ?? {};
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    return badRequest(`spec.replicas must be a whole number of at least 0 (it was ${JSON.stringify(replicas)})`);
  }
  const asked = metadata?.resourceVersion;
  const after = registry.update(resource, keyOf(found), writing, (before) =>
    did({
      ...before,
      metadata: { ...before.metadata, ...(asked === undefined ? {} : { resourceVersion: asked }) },
      spec: { ...(before as WorkloadObject).spec, replicas },
    }),
  );
  return after.ok ? did(scaleOf(after.value as WorkloadObject)) : after;
}

function scaleOf({ metadata, spec, status }: WorkloadObject) {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas ?? 1 },
    status: { replicas: status?.replicas ?? 0, selector: words(spec.selector) },
  };
}

function words({ matchLabels = {} }: LabelSelector): string {
  return Object.entries(matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}
