import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attempt } from '../../src/core/attempt.ts';
import { never } from '../../src/core/decision.ts';
import { type Effect, effectKey } from '../../src/core/effect.ts';
import { same } from '../../src/core/same.ts';
import { ledger } from '../support/build-own.ts';

const seen = { uid: 'u', resourceVersion: '5' };
const cordon: Effect = { kind: 'patchNode', as: 'cordon', nodeName: 'n', resourceVersion: '5' };
const admit: Effect = { kind: 'writeLedger', as: 'admit', ...seen, status: ledger().status };
const finalizers = (of: 'ClusterUpgrade' | 'MaintenancePolicy', ...kept: readonly string[]): Effect => ({
  kind: 'setFinalizers',
  of,
  name: 'n',
  ...seen,
  finalizers: kept,
});

describe('the name under which an outcome is remembered', () => {
  test.each<[string, Effect, Effect]>([
    [
      'evictions, by pod',
      { kind: 'evict', namespace: 's', pod: 'p', uid: 'a', lane: 'l' },
      { kind: 'evict', namespace: 's', pod: 'p', uid: 'b', lane: 'l' },
    ],
    ['patches, by purpose', cordon, { ...cordon, as: 'uncordon' }],
    ['patches, by node', cordon, { ...cordon, nodeName: 'm' }],
    ['writes of the ledger, by purpose', admit, { ...admit, as: 'remove' }],
    ['finalizers, by kind', finalizers('ClusterUpgrade'), finalizers('MaintenancePolicy')],
    ['finalizers, by which', finalizers('ClusterUpgrade', 'a'), finalizers('ClusterUpgrade', 'b')],
    ['deletions, by UID', { kind: 'deleteJob', name: 'j', uid: 'a' }, { kind: 'deleteJob', name: 'j', uid: 'b' }],
    [
      'creation and deletion',
      { kind: 'createJob', name: 'j', manifest: {} },
      { kind: 'deleteJob', name: 'j', uid: 'a' },
    ],
  ])('tells apart %s', (_, one, other) => {
    expect(effectKey(one)).not.toBe(effectKey(other));
    expect(effectKey({ ...one })).toBe(effectKey(one));
  });
});

describe('whether two values say the same', () => {
  test.each<[unknown, unknown, boolean]>([
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ a: 1 }, { a: 1, b: undefined }, true],
    [{ a: 1 }, { a: 1, b: null }, false],
    [[1, 2], [2, 1], false],
    [[1], [1, 2], false],
    [[], {}, false],
    [{ a: [{ b: 'x' }] }, { a: [{ b: 'x' }] }, true],
    [{ a: [{ b: 'x' }] }, { a: [{ b: 'y' }] }, false],
    [null, undefined, false],
    [0, '0', false],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(same(a, b)).toBe(expected);
    expect(same(b, a)).toBe(expected);
  });

  test('a value is what comes back from the API server', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(same(value, JSON.parse(JSON.stringify(value)))).toBe(true);
      }),
    );
  });
});

test('a reader that can only throw becomes a value', () => {
  expect(attempt(() => JSON.parse('7') as unknown)).toEqual({ ok: true, value: 7 });
  expect(attempt(() => JSON.parse('{') as unknown)).toMatchObject({
    ok: false,
    problem: expect.stringContaining('JSON'),
  });
  expect(
    attempt(() => {
      throw 'bare';
    }),
  ).toEqual({ ok: false, problem: 'bare' });
});

test('a case that was forgotten is a bug, and says which', () => {
  expect(() => never({ phase: 'Tomorrow' } as never)).toThrow('impossible: {"phase":"Tomorrow"}');
});
