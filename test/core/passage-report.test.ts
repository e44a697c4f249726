import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Blocker } from '../../src/api/blocker.ts';
import { type NodeState, nodeMaintenance, type Plan } from '../../src/api/node-maintenance.ts';
import { PHASES } from '../../src/api/phases.ts';
import type { Because } from '../../src/core/because.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import { passageStatus } from '../../src/core/passage-report.ts';
import { ago, COMPLETE, cordoned, FAILED, job, node, PASSAGE, pod } from '../support/build.ts';
import { facts, passage, plan } from '../support/build-own.ts';
import { blocker } from './reporting.ts';

const stateOf = (phase: (typeof PHASES)[number]): NodeState =>
  ({
    phase,
    since: ago(5),
    attempt: 1,
    jobUID: 'j',
    bootIDBefore: 'b',
    machineID: 'm',
    from: 'Upgrading',
    verdict: 'Skipped',
    reason: 'Why',
    message: 'Because.',
  }) as unknown as NodeState;
const told = (phase: (typeof PHASES)[number], because: Because, over: Partial<NodeFacts> = {}, of = plan()) => {
  const state =
    phase === 'Pending' ? ({ phase } as const) : nodeMaintenance.status.parse({ state: stateOf(phase) }).state;
  const status = passageStatus(passage(state).status, of, state, because, facts(over), 1);
  return {
    ...status,
    said: Object.fromEntries(status.conditions.map(({ type, status: is, reason }) => [type, `${is} ${reason}`])),
  };
};

