import { validated } from './custom.ts';
import { completed } from './defaults.ts';
import type { Dice } from './dice.ts';
import { same } from './equal.ts';
import type { Etcd } from './etcd.ts';
import {
  alreadyExists,
  type Cause,
  conflict,
  type Did,
  did,
  invalid,
  MODIFIED,
  notFound,
  refused,
  unmet,
  wrong,
} from './failure.ts';
import { type KubeObject, keyOf, type Meta, type PodObject, stamp } from './objects.ts';
import { apiVersionOf, type Resource, resourceOf } from './resources.ts';
import { broken } from './rules.ts';
import { counted, prepared, stored } from './strategy.ts';

/** An object before the API server has completed its metadata. */
export type Draft = Omit<KubeObject, 'metadata'> & { readonly metadata: Partial<Meta> };

/** How a write is meant. */
export type Writing = {
  /** Who writes, as the trace shows it. */
  readonly by: string;
  readonly dryRun?: boolean;
  readonly subresource?: 'status';
};

/** What must still hold when something is deleted. */
export type DeleteOptions = {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly dryRun?: readonly string[];
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
};

const FINALIZER_OF: { readonly [policy: string]: string } = { Foreground: 'foregroundDeletion', Orphan: 'orphan' };
const DEFAULT_GRACE_SECONDS = 30;

/** What the registries of the API server do between a request and etcd, for every resource alike. */
export class Registry {
  readonly etcd: Etcd;
  readonly now: () => number;
  readonly #dice: Dice;

  constructor(parts: { readonly etcd: Etcd; readonly now: () => number; readonly dice: Dice }) {
    this.etcd = parts.etcd;
    this.now = parts.now;
    this.#dice = parts.dice;
  }

  get<T extends KubeObject>(id: string, key: string): T | undefined {
    return this.etcd.get(id, key) as T | undefined;
  }

  /** In the order of keys. */
  list<T extends KubeObject>(id: string): readonly T[] {
    return this.etcd.list(id) as readonly T[];
  }

  /** In no order that matters. */
  all<T extends KubeObject>(id: string): Iterable<T> {
    return this.etcd.all(id) as Iterable<T>;
  }

  create(id: string, draft: Draft, writing: Writing): Did<KubeObject> {
    const resource = resourceOf(id);
    const { namespace } = draft.metadata;
    if (draft.metadata.resourceVersion) {
      return refused(500, '', 'resourceVersion should not be set on objects to be created');
    }
    const name = draft.metadata.name ?? this.#generated(draft.metadata.generateName);
    if (name === undefined) {
      const cause = wrong('metadata.name', 'Required value: name or generateName is required', 'FieldValueRequired');
      return invalid(resource, '', [cause]);
    }
    const closed = namespace === undefined ? undefined : this.closed(resource, namespace, name);
    if (closed !== undefined) return closed;
    const metadata: Meta = {
      ...draft.metadata,
      name,
      uid: this.#dice.uuid(),
      resourceVersion: '',
      creationTimestamp: stamp(this.now()),
      ...(resource.counts ? { generation: 1 } : {}),
    };
    const { deletionTimestamp: _, deletionGracePeriodSeconds: __, ...kept } = metadata;
    const asked = { ...draft, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: kept };
    const bare = resource.definition === undefined ? asked : { ...asked, status: undefined };
    const whole = stored(resource, completed(id, bare, this.now()));
    const causes = broken(resource, whole);
    if (causes.length > 0) return invalid(resource, name, causes);
    const made = validated(resource, whole);
    if (!made.ok) return made;
    if (this.etcd.get(id, keyOf(made.value)) !== undefined) return alreadyExists(resource, name);
    return did(this.#commit(id, made.value, writing));
  }

  /** Writes what `change` makes of the object that is there; `change` may refuse. */
  update(id: string, key: string, writing: Writing, change: (before: KubeObject) => Did<KubeObject>): Did<KubeObject> {
    const resource = resourceOf(id);
    const before = this.etcd.get(id, key);
    if (before === undefined) return notFound(resource, nameIn(key));
    const asked = change(before);
    if (!asked.ok) return asked;
    const mismatch = this.#mismatch(resource, before, asked.value.metadata);
    if (mismatch !== undefined) return mismatch;
    const { deletionTimestamp } = asked.value.metadata;
    if (deletionTimestamp && deletionTimestamp !== before.metadata.deletionTimestamp) {
      const text = `Invalid value: "${deletionTimestamp}": field is immutable`;
      return invalid(resource, before.metadata.name, [wrong('metadata.deletionTimestamp', text)]);
    }
    const merged = stored(resource, prepared(resource, before, asked.value, writing.subresource));
    const causes = [...lateFinalizers(before, merged), ...broken(resource, merged, before)];
    if (causes.length > 0) return invalid(resource, merged.metadata.name, causes);
    const checked = validated(resource, merged, before);
    if (!checked.ok) return checked;
    return did(this.#settle(id, before, counted(resource, before, checked.value), writing));
  }

  /** A controller's write of a whole object, spec and status alike; nothing when it is gone or would stay the same. */
  write<T extends KubeObject>(id: string, key: string, by: string, change: (before: T) => T): T | undefined {
    const before = this.get<T>(id, key);
    if (before === undefined) return undefined;
    const after = counted(resourceOf(id), before, change(before));
    return this.#settle(id, before, after, { by }) as T;
  }

  remove(id: string, key: string, options: DeleteOptions, writing: Writing): Did<KubeObject> {
    const resource = resourceOf(id);
    const before = this.etcd.get(id, key);
    if (before === undefined) return notFound(resource, nameIn(key));
    const { uid, resourceVersion } = options.preconditions ?? {};
    const { metadata } = before;
    if (uid && uid !== metadata.uid) return unmet(resource, metadata.name, 'UID', uid, metadata.uid);
    if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
      return unmet(resource, metadata.name, 'ResourceVersion', resourceVersion, metadata.resourceVersion);
    }
    if (id === 'pods') return did(this.#removePod(before as PodObject, options, writing));
    const finalizer = FINALIZER_OF[options.propagationPolicy ?? ''];
    const finalizers = [
      ...new Set([...(before.metadata.finalizers ?? []), ...(finalizer === undefined ? [] : [finalizer])]),
    ];
    const waits = finalizers.length > 0 || id === 'namespaces';
    if (!waits) return did(this.#drop(id, key, before, writing));
    if (before.metadata.deletionTimestamp !== undefined) return did(before);
    return did(this.#mark(id, before, { ...(finalizers.length === 0 ? {} : { finalizers }) }, 0, writing));
  }

  /** As CheckGracefulDelete of the pod registry: a pod that no kubelet runs goes at once. */
  #removePod(pod: PodObject, options: DeleteOptions, writing: Writing): KubeObject {
    const over = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed' || !pod.spec.nodeName;
    const asked = options.gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
    // A negative period is as good as one second (BeforeDelete).
    const grace = over ? 0 : asked < 0 ? 1 : asked;
    const key = keyOf(pod);
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = pod.metadata;
    const isLeaving = deletionTimestamp !== undefined;
    // A second deletion can only shorten the time that is left, counted from the first.
    const stays = isLeaving && deletionGracePeriodSeconds > 0 && deletionGracePeriodSeconds <= grace;
    if (stays) return pod;
    const isMarked = isLeaving && deletionGracePeriodSeconds === 0;
    const begun = isLeaving ? Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000 : this.now();
    const marked = isMarked ? pod : this.#mark('pods', pod, {}, grace, writing, begun);
    // It is told as changed first, then as deleted: two writes, also where nothing delays the end.
    return grace <= 0 && finalizers.length === 0 ? this.#drop('pods', key, marked, writing) : marked;
  }

  #mark(
    id: string,
    before: KubeObject,
    more: Partial<Meta>,
    graceSeconds: number,
    writing: Writing,
    begun = this.now(),
  ): KubeObject {
    const { generation, deletionTimestamp } = before.metadata;
    const first = deletionTimestamp === undefined;
    const end = begun + graceSeconds * 1000;
    // What is shortened to less than has passed already is left with the least that is not at once.
    const seconds = end < this.now() && graceSeconds > 0 ? 1 : graceSeconds;
    return this.#commit(
      id,
      {
        ...before,
        ...(id === 'namespaces' ? { status: { phase: 'Terminating' } } : {}),
        metadata: {
          ...before.metadata,
          ...more,
          deletionTimestamp: stamp(Math.max(this.now(), end)),
          deletionGracePeriodSeconds: seconds,
          ...(generation === undefined || !first ? {} : { generation: generation + 1 }),
        },
      },
      writing,
    );
  }

  #drop(id: string, key: string, before: KubeObject, { by, dryRun }: Writing): KubeObject {
    return dryRun ? before : (this.etcd.remove(id, key, by) ?? before);
  }

