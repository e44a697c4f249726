import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SEEN_KINDS } from '../../src/cluster/kinds.ts';
import { pool } from '../../src/cluster/pool.ts';
import { view } from '../../src/cluster/views.ts';
import type { Kind } from '../../src/core/world.ts';
import { type Path, pathsOf, REAL, replaced } from './raw-objects.ts';
import { planted, runs } from './runs.ts';

type Read = (kind: Kind, raw: unknown) => unknown;
const read: Read = (kind, raw) => view(kind, raw, { jobsNamespace: 'kube-system', pool: pool() });
const OWN = (kind: Kind) => kind.startsWith('Maintenance') || kind === 'ClusterUpgrade' || kind === 'NodeMaintenance';

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    7,
    -1,
    0,
    '',
    'x',
    true,
    false,
    [],
    [null],
    [[]],
    {},
    { a: 1 },
    { __proto__: 1 },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const spoilt = fc.constantFrom(...SEEN_KINDS).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    changes: fc.array(fc.tuple(fc.constantFrom(...pathsOf(REAL[kind])), odd), { minLength: 1, maxLength: 5 }),
  }),
);

const entries = (seen: unknown) => new Map(Object.entries((seen ?? {}) as Record<string, unknown>));

/** Which parts of a view say something else than before. */
function different(before: unknown, after: unknown): readonly string[] {
  const [one, other] = [entries(before), entries(after)];
  return [...new Set([...one.keys(), ...other.keys()])].filter(
    (key) => JSON.stringify(one.get(key)) !== JSON.stringify(other.get(key)),
  );
}

/** Which parts of a view may change with a part of the object: those that change when it, or anything in it, is left out or is true. */
function dependent(by: Read, kind: Kind, path: Path): ReadonlySet<string> {
  const whole = by(kind, REAL[kind]);
  const below = pathsOf(REAL[kind]).filter((each) => path.every((key, index) => each[index] === key));
  const changed = below.flatMap((each) =>
    [undefined, true].flatMap((value) => different(whole, by(kind, replaced(REAL[kind], each, value)))),
  );
  return new Set(changed);
}

function isolated(by: Read) {
  return fc.property(spoilt, ({ kind, changes: [first] }) => {
    if (first === undefined) return;
    const [path, value] = first;
    const may = dependent(read, kind, path);
    const spread = different(by(kind, REAL[kind]), by(kind, replaced(REAL[kind], path, value)));
    expect(spread.filter((key) => !may.has(key))).toEqual([]);
  });
}

describe('what the API server sends', () => {
  test('any JSON at all is no object, or one with an identity', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SEEN_KINDS), fc.oneof(odd, fc.jsonValue()), fc.jsonValue(), (kind, raw, part) => {
        expect(read(kind, raw)).toBeUndefined();
        const named = { metadata: { name: 'a', uid: 'b', resourceVersion: '1' }, spec: part, status: raw };
        expect(read(kind, named)).toMatchObject({ name: 'a', uid: 'b', resourceVersion: '1' });
      }),
      runs(300),
    );
  });

  test('a real object with odd parts at any depth is read, as long as it has an identity', () => {
    fc.assert(
      fc.property(spoilt, ({ kind, changes }) => {
        const raw = changes.reduce<unknown>((now, [path, value]) => replaced(now, path, value), REAL[kind]);
        const { name, uid, resourceVersion } = ((raw as { metadata?: Record<string, unknown> } | undefined)?.metadata ??
          {}) as Record<string, unknown>;
        const whole = [name, uid, resourceVersion].every((word) => typeof word === 'string' && word !== '');
        const seen = read(kind, raw);
        if (whole) expect(seen).toMatchObject({ name, uid, resourceVersion });
        else expect(seen).toBeUndefined();
      }),
      runs(500),
    );
  });

  test('one odd part never loses what stands elsewhere', () => {
    fc.assert(
      isolated((kind, raw) => (OWN(kind) ? undefined : read(kind, raw))),
      runs(400),
    );
  });

  test('planted bug: an odd taint loses all of the node', () => {
    const strict: Read = (kind, raw) => {
      const taints = (raw as { spec?: { taints?: unknown } } | undefined)?.spec?.taints;
      const fine = Array.isArray(taints) && taints.every((taint) => typeof taint === 'object' && taint !== null);
      const seen = read(kind, raw);
      return kind !== 'Node' || fine ? (OWN(kind) ? undefined : seen) : { ...(seen as object), ready: false };
    };
    expect(fc.check(isolated(strict), planted(400)).failed).toBe(true);
  });
});