describe('what a passage says of itself', () => {
  test.each<[(typeof PHASES)[number], Because, object]>([
    [
      'Pending',
      { reason: 'Stamping' },
      {
        Ready: 'False Stamping',
        Reconciling: 'True Stamping',
        Stalled: 'False NotStalled',
        Blocked: 'False NotBlocked',
      },
    ],
    [
      'Pending',
      { reason: 'NodeNotFound', node: 'x' },
      { Ready: 'False NodeNotFound', Reconciling: 'False NodeNotFound', Stalled: 'True NodeNotFound' },
    ],
    [
      'Pending',
      { reason: 'ControlPlaneBusy', node: 'x' },
      { Reconciling: 'True ControlPlaneBusy', Blocked: 'True ControlPlaneBusy' },
    ],
    [
      'Draining',
      { reason: 'Blocked', blockers: [] },
      { Reconciling: 'True Blocked', Blocked: 'True Blocked', Stalled: 'False NotStalled' },
    ],
    ['Lost', { reason: 'NodeLost', node: 'x', from: 'Upgrading' }, { Blocked: 'True NodeLost' }],
    [
      'Held',
      { reason: 'Held', pods: 'left' },
      { Ready: 'True Held', Reconciling: 'False Held', Stalled: 'False NotStalled' },
    ],
    [
      'Held',
      { reason: 'CordonLost', node: 'x' },
      { Ready: 'False CordonLost', Reconciling: 'False CordonLost', Blocked: 'True CordonLost' },
    ],
    ['Pending', { reason: 'LedgerFull' }, { Reconciling: 'True LedgerFull', Blocked: 'True LedgerFull' }],
    [
      'Preparing',
      { reason: 'JobCannotRun', job: 'x', detail: 'no room' },
      { Ready: 'False JobCannotRun', Blocked: 'True JobCannotRun' },
    ],
    ['Uncordoning', { reason: 'Uncordoning' }, { Ready: 'False Why', Reconciling: 'True Why' }],
    [
      'Succeeded',
      { reason: 'Uncordoned' },
      { Ready: 'True Why', Reconciling: 'False Why', Stalled: 'False NotStalled' },
    ],
    [
      'Skipped',
      { reason: 'Uncordoned' },
      { Ready: 'False Why', Reconciling: 'False Why', Stalled: 'False NotStalled' },
    ],
    ['Failed', { reason: 'LeftCordoned' }, { Ready: 'False Why', Reconciling: 'False Why', Stalled: 'True Why' }],
  ])('%s, %j', (phase, because, expected) => {
    expect(told(phase, because).said).toMatchObject(expected);
  });

  test.each<[string, Partial<Blocker>, string]>([
    ['caught: a budget that is used up for the moment is the pace of a drain', { since: ago(60) }, 'False NotBlocked'],
    ['one that stays so is in the way', { since: ago(61) }, 'True Blocked'],
    ['one that cannot clear is at once', { since: ago(0), selfClearing: false }, 'True Blocked'],
  ])('%s', (_, over, expected) => {
    const blockers = [{ ...blocker, selfClearing: true, ...over }];
    expect(told('Draining', { reason: 'Blocked', blockers }).said).toMatchObject({
      Ready: 'False Blocked',
      Blocked: expected,
    });
  });

  const running: Because = { reason: 'JobRunning', job: 'x', detail: '' };
  test.each<[string, (typeof PHASES)[number], Partial<NodeFacts>, Plan, string]>([
    ['while its Job runs', 'Upgrading', { node: node() }, plan(), 'True CordonLost'],
    [
      'while it reboots',
      'Rebooting',
      { node: cordoned('uid-passage', { unschedulable: false }) },
      plan(),
      'True CordonLost',
    ],
    ['while it is verified', 'Verifying', { node: node() }, plan(), 'True CordonLost'],
    ['and cordoned it again', 'Upgrading', {}, plan(), 'False NotBlocked'],
    ['while it is given back: so do we', 'Uncordoning', { node: node() }, plan(), 'False NotBlocked'],
    [
      'which mode Leave never cordons',
      'Upgrading',
      { node: node() },
      plan({}, {}, { mode: 'Leave' }),
      'False NotBlocked',
    ],
    ['which is gone: another story', 'Lost', { node: undefined }, plan(), 'False NotBlocked'],
  ])('[rule 42] caught: somebody uncordoned the node %s: %s', (_, phase, over, of, expected) => {
    expect(told(phase, running, over, of).said['Blocked']).toBe(expected);
    expect(told(phase, running, over, of).said['Ready']).toBe(
      phase === 'Uncordoning' ? 'False Why' : 'False JobRunning',
    );
  });

  test('[rule 105] in every phase, for every reason: never contradictory, and the schema takes it', () => {
    const reasons: readonly Because[] = [
      { reason: 'Stamping' },
      { reason: 'Blocked', blockers: [] },
      { reason: 'NodeNotFound', node: 'x' },
      { reason: 'ProfileNotFound', name: 'x' },
      { reason: 'NodeLost', node: 'x', from: 'Upgrading' },
      { reason: 'LedgerAbsent' },
      { reason: 'Refused', detail: 'x' },
    ];
    fc.assert(
      fc.property(fc.constantFrom(...PHASES), fc.constantFrom(...reasons), (phase, because) => {
        const { said, ...status } = told(phase, because);
        const holds = (type: string) => said[type]?.startsWith('True') === true;
        expect([holds('Ready'), holds('Reconciling'), holds('Stalled')].filter(Boolean).length).toBeLessThanOrEqual(1);
        expect(nodeMaintenance.status.safeParse(status).error).toBeUndefined();
      }),
    );
  });

  test('pods and blockers are told while it drains, and no longer', () => {
    const counts = { remaining: 2, terminating: 1, blocked: 0 };
    const drain = {
      empty: false,
      evictions: [],
      blockers: [],
      counts,
      staying: [],
      free: [],
      hopeful: 1,
      nowhere: false,
    };
    const asking = { reason: 'Evicting', pods: 1, nowhere: false } as const;
    expect(told('Draining', asking, { drain }).pods).toEqual({ ...counts, since: ago(0) });
    expect(told('Detaching', { reason: 'Detached' }, { drain }).pods).toBeUndefined();
  });

  test('[rule 59] the last Job and how it ended is kept before anything of it is deleted', () => {
    const jobPods = [
      pod('p', { labels: { 'job-name': `${PASSAGE}-2` }, ended: { exitCode: 3, message: 'disk full' } }),
    ];
    const jobs = [
      job({ finished: FAILED }),
      job({ finished: FAILED, createdAt: Date.parse(ago(1)) }, 2),
      job({ finished: COMPLETE, createdAt: Date.parse(ago(0)) }, 'prepare'),
    ];
    const status = told('Quarantining', { reason: 'Quarantining' }, { jobs, jobPods });
    expect(status.job).toEqual({ name: `${PASSAGE}-2`, attempt: 2, exitCode: 3, message: 'disk full' });
    const state = nodeMaintenance.status.parse({ state: stateOf('Failed') }).state;
    expect(passageStatus(status, plan(), state, { reason: 'LeftCordoned' }, facts(), 1).job).toEqual(status.job);
  });

  test('caught: what is in the way stays so while other pods are asked to leave', () => {
    const counts = { remaining: 2, terminating: 0, blocked: 1 };
    const since = ago(5);
    const kept = { nodeName: 'worker-1', pod: 'shop/a', budgets: [], reason: 'Unmanaged', message: '', advice: '' };
    const blockers = [{ ...kept, since, selfClearing: false }];
    const drain = { empty: false, evictions: [], blockers, counts, staying: [], free: [], hopeful: 1, nowhere: false };
    const asking = { reason: 'Evicting', pods: 1, nowhere: false } as const;
    const blocked = (over: object) =>
      told('Draining', asking, { drain: { ...drain, ...over } }).conditions.find(({ type }) => type === 'Blocked');
    expect(blocked({})).toMatchObject({ status: 'True', reason: 'Blocked' });
    // A budget that is used up for a moment is no news.
    expect(blocked({ blockers: [{ ...kept, since, selfClearing: true }] })).toMatchObject({ status: 'False' });
  });

  test('a running Job has no end yet', () => {
    expect(told('Upgrading', { reason: 'JobRunning', job: 'j', detail: '' }, { jobs: [job()] }).job).toEqual({
      name: `${PASSAGE}-1`,
      attempt: 1,
    });
  });

  test('since when a condition holds is kept while it does', () => {
    const first = told('Draining', { reason: 'Evicting', pods: 1, nowhere: false });
    const state = nodeMaintenance.status.parse({ state: stateOf('Draining') }).state;
    const later = passageStatus(
      first,
      plan(),
      state,
      { reason: 'Blocked', blockers: [] },
      facts({ now: facts().now + 60_000 }),
      1,
    );
    const times = Object.fromEntries(
      later.conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    );
    expect(times).toMatchObject({ Ready: ago(0), Reconciling: ago(0), Blocked: ago(-60) });
  });
});
