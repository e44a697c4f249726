import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { crd, KINDS } from '../../src/api/crd.ts';
import { rule, ruled } from '../../src/api/rule.ts';
import { BAD } from './bad-objects.ts';
import { GOOD } from './good-objects.ts';
import { type Case, definitionOf, objectOf, said, saidBy } from './objects.ts';
import { rulesOf } from './schema.ts';

const named = (cases: readonly Case[]) => cases.map((each) => [each.what, each] as const);
const refusedBy = (by: string) => BAD.flatMap((bad) => ('by' in bad && bad.by === by ? [bad] : []));
/** Rules over the whole object have no predicate: they are about names, which only the API server sees. */
const isAboutTheName = (bad: (typeof BAD)[number] & { refused: RegExp }) =>
  definitionOf(bad.kind).rules?.some(({ message }) => bad.refused.test(message)) ?? false;
const RULED = refusedBy('rule').filter((bad) => !isAboutTheName(bad));
/** Duplicates are for the API server to see: it knows by the list type what a duplicate is. */
const SHAPED = refusedBy('schema').filter(({ refused }) => !/Duplicate/.test(refused.source));

test.each(named(RULED))('our predicate refuses %s, in the words of the API server', (_, bad) => {
  const { refused } = bad as typeof bad & { refused: RegExp };
  expect(said(bad)).toEqual(expect.arrayContaining([expect.stringMatching(refused)]));
});

test.each(named(SHAPED))('our schema refuses %s', (_, bad) => {
  expect(said(bad)).not.toEqual([]);
});

test.each(named(GOOD))('nothing is said against %s', (_, good) => {
  // The API server drops a null where there is a default.
  const spec = Object.fromEntries(Object.entries(good.spec as object).filter(([, value]) => value !== null));
  expect(said({ ...good, spec })).toEqual([]);
});

test('planted bug: a predicate that is blind, and one that says something else, is found', () => {
  const empty = { openings: [], freezes: [] };
  const { cel, message } = { cel: 'size(self.openings) > 0', message: 'openings are empty: add one' };
  const windows = z.object({ openings: z.array(z.unknown()), freezes: z.array(z.unknown()) });
  const refuses = (holds: () => boolean, refused: RegExp) =>
    saidBy(ruled(windows, rule(cel, message, holds)), empty).some((sentence) => refused.test(sentence));
  expect(refuses(() => false, /^spec: openings are empty: add/)).toBe(true);
  expect(refuses(() => true, /openings are empty/)).toBe(false);
  expect(refuses(() => false, /freezes are empty/)).toBe(false);
});

describe('the tables', () => {
  test('are large, and call no two objects by one name', () => {
    expect(BAD.length).toBeGreaterThan(150);
    expect(GOOD.length).toBeGreaterThan(40);
    const all = [...BAD, ...GOOD].filter(({ name }) => name === undefined);
    expect(new Set(all.map((each) => `${each.kind} ${objectOf(each, each.what).metadata.name}`)).size).toBe(all.length);
  });

  test('break every rule that a person can break', () => {
    const broken = new Set(refusedBy('rule').flatMap((bad) => [...messagesOf(bad), ...nameRules(bad)]));
    expect(breakable().filter((rule) => !broken.has(rule))).toEqual([]);
  });

  test('refuse nothing by a rule that does not exist', () => {
    const rules = new Set(breakable(true));
    expect(RULED.filter((bad) => !messagesOf(bad).some((message) => rules.has(message)))).toEqual([]);
  });
});

/** Inside of a field that is refused as a whole, nobody gets to break a rule. */
const UNREACHABLE = /^spec[.](gates|prometheus|target[.]via|drain[.]rules)\b./;

/** The sentences of all rules for people, each with its kind; a rule over a change needs two objects and is asked for elsewhere. */
function breakable(all = false): readonly string[] {
  return KINDS.flatMap((kind) =>
    rulesOf(crd(kind))
      .filter(({ path, rule }) => !path.startsWith('status') && !rule.includes('oldSelf'))
      .filter(({ path }) => all || !UNREACHABLE.test(path))
      .map(({ message }) => `${kind.kind}: ${message}`),
  );
}

function messagesOf({ kind, spec }: Case): readonly string[] {
  const read = definitionOf(kind).spec.safeParse(spec);
  return read.success ? [] : read.error.issues.map(({ message }) => `${kind}: ${message}`);
}

function nameRules(bad: Case & { refused: RegExp }): readonly string[] {
  const rules = definitionOf(bad.kind).rules ?? [];
  return rules.filter(({ message }) => bad.refused.test(message)).map(({ message }) => `${bad.kind}: ${message}`);
}
