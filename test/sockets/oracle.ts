import type { Caches, Change } from '../../src/cluster/cluster.ts';
import { PLACES, SEEN_KINDS } from '../../src/cluster/kinds.ts';
import { pool } from '../../src/cluster/pool.ts';
import type { Said } from '../../src/cluster/said.ts';
import { view } from '../../src/cluster/views.ts';
import type { Kind } from '../../src/core/world.ts';
import type { Etcd } from '../../src/simulation/etcd.ts';

/** What must hold of every cache and of everybody who is told of its changes. */
export const PROPERTIES = {
  quiet: 'at a quiet point every cache is the truth, object for object and field for field',
  listed: 'after a list the cache is the truth of the instant of that list',
  told: 'what was told leads to what the cache holds: every level that lasted is told',
  twice: 'no change is told twice: each begins where the last one ended, and is one',
  back: 'no object ever goes back to an older version, and none is told that never was',
  line: 'a line that was cut is never read',
  stop: 'nothing is told, and nothing asked, after the end',
} as const;

export type Property = keyof typeof PROPERTIES;

/** One breach. */
export type Violation = { readonly property: Property; readonly text: string };

type Version = { readonly revision: number; readonly uid: string; readonly isThere: boolean };
type Told = { readonly uid: string; readonly resourceVersion: string };

export const JOBS_NAMESPACE = 'drydock-jobs';

/** Everything that was ever true of the kinds that Drydock sees, since the last quiet point. */
export class Truth {
  readonly etcd: Etcd;
  readonly #history = new Map<string, Map<string, Version[]>>();
  events = 0;

  constructor(etcd: Etcd) {
    this.etcd = etcd;
    for (const kind of SEEN_KINDS) {
      for (const object of etcd.all(idOf(kind))) {
        const { name, namespace, uid, resourceVersion } = object.metadata;
        const key = namespace === undefined ? name : `${namespace}/${name}`;
        this.#of(idOf(kind), key).push({ revision: Number(resourceVersion), uid, isThere: true });
      }
    }
    etcd.subscribe(({ revision, resource, key, after, last }) => {
      this.events += 1;
      this.#of(resource, key).push({ revision, uid: last.metadata.uid, isThere: after !== undefined });
    });
  }

  /** Whether there was such a version of an object. */
  had(kind: Kind, key: string, { uid, resourceVersion }: Told): boolean {
    const versions = this.#history.get(idOf(kind))?.get(key) ?? [];
    const version = versions.findLast(({ revision }) => revision <= Number(resourceVersion));
    return version?.isThere === true && version.uid === uid && String(version.revision) === resourceVersion;
  }

  /** What was there at a revision. */
  at(kind: Kind, revision: number): ReadonlyMap<string, Told> {
    const found = new Map<string, Told>();
    for (const [key, versions] of this.#history.get(idOf(kind)) ?? []) {
      const version = versions.findLast((each) => each.revision <= revision);
      if (version?.isThere) found.set(key, { uid: version.uid, resourceVersion: String(version.revision) });
    }
    return found;
  }

  /** Forgets what nobody can see any more. */
  forget(): void {
    for (const all of this.#history.values()) {
      for (const [key, versions] of all) all.set(key, versions.slice(-1));
    }
  }

  #of(resource: string, key: string): Version[] {
    let all = this.#history.get(resource);
    if (all === undefined) {
      all = new Map();
      this.#history.set(resource, all);
    }
    let versions = all.get(key);
    if (versions === undefined) {
      versions = [];
      all.set(key, versions);
    }
    return versions;
  }
}

/** How etcd files a kind. */
export function idOf(kind: Kind): string {
  const { group, plural } = PLACES[kind];
  return group === '' ? plural : `${plural}.${group}`;
}

/** Listens to one cluster from its start to its end, and holds what it hears against the truth. */
export class Ear {
  readonly #name: string;
  readonly #truth: Truth;
  readonly #violate: (violation: Violation) => void;
  readonly #fold = new Map<string, Told>();
  readonly #highest = new Map<string, number>();
  readonly #listedAt = new Map<Kind, number>();
  caches: Caches | undefined;
  told = 0;
  lists = 0;
  unreadable = 0;
  refusedConnections = 0;
  #isOver = false;

  constructor(name: string, truth: Truth, violate: (violation: Violation) => void) {
    this.#name = name;
    this.#truth = truth;
    this.#violate = violate;
  }

  /** From now on nothing may be told. */
  over(): void {
    this.#isOver = true;
  }

