import { describe, expect, test } from 'vitest';
import { matches, type WrittenSelector } from '../../src/core/selector.ts';

const one = (key: string, operator: string, values?: readonly string[]): WrittenSelector => ({
  matchExpressions: [{ key, operator, values }],
});

describe('a selector means what it means to the API server', () => {
  const labels = { app: 'web', tier: 'front' };
  test.each<[string, WrittenSelector, boolean]>([
    ['an empty one holds for all', {}, true],
    ['empty parts hold for all', { matchLabels: {}, matchExpressions: [] }, true],
    ['all labels must be there', { matchLabels: { app: 'web', tier: 'front' } }, true],
    ['one of them is another', { matchLabels: { app: 'web', tier: 'back' } }, false],
    ['one of them is missing', { matchLabels: { zone: 'a' } }, false],
    ['labels and expressions must both hold', { matchLabels: { app: 'web' }, ...one('tier', 'In', ['back']) }, false],
    ['In', one('app', 'In', ['api', 'web']), true],
    ['In, another', one('app', 'In', ['api']), false],
    ['In, missing', one('zone', 'In', ['a']), false],
    ['In nothing', one('app', 'In'), false],
    ['NotIn', one('app', 'NotIn', ['api']), true],
    ['NotIn, listed', one('app', 'NotIn', ['web']), false],
    ['NotIn holds where the label is missing', one('zone', 'NotIn', ['a']), true],
    ['Exists', one('app', 'Exists'), true],
    ['Exists, missing', one('zone', 'Exists'), false],
    ['DoesNotExist', one('zone', 'DoesNotExist'), true],
    ['a key that every object of the language answers to', one('constructor', 'Exists'), false],
    ['the same, absent', one('toString', 'DoesNotExist'), true],
    ['DoesNotExist, there', one('app', 'DoesNotExist'), false],
    ['an operator of tomorrow selects nothing', one('app', 'Gt', ['1']), false],
    [
      'every expression must hold',
      {
        matchExpressions: [
          { key: 'app', operator: 'Exists' },
          { key: 'zone', operator: 'Exists' },
        ],
      },
      false,
    ],
  ])('%s', (_, selector, expected) => {
    expect(matches(selector, labels)).toBe(expected);
  });

  test('an empty value is a value', () => {
    expect(matches(one('app', 'Exists'), { app: '' })).toBe(true);
    expect(matches({ matchLabels: { app: '' } }, {})).toBe(false);
  });
});
