import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ticket } from '../../src/api/maintenance-policy.ts';
import { DEFAULT_DRAIN } from '../../src/api/maintenance-profile.ts';
import { type ChoiceFacts, choose, selected, share } from '../../src/core/choice.ts';
import { admit } from '../../src/core/ledger.ts';
import type { Target } from '../../src/core/target.ts';
import type { NodeView } from '../../src/core/world.ts';
import { NOW, node } from '../support/build.ts';
import { ledger, ticket, upgrade } from '../support/build-own.ts';

const OS: Target = { kind: 'revision', text: 'os', label: 'os', value: 'os' };
const modes = fc.constantFrom('Drain', 'Cordon', 'Leave');
const shares = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom('1%', '20%', '50%', '100%'));

/** A node, whether it has a ticket and of which mode, and whether that is a settled one of ours. */
const anyNode = fc.record({
  unschedulable: fc.boolean(),
  ready: fc.boolean(),
  takeNotReady: fc.boolean(),
  controlPlane: fc.boolean(),
  done: fc.boolean(),
  selected: fc.boolean(),
  ticket: fc.option(modes, { nil: undefined }),
  takeOver: fc.boolean(),
});
const world = fc.record({
  nodes: fc.array(anyNode, { maxLength: 8 }),
  vanished: fc.array(modes, { maxLength: 2 }),
  maxUnavailable: shares,
  policyMaxUnavailable: shares,
  foreign: fc.constantFrom('Count', 'Ignore'),
  mode: modes,
});
type World = typeof world extends fc.Arbitrary<infer W> ? W : never;

function factsOf(seen: World): ChoiceFacts {
  const nodes = seen.nodes.map(
    (of, index): NodeView =>
      node(`n-${index}`, {
        unschedulable: of.unschedulable,
        ready: of.ready,
        controlPlane: of.controlPlane,
        annotations: of.takeNotReady ? { 'drydock.dev/take-not-ready': 'yes' } : {},
        labels: { ...(of.done ? { os: 'os' } : {}), ...(of.selected ? { pool: 'a' } : {}) },
      }),
  );
  // At most one control plane has a ticket, as every write of the ledger keeps it.
  const firstCp = seen.nodes.findIndex((of) => of.controlPlane && of.ticket !== undefined);
  const tickets = [
    ...seen.nodes.flatMap((of, index): Ticket[] => {
      if (of.ticket === undefined || (of.controlPlane && index !== firstCp)) return [];
      return [
        ticket({
          nodeName: `n-${index}`,
          nodeUID: `uid-n-${index}`,
          ticket: `t-${index}`,
          mode: of.ticket,
          controlPlane: of.controlPlane,
        }),
      ];
    }),
    ...seen.vanished.map((mode, index) => ticket({ nodeName: `gone-${index}`, ticket: `g-${index}`, mode })),
  ];
  const names = new Set(tickets.map(({ nodeName }) => nodeName));
  const rollout = { maxUnavailable: seen.maxUnavailable, foreign: seen.foreign };
  return {
    now: NOW,
    upgrade: upgrade({ nodes: { selector: { matchLabels: { pool: 'a' } } }, target: { revision: 'os' }, rollout }),
    target: OS,
    nodes,
    controlPlane: { server: 'v1.36.4', components: [] },
    ledger: ledger(tickets),
    policyMaxUnavailable: seen.policyMaxUnavailable,
    drain: { ...DEFAULT_DRAIN, mode: seen.mode },
    failed: new Set(),
    setAside: new Map(),
    hindered: () => [],
    takeOver: new Set(
      seen.nodes.flatMap((of, index) => (of.takeOver && names.has(`n-${index}`) ? [`n-${index}`] : [])),
    ),
  };
}

/** How many of some nodes are out once the ledger is written: the words of N1, said apart from the code that keeps it. */
function outAfter(scope: readonly NodeView[], tickets: readonly Ticket[], foreign: string): number {
  const held = new Set(tickets.filter(({ mode }) => mode !== 'Leave').map(({ nodeName }) => nodeName));
  return scope.filter(
    ({ name, ready, unschedulable }) => held.has(name) || (foreign === 'Count' && (unschedulable || !ready)),
  ).length;
}

describe('whatever is seen', () => {
  const run = (holds: (seen: World, facts: ChoiceFacts, tickets: readonly Ticket[]) => void) =>
    fc.assert(
      fc.property(world, (seen) => {
        const facts = factsOf(seen);
        const { requests } = choose(facts);
        if (requests.length > 0) holds(seen, facts, admit(facts.ledger, requests, NOW).status.tickets);
      }),
      { numRuns: 3000 },
    );

  test('[N1] no admission of a schedulable and Ready node leaves more than maxUnavailable out', () => {
    run((seen, facts, tickets) => {
      const fresh = choose(facts).requests.filter(({ nodeName, mode }) => {
        const of = facts.nodes.find(({ name }) => name === nodeName);
        return mode !== 'Leave' && of?.ready === true && !of.unschedulable;
      });
      if (fresh.length === 0) return;
      const mine = selected(facts.nodes, facts.upgrade.spec);
      const workers = mine.filter(({ controlPlane }) => !controlPlane).length;
      expect(outAfter(mine, tickets, seen.foreign)).toBeLessThanOrEqual(share(seen.maxUnavailable, workers));
      const vanished = seen.vanished.filter((mode) => mode !== 'Leave').length;
      expect(outAfter(facts.nodes, tickets, seen.foreign) + vanished).toBeLessThanOrEqual(
        share(seen.policyMaxUnavailable, facts.nodes.length),
      );
    });
  });

  test('[T1] never two tickets of control planes, never two of one node', () => {
    run((_, __, tickets) => {
      expect(tickets.filter(({ controlPlane }) => controlPlane).length).toBeLessThanOrEqual(1);
      expect(new Set(tickets.map(({ nodeName }) => nodeName)).size).toBe(tickets.length);
    });
  });

  test('[V1] no worker while a selected control plane is behind', () => {
    run((_, facts, __) => {
      const behind = facts.nodes.some(
        ({ controlPlane, labels }) => controlPlane && labels['pool'] === 'a' && labels['os'] !== 'os',
      );
      const workers = choose(facts).requests.filter(({ controlPlane }) => !controlPlane);
      if (behind) expect(workers).toEqual([]);
    });
  });

  test('caught: an admission that forgets those it takes in the same pass is seen', () => {
    const nodes = [node('n-0', { unschedulable: true }), node('n-1')];
    const tickets = nodes.map(({ name }) => ticket({ nodeName: name }));
    expect(outAfter(nodes, tickets, 'Ignore')).toBe(2);
  });
});