  asked(path: string): void {
    if (this.#isOver) this.#say('stop', `${path} was asked for after the end`);
  }

  /** The answer to the last page of a list. */
  answered(kind: Kind, body: string): void {
    const revision = /"resourceVersion":"(\d+)"/.exec(body.slice(0, 300))?.[1];
    if (revision === undefined) this.#listedAt.delete(kind);
    else this.#listedAt.set(kind, Number(revision));
  }

  said(said: Said): void {
    if (said.what === 'listed') this.#listed(said.kind);
    if (said.what === 'unreadable') this.unreadable += 1;
    if (said.what === 'watchStopped' && said.message.includes('ECONNREFUSED')) this.refusedConnections += 1;
  }

  changed({ kind, key, before, after }: Change): void {
    this.told += 1;
    const id = `${kind} ${key}`;
    const what = () => `${id}: ${before?.resourceVersion ?? 'nothing'} → ${after?.resourceVersion ?? 'nothing'}`;
    if (this.#isOver) this.#say('stop', `${what()} after the end`);
    const known = this.#fold.get(id);
    if (!isSame(known, before)) {
      const isMissing = Number(before?.resourceVersion ?? 0) > Number(known?.resourceVersion ?? 0);
      const last = known?.resourceVersion ?? 'nothing';
      this.#say(isMissing ? 'told' : 'twice', `${what()} when ${last} was told last`);
    }
    if (isSame(before, after)) this.#say('twice', `${what()} is no change`);
    if (after === undefined) {
      this.#fold.delete(id);
      return;
    }
    const revision = Number(after.resourceVersion);
    const highest = this.#highest.get(id) ?? 0;
    if (revision < highest) this.#say('back', `${what()} when ${highest} had been told`);
    if (!this.#truth.had(kind, key, after)) this.#say('back', `${what()}, which never was`);
    this.#highest.set(id, Math.max(highest, revision));
    this.#fold.set(id, { uid: after.uid, resourceVersion: after.resourceVersion });
  }

  /** What stands between this cache and the truth: nothing, once all has come through. */
  difference(): Violation | undefined {
    for (const kind of SEEN_KINDS) {
      const wrong = this.#differs(kind, this.#truth.at(kind, Number.POSITIVE_INFINITY));
      if (wrong !== undefined) return { property: 'quiet', text: `${this.#name}: ${wrong}` };
      for (const seen of this.caches?.[kind].all() ?? []) {
        const id = `${kind} ${keyIn(seen)}`;
        if (!isSame(this.#fold.get(id), seen)) {
          return {
            property: 'told',
            text: `${this.#name}: ${id} is at ${seen.resourceVersion}, told was ${this.#fold.get(id)?.resourceVersion}`,
          };
        }
      }
    }
    const size = SEEN_KINDS.reduce((sum, kind) => sum + (this.caches?.[kind].size ?? 0), 0);
    if (size === this.#fold.size) return undefined;
    return { property: 'told', text: `${this.#name}: ${this.#fold.size} objects were told, ${size} are there` };
  }

  /** Compares every field at a quiet point. */
  compare(): void {
    const door = { jobsNamespace: JOBS_NAMESPACE, pool: pool() };
    for (const kind of SEEN_KINDS) {
      for (const object of this.#truth.etcd.all(idOf(kind))) {
        const expected = view(kind, object, door);
        const seen = expected === undefined ? undefined : this.caches?.[kind].get(keyIn(expected));
        if (JSON.stringify(seen) === JSON.stringify(expected)) continue;
        this.#say('quiet', `${kind} ${object.metadata.name} is read as ${JSON.stringify(seen)}`);
      }
    }
  }

  #listed(kind: Kind): void {
    this.lists += 1;
    const revision = this.#listedAt.get(kind);
    const wrong =
      revision === undefined
        ? `${kind} by an answer that names no resourceVersion`
        : this.#differs(kind, this.#truth.at(kind, revision));
    if (wrong !== undefined) this.#say('listed', `at ${revision}: ${wrong}`);
  }

  #differs(kind: Kind, truth: ReadonlyMap<string, Told>): string | undefined {
    const cache = this.caches?.[kind];
    for (const [key, version] of truth) {
      const seen = cache?.get(key);
      if (isSame(seen, version)) continue;
      return `${kind} ${key} is ${seen?.resourceVersion ?? 'not there'}, the truth is ${version.resourceVersion}`;
    }
    return truth.size === cache?.size ? undefined : `${cache?.size} of ${kind} are there, the truth is ${truth.size}`;
  }

  #say(property: Property, text: string): void {
    this.#violate({ property, text: `${this.#name}: ${text}` });
  }
}

function isSame(one: Told | undefined, other: Told | undefined): boolean {
  return one?.uid === other?.uid && one?.resourceVersion === other?.resourceVersion;
}

function keyIn({ name, ...rest }: { readonly name: string; readonly namespace?: string }): string {
  return rest.namespace === undefined ? name : `${rest.namespace}/${name}`;
}
