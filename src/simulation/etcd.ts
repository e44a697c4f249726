import { type KubeObject, keyOf } from './objects.ts';

/** One write, as it became the truth. */
export type Written = {
  readonly revision: number;
  readonly resource: string;
  readonly key: string;
  readonly before: KubeObject | undefined;
  /** Undefined: it was deleted; then `last` is the object as it was, with the revision of its deletion. */
  readonly after: KubeObject | undefined;
  readonly last: KubeObject;
  /** Who wrote it. */
  readonly by: string;
};

/** The whole state at one instant, to go back to. */
export type Snapshot = {
  readonly revision: number;
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, KubeObject>>;
};

/**
 * What the API server keeps: one line of revisions over all resources, and the last of them as history, from which watches
 * resume until it is compacted away. Objects are never changed in place.
 */
export class Etcd {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #sorted = new Map<string, string[]>();
  readonly #listeners = new Set<(written: Written) => void>();
  #history: Written[] = [];
  #revision: number;
  #compacted: number;

  constructor(revision = 1) {
    this.#revision = revision;
    this.#compacted = revision;
  }

  get revision(): number {
    return this.#revision;
  }

  get(resource: string, key: string): KubeObject | undefined {
    return this.#objects.get(resource)?.get(key);
  }

  /** In the order of keys, as a list of the API server is. */
  list(resource: string): readonly KubeObject[] {
    const all = this.#objects.get(resource);
    if (all === undefined) return [];
    let keys = this.#sorted.get(resource);
    if (keys === undefined) {
      keys = [...all.keys()].sort();
      this.#sorted.set(resource, keys);
    }
    return keys.map((key) => all.get(key) as KubeObject);
  }

  /** Without an order; cheaper. */
  all(resource: string): Iterable<KubeObject> {
    return this.#objects.get(resource)?.values() ?? [];
  }

  count(resource: string): number {
    return this.#objects.get(resource)?.size ?? 0;
  }

  put(resource: string, object: KubeObject, by: string): KubeObject {
    const key = keyOf(object);
    let all = this.#objects.get(resource);
    if (all === undefined) {
      all = new Map();
      this.#objects.set(resource, all);
    }
    const before = all.get(key);
    const after = this.#next(object);
    all.set(key, after);
    const sorted = before === undefined ? this.#sorted.get(resource) : undefined;
    if (sorted !== undefined) sorted.splice(placeOf(sorted, key), 0, key);
    this.#tell({ revision: this.#revision, resource, key, before, after, last: after, by });
    return after;
  }

  remove(resource: string, key: string, by: string): KubeObject | undefined {
    const before = this.get(resource, key);
    if (before === undefined) return undefined;
    const last = this.#next(before);
    this.#objects.get(resource)?.delete(key);
    const sorted = this.#sorted.get(resource);
    if (sorted !== undefined) sorted.splice(placeOf(sorted, key), 1);
    this.#tell({ revision: this.#revision, resource, key, before, after: undefined, last, by });
    return last;
  }

  /** Hears of every write from now on, in order; what comes back ends it. */
  subscribe(listener: (written: Written) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What was written to a resource after a revision; undefined when that is compacted away. */
  since(resource: string, revision: number): readonly Written[] | undefined {
    if (revision < this.#compacted) return undefined;
    let from = this.#history.length;
    while (from > 0 && (this.#history[from - 1] as Written).revision > revision) from -= 1;
    return this.#history.slice(from).filter((written) => written.resource === resource);
  }

  /** Forgets the history up to a revision. */
  compact(revision: number): void {
    this.#compacted = Math.max(this.#compacted, Math.min(revision, this.#revision));
    this.#history = this.#history.filter((written) => written.revision > this.#compacted);
  }

  snapshot(): Snapshot {
    return {
      revision: this.#revision,
      objects: new Map([...this.#objects].map(([name, all]) => [name, new Map(all)])),
    };
  }

  /**
   * Goes back to a snapshot. With `revision` the line goes on from there, as by `etcdutl snapshot restore --bump-revision`;
   * without it the revisions since are given out a second time. Nobody is told: every watch must be ended by who restores.
   * What comes back is what is there no more.
   */
  restore({ revision, objects }: Snapshot, bumpTo?: number): readonly Written[] {
    const gone: Written[] = [];
    for (const [resource, all] of this.#objects) {
      for (const [key, last] of all) {
        if (objects.get(resource)?.has(key)) continue;
        gone.push({ revision: this.#revision, resource, key, before: last, after: undefined, last, by: 'restore' });
      }
    }
    this.#objects.clear();
    this.#sorted.clear();
    for (const [name, all] of objects) this.#objects.set(name, new Map(all));
    this.#revision = bumpTo ?? revision;
    this.#compacted = this.#revision;
    this.#history = [];
    return gone;
  }

  #next(object: KubeObject): KubeObject {
    this.#revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
  }

  #tell(written: Written): void {
    this.#history.push(written);
    for (const listener of this.#listeners) listener(written);
  }
}

/** Where a key stands among sorted ones, or would stand. */
function placeOf(sorted: readonly string[], key: string): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] as string) < key) from = middle + 1;
    else to = middle;
  }
  return from;
}
