import { expect, test } from 'vitest';
import { median, quantile, rowsOf, table } from './figures.ts';

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2],
  [[5], 5],
  [[], Number.NaN],
])('the median of %j is %d', (numbers, middle) => {
  expect(median(numbers)).toBe(middle);
});

test('the 99th of a hundred is exceeded by one', () => {
  const all = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect([quantile(all, 0), quantile(all, 0.99), quantile(all, 1)]).toEqual([1, 99, 100]);
});

test('a table is set in columns', () => {
  expect(
    table(
      ['a', 'bc'],
      [
        ['long', '1'],
        ['b', '200'],
      ],
    ),
  ).toBe('  a      bc\n  long    1\n  b     200');
});

test('a figure is shown as its median, with its unit, and every run', () => {
  const runs = [{ ms: 3 }, { ms: 1.26 }, { ms: 2 }];
  expect(
    rowsOf(runs, [
      ['stall', ({ ms }) => ms, 'ms', 1],
      ['count', ({ ms }) => ms],
    ]),
  ).toEqual([
    ['stall', '2.0 ms', '3.0 · 1.3 · 2.0'],
    ['count', '2', '3 · 1 · 2'],
  ]);
});
