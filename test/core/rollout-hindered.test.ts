import { describe, expect, test } from 'vitest';
import type { Blocker } from '../../src/api/blocker.ts';
import type { UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import { survey } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { reported } from '../../src/core/rollout-report.ts';
import { atLeast } from '../../src/core/version.ts';
import { ago, PASSAGE, recalling, refused } from '../support/build.ts';
import { ledger, passage, rolloutFacts, ticket } from '../support/build-own.ts';

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
