import { describe, expect, test } from 'vitest';
import type { UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import { survey } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { reported } from '../../src/core/rollout-report.ts';
import { ago, ahead, leftCordoned, node } from '../support/build.ts';
import { ledger, PASSAGE_SPEC, passage, rolloutFacts, ticket, upgrade } from '../support/build-own.ts';
import { blocker, draining, failed, lost, report, shut, stamped } from './reporting.ts';

const done = (name: string) => node(name, { kubeletVersion: 'v1.36.4' });
const allDone = [done('worker-1'), done('worker-2')];
const BLOCKED = [
  { type: 'Ready', status: 'False', lastTransitionTime: ago(9), reason: 'Blocked', message: '' },
  { type: 'Blocked', status: 'True', lastTransitionTime: ago(9), reason: 'Blocked', message: '' },
] as const;
const GOES_ON = {
  type: 'Reconciling',
  status: 'True',
  lastTransitionTime: ago(9),
  reason: 'Evicting',
  message: '',
} as const;
const stuck = passage(
  { phase: 'Draining', since: ago(60) },
  { status: { blockers: [blocker], conditions: [...BLOCKED] } },
);
const givenUp = passage({ phase: 'Quarantining', since: ago(1), reason: 'Released', message: 'Given up.' });
const THRESHOLD_TWO = upgrade({ rollout: { failureThreshold: 2 } });
const conditionsOf = ({ conditions }: UpgradeStatus) =>
  Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));

