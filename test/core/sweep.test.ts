import { describe, expect, test } from 'vitest';
import { DUE, HELD_BY, LEFT_CORDONED, readMark, SCALE_DOWN_DISABLED } from '../../src/core/mark.ts';
import { passageNameOf, sweepDue, sweepJob, sweepNode } from '../../src/core/sweep.ts';
import type { JobView, NodeView, PassageObject, UpgradeObject } from '../../src/core/world.ts';
import { ago, COMPLETE, cordoned, FAILED, job, leftCordoned, NOW, node, PASSAGE } from '../support/build.ts';
import { passage, upgrade } from '../support/build-own.ts';

const ended = { since: ago(60), reason: 'JobFailed', message: 'exit code 1' };
const draining = passage({ phase: 'Draining', since: ago(60) });
const cancelled = passage({ phase: 'Cancelled', ...ended });
const succeeded = passage({ phase: 'Succeeded', ...ended });
const failedBefore = passage({ phase: 'Failed', ...ended });
const failedAfter = passage({ phase: 'Failed', ...ended }, { status: { job: { name: `${PASSAGE}-1`, attempt: 1 } } });
const twin = passage({ phase: 'Draining', since: ago(60) }, { uid: 'uid-twin' });
const unreadable: PassageObject = (({ spec: _, status: __, ...rest }) =>
  ({ ...rest, readable: false, problem: 'x' }) as const)(draining);
const marked = cordoned('uid-passage');
const prepare = job({}, 'prepare');

describe('a node', () => {
  const swept = (of: NodeView, jobs: readonly JobView[] = [], owner?: PassageObject) => {
    const effect = sweepNode(of, jobs, owner, NOW);
    return effect?.kind === 'patchNode' ? effect.as : 'nothing';
  };
  test.each<[string, string, string]>([
    ['without a mark', swept(node()), 'nothing'],
    ['cordoned by a person', swept(node('worker-1', { unschedulable: true })), 'nothing'],
    ['whose passage is on its way', swept(marked, [], draining), 'nothing'],
    ['whose passage cannot be read', swept(marked, [], unreadable), 'nothing'],
    ['[C3] whose passage is gone', swept(marked), 'unmark'],
    ['[C3] whose passage is gone, another by that name', swept(marked, [], twin), 'unmark'],
    ['whose passage was turned back: the cordon landed late', swept(marked, [], cancelled), 'unmark'],
    ['whose passage succeeded: the cordon landed late', swept(marked, [], succeeded), 'unmark'],
    ['whose passage failed before its Job', swept(marked, [], failedBefore), 'unmark'],
    ['[C1] whose passage failed after its Job', swept(marked, [], failedAfter), 'quarantine'],
    ['whose passage is gone, its Job at work: awaited', swept(marked, [job()]), 'nothing'],
    ['whose passage is gone, its Job ended', swept(marked, [job({ finished: COMPLETE })]), 'quarantine'],
    [
      'whose passage is gone, its first Job ended, its second at work',
      swept(marked, [job({ finished: FAILED }), job({}, 2)]),
      'nothing',
    ],
    ['whose passage is gone, its Job never ran', swept(marked, [job({ suspended: true })]), 'unmark'],
    ['whose passage is gone, only its prepare Job at work', swept(marked, [prepare]), 'unmark'],
    [
      'whose passage is gone, a Job of another passage at work',
      swept(marked, [job({ labels: { ...job().labels, 'drydock.dev/passage': 'x' } })]),
      'unmark',
    ],
    ['whose settled passage has a Job at work: awaited', swept(marked, [job()], cancelled), 'nothing'],
    ['left cordoned', swept(leftCordoned('uid-passage')), 'nothing'],
    [
      'left cordoned, and back in service by a person',
      swept(leftCordoned('uid-passage', { unschedulable: false })),
      'unmark',
    ],
    [
      'whose mark a person garbled',
      swept(node('worker-1', { unschedulable: true, annotations: { [HELD_BY]: '{' } })),
      'nothing',
    ],
  ])('%s', (_, got, expected) => {
    expect(got).toBe(expected);
  });

  test('what it gives back is as it was', () => {
    expect(
      sweepNode(
        cordoned('uid-gone', {}, { unschedulable: true, annotations: { [SCALE_DOWN_DISABLED]: 'no' } }),
        [],
        undefined,
        NOW,
      ),
    ).toMatchObject({
      resourceVersion: '5',
      unschedulable: true,
      annotations: { [SCALE_DOWN_DISABLED]: 'no', [HELD_BY]: null },
    });
  });

  test('back in service by a person: only what we changed is undone, the cordon is not touched', () => {
    const effect = sweepNode(
      leftCordoned('u', { unschedulable: false }, { annotations: { [SCALE_DOWN_DISABLED]: null } }),
      [],
      undefined,
      NOW,
    );
    expect(effect).toMatchObject({
      resourceVersion: '5',
      annotations: { [SCALE_DOWN_DISABLED]: null, [LEFT_CORDONED]: null },
    });
    expect(effect).not.toHaveProperty('unschedulable');
  });

  test.each<[string, readonly JobView[], PassageObject | undefined, object]>([
    [
      'for nobody',
      [job({ suspended: true }, 2), job({ finished: COMPLETE })],
      undefined,
      { reason: 'Orphaned', message: expect.stringContaining(`${PASSAGE}-1`) },
    ],
    ['and failed', [], failedAfter, { reason: 'JobFailed', message: 'exit code 1' }],
  ])('caught: a Job that ended %s is explained on the node in words that are true', (_, jobs, owner, expected) => {
    const effect = sweepNode(marked, jobs, owner, NOW);
    const annotations = effect?.kind === 'patchNode' ? effect.annotations : {};
    const left = readMark(
      node('n', { annotations: { [LEFT_CORDONED]: annotations?.[LEFT_CORDONED] ?? '' } }),
      LEFT_CORDONED,
    );
    expect(left).toMatchObject({ uid: 'uid-passage', since: ago(0), ...expected });
  });
});

