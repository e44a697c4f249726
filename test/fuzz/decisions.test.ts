import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeMaintenance } from '../../src/api/node-maintenance.ts';
import { edges } from '../../src/api/phases.ts';
import { EFFECTS, requestOf } from '../../src/cluster/effects.ts';
import { decide, needsLook } from '../../src/core/node.ts';
import { anyFacts, anyPlan, anyState } from './facts.ts';
import { planted, runs } from './runs.ts';

type Decide = typeof decide;
const NAMES = { jobsNamespace: 'drydock-jobs' };

/** A decision is total: a step of the table into a state that can be stored, effects that can be asked for, or a pause. */
function property(of: Decide) {
  return fc.property(anyPlan, anyState, anyFacts, (plan, state, facts) => {
    const decision = of(plan, state, facts);
    expect(of(plan, state, facts)).toEqual(decision);
    expect(typeof needsLook(state, decision)).toBe('boolean');
    if (decision.kind === 'move') {
      expect(edges[state.phase] as readonly string[]).toContain(decision.to.phase);
      const stored = nodeMaintenance.status.safeParse({ state: decision.to });
      expect(stored.error?.issues ?? []).toEqual([]);
    }
    if (decision.kind === 'act') {
      for (const effect of decision.effects) {
        expect(Object.keys(EFFECTS)).toContain(effect.kind);
        const asked = requestOf(effect, NAMES);
        expect(JSON.parse(JSON.stringify(asked))).toBeDefined();
        // No passage touches another node than its own.
        if (effect.kind === 'patchNode') expect(effect.nodeName).toBe(facts.passage.spec.nodeName);
      }
    }
    if (decision.kind === 'act' || decision.kind === 'wait') {
      expect(Number.isFinite(decision.recheckAfterSeconds) && decision.recheckAfterSeconds > 0).toBe(true);
    }
  });
}

describe('[S1] a decision about a node, in any state and whatever is seen', () => {
  test('takes a step of the table, or asks for what the table of effects knows, or waits', () => {
    fc.assert(property(decide), runs(4000));
  });

  test.each<[string, Decide]>([
    [
      'a node that is gone in mid-upgrade is forgotten',
      (plan, state, facts) =>
        facts.node === undefined && state.phase === 'Upgrading'
          ? {
              kind: 'move',
              to: { ...state, phase: 'Failed', reason: 'NodeGone', message: '' },
              because: { reason: 'NodeGone', node: '' },
            }
          : decide(plan, state, facts),
    ],
    [
      'a closing that is over is waited for',
      (plan, state, facts) => {
        const { closesAt, ...rest } = facts;
        const decision = decide(plan, state, rest);
        if (closesAt === undefined || decision.kind !== 'wait') return decision;
        return { ...decision, recheckAfterSeconds: (closesAt - facts.now) / 1000 };
      },
    ],
  ])('planted bug: %s', (_, of) => {
    expect(fc.check(property(of), planted(2000)).failed).toBe(true);
  });
});
