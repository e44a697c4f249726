import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Effect, tainted } from '../../src/core/effect.ts';
import {
  DUE,
  EXCLUDE_LABEL,
  HELD_BY,
  HOLD,
  LEFT_CORDONED,
  type Mark,
  readMark,
  SCALE_DOWN_DISABLED,
  writeMark,
} from '../../src/core/mark.ts';
import {
  cordonPatch,
  dueFor,
  isCordonedBy,
  quarantinePatch,
  steerPatch,
  uncordonPatch,
  unsteerPatch,
} from '../../src/core/patch.ts';
import type { NodeView } from '../../src/core/world.ts';
import { cordoned, leftCordoned, mark, node } from '../support/build.ts';

type Patch = Extract<Effect, { kind: 'patchNode' }>;
const TAKER = { name: 'worker-1-aa', uid: 'uid-passage', ticket: 'uid-policy-1' };

/** What the API server makes of a merge patch. */
function apply(of: NodeView, { labels, annotations, unschedulable, taints }: Patch): NodeView {
  const merged = (has: Readonly<Record<string, string>>, changes: Patch['labels'] = {}) =>
    Object.fromEntries(
      Object.entries({ ...has, ...changes }).filter((pair): pair is [string, string] => pair[1] !== null),
    );
  return {
    ...of,
    labels: merged(of.labels, labels),
    annotations: merged(of.annotations, annotations),
    unschedulable: unschedulable ?? of.unschedulable,
    taints: taints === undefined ? of.taints : tainted(taints),
  };
}
const held = (of: NodeView, annotation: typeof HELD_BY | typeof LEFT_CORDONED = HELD_BY): Mark => {
  const read = readMark(of, annotation);
  if (read === undefined) throw new Error('no mark');
  return read;
};
const value = fc.option(fc.constantFrom('', 'true', 'false', 'somebody'), { nil: undefined });
const anyNode = fc
  .record({ unschedulable: fc.boolean(), exclude: value, scaleDown: value, other: value })
  .map(({ unschedulable, exclude, scaleDown, other }) =>
    node('worker-1', {
      unschedulable,
      labels: {
        ...(exclude === undefined ? {} : { [EXCLUDE_LABEL]: exclude }),
        ...(other === undefined ? {} : { pool: other }),
      },
      annotations: scaleDown === undefined ? {} : { [SCALE_DOWN_DISABLED]: scaleDown },
    }),
  );

describe('[rule 41] the state before is saved, and given back', () => {
  test('whatever it was, cordon and uncordon leave no trace', () => {
    fc.assert(
      fc.property(anyNode, fc.boolean(), (before, exclude) => {
        const out = apply(before, cordonPatch(before, TAKER, exclude));
        expect(isCordonedBy(out, TAKER.uid)).toBe(true);
        expect(apply(out, uncordonPatch(out, held(out), undefined, 'uncordon'))).toEqual(before);
      }),
    );
  });

  test('whatever it was, being left cordoned and taken again by a retry gives back the first state', () => {
    fc.assert(
      fc.property(anyNode, fc.boolean(), fc.boolean(), (before, exclude, excludeAgain) => {
        const out = apply(before, cordonPatch(before, TAKER, exclude));
        const left = apply(
          out,
          quarantinePatch(out, held(out), { reason: 'JobFailed', message: '' }, '2026-11-10T12:00:00Z'),
        );
        expect(left.unschedulable && left.annotations[HELD_BY] === undefined).toBe(true);
        const again = apply(left, cordonPatch(left, { ...TAKER, uid: 'uid-retry' }, excludeAgain));
        expect(again.annotations[LEFT_CORDONED]).toBeUndefined();
        expect(apply(again, uncordonPatch(again, held(again), undefined, 'uncordon'))).toEqual(before);
      }),
    );
  });

  test('whatever it was, cordoning again what a person uncordoned gives back the first state, but for a cordon he lifted', () => {
    fc.assert(
      fc.property(anyNode, (before) => {
        const out = apply(before, cordonPatch(before, TAKER, true));
        const lifted = { ...out, unschedulable: false };
        const again = apply(lifted, cordonPatch(lifted, TAKER, true));
        const back = apply(again, uncordonPatch(again, held(again), undefined, 'uncordon'));
        expect(back).toEqual({ ...before, unschedulable: false });
      }),
    );
  });

  test('a cordon from before that a person lifted while we had the node stays lifted (simulation, seed 66)', () => {
    const before = node('worker-1', { unschedulable: true });
    const out = apply(before, cordonPatch(before, TAKER, true));
    const lifted = { ...out, unschedulable: false };
    expect(apply(lifted, uncordonPatch(lifted, held(out), undefined, 'uncordon')).unschedulable).toBe(false);
  });
});