describe('[C3] a soft taint', () => {
  const taints = [{ key: DUE, value: 'to-1-36', effect: 'PreferNoSchedule' }];
  const swept = (of: NodeView, owner?: UpgradeObject) => {
    const effect = sweepDue(of, owner);
    return effect?.kind === 'patchNode' ? effect.as : 'nothing';
  };
  const { spec: _, status: __, ...rest } = upgrade();
  const garbled: UpgradeObject = { ...rest, readable: false, problem: 'spec' };
  test.each<[string, string, string]>([
    ['of an upgrade that is gone', swept(node('worker-1', { taints })), 'unsteer'],
    ['of an upgrade that cannot be read', swept(node('worker-1', { taints }), garbled), 'unsteer'],
    [
      'of an upgrade that is there, which takes it back itself',
      swept(node('worker-1', { taints }), upgrade()),
      'nothing',
    ],
    ['on a node that a passage holds, with whose mark it goes', swept(cordoned('uid-passage', { taints })), 'nothing'],
    [
      'on a node whose mark a person garbled',
      swept(node('worker-1', { taints, annotations: { [HELD_BY]: '{' } })),
      'unsteer',
    ],
    [
      'that is none of ours',
      swept(node('worker-1', { taints: [{ key: 'a', value: '', effect: 'NoSchedule' }] })),
      'nothing',
    ],
  ])('%s', (_name, got, expected) => {
    expect(got).toBe(expected);
  });

  test('goes with the mark of a passage that is gone, in one patch', () => {
    expect(sweepNode(cordoned('uid-gone', { taints }), [], undefined, NOW)).toMatchObject({
      as: 'unmark',
      taints: { others: [] },
    });
  });
});

describe('a Job', () => {
  const swept = (of: JobView, owner?: PassageObject, on: NodeView | undefined = node()) =>
    sweepJob(of, on, owner) === undefined ? 'nothing' : 'deleted';
  const tidied = { ...cancelled, finalizers: [] };
  const done = job({ finished: COMPLETE });
  const idle = job({ suspended: true });
  const { 'drydock.dev/passage': _, ...labels } = job().labels;
  test.each<[string, string, string]>([
    ['of a passage on its way', swept(idle, draining), 'nothing'],
    ['of a passage that cannot be read', swept(idle, unreadable), 'nothing'],
    ['[J1] at work, whatever became of its passage', swept(job()), 'nothing'],
    ['[J1] at work, of a settled passage', swept(job(), tidied), 'nothing'],
    ['that never ran, its passage gone', swept(idle), 'deleted'],
    ['that ended, its passage gone', swept(done), 'deleted'],
    ['that ended, its passage gone, another by that name', swept(done, twin), 'deleted'],
    ['that never ran, its passage settled and tidied up', swept(idle, tidied), 'deleted'],
    ['of a settled passage that is tidying up', swept(idle, cancelled), 'nothing'],
    ['that ended, before its node was marked for it', swept(done, undefined, marked), 'nothing'],
    ['that ended, after its node was marked for it', swept(done, undefined, leftCordoned('uid-passage')), 'deleted'],
    ['that ended, its node held by another', swept(done, undefined, cordoned('uid-other')), 'deleted'],
    ['whose node is gone', sweepJob(done, undefined, undefined) === undefined ? 'nothing' : 'deleted', 'deleted'],
    ['on its way out', swept({ ...done, deleting: true }), 'nothing'],
    ['that is not ours', swept({ ...done, labels }), 'nothing'],
  ])('%s', (_name, got, expected) => {
    expect(got).toBe(expected);
  });

  test('[J1] one that never ran is deleted only as it was seen, one that ended by UID', () => {
    expect(sweepJob(idle, node(), undefined)).toEqual({
      kind: 'deleteJob',
      name: idle.name,
      uid: 'uid-job-1',
      resourceVersion: '5',
    });
    expect(sweepJob(done, node(), undefined)).toEqual({ kind: 'deleteJob', name: done.name, uid: 'uid-job-1' });
  });

  test('names its passage', () => {
    expect(passageNameOf(job())).toBe(PASSAGE);
    expect(passageNameOf(prepare)).toBe(PASSAGE);
  });
});
