import { bind, deleteOptions, draftOf, knows, patched, writingOf } from './bodies.ts';
import type { Dice } from './dice.ts';
import type { Etcd, Snapshot, Written } from './etcd.ts';
import { evict, GRANTED } from './eviction.ts';
import { badRequest, type Did, did, type Failure, notFound, refused } from './failure.ts';
import { Lists } from './lists.ts';
import { type KubeObject, keyOf, type PodObject } from './objects.ts';
import { APPLY, JSON_PATCH, jsonPatch, MERGE, mergePatch, STRATEGIC, strategicPatch } from './patch.ts';
import { type DeleteOptions, Registry, type Writing } from './registry.ts';
import type { Request, Response, Watching } from './request.ts';
import { resourceOf } from './resources.ts';
import { type Route, routeOf } from './route.ts';
import type { Timeline } from './timeline.ts';
import { Watches } from './watches.ts';

/** What an API server is made of. */
export type ApiServerParts = {
  readonly etcd: Etcd;
  readonly timeline: Timeline;
  readonly dice: Dice;
  /** What it calls itself, as in v1.36.4. */
  readonly release: string;
  /** Hears of each request that was answered, at the instant of the answer. */
  readonly answered?: (request: Request, response: Response, route: Route | undefined) => void;
};

const COMPACTED_AFTER_MS = 300_000;

/**
 * The API server of the model: one request at a time, whole, against the present state. What it does not know it refuses
 * with a Status that says which request it was; it never pretends.
 */
export class ApiServer {
  readonly registry: Registry;
  readonly watches: Watches;
  readonly #parts: ApiServerParts;
  readonly #lists: Lists;
  #release: string;

  constructor(parts: ApiServerParts) {
    const { etcd, timeline, dice } = parts;
    this.#parts = parts;
    this.#release = parts.release;
    this.registry = new Registry({ etcd, now: () => timeline.now(), dice: dice.fork('registry') });
    this.watches = new Watches(etcd, timeline, dice.fork('watches'));
    this.#lists = new Lists(this.registry);
    this.#compact(etcd.revision);
  }

  /** The API server is another release from now on. */
  upgrade(release: string): void {
    this.#release = release;
  }

  /** Goes back to an earlier state of etcd, as a restore does while the API server is down. */
  restore(snapshot: Snapshot, bumpTo?: number): readonly Written[] {
    this.watches.endAll();
    this.#lists.forget();
    return this.#parts.etcd.restore(snapshot, bumpTo);
  }

  handle(request: Request): Response {
    const route = routeOf(request.path);
    const isNew = request.method === 'POST' || (request.contentType?.startsWith(APPLY) && !this.#has(route));
    const answer = this.#answer(request, route);
    const response = answer.ok ? { status: isNew ? 201 : 200, body: answer.value } : responseOf(answer.failure);
    this.#parts.answered?.(request, response, route);
    return response;
  }

  /** Opens a watch, or says why not. */
  watch(request: Request): Watching | Response {
    const route = routeOf(request.path);
    const opened = route === undefined || route.name !== undefined ? unserved(request) : this.watches.watch(route);
    const response = opened.ok ? { status: 200, body: undefined } : responseOf(opened.failure);
    this.#parts.answered?.(request, response, route);
    return opened.ok ? opened.value : response;
  }

  #answer(request: Request, route: Route | undefined): Did<unknown> {
    if (request.path.split('?')[0] === '/version') return did(versionOf(this.#release));
    if (route === undefined) return unserved(request);
    const { resource, name, subresource } = route;
    if (subresource !== undefined && !knows(resource, subresource)) return unserved(request);
    if (name === undefined) return this.#collection(request, route);
    const key = resource.namespaced ? `${route.namespace ?? ''}/${name}` : name;
    if (resource.namespaced && route.namespace === undefined) return unserved(request);
    if (subresource === 'eviction' || subresource === 'binding') return this.#posted(request, route, key);
    const writing: Writing = {
      ...writingOf(request, route),
      ...(subresource === 'status' ? { subresource: 'status' } : {}),
    };
    switch (request.method) {
      case 'GET': {
        const found = this.registry.get(resource.id, key);
        return found === undefined ? notFound(resource, name) : did(found);
      }
      case 'PUT':
        return this.#replace(request, route, key, writing);
      case 'PATCH':
        return this.#patch(request, route, key, writing);
      case 'DELETE':
        if (subresource !== undefined) return notAllowed();
        return this.registry.remove(resource.id, key, deleteOptions(request.body), writing);
      default:
        return notAllowed();
    }
  }

  #has(route: Route | undefined): boolean {
    const key = route?.namespace === undefined ? route?.name : `${route.namespace}/${route.name}`;
    return route !== undefined && this.registry.get(route.resource.id, key ?? '') !== undefined;
  }

  #collection(request: Request, route: Route): Did<unknown> {
    const { resource, namespace } = route;
    const writing = writingOf(request, route);
    switch (request.method) {
      case 'GET':
        return this.#lists.list(route);
      case 'POST': {
        if (resource.namespaced && namespace === undefined) return notAllowed();
        const draft = draftOf(request, resource, namespace);
        return draft.ok ? this.registry.create(resource.id, draft.value, writing) : draft;
      }
      case 'DELETE': {
        const all = this.#lists.list(route);
        if (!all.ok) return all;
        const options = deleteOptions(request.body);
        for (const object of all.value.items) this.registry.remove(resource.id, keyOf(object), options, writing);
        return all;
      }
      default:
        return notAllowed();
    }
  }

