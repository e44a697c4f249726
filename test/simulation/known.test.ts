import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHECKERS } from './checkers/all.ts';
import { MUTANTS } from './mutants.ts';
import { GUARANTEES } from './truth.ts';

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const rows = new Map(
  README.split('\n')
    .filter((line) => /^\| [A-Z]\d \|/.test(line))
    .map((line) => [line.slice(2, 4), line]),
);

test('every guarantee has its row in the README, with its checker and its planted bugs', () => {
  expect([...rows.keys()]).toEqual(Object.keys(GUARANTEES));
  for (const { guarantee, name } of MUTANTS) expect(rows.get(guarantee)).toContain(name);
  const files = readdirSync(join(import.meta.dirname, 'checkers')).filter((file) => file !== 'all.ts');
  for (const file of files) expect(README).toContain(`\`${file}\``);
});

test('every guarantee but L1 has a checker', () => {
  expect([...Object.keys(CHECKERS), 'L1'].sort()).toEqual(Object.keys(GUARANTEES).sort());
});

test('every guarantee has a planted bug', () => {
  expect(new Set(MUTANTS.map(({ guarantee }) => guarantee))).toEqual(new Set(Object.keys(GUARANTEES)));
});
