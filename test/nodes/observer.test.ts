import { describe, expect, test } from 'vitest';
import { answering, countHealthy, lowest, outages, unexplained } from './observer.ts';

const budget = {
  metadata: { namespace: 'shop', name: 'web' },
  spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
};

function pod(over: { app?: string; ready?: boolean; ending?: boolean } = {}) {
  const { app = 'web', ready = true, ending = false } = over;
  return {
    metadata: { labels: { app }, ...(ending ? { deletionTimestamp: '2026-11-10T12:00:00Z' } : {}) },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

describe('what the observer makes of what it sees', () => {
  test('healthy are pods of the budget that are Ready and not on their way out', () => {
    const pods = [pod(), pod(), pod({ ready: false }), pod({ ending: true }), pod({ app: 'orders' })];
    expect(countHealthy(7, pods, [budget])).toEqual([{ at: 7, budget: 'shop/web', healthy: 2, floor: 2 }]);
  });

  test('a single count below the floor is kept, whatever comes after', () => {
    const counts = [3, 1, 3].map((healthy, at) => ({ at, budget: 'shop/web', healthy, floor: 2 }));
    expect(lowest(counts).get('shop/web')).toEqual({ floor: 2, least: 1, counted: 3, below: 1 });
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
