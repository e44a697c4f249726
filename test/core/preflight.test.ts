import { describe, expect, test } from 'vitest';
import type { Blocker } from '../../src/api/blocker.ts';
import type { Because } from '../../src/core/because.ts';
import type { Outcome, Refusal } from '../../src/core/decision.ts';
import {
  type Ahead,
  enforce,
  isTold,
  isWorthSaying,
  NOTHING_AHEAD,
  ofTrial,
  trials,
} from '../../src/core/preflight.ts';
import { decideRollout, survey } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { reported } from '../../src/core/rollout-report.ts';
import { budget, node, pod, refused } from '../support/build.ts';
import { ledger, lostPassage, rolloutFacts, upgrade } from '../support/build-own.ts';
import { blocker, shut } from './reporting.ts';

const request = { nodeName: 'worker-1' } as never;
const admits = { requests: [request], because: { reason: 'Admitting', nodes: ['worker-1'] } as Because };
const waits = {
  requests: [],
  because: { reason: 'NoRoom', out: 1, limit: 1, foreign: [], left: [], of: 'upgrade' } as Because,
};
const inTheWay: Blocker = { ...blocker, nodeName: 'worker-3', reason: 'BudgetNeverAllows', selfClearing: false };
const clears: Blocker = { ...inTheWay, reason: 'HeldByOperator', selfClearing: true };
const seen = (over: Partial<Ahead> = {}): Ahead => ({ ...NOTHING_AHEAD, looked: 3, of: 3, againSeconds: 60, ...over });
const spec = (preflight: 'Warn' | 'Enforce') => upgrade({ preflight }).spec;

describe('[rule 34] preflight', () => {
  test.each<[string, Ahead, 'Warn' | 'Enforce', string]>([
    ['caught: warns of what cannot clear, and begins', seen({ blockers: [inTheWay] }), 'Warn', 'Admitting'],
    ['enforced, keeps all from beginning', seen({ blockers: [inTheWay] }), 'Enforce', 'PreflightFailed'],
    ['caught: enforced, is not stopped by what clears by itself', seen({ blockers: [clears] }), 'Enforce', 'Admitting'],
    ['enforced, begins where nothing is in the way', seen(), 'Enforce', 'Admitting'],
    ['caught: enforced, waits for nodes nobody looked at', seen({ looked: 2 }), 'Enforce', 'PreflightUnderWay'],
    ['enforced, waits for an answer about webhooks', seen({ unknown: 1 }), 'Enforce', 'PreflightUnderWay'],
    ['does not wait for anything otherwise', seen({ looked: 0, unknown: 9 }), 'Warn', 'Admitting'],
  ])('%s', (_, ahead, preflight, reason) => {
    expect(enforce(admits, ahead, spec(preflight)).because.reason).toBe(reason);
  });

  test('enforced, says nothing while nobody could begin anyway', () => {
    expect(enforce(waits, seen({ blockers: [inTheWay] }), spec('Enforce'))).toBe(waits);
  });

  test.each<[string, Blocker, boolean]>([
    ['what cannot clear', inTheWay, true],
    ['what an operator clears', clears, true],
    ['a webhook that denies', { ...clears, reason: 'WebhookDenied' }, true],
    ['caught: a budget that is used up for the moment', { ...clears, reason: 'BudgetExhausted' }, false],
  ])('says %s: %s', (_, one, expected) => {
    expect(isWorthSaying(one)).toBe(expected);
  });
});

