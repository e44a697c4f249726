import { describe, expect, test } from 'vitest';
import { INDEXES } from '../../src/cluster/kinds.ts';
import { Store } from '../../src/cluster/store.ts';

type Thing = { name: string; namespace?: string; uid: string; resourceVersion: string; color: string };
const thing = (name: string, resourceVersion: string, color = 'red', uid = `uid-${name}`): Thing => ({
  name,
  uid,
  resourceVersion,
  color,
});
const store = () => new Store<Thing>({ color: ({ color }) => (color === '' ? undefined : color) });
const names = (found: Iterable<Thing>) => [...found].map(({ name }) => name).sort();
const relist = (of: Store<Thing>, ...pages: readonly (readonly Thing[])[]) => {
  of.apply({ type: 'relisting' });
  for (const views of pages) of.apply({ type: 'page', views });
  return of.apply({ type: 'relisted' });
};

describe('one event', () => {
  test('adds, and tells of it', () => {
    const seen = store();
    expect(seen.apply({ type: 'added', view: thing('a', '1') })).toEqual([
      { key: 'a', before: undefined, after: thing('a', '1') },
    ]);
    expect(seen.get('a')).toEqual(thing('a', '1'));
    expect(seen.size).toBe(1);
  });

  test('of a namespaced object is filed under namespace/name', () => {
    const seen = store();
    seen.apply({ type: 'added', view: { ...thing('a', '1'), namespace: 'shop' } });
    expect(seen.get('shop/a')?.name).toBe('a');
  });

  test.each([
    ['the same resourceVersion', '5'],
    ['an older one', '4'],
    ['an older one with fewer digits', '3'],
  ])('with %s is no change', (_, resourceVersion) => {
    const seen = store();
    seen.apply({ type: 'added', view: thing('a', '5') });
    expect(seen.apply({ type: 'modified', view: thing('a', resourceVersion, 'blue') })).toEqual([]);
    expect(seen.get('a')?.color).toBe('red');
  });

  test('with more digits is newer, though it sorts before as a text', () => {
    const seen = store();
    seen.apply({ type: 'added', view: thing('a', '9') });
    expect(seen.apply({ type: 'modified', view: thing('a', '10', 'blue') })).toHaveLength(1);
  });

  test('of another object under the name is a deletion and an addition', () => {
    const seen = store();
    const [old, fresh] = [thing('a', '5'), thing('a', '6', 'red', 'other')];
    seen.apply({ type: 'added', view: old });
    expect(seen.apply({ type: 'added', view: fresh })).toEqual([
      { key: 'a', before: old, after: undefined },
      { key: 'a', before: undefined, after: fresh },
    ]);
  });

  test('deletes, and tells what was there', () => {
    const seen = store();
    seen.apply({ type: 'added', view: thing('a', '5') });
    expect(seen.apply({ type: 'deleted', view: thing('a', '6') })).toEqual([
      { key: 'a', before: thing('a', '5'), after: undefined },
    ]);
    expect(seen.apply({ type: 'deleted', view: thing('a', '6') })).toEqual([]);
  });

  test('that deletes an earlier object of that name changes nothing', () => {
    const seen = store();
    seen.apply({ type: 'added', view: thing('a', '5', 'red', 'other') });
    expect(seen.apply({ type: 'deleted', view: thing('a', '4') })).toEqual([]);
    expect(seen.size).toBe(1);
  });
});

describe('an index', () => {
  test('follows additions, modifications and deletions', () => {
    const seen = store();
    for (const [name, color] of [
      ['a', 'red'],
      ['b', 'red'],
      ['c', 'blue'],
      ['d', ''],
    ] as const)
      seen.apply({ type: 'added', view: thing(name, '1', color) });
    expect(names(seen.by('color', 'red'))).toEqual(['a', 'b']);
    seen.apply({ type: 'modified', view: thing('a', '2', 'blue') });
    expect(names(seen.by('color', 'red'))).toEqual(['b']);
    expect(names(seen.by('color', 'blue'))).toEqual(['a', 'c']);
    seen.apply({ type: 'modified', view: thing('d', '2', 'red') });
    seen.apply({ type: 'deleted', view: thing('b', '2') });
    expect(names(seen.by('color', 'red'))).toEqual(['d']);
    expect(names(seen.by('color', 'green'))).toEqual([]);
  });

  test('gives the view as it is now', () => {
    const seen = store();
    seen.apply({ type: 'added', view: thing('a', '1') });
    seen.apply({ type: 'modified', view: thing('a', '2') });
    expect([...seen.by('color', 'red')]).toEqual([thing('a', '2')]);
  });

  test('can be walked twice', () => {
    const seen = store();
    seen.apply({ type: 'added', view: thing('a', '1') });
    const [found, all] = [seen.by('color', 'red'), seen.all()];
    for (const each of [found, found, all, all]) expect(names(each)).toEqual(['a']);
  });

  test('that does not exist is a mistake of the program', () => {
    expect(() => store().by('size', 'big')).toThrow('impossible: no index size, there are: color');
  });
});

