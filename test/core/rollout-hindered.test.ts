import { describe, expect, test } from 'vitest';
import type { Blocker } from '../../src/api/blocker.ts';
import type { UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import { survey } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { reported } from '../../src/core/rollout-report.ts';
import { atLeast } from '../../src/core/version.ts';
import { ago, node, PASSAGE, recalling, refused } from '../support/build.ts';
import { ledger, passage, rolloutFacts, ticket, upgrade } from '../support/build-own.ts';
import { blocker, draining, lost, shut, stamped } from './reporting.ts';

const report = (over: Partial<RolloutFacts>): UpgradeStatus | undefined => reported(survey(rolloutFacts(over)));

describe('a rollout whose every node in flight waits for a budget', () => {
  const phaseWith = (over: Partial<Blocker>) => {
    const blocker: Blocker = {
      nodeName: 'worker-1',
      pod: 'shop/web-1',
      budgets: ['shop/web'],
      reason: 'BudgetExhausted',
      message: 'm',
      since: ago(9),
      selfClearing: true,
      advice: '',
      ...over,
    };
    const blocked = {
      type: 'Blocked',
      status: 'True',
      lastTransitionTime: ago(9),
      reason: 'Blocked',
      message: '',
    } as const;
    const waiting = passage(
      { phase: 'Draining', since: ago(300) },
      { status: { blockers: [blocker], conditions: [blocked] } },
    );
    return report({ ledger: ledger([ticket({ passageUID: 'uid-passage' })]), passages: [waiting] })?.phase;
  };

  test('still rolls while the budget is only used up for the moment', () => expect(phaseWith({})).toBe('Rolling'));
  test('is blocked when that lasts for more than a minute', () =>
    expect(phaseWith({ since: ago(61) })).toBe('Blocked'));
  test('is blocked at once by what will not clear by itself', () =>
    expect(phaseWith({ selfClearing: false })).toBe('Blocked'));
});

describe('a budget that is used up for the moment', () => {
  test.each([
    ['caught: is nothing in the way of a rollout', 60, 'False NotBlocked'],
    ['is, when that lasts', 61, 'True RolloutBlocked'],
  ])('%s', (_, seconds, expected) => {
    const one = { ...blocker, selfClearing: true, since: ago(seconds) };
    const waiting = passage({ phase: 'Draining', since: ago(300) }, { status: { blockers: [one] } });
    const status = report({ ledger: ledger([stamped]), passages: [waiting] });
    const blocked = status?.conditions.find(({ type }) => type === 'Blocked');
    expect(`${blocked?.status} ${blocked?.reason}`).toBe(expected);
    expect(status?.blockers).toHaveLength(1);
  });
});

describe('a NodeMaintenance that the API server does not let us make', () => {
  test('is said in the status, with what the API server said', () => {
    const recall = recalling({ [`createPassage/${PASSAGE}`]: [refused({ message: 'exceeded quota: passages' }), 1] });
    const status = report({ ledger: ledger([ticket()]), recall });
    expect(status?.phase).toBe('Blocked');
    expect(status?.conditions.find(({ type }) => type === 'Blocked')).toMatchObject({
      status: 'True',
      reason: 'Refused',
      message: `The API server refused: ${PASSAGE}: exceeded quota: passages`,
    });
  });
});

describe('a version with something behind it', () => {
  test.each([
    ['v1.36.4-eks-1234', 'v1.36.4', true],
    ['v1.36.4-gke.100', 'v1.36.4', true],
    ['v1.36.4+k3s1', 'v1.36.4', true],
    ['v1.36.0-rc.1', 'v1.36.0', false],
    ['v1.36.0', 'v1.36.0-rc.1', true],
    ['v1.36.3-eks-1234', 'v1.36.4', false],
  ])('%s is at or above %s: %s', (has, wanted, expected) => expect(atLeast(has, wanted)).toBe(expected));
});

describe('a rollout that goes on, though no further node begins', () => {
  const out = { ledger: ledger([ticket({ passageUID: 'uid-passage' })]), passages: [draining] };
  const reconciling = (over: Partial<RolloutFacts>) =>
    report({ ...out, ...over })?.conditions.find(({ type }) => type === 'Reconciling');

  test.each<[string, Partial<RolloutFacts>, RegExp]>([
    ['caught: no room', {}, /1 node in flight, 2 waiting\. No further node begins now\. 1 node is out/],
    [
      'the window is closed',
      { windows: shut },
      /No further node begins now\. No window is open; the next opens at 2026/,
    ],
    [
      'others are not to be had',
      { nodes: [node('worker-1'), node('worker-2', { ready: false }), node('worker-3', { ready: false })] },
      /No further node begins now\. Not begun because not Ready.*worker-2, worker-3/,
    ],
    ['its ledger is gone', { ledger: undefined, passages: [draining] }, /in flight/],
  ])('says why: %s', (_, over, words) => {
    expect(reconciling(over)).toMatchObject({
      status: 'True',
      reason: 'Rolling',
      message: expect.stringMatching(words),
    });
  });

  test('says nothing of the kind where nobody waits', () => {
    expect(reconciling({ nodes: [node('worker-1')] })?.message).toBe('1 node in flight, 0 waiting.');
  });

  test('and Ready says no more than before, so that no Event repeats', () => {
    const ready = report(out)?.conditions.find(({ type }) => type === 'Ready');
    expect(ready?.message).toBe('1 node in flight, 2 waiting.');
  });
});

describe('a rollout of which only failed nodes are left, fewer than halt it', () => {
  const spec = { rollout: { failureThreshold: 3 } };
  const failures = [{ nodeName: 'worker-1', nodeMaintenance: 'x', reason: 'JobFailed: disk full.', time: ago(60) }];
  const of = upgrade(spec, { status: { failures } });
  const said = (over: Partial<RolloutFacts>) => {
    const status = report({ upgrade: of, ...over });
    return { phase: status?.phase, stalled: status?.conditions.find(({ type }) => type === 'Stalled') };
  };
  const done = (name: string) => node(name, { kubeletVersion: 'v1.36.4' });

  test('caught: it is Stalled, and the sentence names the node and retry', () => {
    const { phase, stalled } = said({ nodes: [node('worker-1'), done('worker-2')] });
    expect([phase, stalled?.status, stalled?.reason]).toEqual(['Halted', 'True', 'OnlyFailedLeft']);
    expect(stalled?.message).toBe(
      'Nothing goes on by itself any more: worker-1: JobFailed: disk full. Look at the node, mend what is wrong, then raise rollout.retry to try again.',
    );
  });

  test('a control plane that failed stops all that wait for it', () => {
    const nodes = [node('worker-1', { controlPlane: true }), node('worker-2')];
    const { stalled } = said({ nodes, controlPlane: { server: 'v1.35.7', components: [] } });
    expect(stalled).toMatchObject({ status: 'True', message: expect.stringContaining('and 1 wait for it') });
  });

  test.each<[string, Partial<RolloutFacts>]>([
    ['another can begin', {}],
    ['a closed window', { windows: shut, nodes: [node('worker-1')] }],
    ['one may come back by itself', { nodes: [node('worker-1')], passages: [lost], ledger: ledger([stamped]) }],
  ])('goes on by itself: %s', (_, over) => {
    expect(said(over).stalled?.status).toBe('False');
  });
});
