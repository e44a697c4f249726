import { expect, test } from 'vitest';
import { fewerThan, type Glimpse, longestWithout, type Quorum, together, unready, withoutQuorum } from './vigil.ts';

const NAMES = ['cp1', 'cp2', 'cp3'];

function glimpse(over: Partial<Glimpse> = {}): Glimpse {
  return { at: 0, out: [], worked: [], tickets: [], addons: 'v1.36.4', ...over };
}

test.each<[string, Partial<Glimpse>, boolean]>([
  ['none', {}, false],
  ['one, out and worked on with a ticket', { out: ['cp1'], worked: ['cp1'], tickets: ['cp1'] }, false],
  ['one, beside workers', { out: ['cp1', 'w1', 'w2'], tickets: ['cp1', 'w1'] }, false],
  ['two that are out', { out: ['cp1', 'cp3'] }, true],
  ['two that are worked on', { worked: ['cp1', 'cp2'] }, true],
  ['two with a ticket', { tickets: ['cp2', 'cp3'] }, true],
])('control planes at once: %s', (_, over, isFound) => {
  expect(together([glimpse(), glimpse(over)], NAMES)).toEqual(isFound ? [glimpse(over)] : []);
});

/** One look a second, with so many healthy members each. */
function quorums(...counts: readonly number[]): readonly Quorum[] {
  return counts.map((count, index) => ({ at: index * 1_000, healthy: NAMES.slice(0, count) }));
}

test.each([
  ['all of them all the time', [3, 3, 3], 0, 0],
  ['one away', [3, 2, 2, 3], 0, 0],
  ['two away, and one that still answers', [3, 1, 3], 0, 1],
  ['nobody reads through the quorum', [3, 0, 0, 3], 2, 2],
  ['and none at the end', [3, 0, 0], 1, 1],
])('members of etcd: %s', (_, counts, without, thin) => {
  const sum = (found: readonly { readonly seconds: number }[]) => found.reduce((all, { seconds }) => all + seconds, 0);
  expect(sum(withoutQuorum(quorums(...counts)))).toBe(without);
  expect(sum(fewerThan(2, quorums(...counts)))).toBe(thin);
});

test('each API server is away by itself', () => {
  const at = (second: number, ...ready: readonly string[]) => ({ at: second * 1_000, ready });
  const seen = [at(0, 'cp1', 'cp2'), at(1, 'cp2'), at(2, 'cp2'), at(3, 'cp1'), at(4, 'cp1', 'cp2')];
  expect(unready(seen, ['cp1', 'cp2'])).toEqual([
    { name: 'cp1', at: 1_000, seconds: 2 },
    { name: 'cp2', at: 3_000, seconds: 1 },
  ]);
});

test.each([
  ['all are done', '....', 1],
  ['one is not', '..x.', 3],
  ['two in a row are not', '.xx.', 5],
  ['the last are not', '..xx', 3],
])('the longest time without a write: %s', (_, writes, seconds) => {
  let at = 0;
  const made = [...writes].map((word) => {
    const own = { at, written: word === '.', tries: 1, why: '' };
    at += word === '.' ? 1_000 : 2_000;
    return own;
  });
  expect(longestWithout(made)).toBe(seconds);
});
