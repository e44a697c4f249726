import { describe, expect, test } from 'vitest';
import {
  bound,
  budgetController,
  budgets,
  calendar,
  churn,
  drain,
  held,
  type Load,
  scheduler,
  slots,
  stockBound,
  type Times,
} from './bounds.ts';

const TIMES: Times = { cordon: 1, job: 180, uncordon: 1, grace: 2, ready: 12, lag: 0.5 };

function load(over: Partial<Load> = {}): Load {
  return { owner: 'Deployment', allows: 1, evictions: 10, ...over };
}

describe('a disruption holds its budget', () => {
  test.each([
    ['Deployment', 12.5],
    ['StatefulSet', 14.5],
    ['pinned', 194.5],
  ] as const)('of a %s for %d s', (owner, seconds) => {
    expect(held(owner, TIMES)).toBe(seconds);
  });
});

describe('a drain takes at the least', () => {
  const standing = (pods: number, allows: number) => [{ load: load({ allows }), pods }];
  test.each([
    ['nothing where no pod stands', [], 0],
    ['the termination of one pod', standing(1, 1), 2],
    ['one batch where the budget allows all of them', standing(3, 3), 2],
    ['a wait for each further batch', standing(3, 1), 27],
    ['a wait for the batch that is not full', standing(3, 2), 14.5],
    ['as long as the slowest budget', [...standing(1, 1), ...standing(2, 1)], 14.5],
  ])('%s', (_, on, seconds) => {
    expect(drain(on, TIMES)).toBe(seconds);
  });
});

describe('the slots', () => {
  const node = [{ load: load(), pods: 1 }];
  test.each([
    ['one node after another', 4, 1, 736],
    ['two at a time', 4, 2, 368],
    ['never less than the longest node', 1, 5, 184],
    ['no node, no time', 0, 5, 0],
  ])('%s', (_, count, most, seconds) => {
    expect(
      slots(
        Array.from({ length: count }, () => node),
        most,
        TIMES,
      ),
    ).toBe(seconds);
  });
});

describe('the budgets', () => {
  test.each([
    ['ten evictions one at a time', [load()], 9 * 12.5 + 183],
    ['ten evictions three at a time', [load({ allows: 3 })], 3 * 12.5 + 183],
    ['the slowest of several', [load({ evictions: 1 }), load({ owner: 'StatefulSet' })], 9 * 14.5 + 183],
    ['pods that are pinned to their nodes', [load({ owner: 'pinned' })], 9 * 194.5 + 183],
    ['nothing to evict', [load({ evictions: 0 })], 0],
    ['no budget', [], 0],
  ])('%s', (_, loads, seconds) => {
    expect(budgets(loads, TIMES)).toBe(seconds);
  });
});

test('stock controllers take their time for each eviction', () => {
  expect([budgetController(3_000), churn(3_000), scheduler(3_500)]).toEqual([300, 450, 5]);
});

test('closed windows stretch everything', () => {
  expect(calendar(100, 0.25)).toBe(400);
});

describe('the bound is the largest of all', () => {
  const nodes = Array.from({ length: 4 }, () => [{ load: load(), pods: 1 }]);
  const task = { nodes, loads: [load({ evictions: 4 })], most: 2, times: TIMES };
  test.each([
    ['the slots', task, 368, 368],
    ['a budget', { ...task, loads: [load({ evictions: 100 })] }, 99 * 12.5 + 183, 99 * 12.5 + 183],
    ['windows that are open half of the time', { ...task, openShare: 0.5 }, 736, 736],
    ['the rates of stock controllers', { ...task, loads: [load({ evictions: 4_000, allows: 4_000 })] }, 368, 600],
  ])('%s', (_, given, own, stock) => {
    expect([bound(given), stockBound(given)]).toEqual([own, stock]);
  });
});
