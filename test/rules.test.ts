import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Rule } from './rules/rule.ts';
import { MISSING, RULES } from './rules.ts';
import { sourceOf } from './tidy/source.ts';

const TESTS = fileURLToPath(new URL('.', import.meta.url));
const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
/** The passage of one node, and what real nodes were seen to do. */
const NUMBERS = [...from(1, 66), ...from(106, 117)];
const MOST_WORDS = 12;

function from(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

type Titles = (file: string) => readonly string[] | undefined;

/** The titles of the tests in a file, and those of the rows of its tables, where it has a test whose title is a row's. */
function titlesIn(path: string, text: string): readonly string[] {
  const tests: string[] = [];
  const rows: string[] = [];
  let tabled = false;
  sourceOf({ path, text }).visit({
    CallExpression: ({ callee, arguments: [title] }) => {
      if (!/^(test|it)\b/.test(text.slice(callee.start, callee.end)) || title === undefined) return;
      if (title.type === 'Literal' && typeof title.value === 'string') tests.push(title.value);
      tabled ||= title.type === 'Identifier' || /%[sj]|\$\{/.test(text.slice(title.start, title.end));
    },
    ArrayExpression: ({ elements }) => {
      for (const row of elements) {
        if (row?.type !== 'ArrayExpression') continue;
        const [first] = row.elements;
        if (first?.type === 'Literal' && typeof first.value === 'string') rows.push(first.value);
      }
    },
  });
  return tabled ? [...tests, ...rows] : tests;
}

const known = new Map<string, readonly string[] | undefined>();
const titlesOf: Titles = (file) => {
  if (!known.has(file)) {
    const path = `${TESTS}${file}`;
    known.set(file, existsSync(path) ? titlesIn(file, readFileSync(path, 'utf8')) : undefined);
  }
  return known.get(file);
};

/** What is wrong with a table of rules. */
function complaints(rules: Readonly<Record<number, Rule>>, missing: Readonly<Record<number, string>>): string[] {
  const found: string[] = [];
  for (const number of NUMBERS) {
    const rule = rules[number];
    if (rule === undefined) found.push(`rule ${number} has no row`);
    else if (rule.shown.length === 0 && missing[number] === undefined) found.push(`no test shows rule ${number}`);
  }
  for (const [number, { says, shown, otherwise }] of Object.entries(rules)) {
    if (says.split(' ').length > MOST_WORDS) found.push(`rule ${number} takes more than ${MOST_WORDS} words`);
    if (otherwise !== undefined && !README.includes(otherwise))
      found.push(`rule ${number}: the README does not say "${otherwise}"`);
    for (const [file, title] of shown) {
      const titles = titlesOf(file);
      if (titles === undefined) found.push(`rule ${number}: there is no test/${file}`);
      else if (!title.includes(' ') || !titles.some((one) => one.startsWith(title)))
        found.push(`rule ${number}: no test in test/${file} is called "${title}"`);
    }
  }
  for (const [number, lacks] of Object.entries(missing)) {
    if (rules[Number(number)] === undefined) found.push(`what is missing of rule ${number} is of no rule`);
    if (!/^[A-Z][^.]*\.$/.test(lacks)) found.push(`what is missing of rule ${number} is no sentence`);
  }
  return found;
}

/** Tests that name a rule in their title, and the row of that rule does not know their file. */
function unlisted(rules: Readonly<Record<number, Rule>>, files: readonly string[], titles: Titles): string[] {
  return files.flatMap((file) =>
    (titles(file) ?? []).flatMap((title) => {
      const numbers = /^(?:caught: )?\[rules? ([\d, ]+)\]/.exec(title)?.[1]?.split(', ').map(Number) ?? [];
      return numbers
        .filter((number) => NUMBERS.includes(number) && !rules[number]?.shown.some(([shownIn]) => shownIn === file))
        .map((number) => `rule ${number} does not name test/${file}, where "${title}" is`);
    }),
  );
}

const FILES = globSync('**/*.test.ts', { cwd: TESTS });

test('every rule of the passage of a node is shown by a test that exists, or said to be missing', () => {
  expect(complaints(RULES, MISSING)).toEqual([]);
});

test('every test that says which rule it shows is in the row of that rule', () => {
  expect(unlisted(RULES, FILES, titlesOf)).toEqual([]);
});

const { 41: saved, ...others } = RULES;
const one: Rule = { says: 'One.', shown: [['core/drain.test.ts', '[rule 13] by UID']] };

test.each<[string, Readonly<Record<number, Rule>>, Readonly<Record<number, string>>, string]>([
  ['a rule without a row', others, MISSING, 'rule 41 has no row'],
  ['a rule that nothing shows', { ...others, 41: { says: 'One.', shown: [] } }, MISSING, 'no test shows rule 41'],
  [
    'a title that nobody has',
    { ...others, 41: { ...one, shown: [['core/drain.test.ts', '[rule 13] by name']] } },
    MISSING,
    'rule 41: no test in test/core/drain.test.ts is called "[rule 13] by name"',
  ],
  [
    'words that stand in a file and are the title of no test',
    { ...others, 41: { ...one, shown: [['core/drain.test.ts', 'PodDisruptionBudget shop/web allows']] } },
    MISSING,
    'rule 41: no test in test/core/drain.test.ts is called "PodDisruptionBudget shop/web allows"',
  ],
  [
    'a file that is not there',
    { ...others, 41: { ...one, shown: [['core/drains.test.ts', 'by UID']] } },
    MISSING,
    'rule 41: there is no test/core/drains.test.ts',
  ],
  [
    'a decision that the README does not know',
    { ...others, 41: { ...one, otherwise: '**Because.**' } },
    MISSING,
    'rule 41: the README does not say "**Because.**"',
  ],
  [
    'a rule told at length',
    { ...others, 41: { ...one, says: 'a b c d e f g h i j k l m' } },
    MISSING,
    'rule 41 takes more than 12 words',
  ],
  ['no sentence for what is missing', RULES, { ...MISSING, 41: 'much' }, 'what is missing of rule 41 is no sentence'],
  ['what is missing of no rule', RULES, { ...MISSING, 99: 'Much.' }, 'what is missing of rule 99 is of no rule'],
])('planted bug: %s is found', (_, rules, missing, complaint) => {
  expect(complaints(rules, missing)).toEqual([complaint]);
});

test('planted bug: a test for a rule whose row does not know it is found', () => {
  const titles: Titles = () => ['caught: [rules 41, 67] one', '[rule 99] two', 'three'];
  expect(saved).toBeDefined();
  expect(unlisted(RULES, ['core/x.test.ts'], titles)).toEqual([
    'rule 41 does not name test/core/x.test.ts, where "caught: [rules 41, 67] one" is',
  ]);
});
