import { expect, test } from 'vitest';
import { diagram, edges, PHASES, type Phase, transitionRule } from '../../src/api/phases.ts';

const SETTLED: readonly Phase[] = ['Succeeded', 'Skipped', 'Cancelled', 'Failed'];
const next = (from: Phase): readonly Phase[] => edges[from];

/** Reads the transition rule as the API server does: the part of CEL that it is made of, and nothing else. */
function allows(rule: string, from: string, to: string): boolean {
  return rule.split(' || ').some((part) => {
    if (part === 'self.phase == oldSelf.phase') return from === to;
    const found = /^\(oldSelf\.phase == '(\w+)' && self\.phase in \[((?:'\w+'(?:, )?)+)\]\)$/.exec(part);
    if (found === null) throw new Error(`not understood: ${part}`);
    return found[1] === from && (found[2] ?? '').split(', ').includes(`'${to}'`);
  });
}

const pairs = PHASES.flatMap((from) => PHASES.map((to) => [from, to] as const));
const disagreements = (rule: string) =>
  pairs.filter(([from, to]) => allows(rule, from, to) !== (from === to || next(from).includes(to)));

test('the rule of the API server allows the steps of the table, and no other of 289', () => {
  expect(pairs).toHaveLength(289);
  expect(disagreements(transitionRule())).toEqual([]);
});

test('planted bug: a step too many or too few is found', () => {
  expect(disagreements(transitionRule().replace("'Draining', ", ''))).toEqual([['Cordoning', 'Draining']]);
  expect(disagreements(`${transitionRule()} || (oldSelf.phase == 'Failed' && self.phase in ['Pending'])`)).toEqual([
    ['Failed', 'Pending'],
  ]);
});

test('every phase can be reached, and only settled ones end', () => {
  const reached = new Set<Phase>(['Pending']);
  for (const phase of reached) for (const to of next(phase)) reached.add(to);
  expect([...reached].sort()).toEqual([...PHASES].sort());
  expect(PHASES.filter((phase) => next(phase).length === 0)).toEqual(SETTLED);
  expect(PHASES.filter((phase) => next(phase).includes('Pending'))).toEqual([]);
});

test('from every phase there is a way to an end', () => {
  const ends = (phase: Phase, seen: readonly Phase[] = []): boolean =>
    SETTLED.includes(phase) || next(phase).some((to) => !seen.includes(to) && ends(to, [...seen, phase]));
  expect(PHASES.filter((phase) => !ends(phase))).toEqual([]);
});

test('a node whose upgrade was released is never given back untried: only Verifying leads to Uncordoning', () => {
  const begun: readonly Phase[] = ['Upgrading', 'Rebooting', 'Lost', 'Quarantining'];
  expect(begun.filter((phase) => next(phase).includes('Uncordoning'))).toEqual([]);
  expect(next('Upgrading')).not.toContain('Cancelled');
  expect(next('Verifying')).toContain('Uncordoning');
});

test('the diagram has every step, once', () => {
  const lines = diagram()
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
  const steps = PHASES.flatMap((from) => next(from).map((to) => `${from} --> ${to}`));
  expect(lines.sort()).toEqual(['[*] --> Pending', ...steps, ...SETTLED.map((phase) => `${phase} --> [*]`)].sort());
});
