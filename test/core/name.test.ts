import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobName, passageName, prepareJobName, tenHex } from '../../src/core/name.ts';
import { passageNameOf } from '../../src/core/sweep.ts';
import { job } from '../support/build.ts';

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** What the API server lets a node be called. */
const nodeName = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?){0,4}$/);
const objectName = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,200}[a-z0-9])?$/);
const attempt = fc.integer({ min: 1, max: 100 });

describe('names are labels of at most 63 characters', () => {
  test('of passages, whatever the node is called', () => {
    fc.assert(
      fc.property(nodeName, fc.uuid(), fc.uuid(), (node, holder, uid) => {
        expect(passageName(node, holder, uid, `${holder}-17`)).toMatch(LABEL);
      }),
    );
  });

  test('of Jobs, whatever a person calls a hold and however often it is tried', () => {
    fc.assert(
      fc.property(objectName, fc.uuid(), attempt, (name, uid, number) => {
        expect(jobName({ name, uid }, number)).toMatch(LABEL);
        expect(prepareJobName({ name, uid })).toMatch(LABEL);
      }),
    );
  });

  test('and a Job of Drydock names its passage back', () => {
    fc.assert(
      fc.property(nodeName, fc.uuid(), attempt, (node, uid, number) => {
        const name = passageName(node, uid, uid, '1');
        expect(passageNameOf(job({ name: jobName({ name, uid }, number) }))).toBe(name);
        expect(passageNameOf(job({ name: prepareJobName({ name, uid }) }))).toBe(name);
      }),
    );
  });
});

describe('a name is a function of what it is for, and of nothing else', () => {
  const named = passageName('worker-1', 'uid-a', 'uid-n', 'p-1');
  test.each<[string, string]>([
    ['holder', passageName('worker-1', 'uid-b', 'uid-n', 'p-1')],
    ['node', passageName('worker-1', 'uid-a', 'uid-m', 'p-1')],
    ['ticket', passageName('worker-1', 'uid-a', 'uid-n', 'p-2')],
  ])('another %s, another name', (_, other) => {
    expect(other).not.toBe(named);
    expect(passageName('worker-1', 'uid-a', 'uid-n', 'p-1')).toBe(named);
  });

  test('parts cannot run into one another', () => {
    expect(tenHex('ab', 'c')).not.toBe(tenHex('a', 'bc'));
    expect(tenHex('a', '')).not.toBe(tenHex('a'));
  });

  test('each attempt has its own', () => {
    const passage = { name: named, uid: 'u' };
    expect(new Set([jobName(passage, 1), jobName(passage, 2), prepareJobName(passage)]).size).toBe(3);
  });

  test('two holds whose long names begin alike', () => {
    const name = `replace-the-fan-of-${'x'.repeat(60)}`;
    expect(jobName({ name, uid: 'a' }, 1)).not.toBe(jobName({ name, uid: 'b' }, 1));
  });

  test('it reads as its node', () => {
    expect(named).toMatch(/^worker-1-[0-9a-f]{10}$/);
    expect(passageName('ip-10-0-0-1.eu-central-1.compute.internal', 'a', 'b', 'c')).toMatch(
      /^ip-10-0-0-1-eu-central-1-compute-interna-[0-9a-f]{10}$/,
    );
    expect(passageName(`${'a'.repeat(38)}.-x`, 'a', 'b', 'c')).toMatch(/^a{38}-[0-9a-f]{10}$/);
  });

  test('ten hex digits for ten thousand tickets are ten thousand names', () => {
    const names = new Set(Array.from({ length: 10_000 }, (_, index) => tenHex('holder', 'node', `5f1c2b7a-${index}`)));
    expect(names.size).toBe(10_000);
  });
});
