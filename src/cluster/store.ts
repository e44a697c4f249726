import type { Seen } from '../core/world.ts';
import { type Cache, keyOf } from './cluster.ts';
import { olderThan } from './resource-version.ts';

type Stored = Seen & { readonly namespace?: string };

/** What a list or a watch says of the objects of one kind. */
export type StoreEvent<V> =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly view: V }
  /** A list begins: what it brings is kept aside. */
  | { readonly type: 'relisting' }
  | { readonly type: 'page'; readonly views: readonly V[] }
  /** The list is whole: what it brought takes the place of all that was there, at once. */
  | { readonly type: 'relisted' };

/** What became of one object. A modification never changes the UID: another object under the name is a deletion and an addition. */
export type Difference<V> = { readonly key: string; readonly before: V | undefined; readonly after: V | undefined };

type Indexes<V> = { readonly [index: string]: (view: V) => string | undefined };

/** One whole state of the objects of a kind, so that a relist can prepare the next beside it. */
class Shelf<V extends Stored> {
  readonly byKey = new Map<string, V>();
  readonly #filed: ReadonlyMap<
    string,
    { readonly of: (view: V) => string | undefined; readonly values: Map<string, Map<string, V>> }
  >;

  constructor(indexes: Indexes<V>) {
    this.#filed = new Map(Object.entries(indexes).map(([name, of]) => [name, { of, values: new Map() }]));
  }

  put(key: string, view: V): void {
    const earlier = this.byKey.get(key);
    this.byKey.set(key, view);
    for (const { of, values } of this.#filed.values()) {
      const [from, to] = [earlier === undefined ? undefined : of(earlier), of(view)];
      if (from !== undefined && from !== to) unfile(values, from, key);
      if (to !== undefined) file(values, to, key, view);
    }
  }

  remove(key: string, view: V): void {
    this.byKey.delete(key);
    for (const { of, values } of this.#filed.values()) {
      const value = of(view);
      if (value !== undefined) unfile(values, value, key);
    }
  }

  filed(index: string, value: string): Iterable<V> {
    const found = this.#filed.get(index);
    if (found === undefined)
      throw new Error(`impossible: no index ${index}, there are: ${[...this.#filed.keys()].join(', ')}`);
    return each(found.values.get(value));
  }
}

function file<V>(values: Map<string, Map<string, V>>, value: string, key: string, view: V): void {
  const there = values.get(value);
  if (there === undefined) values.set(value, new Map([[key, view]]));
  else there.set(key, view);
}

function unfile<V>(values: Map<string, Map<string, V>>, value: string, key: string): void {
  const there = values.get(value);
  there?.delete(key);
  if (there?.size === 0) values.delete(value);
}

/** An iterable that can be walked more than once, which `Map.values()` is not. */
function each<V>(map: ReadonlyMap<string, V> | undefined): Iterable<V> {
  return { [Symbol.iterator]: () => (map === undefined ? [][Symbol.iterator]() : map.values()) };
}

/**
 * The cache of one kind, with one mutator. It never goes back: what is not newer than what is there is no change, and a
 * relist shows either all of the old or all of the new.
 */
export class Store<V extends Stored> implements Cache<V> {
  readonly #indexes: Indexes<V>;
  #shelf: Shelf<V>;
  #next: Shelf<V>;

  constructor(indexes: Indexes<V>) {
    this.#indexes = indexes;
    this.#shelf = new Shelf(indexes);
    this.#next = new Shelf(indexes);
  }

  get size(): number {
    return this.#shelf.byKey.size;
  }

  get(key: string): V | undefined {
    return this.#shelf.byKey.get(key);
  }

  all(): Iterable<V> {
    return each(this.#shelf.byKey);
  }

  by(index: string, value: string): Iterable<V> {
    return this.#shelf.filed(index, value);
  }

  apply(event: StoreEvent<V>): readonly Difference<V>[] {
    switch (event.type) {
      case 'added':
      case 'modified':
        return this.#put(event.view);
      case 'deleted':
        return this.#remove(event.view);
      case 'relisting':
        this.#next = new Shelf(this.#indexes);
        return [];
      case 'page':
        for (const view of event.views) this.#keep(view);
        return [];
      case 'relisted':
        return this.#swap();
    }
  }

  #put(view: V): readonly Difference<V>[] {
    const key = keyOf(view);
    const before = this.get(key);
    if (before?.uid === view.uid && !olderThan(before.resourceVersion, view.resourceVersion)) return [];
    this.#shelf.put(key, view);
    return difference(key, before, view);
  }

  #remove(view: V): readonly Difference<V>[] {
    const key = keyOf(view);
    const before = this.get(key);
    // The deletion of an earlier object of that name says nothing of the one that is there.
    if (before === undefined || before.uid !== view.uid) return [];
    this.#shelf.remove(key, before);
    return [{ key, before, after: undefined }];
  }

  /** An object that has not changed stays the very same, so that who compares by identity is right. */
  #keep(view: V): void {
    const key = keyOf(view);
    const before = this.get(key);
    this.#next.put(key, before !== undefined && same(before, view) ? before : view);
  }

  #swap(): readonly Difference<V>[] {
    const [old, now] = [this.#shelf, this.#next];
    this.#shelf = now;
    this.#next = new Shelf(this.#indexes);
    const changes: Difference<V>[] = [];
    for (const [key, before] of old.byKey) if (!now.byKey.has(key)) changes.push({ key, before, after: undefined });
    for (const [key, after] of now.byKey) {
      const before = old.byKey.get(key);
      if (before !== after) changes.push(...difference(key, before, after));
    }
    return changes;
  }
}

function same(before: Stored, after: Stored): boolean {
  return before.uid === after.uid && before.resourceVersion === after.resourceVersion;
}

function difference<V extends Stored>(key: string, before: V | undefined, after: V): readonly Difference<V>[] {
  if (before === undefined || before.uid === after.uid) return [{ key, before, after }];
  return [
    { key, before, after: undefined },
    { key, before: undefined, after },
  ];
}
