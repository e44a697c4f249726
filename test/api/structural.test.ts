import { expect, test } from 'vitest';
import { z } from 'zod';
import { structural } from '../../src/api/crd.ts';
import { count, freezes, instant, list, name, selector, set, share, text, time, word } from '../../src/api/field.ts';
import { notYet, rule, ruled, transition } from '../../src/api/rule.ts';

const positive = rule<number>('self > 0', 'must be more than 0', (value) => value > 0);

test('a rule stands in the schema as CEL, and in our reader as its predicate', () => {
  const schema = ruled(z.int().describe('A number.'), positive);
  expect(structural(schema)).toEqual({
    type: 'integer',
    format: 'int64',
    description: 'A number.',
    'x-kubernetes-validations': [{ rule: 'self > 0', message: 'must be more than 0' }],
  });
  expect(schema.safeParse(0).error?.issues.map(({ message }) => message)).toEqual(['must be more than 0']);
  expect(schema.parse(1)).toBe(1);
});

test('rules add up, and survive whatever is said of the schema afterwards', () => {
  const small = rule<number>('self < 9', 'must be less than 9', (value) => value < 9);
  const schema = ruled(ruled(z.int(), positive), small).describe('A number.').default(1);
  expect(structural(schema)).toMatchObject({
    default: 1,
    description: 'A number.',
    'x-kubernetes-validations': [
      { rule: 'self > 0', message: 'must be more than 0' },
      { rule: 'self < 9', message: 'must be less than 9' },
    ],
  });
  expect([0, 5, 9].map((value) => schema.safeParse(value).success)).toEqual([false, true, false]);
  expect(structural(ruled(z.int(), positive).optional())).toHaveProperty('x-kubernetes-validations');
});

test('planted bug: a refinement without a rule is not in the schema, which is why nobody may write one', () => {
  expect(structural(z.int().refine((value) => value > 0))).toEqual({ type: 'integer', format: 'int64' });
});

test('what only the API server can compare holds for our reader', () => {
  const schema = ruled(z.int(), transition('self >= oldSelf', 'never less'));
  expect(schema.parse(-1)).toBe(-1);
  expect(structural(schema)).toMatchObject({ 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] });
});

test('a field that is not available yet is refused, even when it says nothing', () => {
  const schema = ruled(z.object({ gates: list(text(9, ''), 9, { as: 'set' }, '').optional() }), notYet('gates'));
  expect(schema.safeParse({ gates: [] }).error?.issues[0]?.message).toBe('gates is not available yet: remove it');
  expect(schema.parse({})).toEqual({});
  expect(structural(schema)).toMatchObject({ 'x-kubernetes-validations': [{ rule: '!has(self.gates)' }] });
});

const state = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('Idle'), since: text(9, 'Since when.').optional() }),
  z.object({ phase: z.literal('Busy'), since: text(9, 'Since when.'), verdict: word(['Good'], 'How.') }),
  z.object({ phase: z.literal('Over'), since: text(9, 'Since when.'), verdict: word(['Good', 'Bad'], 'How.') }),
]);

test('a union of shapes becomes one object, and branches that only constrain', () => {
  expect(structural(state)).toEqual({
    type: 'object',
    properties: {
      phase: { type: 'string', enum: ['Idle', 'Busy', 'Over'] },
      since: { type: 'string', maxLength: 9, description: 'Since when.' },
      verdict: { type: 'string', enum: ['Good', 'Bad'], description: 'How.' },
    },
    required: ['phase'],
    oneOf: [
      { properties: { phase: { enum: ['Idle'] } }, required: ['phase'] },
      {
        properties: { phase: { enum: ['Busy'] }, verdict: { enum: ['Good'] } },
        required: ['phase', 'since', 'verdict'],
      },
      { properties: { phase: { enum: ['Over'] } }, required: ['phase', 'since', 'verdict'] },
    ],
  });
});

test.each([
  ['a field that is not the same in every shape', { since: text(8, 'Since when.') }, 'since is not the same in every'],
  ['a field that is a word in one shape and free in another', { since: word(['now'], 'Since when.') }, 'since is not'],
])('planted bug: %s is not lifted in silence', (_, other, message) => {
  const schema = z.discriminatedUnion('phase', [
    z.object({ phase: z.literal('Idle'), since: text(9, 'Since when.') }),
    z.object({ phase: z.literal('Busy'), ...other }),
  ]);
  expect(() => structural(schema)).toThrow(message);
});

test('planted bug: what cannot be lifted throws', () => {
  expect(() => structural(z.union([z.int(), z.string()]))).toThrow('only a union of objects can be lifted');
  expect(() => structural(z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]))).toThrow('tells its shapes');
  expect(() => structural(z.object({ at: z.date() }))).toThrow();
});

test('a share is a number or a string, and bounded', () => {
  expect(structural(share('How many.'))).toMatchObject({
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    maxLength: 32,
  });
  expect(structural(share('How many.'))).not.toHaveProperty('type');
});

test('fields say what they are', () => {
  expect(structural(list(text(3, ''), 5, { as: 'set' }, 'Words.'))).toMatchObject({
    type: 'array',
    maxItems: 5,
    'x-kubernetes-list-type': 'set',
    description: 'Words.',
  });
  expect(structural(list(z.object({ a: text(3, '') }), 5, { as: 'map', by: 'a' }, 'By a.'))).toMatchObject({
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a'],
  });
  expect(structural(set(5, 3, 'Words.'))).toMatchObject({ items: { minLength: 1, maxLength: 3 } });
  expect(structural(count('How often.', 1, 9))).toEqual({
    type: 'integer',
    format: 'int64',
    minimum: 1,
    maximum: 9,
    description: 'How often.',
  });
  expect(structural(time('When.'))).toEqual({
    type: 'string',
    format: 'date-time',
    maxLength: 40,
    description: 'When.',
  });
  expect(structural(instant('When.'))).not.toHaveProperty('format');
  expect(structural(selector('Which.'))).toMatchObject({
    properties: { matchLabels: { additionalProperties: { maxLength: 63 }, maxProperties: 32 } },
  });
});

/** Values beside the edge of each pattern, with whether it lets them through. */
const EDGES: readonly [string, z.ZodType, readonly unknown[], readonly unknown[]][] = [
  [
    'name',
    name('x'),
    ['a', '0', 'a.b', 'a-b.c-d', 'a'.repeat(253)],
    ['', 'A', 'a.', '.a', 'a..b', 'a.-b', 'a_b', 'a\n'],
  ],
  [
    'share',
    share('x'),
    [1, 1_000_000, '1%', '99%', '100%'],
    [0, -1, 1.5, '', '%', '0%', '01%', '101%', '1', '1 %', null],
  ],
  [
    'instant',
    instant('x'),
    ['2026-01-31T00:00:00Z', '2000-02-29T23:59:59+23:59', '2024-02-29T00:00:00.1-00:00', '2026-12-05T20:00:00.123Z'],
    ['2026-04-31T00:00:00Z', '1900-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-00T00:00:00Z', '', ' 2026'],
  ],
];

test.each(EDGES)('a %s lets through what it says, and nothing beside it', (_, schema, good, bad) => {
  expect(good.filter((value) => !schema.safeParse(value).success)).toEqual([]);
  expect(bad.filter((value) => schema.safeParse(value).success)).toEqual([]);
});

test('a freeze may not end when it begins', () => {
  const freeze = (until: string) =>
    freezes('x').safeParse([{ name: 'x', from: '2026-01-01T09:00:00+09:00', until }]).success;
  expect(['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.001Z'].map(freeze)).toEqual([false, true]);
});
