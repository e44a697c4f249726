import { describe, expect, test } from 'vitest';
import { diagram, edges, PHASES, type Phase, transitionRule } from '../../src/api/phases.ts';

const next = (phase: Phase): readonly Phase[] => edges[phase];
const ends = PHASES.filter((phase) => next(phase).length === 0);
const reachable = (from: Phase): ReadonlySet<Phase> => {
  const found = new Set<Phase>([from]);
  for (const phase of found) for (const to of next(phase)) found.add(to);
  return found;
};

/** Runs the CEL of the rule as far as its few words go, so that its text is judged and not how it was made. */
function holds(rule: string, from: string, to: string): boolean {
  return rule.split(' || ').some((clause) => {
    if (clause === 'self.phase == oldSelf.phase') return from === to;
    const parts = /^\(oldSelf\.phase == '(\w+)' && self\.phase in \[(.*)\]\)$/.exec(clause);
    if (parts === null) throw new Error(`not understood: ${clause}`);
    return parts[1] === from && (parts[2] ?? '').split(', ').includes(`'${to}'`);
  });
}

describe('the table of phases', () => {
  test('every phase can be reached', () => {
    expect([...reachable('Pending')].sort()).toEqual([...PHASES].sort());
  });

  test('every phase can come to an end', () => {
    expect(ends).toEqual(['Succeeded', 'Skipped', 'Cancelled', 'Failed']);
    for (const phase of PHASES) expect([...reachable(phase)].some((to) => ends.includes(to))).toBe(true);
  });

  test('the order of steps is a ratchet: from the Job on there is no way back to draining, nor to Cancelled but by the door', () => {
    const after = reachable('Upgrading');
    for (const phase of ['Pending', 'Preparing', 'Cordoning', 'Draining', 'Detaching', 'Held'] as const)
      expect(after).not.toContain(phase);
    expect(next('Upgrading')).not.toContain('Cancelled');
    expect(next('Upgrading')).not.toContain('Uncordoning');
  });

  test('what has failed after the Job is never given back by itself', () => {
    expect(next('Quarantining')).toEqual(['Failed']);
  });

  test('the rule of the API server says exactly the table', () => {
    const rule = transitionRule();
    for (const from of PHASES)
      for (const to of PHASES)
        expect(`${from} → ${to}: ${holds(rule, from, to)}`).toBe(
          `${from} → ${to}: ${from === to || next(from).includes(to)}`,
        );
  });

  test('the diagram shows every step', () => {
    const shown = diagram();
    for (const from of PHASES) for (const to of next(from)) expect(shown).toContain(`    ${from} --> ${to}\n`);
    for (const end of ends) expect(shown).toContain(`    ${end} --> [*]`);
  });
});
