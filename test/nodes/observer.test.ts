import { describe, expect, test } from 'vitest';
import { answering, countHealthy, lowest, outages, unexplained } from './observer.ts';

const budget = {
  metadata: { namespace: 'shop', name: 'web' },
  spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
};

function pod(name: string, over: { app?: string; ready?: boolean; ending?: boolean } = {}) {
  const { app = 'web', ready = true, ending = false } = over;
  return {
    metadata: { name, labels: { app }, ...(ending ? { deletionTimestamp: '2026-11-10T12:00:00Z' } : {}) },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

/** Counts of what there was one after another: a pod that is not ready has a `-`, one on its way out a `!`. */
function counted(...all: readonly string[]) {
  return all.flatMap((pods, at) => {
    const there = pods.split(' ').map((word) => {
      const how = { ready: !word.endsWith('-'), ending: word.endsWith('!') };
      return pod(word.replace(/[-!]$/, ''), how);
    });
    return countHealthy(at, there, [budget]);
  });
}

describe('what the observer makes of what it sees', () => {
  test('healthy are pods of the budget that are Ready and not on their way out', () => {
    const pods = [
      pod('a'),
      pod('b'),
      pod('c', { ready: false }),
      pod('d', { ending: true }),
      pod('e', { app: 'orders' }),
    ];
    expect(countHealthy(7, pods, [budget])).toEqual([
      { at: 7, budget: 'shop/web', floor: 2, healthy: ['a', 'b'], staying: ['a', 'b', 'c'] },
    ]);
  });

  test.each([
    ['a single count is kept, whatever comes after', ['a b c', 'a b! c!', 'a d e'], { least: 1, below: 1, fell: 0 }],
    ['a pod that is gone was taken', ['a b', 'a', 'a c'], { least: 1, below: 1, fell: 0 }],
    [
      'caught: one that fell does not excuse one that is taken then',
      ['a b c', 'a b c-', 'a b! c-'],
      { least: 1, below: 1, fell: 0 },
    ],
    [
      'one that was taken does not blame for one that falls then',
      ['a b c', 'a b c!', 'a b-'],
      { least: 2, below: 0, fell: 1 },
    ],
    ['all of them fall', ['a b c', 'a- b- c-', 'a b c'], { least: 3, below: 0, fell: 1 }],
    ['nobody knows how it was before', ['a b-', 'a b'], { least: 1, below: 1, fell: 0 }],
  ])('below the floor: %s', (_, pods, expected) => {
    const sum = lowest(counted(...pods)).get('shop/web');
    expect(sum).toEqual({ floor: 2, counted: pods.length, ...expected });
  });

  test('an outage is from the first question without an answer to the next answer', () => {
    const samples = [true, false, false, true, true, false].map((answered, i) => ({ at: i * 1000, answered }));
    expect(outages(samples)).toEqual([
      { at: 1000, seconds: 2 },
      { at: 5000, seconds: 0 },
    ]);
  });

  test('who answered in an outage is counted by name, and nobody who answered before or after', () => {
    const answers = ['web-1', 'web-2', 'web-2', 'web-3', 'web-4'].map((pod, i) => ({ at: i * 1000, pod }));
    expect([...answering(answers, { at: 1000, seconds: 2 })]).toEqual(['web-2', 'web-3']);
  });

  test('an excuse covers the door that it names, while it lasts, and nothing else', () => {
    const failure = (entry: string, at: number) => ({ entry, at, why: 'refused' });
    const failures = [failure('w2', 10), failure('w1', 10), failure('w2', 99)];
    const excuse = { entry: 'w2', from: 5, until: 20 };
    expect(unexplained(failures, [excuse])).toEqual([failure('w1', 10), failure('w2', 99)]);
  });
});
