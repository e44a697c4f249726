import { type Cache, keyOf } from '../../../src/cluster/cluster.ts';
import { INDEXES } from '../../../src/cluster/kinds.ts';
import type { Kind, Seen, World } from '../../../src/core/world.ts';

/** The kinds whose objects come, go and change in a tiny world; every other kind stands still. */
export const KINDS = [
  'Node',
  'Pod',
  'PodDisruptionBudget',
  'Job',
  'MaintenanceWindow',
  'MaintenancePolicy',
  'ClusterUpgrade',
  'NodeMaintenance',
] as const satisfies readonly Kind[];

export type Modelled = (typeof KINDS)[number];

/** All objects of one kind at one moment. Two tables that say the same are the same table: `id` tells them apart. */
export type Table<V> = Cache<V> & {
  readonly id: number;
  readonly views: readonly V[];
  /** A number that all tables share which say the same but for resourceVersions. */
  readonly bare: number;
  /** The passages and Jobs of which anything in it speaks, by name and by UID. */
  readonly speaksOf: readonly string[];
};

export type Tables = { readonly [K in Modelled]: Table<World[K]> };

type Keyed = Seen & { readonly namespace?: string };

const numbers = new Map<string, number>();
const known = new WeakMap<object, number>();

/** A number that only what says the very same has. */
export function numberOf(value: object): number {
  const before = known.get(value);
  if (before !== undefined) return before;
  const text = JSON.stringify(value);
  const number = numbers.get(text) ?? numbers.size;
  numbers.set(text, number);
  known.set(value, number);
  return number;
}

const tables = new Map<string, Table<Keyed>>();

/** The table of some objects. */
export function tableOf<K extends Kind>(kind: K, views: Iterable<World[K]>): Table<World[K]> {
  const sorted = [...(views as Iterable<Keyed>)].sort((a, b) => (a.name < b.name ? -1 : 1));
  const text = `${kind} ${sorted.map(numberOf).join(' ')}`;
  const made = tables.get(text) ?? newTable(kind, sorted);
  tables.set(text, made);
  return made as unknown as Table<World[K]>;
}

const bares = new WeakMap<object, number>();

/** A number that only what says the very same has, whatever its resourceVersion. */
export function bareNumberOf(view: { readonly resourceVersion: string }): number {
  const before = bares.get(view);
  if (before !== undefined) return before;
  const number = numberOf({ ...view, resourceVersion: '' });
  bares.set(view, number);
  return number;
}

const speaking = new WeakMap<object, readonly string[]>();

/** The names and UIDs of passages and their Jobs that stand anywhere in something. */
export function spokenIn(value: object): readonly string[] {
  const before = speaking.get(value);
  if (before !== undefined) return before;
  const found = [...new Set(JSON.stringify(value).match(/\b[a-z]+\d*-[0-9a-f]{10}(-\d+)?(#\d+)?/g))];
  speaking.set(value, found);
  return found;
}

function newTable(kind: Kind, views: readonly Keyed[]): Table<Keyed> {
  const byKey = new Map(views.map((view) => [keyOf(view), view]));
  return {
    id: tables.size,
    views,
    bare: numberOf([kind, ...views.map(bareNumberOf)]),
    speaksOf: [...new Set(views.flatMap(spokenIn))],
    size: views.length,
    get: (key) => byKey.get(key),
    all: () => views,
    by(index, value) {
      const of = INDEXES[kind][index] as unknown as ((view: Keyed) => string | undefined) | undefined;
      if (of === undefined) throw new Error(`impossible: no index ${index} of ${kind}`);
      return views.filter((view) => of(view) === value);
    },
  };
}
