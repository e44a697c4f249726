import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { planted } from '../simulation/mutants.ts';
import { escaped, PLANTED, type PlantedOnNodes, plantedCopy } from './planted.ts';

const ROOT = join(import.meta.dirname, '../..');

describe.each(PLANTED)('for $scenario, planted: $name', (bug) => {
  test('has its place in the code, and its test in the scenario', () => {
    const text = readFileSync(join(ROOT, bug.file), 'utf8');
    expect(planted(bug, text)).not.toBe(text);
    const scenario = readFileSync(join(ROOT, `test/nodes/scenarios/${bug.scenario}.test.ts`), 'utf8');
    expect(scenario).toContain(`'${bug.caughtBy}`);
  });
});

const [bug] = PLANTED as readonly [PlantedOnNodes, ...PlantedOnNodes[]];

test('a copy of the project has the bug, everything else, and no history', () => {
  const { directory, remove } = plantedCopy(bug);
  onTestFinished(remove);
  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  expect(read(bug.file)).toContain(bug.to);
  expect(read('package.json')).toBe(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect([existsSync(join(directory, '.git')), existsSync(join(directory, 'node_modules/vitest'))]).toEqual([
    false,
    true,
  ]);
  expect(readFileSync(join(ROOT, bug.file), 'utf8')).toContain(bug.from);
});

test.each([
  [['passed', 'failed', 'skipped'], undefined],
  [['failed', 'failed', 'skipped'], 'the first test to fail was "something else"'],
  [['passed', 'passed', 'passed'], 'no test failed'],
])('of %j: %s', (statuses, said) => {
  const titles = ['something else', `${bug.caughtBy}, and more`, 'nothing is left'];
  const assertionResults = statuses.map((status, at) => ({ status, title: titles[at] ?? '' }));
  expect(escaped(bug, { testResults: [{ assertionResults }] })).toBe(said);
});
