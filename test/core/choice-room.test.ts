import { describe, expect, test } from 'vitest';
import { DEFAULT_DRAIN } from '../../src/api/maintenance-profile.ts';
import { type ChoiceFacts, choose, share } from '../../src/core/choice.ts';
import { sentence } from '../../src/core/conditions.ts';
import { MOST_TICKETS } from '../../src/core/ledger.ts';
import { node } from '../support/build.ts';
import { ledger } from '../support/build-own.ts';
import { chosen, cp, facts, out, remembered, worker } from './choosing.ts';

describe('[rule 81] how many are meant: rounds down, at least 1', () => {
  test.each<[number | string, number, number]>([
    [1, 100, 1],
    [5, 3, 5],
    ['20%', 3, 1],
    ['20%', 9, 1],
    ['20%', 10, 2],
    ['33%', 10, 3],
    ['100%', 7, 7],
    ['50%', 0, 1],
  ])('%s of %i is %i', (value, of, expected) => {
    expect(share(value, of)).toBe(expected);
  });
});

describe('[N1] how many', () => {
  const nodes = [1, 2, 3, 4, 5].map((index) => worker(index));
  const down = (index: number) => nodes.map((each, at) => (at === index - 1 ? { ...each, ready: false } : each));
  const cordoned = (index: number) =>
    nodes.map((each, at) => (at === index - 1 ? { ...each, unschedulable: true } : each));
  const leave = { ...DEFAULT_DRAIN, mode: 'Leave' } as const;
  test.each<[string, Partial<ChoiceFacts>, object, string]>([
    ['as many as there is room for', { nodes }, { maxUnavailable: 2 }, 'worker-1 worker-2'],
    ['less those that are out', { nodes, ledger: ledger([out('worker-1')]) }, { maxUnavailable: 2 }, 'worker-2'],
    [
      'none when all room is taken',
      { nodes, ledger: ledger([out('worker-1'), out('worker-2')]) },
      { maxUnavailable: 2 },
      'NoRoom',
    ],
    ['the limit of the cluster counts too', { nodes, policyMaxUnavailable: 1 }, { maxUnavailable: 3 }, 'worker-1'],
    [
      'holds count',
      {
        nodes,
        ledger: ledger([out('worker-4', { holder: { kind: 'NodeMaintenance', name: 'fan', uid: 'uid-fan' } })]),
      },
      { maxUnavailable: 1 },
      'NoRoom',
    ],
    [
      'a ticket whose node has vanished counts in the cluster',
      { nodes, policyMaxUnavailable: 1, ledger: ledger([out('worker-9')]) },
      { maxUnavailable: 3 },
      'NoRoom',
    ],
    ['a node that is not Ready uses up room', { nodes: down(5) }, { maxUnavailable: 1 }, 'NoRoom'],
    ['foreign: Ignore, and it does not', { nodes: down(5) }, { maxUnavailable: 1, foreign: 'Ignore' }, 'worker-1'],
    ['one that is out already needs no room', { nodes: cordoned(3) }, { maxUnavailable: 1 }, 'worker-3'],
    ['one that is out already comes first', { nodes: cordoned(3) }, { maxUnavailable: 2 }, 'worker-3 worker-1'],
    [
      'caught: foreign: Ignore, and the one that was not counted takes the room of those behind it',
      { nodes: cordoned(3) },
      { maxUnavailable: 1, foreign: 'Ignore' },
      'worker-3',
    ],
    [
      'mode Leave needs no room',
      { nodes, drain: leave, ledger: ledger([out('worker-1')]) },
      { maxUnavailable: 1 },
      'worker-2 worker-3 worker-4 worker-5',
    ],
    [
      'a ticket of mode Leave takes none',
      { nodes, ledger: ledger([out('worker-1', { mode: 'Leave' })]) },
      { maxUnavailable: 1 },
      'worker-2',
    ],
    [
      'caught: a node that others cordoned counts though it has a ticket of mode Leave',
      { nodes: cordoned(1), ledger: ledger([out('worker-1', { mode: 'Leave' })]) },
      { maxUnavailable: 1 },
      'NoRoom',
    ],
    [
      'a percentage is of the selected nodes without control planes',
      { nodes: [...nodes, cp(1, remembered), cp(2, remembered)] },
      { maxUnavailable: '40%' },
      'worker-1 worker-2',
    ],
    [
      'a retry keeps the room it has',
      { nodes, ledger: ledger([out('worker-1')]), takeOver: new Set(['worker-1']), failed: new Set() },
      { maxUnavailable: 1 },
      'worker-1',
    ],
    [
      'caught: a retry of a node that is back in service waits while too many are out',
      { nodes: down(5), ledger: ledger([out('worker-1')]), takeOver: new Set(['worker-1']) },
      { maxUnavailable: 1 },
      'NoRoom',
    ],
  ])('%s', (_, over, rollout, expected) => {
    expect(chosen(over, rollout)).toBe(expected);
  });

  test('who uses up the room is named', () => {
    const { because } = choose(facts({ nodes: down(5), ledger: ledger([out('worker-1')]) }, { maxUnavailable: 2 }));
    expect(because).toEqual({ reason: 'NoRoom', out: 2, limit: 2, foreign: ['worker-5'], left: [], of: 'upgrade' });
    const policy = choose(facts({ nodes: down(5), policyMaxUnavailable: 1 }, { maxUnavailable: 2 }));
    expect(policy.because).toMatchObject({ of: 'cluster', limit: 1 });
  });

  test('[seed 2039] one that was left cordoned for a target of before is named with what to do about it', () => {
    const failed = { unschedulable: true, annotations: { 'drydock.dev/left-cordoned': '{}' } };
    const seen = { nodes: [node('worker-1', failed), node('worker-2')], ledger: ledger([out('worker-1')]) };
    const { because } = choose(facts(seen, { maxUnavailable: 1 }));
    expect(because).toMatchObject({ reason: 'NoRoom', left: ['worker-1'] });
    expect(sentence(because)).toContain('Left cordoned after a failure, to be mended and then uncordoned: worker-1.');
  });

  test('a full ledger admits no more and says so', () => {
    const many = (count: number) =>
      ledger(Array.from({ length: count }, (_, index) => out(`gone-${index}`, { mode: 'Leave' })));
    expect(chosen({ nodes, ledger: many(MOST_TICKETS) }, { maxUnavailable: 5 })).toBe('LedgerFull');
    expect(chosen({ nodes, ledger: many(MOST_TICKETS - 2) }, { maxUnavailable: 5 })).toBe('worker-1 worker-2');
  });
});
