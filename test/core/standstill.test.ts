import { describe, expect, test } from 'vitest';
import type { Assessment } from '../../src/core/drain.ts';
import { decide } from '../../src/core/node.ts';
import { rivalOf } from '../../src/core/standstill.ts';
import type { PassageObject, Read } from '../../src/core/world.ts';
import { ago, NOW } from '../support/build.ts';
import { facts, HOLD_SPEC, PASSAGE_SPEC, passage, plan } from '../support/build-own.ts';

const KEPT = { remaining: 2, terminating: 0, blocked: 2 };
const STANDS: Assessment = {
  empty: false,
  evictions: [],
  hopeful: 0,
  blockers: [],
  counts: KEPT,
  staying: [],
  nowhere: false,
  free: [],
};

/** A passage that has drained for so many seconds, and from whose node no pod has left for so many. */
function draining(name: string, seconds: number, still: number, over: object = {}): Read<PassageObject> {
  const pods = { ...KEPT, since: ago(still), ...over };
  const spec = { ...PASSAGE_SPEC, nodeName: `node-of-${name}` };
  return passage({ phase: 'Draining', since: ago(seconds) }, { name, spec, status: { pods } });
}

describe('[rule 36] two drains that block each other', () => {
  const older = draining('a', 5_000, 600);
  const younger = draining('b', 4_000, 600);
  const rival = (own: Read<PassageObject>, others: readonly Read<PassageObject>[], seen = STANDS) =>
    rivalOf(own, seen, [own, ...others], NOW);

  test('caught: the younger is given up, and only that one', () => {
    expect(rival(younger, [older])).toBe('node-of-a');
    expect(rival(older, [younger])).toBeUndefined();
  });

  test('of two that began at once the one of the later name', () => {
    const twin = draining('c', 4_000, 600);
    expect([rival(twin, [younger]), rival(younger, [twin])]).toEqual(['node-of-b', undefined]);
  });

  test.each<[string, Read<PassageObject>, Read<PassageObject>, Assessment]>([
    ['from which a pod has left within ten minutes', draining('b', 4_000, 599), older, STANDS],
    ['beside one from which a pod has left within ten minutes', younger, draining('a', 5_000, 599), STANDS],
    ['beside one whose pods are on their way', younger, draining('a', 5_000, 600, { terminating: 1 }), STANDS],
    ['beside one that nothing keeps', younger, draining('a', 5_000, 600, { blocked: 0 }), STANDS],
    ['whose pods are on their way', younger, older, { ...STANDS, counts: { ...KEPT, terminating: 1 } }],
    ['that may ask for more', younger, older, { ...STANDS, hopeful: 1 }],
  ])('caught: a drain is not given up %s', (_, own, other, seen) => {
    expect(rival(own, [other], seen)).toBeUndefined();
  });

  test('a drain alone is not given up: its deadline decides', () => {
    expect(rival(younger, [])).toBeUndefined();
  });

  test('given up is put back, to be tried again; a hold is a will of a person and is not', () => {
    const state = { phase: 'Draining', since: ago(1_000) } as const;
    const seen = { drain: STANDS, rival: 'worker-2' };
    expect(decide(plan(), state, facts(seen))).toMatchObject({
      kind: 'move',
      to: { phase: 'Uncordoning', verdict: 'Skipped', reason: 'DrainsBlockEachOther' },
    });
    const held = { ...facts().passage, spec: HOLD_SPEC };
    expect(decide(plan(), state, facts({ ...seen, passage: held }))).toMatchObject({ kind: 'wait' });
  });
});