  #replace(request: Request, route: Route, key: string, writing: Writing): Did<KubeObject> {
    const draft = draftOf(request, route.resource, route.namespace);
    if (!draft.ok) return draft;
    const { name, resourceVersion } = draft.value.metadata;
    if (name !== route.name) {
      return badRequest(`the name of the object (${name ?? ''}) does not match the name on the URL (${route.name})`);
    }
    if (resourceVersion === undefined && route.resource.definition !== undefined) {
      return refused(
        422,
        'Invalid',
        `${route.resource.plural}.${route.resource.group} "${name}" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
        { causes: [{ field: 'metadata.resourceVersion', message: 'must be specified for an update' }] },
      );
    }
    return this.registry.update(route.resource.id, key, writing, () => did(draft.value as KubeObject));
  }

  #patch(request: Request, route: Route, key: string, writing: Writing): Did<KubeObject> {
    const { resource } = route;
    const { contentType = '' } = request;
    const patch = request.body;
    switch (contentType.split(';')[0]) {
      case MERGE:
        return this.registry.update(resource.id, key, writing, (now) => patched(now, mergePatch(now, patch), resource));
      case JSON_PATCH:
        return this.registry.update(resource.id, key, writing, (now) => {
          const after = jsonPatch(now, patch);
          return after.ok ? patched(now, after.value, resource) : after;
        });
      case STRATEGIC:
        if (resource.definition !== undefined) return unsupported(contentType);
        return this.registry.update(resource.id, key, writing, (now) =>
          patched(now, strategicPatch(now, patch), resource),
        );
      case APPLY:
        return this.#apply(request, route, key, writing);
      default:
        return unsupported(contentType);
    }
  }

  /** Server-side apply, without the books of who owns which field: what is applied is merged, and nothing is taken away. */
  #apply(request: Request, route: Route, key: string, writing: Writing): Did<KubeObject> {
    const { resource } = route;
    const { by } = writing;
    if (!route.query.has('fieldManager')) {
      return badRequest(
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      );
    }
    const draft = draftOf(request, resource, route.namespace);
    if (!draft.ok) return draft;
    if (this.registry.get(resource.id, key) === undefined) {
      return this.registry.create(resource.id, draft.value, { ...writing, by });
    }
    return this.registry.update(resource.id, key, writing, (now) =>
      did(strategicPatch(now, draft.value) as KubeObject),
    );
  }

  #posted(request: Request, route: Route, key: string): Did<unknown> {
    if (request.method !== 'POST') return notAllowed();
    const writing = writingOf(request, route);
    const body = (request.body ?? {}) as {
      readonly metadata?: { readonly name?: string };
      readonly deleteOptions?: DeleteOptions;
      readonly target?: { readonly name?: string };
    };
    const named = body.metadata?.name;
    if (named !== undefined && named !== route.name)
      return badRequest('name in URL does not match name in Eviction object');
    if (route.subresource === 'eviction') return evict(this.registry, key, body.deleteOptions ?? {}, writing);
    const pod = this.registry.get<PodObject>('pods', key);
    if (pod === undefined) return notFound(resourceOf('pods'), route.name ?? '');
    const bound = bind(pod, body.target?.name ?? '', this.registry.now());
    if (!bound.ok) return bound;
    this.registry.write<PodObject>('pods', key, writing.by, () => bound.value);
    return did(GRANTED);
  }

  /** Every five minutes the history up to five minutes ago is forgotten. */
  #compact(upTo: number): void {
    const { etcd, timeline } = this.#parts;
    timeline.after(COMPACTED_AFTER_MS, () => {
      etcd.compact(upTo);
      this.#compact(etcd.revision);
    });
  }
}

function responseOf(failure: Failure): Response {
  const { retryAfterSeconds } = failure.details ?? {};
  return { status: failure.code, body: failure, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

function unserved({ method, path }: Request): Did<never> {
  return refused(
    404,
    'NotFound',
    `the server could not find the requested resource (the model does not serve ${method} ${path})`,
  );
}

function notAllowed(): Did<never> {
  return refused(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
}

function unsupported(contentType: string): Did<never> {
  const message = `the body of the request was in an unknown format - accepted media types include: ${JSON_PATCH}, ${MERGE}, ${APPLY} (it was ${contentType})`;
  return refused(415, 'UnsupportedMediaType', message);
}

function versionOf(release: string) {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(release) ?? [];
  return { major, minor, gitVersion: release, platform: 'model/memory' };
}
