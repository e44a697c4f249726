import { describe, expect, it } from 'vitest';
import type { Load, Times } from '../bench/bounds.ts';
import { type Left, least, type NodeLeft, oneByOne, type RolloutLeft } from './remaining.ts';

const TIMES: Times = { cordon: 0, job: 0, uncordon: 0, grace: 0.5, ready: 2, lag: 0 };

function node(over: Partial<NodeLeft> = {}): NodeLeft {
  return { before: 1, look: 5, standing: [], after: 10, ...over };
}

function rollout(over: Partial<RolloutLeft> = {}): RolloutLeft {
  return { first: [], own: [], fresh: [], begun: [], most: 1, ...over };
}

function left(over: Partial<Left> = {}): Left {
  return { controlPlanes: [], rollouts: [], others: [], most: 10, loads: [], times: TIMES, ...over };
}

const budget: Load = { owner: 'Deployment', allows: 1, evictions: 4 };
const three = [node(), node(), node()];

describe('a cluster takes at the least', () => {
  it.each<readonly [string, Left, number]>([
    ['nothing where nothing is left', left(), 0],
    ['the sum of workers that go one at a time', left({ rollouts: [rollout({ fresh: three })] }), 48],
    [
      '[seed 6415] two rounds where two of three may be out',
      left({ rollouts: [rollout({ fresh: three, most: 2 })] }),
      32,
    ],
    ['no less than one node', left({ rollouts: [rollout({ fresh: three, most: 9 })] }), 16],
    ['as long as the cluster makes it', left({ rollouts: [rollout({ fresh: three, most: 9 })], most: 2 }), 32],
    [
      'the drain where that is longer than the look',
      left({ rollouts: [rollout({ fresh: [node({ standing: [{ load: budget, pods: 4 }] })] })] }),
      17.5,
    ],
    [
      'the rest of a node that is drained',
      left({ rollouts: [rollout({ begun: [node({ before: 0, look: undefined })] })] }),
      10,
    ],
    ['control planes one after another, in whatever upgrade', left({ controlPlanes: three }), 48],
    [
      'the control planes that workers wait for, and then those',
      left({ controlPlanes: three, rollouts: [rollout({ first: three, fresh: three, most: 3 })] }),
      64,
    ],
    [
      'not those where all workers are under way',
      left({ rollouts: [rollout({ first: three, begun: three, most: 3 })] }),
      16,
    ],
    ['the evictions of a budget', left({ loads: [{ ...budget, evictions: 40 }] }), 78.5],
    [
      'what a passage that nobody wants any more has begun',
      left({ others: [node({ before: 0, look: undefined })] }),
      10,
    ],
  ])('%s', (_, given, seconds) => {
    expect(least(given)).toBe(seconds);
  });
});

it('two upgrades may go one after the other, and are not judged sooner', () => {
  const own = [node()];
  const one = rollout({ first: own, own, fresh: three, most: 3 });
  const both = left({ controlPlanes: [...own, ...own], rollouts: [one, one], most: 3 });
  expect(least(both)).toBeLessThan(oneByOne(both));
  expect(oneByOne(both)).toBe(64);
});
