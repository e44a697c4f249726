import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Store, type StoreEvent } from '../../src/cluster/store.ts';
import { planted, runs } from './runs.ts';

type Thing = { readonly name: string; readonly uid: string; readonly resourceVersion: string; readonly node: string };
type Event = StoreEvent<Thing>;

/** What a thing says follows from its version, as in a real cluster. */
const thing = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c'),
    uid: fc.constantFrom('u', 'v'),
    version: fc.integer({ min: 1, max: 12 }),
  })
  .map(
    ({ name, uid, version }): Thing => ({ name, uid, resourceVersion: `${version}`, node: `n-${(version * 7) % 3}` }),
  );
const events = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ type: fc.constantFrom('added' as const, 'modified', 'deleted'), view: thing }),
    },
    fc.constant<Event>({ type: 'relisting' }),
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('page' as const), views: fc.array(thing, { maxLength: 3 }) }),
    },
    fc.constant<Event>({ type: 'relisted' }),
  ),
  { maxLength: 30, size: 'max' },
);

/** The same in the plainest words: two maps, and numbers compared as numbers. */
function model() {
  let there = new Map<string, Thing>();
  let coming = new Map<string, Thing>();
  return {
    there: () => there,
    apply: (event: Event) => {
      if (event.type === 'relisting') coming = new Map();
      else if (event.type === 'page') for (const view of event.views) coming.set(view.name, view);
      else if (event.type === 'relisted') [there, coming] = [coming, new Map()];
      else {
        const { view } = event;
        const before = there.get(view.name);
        if (event.type === 'deleted') {
          if (before?.uid === view.uid) there.delete(view.name);
        } else if (before?.uid !== view.uid || Number(view.resourceVersion) > Number(before.resourceVersion)) {
          there.set(view.name, view);
        }
      }
    },
  };
}

const INDEXES = { node: ({ node }: Thing) => (node === 'n-2' ? undefined : node) };
const sorted = (things: Iterable<Thing>) => [...things].sort((a, b) => (a.name < b.name ? -1 : 1));

function property(make: () => Pick<Store<Thing>, 'apply' | 'all' | 'by'>) {
  return fc.property(events, (sequence) => {
    const [store, plain] = [make(), model()];
    const replayed = new Map<string, Thing>();
    for (const event of sequence) {
      const before = new Map(plain.there());
      plain.apply(event);
      for (const { key, before: was, after } of store.apply(event)) {
        expect(replayed.get(key)).toEqual(was);
        if (was !== undefined && after !== undefined) expect(after.uid).toBe(was.uid);
        if (after === undefined) replayed.delete(key);
        else replayed.set(key, after);
      }
      const now = sorted(plain.there().values());
      expect(sorted(store.all())).toEqual(now);
      expect(sorted(replayed.values())).toEqual(now);
      for (const node of ['n-0', 'n-1'])
        expect(sorted(store.by('node', node))).toEqual(now.filter((each) => each.node === node));
      if (event.type === 'page' || event.type === 'relisting') expect(now).toEqual(sorted(before.values()));
    }
  });
}

describe('the cache of a kind under any events and relists', () => {
  test('holds what a plain map would, finds it by index, and tells each difference', () => {
    fc.assert(
      property(() => new Store<Thing>(INDEXES)),
      runs(500),
    );
  });

  test('planted bug: an older version that comes late is believed', () => {
    const late = () => {
      const store = new Store<Thing>(INDEXES);
      return {
        all: () => store.all(),
        by: (index: string, value: string) => store.by(index, value),
        apply: (event: Event) =>
          event.type === 'modified'
            ? [...store.apply({ ...event, type: 'deleted' }), ...store.apply(event)]
            : store.apply(event),
      };
    };
    expect(fc.check(property(late), planted(500)).failed).toBe(true);
  });
});