  /** Stores what an update came to: nothing if it changed nothing, and away with what only a finalizer kept. */
  #settle(id: string, before: KubeObject, after: KubeObject, writing: Writing): KubeObject {
    if (same(before, after)) return before;
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = after.metadata;
    const over = deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0;
    if (!over || id === 'namespaces') return this.#commit(id, after, writing);
    return this.#drop(id, keyOf(before), after, writing);
  }

  #commit(id: string, object: KubeObject, { by, dryRun }: Writing): KubeObject {
    return dryRun ? object : this.etcd.put(id, object, by);
  }

  #generated(prefix: string | undefined): string | undefined {
    if (!prefix) return undefined;
    return `${prefix}${Array.from({ length: 5 }, () => this.#dice.pick([...'bcdfghjklmnpqrstvwxz2456789'])).join('')}`;
  }

  /** Why nothing can be made in a namespace: it is not there, or it ends. */
  closed(resource: Resource, namespace: string, name: string): Did<never> | undefined {
    const found = this.get('namespaces', namespace);
    if (found === undefined) return notFound(resourceOf('namespaces'), namespace);
    if (found.metadata.deletionTimestamp === undefined) return undefined;
    const about = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
    const message = `${about} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    };
    return refused(403, 'Forbidden', message, { name, group: resource.group, kind: resource.plural, causes: [cause] });
  }

  #mismatch(resource: Resource, before: KubeObject, asked: Partial<Meta>): Did<never> | undefined {
    if (asked.uid && asked.uid !== before.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${asked.uid}, UID in object meta: ${before.metadata.uid}`;
      return conflict(resource, before.metadata.name, why);
    }
    if (asked.resourceVersion && asked.resourceVersion !== before.metadata.resourceVersion) {
      return conflict(resource, before.metadata.name, MODIFIED);
    }
    return undefined;
  }
}

function nameIn(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

/** The finalizers that come too late: while something is being deleted none can be added. */
function lateFinalizers(before: KubeObject, after: KubeObject): readonly Cause[] {
  const there = before.metadata.finalizers ?? [];
  const added = (after.metadata.finalizers ?? []).filter((each) => !there.includes(each));
  if (before.metadata.deletionTimestamp === undefined || added.length === 0) return [];
  const list = added.map((each) => JSON.stringify(each)).join(', ');
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
  return [wrong('metadata.finalizers', message, 'FieldValueForbidden')];
}