describe('where it stands', () => {
  test.each<[string, Partial<RolloutFacts>, string, string, string]>([
    ['all done', { nodes: allDone }, 'Complete', 'True Complete', 'False NotStalled'],
    ['no node is selected', { nodes: [] }, 'Complete', 'True Complete', 'False NotStalled'],
    ['one is out', { ledger: ledger([stamped]), passages: [draining] }, 'Rolling', 'False Rolling', 'False NotStalled'],
    [
      'one is out and stuck',
      { ledger: ledger([stamped]), passages: [stuck] },
      'Blocked',
      'False RolloutBlocked',
      'False NotStalled',
    ],
    [
      'one is out, something is in its way, and it goes on',
      { ledger: ledger([stamped]), passages: [{ ...stuck, status: { ...stuck.status, conditions: [GOES_ON] } }] },
      'Rolling',
      'False Rolling',
      'False NotStalled',
    ],
    [
      'two are out, one of them stuck',
      {
        ledger: ledger([stamped, ticket({ nodeName: 'worker-2', ticket: 'uid-policy-2', passageUID: 'u2' })]),
        passages: [stuck, { ...draining, uid: 'u2', name: 'p2', spec: { ...PASSAGE_SPEC, nodeName: 'worker-2' } }],
      },
      'Rolling',
      'False Rolling',
      'False NotStalled',
    ],
    [
      '[rule 100] the window is closed',
      { windows: shut },
      'WaitingForWindow',
      'False WindowClosed',
      'False NotStalled',
    ],
    [
      '[rule 100] it is paused',
      { upgrade: upgrade({ mode: 'Paused' }) },
      'WaitingForWindow',
      'False UpgradePaused',
      'False NotStalled',
    ],
    ['it failed', { passages: [failed] }, 'Halted', 'False Halted', 'True Halted'],
    ['a node is lost', { passages: [lost] }, 'Halted', 'False Halted', 'True Halted'],
    [
      'a node is lost and removed, and the others are done: it is waited for, not called complete',
      { nodes: [done('worker-2')], passages: [lost], ledger: ledger([stamped]), upgrade: THRESHOLD_TWO },
      'Rolling',
      'False Rolling',
      'False NotStalled',
    ],
    [
      '[seed 1267] a node that was given up and is gone is about to fail: halted at once, not complete in between',
      { nodes: [done('worker-2')], passages: [givenUp], ledger: ledger([stamped]) },
      'Halted',
      'False Halted',
      'True Halted',
    ],
    [
      'a node in its passage is no longer selected, and the others are done',
      { nodes: [done('worker-2')], passages: [draining], ledger: ledger([stamped]) },
      'Rolling',
      'False Rolling',
      'False NotStalled',
    ],
    ['its profile is missing', { profile: undefined }, 'Invalid', 'False ProfileNotFound', 'True ProfileNotFound'],
    ['there is no ledger', { ledger: undefined }, 'Planning', 'False LedgerAbsent', 'False NotStalled'],
    [
      'nobody knows the version',
      { controlPlane: { server: undefined, components: [] } },
      'Planning',
      'False VersionUnknown',
      'False NotStalled',
    ],
    [
      'its control planes are behind',
      { controlPlane: { server: 'v1.35.9', components: [] } },
      'WaitingForControlPlane',
      'False WaitingForControlPlane',
      'False NotStalled',
    ],
    [
      'others have taken the room',
      { ledger: ledger([], {}, { maxUnavailable: 1 }), nodes: [node('worker-1'), node('x', { ready: false })] },
      'Queued',
      'False NoRoom',
      'False NotStalled',
    ],
    [
      'all done, and its profile is missing',
      { nodes: allDone, profile: undefined },
      'Invalid',
      'False ProfileNotFound',
      'True ProfileNotFound',
    ],
  ])('%s', (_, over, phase, ready, stalled) => {
    const status = report(over);
    expect(status.phase).toBe(phase);
    expect(conditionsOf(status)).toMatchObject({ Ready: ready, Stalled: stalled });
  });

  test('what it waits for is said, and that nothing is in its way', () => {
    expect(conditionsOf(report({ windows: shut }))['Blocked']).toBe('True WindowClosed');
    expect(conditionsOf(report({ nodes: allDone }))['Blocked']).toBe('False NotBlocked');
    expect(conditionsOf(report({ ledger: ledger([stamped]), passages: [draining] }))['Blocked']).toBe(
      'False NotBlocked',
    );
  });

  test('nothing new is not written again', () => {
    const facts = rolloutFacts({ windows: shut });
    const status = reported(survey(facts));
    if (status === undefined) throw new Error('nothing said');
    expect(
      reported(survey({ ...facts, now: facts.now + 30_000, upgrade: { ...facts.upgrade, status } })),
    ).toBeUndefined();
  });

  test('when it goes on is said', () => {
    expect(report({ windows: shut }).notBefore).toEqual({
      time: '2026-11-10T21:00:00Z',
      reason: expect.stringContaining('opens at'),
    });
    expect(report().notBefore).toBeUndefined();
  });

  test('blockers of all nodes, in order, those of settled passages not', () => {
    const other = {
      ...stuck,
      uid: 'u2',
      name: 'p2',
      status: { ...stuck.status, blockers: [{ ...blocker, nodeName: 'worker-0' }] },
    };
    const over = { ...failed, uid: 'u3', name: 'p3', status: { ...failed.status, blockers: [blocker] } };
    const status = report({ passages: [stuck, other, over] });
    expect(status.blockers.map(({ nodeName }) => nodeName)).toEqual(['worker-0', 'worker-1']);
    expect(status.blockersTotal).toBe(2);
  });

  test('the first control plane of a hop is derived', () => {
    const nodes = [node('cp-1', { controlPlane: true }), node('cp-2', { controlPlane: true })];
    const old = { server: 'v1.35.7', components: [] };
    expect(report({ nodes, controlPlane: old }).hop).toEqual({
      index: 0,
      version: 'v1.36.4',
      firstControlPlane: 'cp-1',
    });
    expect(report({ nodes }).hop).toEqual({ index: 0, version: 'v1.36.4' });
  });

  test('an override is recorded while it counts', () => {
    const urgent = upgrade({ overrideWindows: { until: ahead(60), reason: 'CVE' } });
    expect(conditionsOf(report({ upgrade: urgent, windows: shut }))).toMatchObject({
      Reconciling: 'True WindowOverridden',
    });
  });
});