describe('[rule 31] a trial', () => {
  const no = (over: Partial<Refusal>): Outcome => refused({ why: 'blocked', cause: 'Other', code: 403, ...over });
  test.each<[string, Outcome, string | undefined]>([
    ['that would pass', { ok: true }, undefined],
    ['of a pod that is gone', no({ why: 'gone', code: 404 }), undefined],
    ['that a webhook denies', no({}), 'WebhookDenied'],
    ['that a webhook does not answer', no({ cause: 'WebhookFailed', code: 500 }), 'WebhookFailed'],
    ['that a policy refuses', no({ why: 'refused' }), 'Refused'],
    ['caught: that a budget refuses, which is counted as it is seen', no({ cause: 'DisruptionBudget' }), undefined],
    ['of a pod with two budgets, which are seen', no({ why: 'refused', cause: 'TooManyBudgets' }), undefined],
    [
      'that cannot be put to a webhook with side effects',
      no({ why: 'refused', code: 400, message: 'admission webhook "a.b" does not support dry run' }),
      undefined,
    ],
    ['without an answer', no({ why: 'unavailable', code: 0 }), undefined],
  ])('%s', (_, outcome, expected) => {
    expect(ofTrial(outcome, [budget()])?.reason).toBe(expected);
  });

  test('has told unless it got no answer, and ten are asked in a pass', () => {
    expect([isTold({ ok: true }), isTold(no({})), isTold(no({ why: 'unavailable' }))]).toEqual([true, true, false]);
    expect(trials(seen())).toBeUndefined();
    const many = Array.from({ length: 12 }, (_, index) => pod(`web-${index}`));
    expect(trials(seen({ untried: many }))).toHaveLength(10);
    expect(trials(seen({ untried: many }))?.[0]).toEqual({
      kind: 'tryEvict',
      namespace: 'shop',
      pod: 'web-0',
      uid: many[0]?.uid,
    });
  });
});

describe('before a rollout begins', () => {
  const looking = (found: Partial<Ahead>, over: Partial<RolloutFacts> = {}) => {
    const asked: string[][] = [];
    const lookAhead = (nodes: readonly { readonly name: string }[]) => {
      asked.push(nodes.map(({ name }) => name));
      return seen(found);
    };
    return { asked, facts: rolloutFacts({ lookAhead, ...over }) };
  };
  const CLOSED = { upgrade: upgrade({ windowNames: ['nights'] }), windows: shut };

  test('enforced, nothing is admitted, and the upgrade is Blocked with the pod, the budget and the way out', () => {
    const { facts } = looking({ blockers: [inTheWay] }, { upgrade: upgrade({ preflight: 'Enforce' }) });
    expect(decideRollout(facts)).toMatchObject({ kind: 'wait', because: { reason: 'PreflightFailed' } });
    const status = reported(survey(facts));
    expect(status).toMatchObject({ phase: 'Blocked', blockers: [inTheWay], blockersTotal: 1 });
    expect(status?.conditions.find(({ type }) => type === 'Ready')).toMatchObject({ reason: 'PreflightFailed' });
  });

  test('with a warning, nodes are admitted, and it is said what will be in the way', () => {
    const { facts } = looking({ blockers: [inTheWay] });
    expect(decideRollout(facts).kind).toBe('act');
    const status = reported(survey(facts));
    expect(status?.blockers).toEqual([inTheWay]);
    const blocked = status?.conditions.find(({ type }) => type === 'Blocked');
    expect(blocked?.message).toContain('worker-3');
  });

  test('caught: while the window is shut all nodes to do are looked at, and the trials are made', () => {
    const { asked, facts } = looking({ untried: [pod()], blockers: [inTheWay] }, CLOSED);
    expect(decideRollout(facts)).toMatchObject({ kind: 'act', effects: [{ kind: 'tryEvict' }] });
    expect(asked).toEqual([['worker-1', 'worker-2', 'worker-3']]);
    expect(reported(survey(facts))).toMatchObject({ phase: 'WaitingForWindow', blockers: [inTheWay] });
  });

  test('the nodes that are done or under way are not looked at', () => {
    const nodes = [node('worker-1', { kubeletVersion: 'v1.36.4' }), node('worker-2'), node('worker-3')];
    const { asked, facts } = looking(
      {},
      { nodes, passages: [lostPassage({ spec: { nodeName: 'worker-2' } } as never)] },
    );
    survey({ ...facts, upgrade: upgrade({ rollout: { failureThreshold: 9 } }), ledger: ledger() });
    expect(asked.flat()).not.toContain('worker-1');
  });

  test('caught: nobody looks ahead for a rollout that has halted', () => {
    const { asked, facts } = looking({}, { passages: [lostPassage()] });
    expect(survey(facts).ahead).toBe(NOTHING_AHEAD);
    expect(asked).toEqual([]);
  });

  test('it comes back as soon as there is more to look at', () => {
    const { facts } = looking({ looked: 1, againSeconds: 0.2 }, CLOSED);
    expect(decideRollout(facts)).toMatchObject({ kind: 'wait', recheckAfterSeconds: 0.2 });
  });
});
