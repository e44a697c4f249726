import { validated } from './custom.ts';
import { completed } from './defaults.ts';
import type { Dice } from './dice.ts';
import { same } from './equal.ts';
import type { Etcd } from './etcd.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  type Did,
  did,
  invalid,
  MODIFIED,
  notFound,
  refused,
  wrong,
} from './failure.ts';
import { type KubeObject, keyOf, type Meta, type PodObject, stamp } from './objects.ts';
import { type Resource, resourceOf } from './resources.ts';

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
    if (draft.metadata.resourceVersion) return badRequest('resourceVersion should not be set on objects to be created');
    const name = draft.metadata.name ?? this.#generated(draft.metadata.generateName);
    if (name === undefined) {
      const cause = wrong('metadata.name', 'Required value: name or generateName is required', 'FieldValueRequired');
      return invalid(resource, '', [cause]);
    }
    const closed = namespace === undefined ? undefined : this.#closed(resource, namespace, name);
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
    const asked = { ...draft, apiVersion: versionOf(resource), kind: resource.kind, metadata: kept };
    // A status that comes with a new object is not taken, but for nodes and pods, whose kubelets send it along.
    const bare = resource.definition === undefined ? asked : { ...asked, status: undefined };
    const made = validated(resource, completed(id, bare, this.now()));
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
    const merged = prepared(resource, before, asked.value, writing.subresource);
    const checked = validated(resource, merged, before);
    if (!checked.ok) return checked;
    const added = (merged.metadata.finalizers ?? []).filter(
      (each) => !(before.metadata.finalizers ?? []).includes(each),
    );
    if (before.metadata.deletionTimestamp !== undefined && added.length > 0) {
      const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
      return invalid(resource, merged.metadata.name, [wrong('metadata.finalizers', message, 'FieldValueForbidden')]);
    }
    return did(this.#settle(id, before, checked.value, writing));
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
    if (uid !== undefined && uid !== before.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`;
      return conflict(resource, before.metadata.name, why);
    }
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${before.metadata.resourceVersion}`;
      return conflict(resource, before.metadata.name, why);
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
    const grace = over ? 0 : asked;
    const key = keyOf(pod);
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = pod.metadata;
    if (grace <= 0) {
      if (finalizers.length === 0) return this.#drop('pods', key, pod, writing);
      return this.#mark('pods', pod, {}, 0, writing);
    }
    // A second deletion can only shorten the time that is left.
    if (deletionTimestamp !== undefined && deletionGracePeriodSeconds <= grace) return pod;
    return this.#mark('pods', pod, {}, grace, writing);
  }

  #mark(id: string, before: KubeObject, more: Partial<Meta>, graceSeconds: number, writing: Writing): KubeObject {
    const { generation, deletionTimestamp } = before.metadata;
    const first = deletionTimestamp === undefined;
    return this.#commit(
      id,
      {
        ...before,
        ...(id === 'namespaces' ? { status: { phase: 'Terminating' } } : {}),
        metadata: {
          ...before.metadata,
          ...more,
          deletionTimestamp: stamp(this.now() + graceSeconds * 1000),
          deletionGracePeriodSeconds: graceSeconds,
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

  #closed(resource: Resource, namespace: string, name: string): Did<never> | undefined {
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

function versionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

function nameIn(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

/** What an update may change: the status path the status and nothing else, the other path everything else. */
function prepared(
  resource: Resource,
  before: KubeObject,
  asked: KubeObject,
  subresource: 'status' | undefined,
): KubeObject {
  if (subresource === 'status') {
    const { status } = asked;
    return { ...before, ...(status === undefined ? {} : { status }) };
  }
  const { name, namespace, uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } =
    before.metadata;
  const metadata = {
    ...asked.metadata,
    name,
    namespace,
    uid,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    generation,
    resourceVersion: before.metadata.resourceVersion,
  } as Meta;
  const kept = resource.hasStatus ? { status: before.status } : {};
  const whole = { ...asked, ...kept, apiVersion: before.apiVersion, kind: before.kind, metadata };
  return counted(resource, before, whole);
}

function counted<T extends KubeObject>(resource: Resource, before: T, after: T): T {
  if (!resource.counts || same(before.spec, after.spec)) return after;
  return { ...after, metadata: { ...after.metadata, generation: (before.metadata.generation ?? 0) + 1 } };
}