describe('the soft taint', () => {
  const others = [
    { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
    { key: 'a', value: '', effect: 'NoExecute', timeAdded: '2026-11-10T11:00:00Z' },
  ];
  const steered = apply(
    node('worker-1', { taints: others }),
    steerPatch(node('worker-1', { taints: others }), 'to-1-36'),
  );

  test('comes beside those of others, says for which upgrade, and goes without them', () => {
    expect(steered.taints).toEqual([...others, { key: DUE, value: 'to-1-36', effect: 'PreferNoSchedule' }]);
    expect(dueFor(steered)).toBe('to-1-36');
    expect(apply(steered, unsteerPatch(steered)).taints).toEqual(others);
    expect([steerPatch(steered, 'x').resourceVersion, unsteerPatch(steered).resourceVersion]).toEqual(['5', '5']);
  });

  test('stays when the node is cordoned, and goes with the cordon in one patch (planted: it stays, and costs a write)', () => {
    const before = apply(steered, cordonPatch(steered, TAKER, true));
    expect(dueFor(before)).toBe('to-1-36');
    const back = apply(before, uncordonPatch(before, held(before), undefined, 'uncordon'));
    expect(back).toMatchObject({ unschedulable: false, taints: others });
    const forgotten = { ...steered, unschedulable: false };
    expect(
      apply(forgotten, uncordonPatch(forgotten, undefined, { label: 'a', value: 'b' }, 'uncordon')).taints,
    ).toEqual(others);
  });

  test('goes when the node is left cordoned: it is next for nobody', () => {
    const out = apply(steered, cordonPatch(steered, TAKER, true));
    expect(apply(out, quarantinePatch(out, held(out), { reason: 'JobFailed', message: '' }, 'now')).taints).toEqual(
      others,
    );
  });

  test('taints are not written where there is none of ours', () => {
    const plain = node('worker-1', { taints: others });
    expect(uncordonPatch(plain, undefined, undefined, 'uncordon')).not.toHaveProperty('taints');
    expect(cordonPatch(steered, TAKER, true)).not.toHaveProperty('taints');
  });
});

describe('one patch against the version that was seen', () => {
  test('cordon: mark, cordon, load balancers and autoscaler', () => {
    expect(cordonPatch(node(), TAKER, true)).toEqual({
      kind: 'patchNode',
      as: 'cordon',
      nodeName: 'worker-1',
      resourceVersion: '5',
      unschedulable: true,
      labels: { [EXCLUDE_LABEL]: '' },
      annotations: {
        [SCALE_DOWN_DISABLED]: 'true',
        [LEFT_CORDONED]: null,
        [HELD_BY]: writeMark({
          nodeMaintenance: 'worker-1-aa',
          uid: 'uid-passage',
          ticket: 'uid-policy-1',
          previous: {
            unschedulable: false,
            labels: { [EXCLUDE_LABEL]: null },
            annotations: { [SCALE_DOWN_DISABLED]: null },
          },
        }),
      },
    });
    expect(cordonPatch(node(), TAKER, false).labels).toEqual({});
  });

  test('uncordon: with the label that remembers', () => {
    const out = cordoned('uid-passage');
    expect(uncordonPatch(out, held(out), { label: 'os', value: 'new' }, 'uncordon')).toMatchObject({
      resourceVersion: '5',
      unschedulable: false,
      labels: { os: 'new' },
      annotations: { [HELD_BY]: null },
    });
  });

  test('[C2] without a mark nothing but the label is written', () => {
    const patch = uncordonPatch(
      node('worker-1', { unschedulable: true }),
      undefined,
      { label: 'os', value: 'new' },
      'uncordon',
    );
    expect(patch).not.toHaveProperty('unschedulable');
    expect(patch.labels).toEqual({ os: 'new' });
  });

  test.each<[string, NodeView, boolean]>([
    ['[C2] a cordon that was there before stays', cordoned('uid-passage', {}, { unschedulable: true }), true],
    [
      '[rule 42] a person asked with the hold annotation: given back cordoned',
      { ...cordoned('uid-passage'), annotations: { ...cordoned('uid-passage').annotations, [HOLD]: 'mine' } },
      true,
    ],
    ['otherwise it is schedulable', cordoned('uid-passage'), false],
  ])('%s', (_, out, unschedulable) => {
    const back = apply(out, uncordonPatch(out, held(out), undefined, 'uncordon'));
    expect(back.unschedulable).toBe(unschedulable);
    expect(back.annotations[HOLD]).toBe(out.annotations[HOLD]);
  });

  test.each<[string, NodeView, boolean]>([
    ['our mark and the cordon', cordoned('uid-passage'), true],
    ['our mark alone', cordoned('uid-passage', { unschedulable: false }), false],
    ['the cordon alone', node('worker-1', { unschedulable: true }), false],
    ['the mark of another', cordoned('uid-other'), false],
    ['left cordoned', leftCordoned('uid-passage'), false],
  ])('cordoned by us: %s', (_, of, expected) => {
    expect(isCordonedBy(of, 'uid-passage')).toBe(expected);
  });
});

describe('a mark', () => {
  const read = (written: string) => readMark(node('n', { annotations: { [HELD_BY]: written } }), HELD_BY);
  const own = fc.constantFrom(null, '', 'true');
  const anyMark = fc.record<Mark>({
    nodeMaintenance: fc.string(),
    uid: fc.string(),
    ticket: fc.string(),
    previous: fc.record({
      unschedulable: fc.boolean(),
      labels: fc.oneof(
        fc.constant({}),
        own.map((is) => ({ [EXCLUDE_LABEL]: is })),
      ),
      annotations: fc.oneof(
        fc.constant({}),
        own.map((is) => ({ [SCALE_DOWN_DISABLED]: is })),
      ),
    }),
  });

  test('is read as it was written', () => {
    fc.assert(
      fc.property(anyMark, (written) => {
        expect(read(writeMark(written))).toEqual(written);
        const left = { ...written, reason: 'JobFailed', message: 'm', since: 's' };
        expect(read(writeMark(left))).toEqual(left);
      }),
    );
  });

  test('that says why says it first: kubectl describe node cuts a long annotation off', () => {
    const why = { reason: 'JobFailed', message: 'the disk is full' };
    expect(writeMark({ ...mark('u'), ...why }).slice(0, 100)).toContain('"JobFailed","message":"the disk is full"');
  });

  test.each(['', '{', 'null', '7', '"x"', '[]', '{}', '{"uid":1,"nodeMaintenance":"n"}', '{"uid":"u"}'])(
    'garbled by a person is none: %s',
    (written) => {
      expect(read(written)).toBeUndefined();
    },
  );

  test('whatever stands there, reading it never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (written) => {
        read(written);
      }),
    );
  });

  test('of an older shape is read as far as it goes', () => {
    expect(read('{"nodeMaintenance":"n","uid":"u","previous":{"unschedulable":"yes","labels":7}}')).toEqual(
      mark('u', {}, { nodeMaintenance: 'n', ticket: '' }),
    );
  });

  test('caught: forged from its node it cannot have labels written that no kubelet may set', () => {
    const forged = {
      'node-restriction.kubernetes.io/tier': 'trusted',
      'drydock.node-restriction.kubernetes.io/os': 'done',
    };
    const written = writeMark(
      mark('u', { labels: { ...forged, [EXCLUDE_LABEL]: null }, annotations: { 'example.com/a': 'b' } }),
    );
    const out = node('n', { unschedulable: true, annotations: { [HELD_BY]: written } });
    const patch = uncordonPatch(out, held(out), undefined, 'unmark');
    expect(patch.labels).toEqual({ [EXCLUDE_LABEL]: null });
    expect(patch.annotations).toEqual({ [HELD_BY]: null });
  });
});