describe('how many', () => {
  const counts = (over: Partial<RolloutFacts>) => report(over).nodes;
  test.each<[string, Partial<RolloutFacts>, object]>([
    ['not begun', {}, { total: 3, waiting: 3 }],
    ['done', { nodes: allDone }, { total: 2, done: 2 }],
    ['out', { ledger: ledger([stamped]), passages: [draining] }, { inFlight: 1, waiting: 2 }],
    ['a ticket without a child yet is in flight', { ledger: ledger([ticket()]) }, { inFlight: 1, waiting: 2 }],
    [
      'upgraded but not given back yet is in flight',
      { nodes: [done('worker-1')], ledger: ledger([stamped]), passages: [draining] },
      { inFlight: 1, done: 0 },
    ],
    ['failed', { passages: [failed], ledger: ledger([stamped]) }, { failed: 1, waiting: 2 }],
    ['[Lost counts in failed]', { passages: [lost], ledger: ledger([stamped]) }, { failed: 1, inFlight: 0 }],
    [
      'set aside',
      {
        upgrade: upgrade(
          {},
          {
            status: { setAside: [{ nodeName: 'worker-1', reason: '', times: 1, notBefore: ahead(9), since: ago(9) }] },
          },
        ),
      },
      { setAside: 1, waiting: 2 },
    ],
    [
      'set aside once, done by now',
      {
        nodes: allDone,
        upgrade: upgrade(
          {},
          {
            status: { setAside: [{ nodeName: 'worker-1', reason: '', times: 1, notBefore: ahead(9), since: ago(9) }] },
          },
        ),
      },
      { setAside: 0, done: 2 },
    ],
    [
      'caught: at the target, but left cordoned by its failure',
      {
        nodes: [leftCordoned('uid-passage', { kubeletVersion: 'v1.36.4' })],
        passages: [failed],
        ledger: ledger([stamped]),
      },
      { failed: 1, done: 0 },
    ],
    [
      'of others: not counted',
      { ledger: ledger([ticket({ holder: { kind: 'ClusterUpgrade', name: 'o', uid: 'uid-o' } })]) },
      { inFlight: 0, waiting: 3 },
    ],
  ])('%s', (_, over, expected) => {
    expect(counts(over)).toMatchObject(expected);
  });

  test.each<[number, number, number]>([
    [0, 3, 0],
    [2, 3, 66],
    [3, 3, 100],
    [0, 0, 100],
  ])('%i of %i is %i %%', (of, total, percent) => {
    const nodes = Array.from({ length: total }, (_, index) => (index < of ? done(`n-${index}`) : node(`n-${index}`)));
    expect(report({ nodes })).toMatchObject({ progressPercent: percent, progress: `${percent}%` });
  });
});

describe('newcomers', () => {
  const complete = (generation = 1): UpgradeStatus => ({
    ...upgrade().status,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        observedGeneration: generation,
        lastTransitionTime: ago(9),
        reason: 'Complete',
        message: '',
      },
    ],
  });
  const ready = (over: Partial<RolloutFacts>) =>
    conditionsOf(report({ nodes: [done('worker-1'), node('worker-2')], ...over }));
  test('do not turn a finished upgrade unready', () => {
    expect(ready({ upgrade: upgrade({}, { status: complete() }) })).toMatchObject({
      Ready: 'True CompleteWithNewcomers',
    });
  });

  test.each<[string, Partial<RolloutFacts>, string]>([
    [
      'are none after a change of the spec',
      { upgrade: upgrade({}, { generation: 2, status: complete() }) },
      'False Admitting',
    ],
    ['are none of an upgrade that was never complete', {}, 'False Admitting'],
    [
      'caught: never Ready beside Stalled',
      { upgrade: upgrade({}, { status: complete() }), profile: undefined },
      'False ProfileNotFound',
    ],
  ])('%s', (_, over, expected) => {
    expect(ready(over)['Ready']).toBe(expected);
  });
});
