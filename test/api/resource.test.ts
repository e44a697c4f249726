import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { clusterUpgrade, PENDING_CONDITIONS } from '../../src/api/cluster-upgrade.ts';
import { KINDS } from '../../src/api/crd.ts';
import { DEFAULT_DRAIN } from '../../src/api/maintenance-profile.ts';
import { nodeMaintenance } from '../../src/api/node-maintenance.ts';
import { type ResourceDefinition, readMetadata, readResource } from '../../src/api/resource.ts';
import { GOOD } from './good-objects.ts';
import { definitionOf } from './objects.ts';

const metadata = { name: 'a', uid: 'u-1', resourceVersion: '7', creationTimestamp: '2026-11-21T00:00:00Z' };
type Definition = ResourceDefinition<z.ZodType, z.ZodType>;
const read = (kind: Definition, body: object) => readResource(kind, { metadata, ...body });

/** Garbage that is made of the fields a kind has, so that it gets past the first of them. */
const garbage = (spec: object) => {
  const leaf = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(-1, 0, 1, 2 ** 60, '', '0%', [], {}, null));
  const known = Object.fromEntries(
    Object.entries(spec).map(([key, value]) => [key, fc.oneof(leaf, fc.constant(value))] as const),
  );
  return fc.oneof(leaf, fc.record(known, { requiredKeys: [] }));
};

test.each(KINDS.map((kind) => [kind.kind, kind] as const))(
  'garbage in %s is a sentence, never a throw',
  (name, kind) => {
    const samples = GOOD.filter((good) => good.kind === name).map((good) => good.spec as object);
    const spec = fc.oneof(...samples.map(garbage));
    const status = fc.oneof(
      fc.constant(undefined),
      garbage({ conditions: PENDING_CONDITIONS, state: { phase: 'Held' } }),
    );
    fc.assert(
      fc.property(spec, status, (one, other) => {
        const seen = read(kind, { spec: one, status: other });
        expect(seen).toMatchObject(metadataSeen);
        if (seen.readable) return;
        expect(seen.problem).toMatch(/^(spec|status)[\w.$ -]*.*: .+/su);
        expect(seen.problem).not.toContain('undefined:');
      }),
      { numRuns: 2000 },
    );
  },
);

const metadataSeen = { name: 'a', uid: 'u-1', resourceVersion: '7', generation: 0, createdAt: Date.UTC(2026, 10, 21) };

test('planted bug: a reader that threw would be found by the same garbage', () => {
  const throwing = (spec: unknown) => (spec as { target: { revision: string } }).target.revision.length;
  const result = fc.check(fc.property(garbage({ target: { revision: 'a' } }), (spec) => void throwing(spec)));
  expect(result.failed).toBe(true);
});

test('what cannot be read says where and why', () => {
  const problem = (body: object) => {
    const seen = read(clusterUpgrade, body);
    return seen.readable ? '' : seen.problem;
  };
  expect(problem({})).toBe('spec.profileName: Invalid input: expected string, received undefined');
  expect(problem({ spec: 7 })).toMatch(/^spec: Invalid input: expected object/);
  const spec = { profileName: 'p', target: { revision: 'a' }, nodes: { selector: {} }, windowNames: ['B'] };
  expect(problem({ spec })).toMatch(/^spec\.windowNames\.0: must be the name of an object/);
  expect(problem({ spec: { ...spec, windowNames: [] }, status: { phase: 'Sleeping' } })).toMatch(/^status\.phase: /);
});

test('a status that can be read is kept although the spec cannot', () => {
  const kept = { retryTime: '2026-11-21T00:00:00Z', observedRetry: 3 };
  expect(read(clusterUpgrade, { spec: {}, status: kept })).toMatchObject({ readable: false, status: kept });
});

test('an object without status is Pending, so that nothing takes it for finished', () => {
  const good = { spec: { nodeName: 'a', hold: true, reason: 'x' } };
  expect(read(nodeMaintenance, good)).toMatchObject({
    readable: true,
    status: { state: { phase: 'Pending' }, conditions: PENDING_CONDITIONS },
  });
  expect(PENDING_CONDITIONS).toEqual([
    expect.objectContaining({ type: 'Ready', status: 'Unknown', reason: 'Pending' }),
  ]);
});

test('what is read, stored and read again is the same', () => {
  for (const { kind, spec } of GOOD) {
    const definition = definitionOf(kind);
    const once = definition.spec.safeParse(spec);
    if (once.success) expect(definition.spec.parse(once.data)).toEqual(once.data);
  }
});

test('metadata as read: instants in milliseconds, absent maps empty', () => {
  const full = {
    ...metadata,
    generation: 3,
    deletionTimestamp: '2026-11-21T00:00:01Z',
    labels: { a: 'b' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u', controller: true }],
  };
  expect(readMetadata({ metadata: full })).toEqual({
    ...metadataSeen,
    generation: 3,
    deletedAt: Date.UTC(2026, 10, 21, 0, 0, 1),
    labels: { a: 'b' },
    annotations: {},
    finalizers: [],
    owners: [{ kind: 'Node', name: 'n', uid: 'u' }],
  });
  expect(readMetadata({ metadata })).not.toHaveProperty('deletedAt');
});

test('the drain of a hold that names no profile is the default one', () => {
  expect(DEFAULT_DRAIN).toEqual({
    mode: 'Drain',
    deadlineSeconds: 3600,
    onDeadline: 'Skip',
    emptyDir: 'Evict',
    unmanaged: 'Block',
    volumeDetachSeconds: 300,
    loadBalancer: { exclude: false, waitSeconds: 10 },
    rules: [],
  });
});
