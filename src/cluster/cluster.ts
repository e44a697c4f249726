import type { Outcome, Refusal } from '../core/decision.ts';
import type { Effect, StatusWrite, Telling } from '../core/effect.ts';
import type { Kind, World } from '../core/world.ts';

/** What a live read brought back: the answer, or why there is none. `gone` is an answer: undefined. */
export type Answer<T> = { readonly ok: true; readonly value: T } | Refusal;

/** A change in a cache. `before` and `after` are views; both are there for a modification. */
export type Change = {
  [K in Kind]: {
    readonly kind: K;
    readonly key: string;
    readonly before: World[K] | undefined;
    readonly after: World[K] | undefined;
  };
}[Kind];

/** A cache of one kind, read without waiting. What it says may be old; nothing irreversible is done on its word. */
export interface Cache<V> {
  get(key: string): V | undefined;
  all(): Iterable<V>;
  /** The views filed under a value of an index, as in `by('node', 'worker-7')`. */
  by(index: string, value: string): Iterable<V>;
  readonly size: number;
}

export type Caches = { readonly [K in Kind]: Cache<World[K]> };

/**
 * The one port between what Drydock decides and where it happens. Behind it stands Kubernetes, or a cluster in memory; the
 * code that decides cannot tell which. Nothing here throws for anything that an API server may say.
 */
export interface Cluster {
  readonly caches: Caches;
  /** Feeds the caches until the signal ends it, and tells of each change; resolves when every kind has been listed once. */
  watch(changed: (change: Change) => void, signal: AbortSignal): Promise<void>;
  /** Reads one object live. Cluster-scoped: the name; namespaced: namespace/name. */
  read<K extends Kind>(kind: K, key: string): Promise<Answer<World[K] | undefined>>;
  /** Reads all objects live, or those filed under one value of an index. */
  list<K extends Kind>(
    kind: K,
    where?: { readonly index: string; readonly value: string },
  ): Promise<Answer<readonly World[K][]>>;
  /** The release that the API server calls itself. */
  version(): Promise<Answer<string>>;
  perform(effect: Effect): Promise<Outcome>;
  /** Writes a status whole, against the version it was decided on. */
  store(write: StatusWrite): Promise<Outcome>;
  /** Records an Event. Best effort: an Event that is lost changes nothing. */
  tell(telling: Telling): void;
}

/** The key of an object: its name, with its namespace before it where it has one. */
export function keyOf(object: { readonly name: string; readonly namespace?: string }): string {
  return object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
}
