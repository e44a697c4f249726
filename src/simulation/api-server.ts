import { bind, deleteOptions, deletion, draftOf, fresh, knows, patched, writingOf } from './bodies.ts';
import { strictly, unknownFields } from './custom.ts';
import type { Dice } from './dice.ts';
import type { Etcd, Snapshot, Written } from './etcd.ts';
import { evict, GRANTED } from './eviction.ts';
import { badRequest, type Did, did, type Failure, invalid, notFound, refused, wrong } from './failure.ts';
import { Lists } from './lists.ts';
import { type KubeObject, keyOf, type PodObject } from './objects.ts';
import { APPLY, JSON_PATCH, jsonPatch, MERGE, mergePatch, STRATEGIC, strategicPatch } from './patch.ts';
import { type DeleteOptions, Registry, type Writing } from './registry.ts';
import type { Request, Response, Watching } from './request.ts';
import { type Resource, resourceOf } from './resources.ts';
import { type Route, routeOf } from './route.ts';
import { isFree, isMadeByPut } from './strategy.ts';
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
  #starts = 1;
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

  /** How often it has been started: what was on its way to the one before never arrives. */
  get starts(): number {
    return this.#starts;
  }

  /** Goes back to an earlier state of etcd, as a restore does while the API server is down. */
  restore(snapshot: Snapshot, bumpTo?: number): readonly Written[] {
    this.#starts += 1;
    this.watches.endAll();
    this.#lists.forget();
    return this.#parts.etcd.restore(snapshot, bumpTo);
  }

  handle(request: Request): Response {
    const route = routeOf(request.path);
    const makes = request.method === 'PUT' || request.contentType?.startsWith(APPLY);
    const isNew = request.method === 'POST' || (makes && !this.#has(route));
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
        return this.#remove(request, resource, key, writing);
      default:
        return notAllowed();
    }
  }

  #has(route: Route | undefined): boolean {
    const key = route?.namespace === undefined ? route?.name : `${route.namespace}/${route.name}`;
    return route !== undefined && this.registry.get(route.resource.id, key ?? '') !== undefined;
  }

  #collection(request: Request, route: Route): Did<unknown> {
    const { resource, namespace, query } = route;
    const writing = writingOf(request, route);
    switch (request.method) {
      case 'GET':
        return this.#lists.list(route);
      case 'POST': {
        if (resource.namespaced && namespace === undefined) return notAllowed();
        const draft = draftOf(request, resource, namespace);
        if (!draft.ok) return draft;
        const strange = query.get('fieldValidation') === 'Strict' ? unknownFields(resource, draft.value) : [];
        if (strange.length > 0) return badRequest(strictly(resource, strange));
        return this.registry.create(resource.id, fresh(draft.value, resource), writing);
      }
      case 'DELETE': {
        const all = this.#lists.list(route);
        if (!all.ok) return all;
        const options = deleteOptions(request.body);
        if (!options.ok) return options;
        for (const object of all.value.items) this.registry.remove(resource.id, keyOf(object), options.value, writing);
        return all;
      }
      default:
        return notAllowed();
    }
  }

  #remove(request: Request, resource: Resource, key: string, writing: Writing): Did<unknown> {
    const options = deleteOptions(request.body);
    if (!options.ok) return options;
    const removed = this.registry.remove(resource.id, key, options.value, writing);
    return removed.ok ? did(deletion(resource, removed.value)) : removed;
  }

  #replace(request: Request, route: Route, key: string, writing: Writing): Did<KubeObject> {
    const draft = draftOf(request, route.resource, route.namespace);
    if (!draft.ok) return draft;
    const { name, resourceVersion } = draft.value.metadata;
    if (name !== route.name) {
      return badRequest(`the name of the object (${name ?? ''}) does not match the name on the URL (${route.name})`);
    }
    const { resource } = route;
    if (!this.#has(route)) {
      return isMadeByPut(resource)
        ? this.registry.create(resource.id, draft.value, writing)
        : notFound(resource, route.name ?? '');
    }
    if (!resourceVersion && !isFree(resource)) {
      const cause = wrong('metadata.resourceVersion', 'Invalid value: 0: must be specified for an update');
      // It names the resource, and not the kind as all others do.
      return invalid({ ...resource, kind: resource.plural }, route.name ?? '', [cause]);
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
      const cause = wrong('fieldManager', 'Required value: is required for apply patch', 'FieldValueRequired');
      return invalid({ plural: '', group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [cause]);
    }
    const draft = draftOf(request, resource, route.namespace);
    if (!draft.ok) return draft;
    if (this.registry.get(resource.id, key) === undefined) {
      return this.registry.create(resource.id, fresh(draft.value, resource), { ...writing, by });
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
    const isEviction = route.subresource === 'eviction';
    const isNamed = body.metadata?.name === route.name || (!isEviction && body.metadata?.name === undefined);
    if (!isNamed) return badRequest('name in URL does not match name in Eviction object');
    const closed = this.registry.closed(route.resource, route.namespace ?? '', route.name ?? '');
    if (closed !== undefined) return closed;
    if (isEviction) return evict(this.registry, key, body.deleteOptions ?? {}, writing);
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