describe('a relist', () => {
  test('shows the old until it is whole, then the new, at once', () => {
    const seen = store();
    relist(seen, [thing('a', '1')]);
    seen.apply({ type: 'relisting' });
    seen.apply({ type: 'page', views: [thing('b', '2')] });
    expect(names(seen.all())).toEqual(['a']);
    expect(names(seen.by('color', 'red'))).toEqual(['a']);
    seen.apply({ type: 'page', views: [thing('c', '2')] });
    seen.apply({ type: 'relisted' });
    expect(names(seen.all())).toEqual(['b', 'c']);
    expect(names(seen.by('color', 'red'))).toEqual(['b', 'c']);
  });

  test('tells exactly the difference', () => {
    const seen = store();
    relist(seen, [thing('gone', '1'), thing('same', '1')], [thing('changed', '1'), thing('replaced', '1')]);
    const fresh = [
      thing('same', '1'),
      thing('changed', '2', 'blue'),
      thing('replaced', '2', 'red', 'other'),
      thing('new', '2'),
    ];
    const told = relist(seen, fresh).map(
      ({ key, before, after }) => `${key}: ${before?.resourceVersion} → ${after?.resourceVersion}`,
    );
    expect(told.sort()).toEqual([
      'changed: 1 → 2',
      'gone: 1 → undefined',
      'new: undefined → 2',
      'replaced: 1 → undefined',
      'replaced: undefined → 2',
    ]);
  });

  test('may go back, where a watch may not: after a restore the list is the truth', () => {
    const seen = store();
    relist(seen, [thing('a', '900')]);
    expect(relist(seen, [thing('a', '800', 'blue')])).toHaveLength(1);
    expect(seen.get('a')?.color).toBe('blue');
  });

  test('that broke off leaves nothing behind in the next', () => {
    const seen = store();
    seen.apply({ type: 'relisting' });
    seen.apply({ type: 'page', views: [thing('half', '1')] });
    relist(seen, [thing('a', '1')]);
    expect(names(seen.all())).toEqual(['a']);
  });

  test('keeps what has not changed as the very same object', () => {
    const seen = store();
    const first = thing('a', '1');
    relist(seen, [first]);
    relist(seen, [thing('a', '1')]);
    expect(seen.get('a')).toBe(first);
  });
});

test('after any series of events every index holds exactly what a walk over all would find', () => {
  const seen = store();
  let dice = 42;
  const roll = (sides: number) => {
    dice = (dice * 1103515245 + 12345) % 2147483648;
    return dice % sides;
  };
  for (let version = 1; version < 3_000; version += 1) {
    const one = thing(`n${roll(20)}`, String(version), ['red', 'blue', ''][roll(3)], `uid-${roll(3)}`);
    const type = (['added', 'modified', 'deleted'] as const)[roll(3)] ?? 'added';
    if (roll(50) === 0) relist(seen, [...seen.all()].slice(0, 10), [one]);
    else seen.apply({ type, view: one });
    for (const color of ['red', 'blue']) {
      expect(names(seen.by('color', color))).toEqual(names([...seen.all()].filter((each) => each.color === color)));
    }
  }
});

describe('the indexes of the kinds', () => {
  test('leave out pods without node, and Jobs and passages without label', () => {
    expect(INDEXES.Pod['node']?.({ nodeName: '' } as never)).toBeUndefined();
    expect(INDEXES.Job['passage']?.({ labels: {} } as never)).toBeUndefined();
    expect(INDEXES.NodeMaintenance['node']?.({ readable: false } as never)).toBeUndefined();
  });

  test('find the Job of a pod by UID', () => {
    expect(INDEXES.Pod['owner-job']?.({ controller: { kind: 'Job', name: 'j', uid: 'u' } } as never)).toBe('u');
    expect(
      INDEXES.Pod['owner-job']?.({ controller: { kind: 'ReplicaSet', name: 'j', uid: 'u' } } as never),
    ).toBeUndefined();
  });
});
