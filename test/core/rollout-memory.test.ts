import { describe, expect, test } from 'vitest';
import type { UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import { decideRollout } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { failures } from '../../src/core/rollout-memory.ts';
import { ago, ahead, node } from '../support/build.ts';
import {
  ledger,
  lostPassage,
  PASSAGE_SPEC,
  passage,
  plan,
  rolloutFacts,
  ticket,
  upgrade,
} from '../support/build-own.ts';
import { because, say } from '../support/say.ts';

type Phase = 'Failed' | 'Skipped' | 'Succeeded' | 'Cancelled';
/** A child that has ended so many seconds ago. */
const child = (nodeName: string, phase: Phase, seconds = 60, over: object = {}) => {
  const name = `${nodeName}-${phase}-${seconds}`.toLowerCase();
  const state = { phase, since: ago(seconds), reason: 'Why', message: `${phase} it has.` };
  return passage(state, {
    name,
    uid: `uid-${name}`,
    spec: { ...PASSAGE_SPEC, nodeName },
    status: { plan: plan(over) },
  });
};
/** Runs passes until nothing is remembered any more: what a real loop does, with the status stored in between. */
const settle = (over: Partial<RolloutFacts>): { status: UpgradeStatus; writes: number } => {
  let facts = rolloutFacts({ ledger: undefined, ...over });
  for (let writes = 0; writes < 10; writes++) {
    const decision = decideRollout(facts);
    if (decision.kind !== 'move') return { status: facts.upgrade.status, writes };
    facts = { ...facts, upgrade: { ...facts.upgrade, status: decision.to } };
  }
  throw new Error('it writes for ever');
};

describe('what a settled child means is remembered', () => {
  test('a failure, by its child', () => {
    expect(settle({ passages: [child('worker-1', 'Failed')] }).status.failures).toEqual([
      { nodeName: 'worker-1', nodeMaintenance: 'worker-1-failed-60', reason: 'Failed it has.', time: ago(60) },
    ]);
  });

  test('twice is once', () => {
    const passages = [child('worker-1', 'Failed'), child('worker-2', 'Skipped')];
    const { status, writes } = settle({ passages });
    expect(writes).toBe(1);
    expect(settle({ passages, upgrade: upgrade({}, { status }) }).writes).toBe(0);
  });

  test('a return, with more time each time, up to an hour', () => {
    const times = (count: number) => {
      const passages = Array.from({ length: count }, (_, index) => child('worker-1', 'Skipped', 1000 - index));
      return settle({ passages, upgrade: upgrade({ rollout: { maxReturns: 100 } }) }).status.setAside;
    };
    expect(times(1)).toEqual([
      {
        nodeName: 'worker-1',
        nodeMaintenance: 'worker-1-skipped-1000',
        reason: 'Skipped it has.',
        times: 1,
        notBefore: ahead(60),
        since: ago(1000),
      },
    ]);
    expect(times(3)).toMatchObject([{ times: 3, notBefore: ahead(240), nodeMaintenance: 'worker-1-skipped-998' }]);
    expect(times(20)).toMatchObject([{ times: 20, notBefore: ahead(3600) }]);
  });

  test('caught: the order of a cache is not the order of time', () => {
    const passages = [child('worker-1', 'Skipped', 10), child('worker-1', 'Skipped', 500)];
    expect(settle({ passages }).status.setAside).toMatchObject([{ times: 2, since: ago(10) }]);
  });

  test('caught: within one second, with and without milliseconds', () => {
    const entry = { nodeName: 'worker-1', reason: '', times: 1, notBefore: ahead(60), since: '2026-11-10T11:59:00Z' };
    const late = child('worker-1', 'Skipped');
    const passages = [
      { ...late, status: { ...late.status, state: { ...late.status.state, since: '2026-11-10T11:59:00.500Z' } } },
    ] as const;
    expect(settle({ passages, upgrade: upgrade({}, { status: { setAside: [entry] } }) }).status.setAside).toMatchObject(
      [{ times: 2 }],
    );
  });

  test('[rule 83] after maxReturns it counts as failed', () => {
    const twice = [child('worker-1', 'Skipped', 500), child('worker-1', 'Skipped', 100)];
    const of = (maxReturns: number) =>
      settle({ passages: twice, upgrade: upgrade({ rollout: { maxReturns } }) }).status;
    expect(of(2).failures).toEqual([]);
    expect(of(1).failures).toMatchObject([{ nodeName: 'worker-1', nodeMaintenance: 'worker-1-skipped-100' }]);
    expect(of(0).failures).toHaveLength(2);
  });

  test('caught: a success ends the count, so that years of certificates are not one long failure', () => {
    const passages = [
      child('worker-1', 'Skipped', 900),
      child('worker-1', 'Succeeded', 500),
      child('worker-1', 'Skipped', 100),
    ];
    expect(settle({ passages }).status.setAside).toMatchObject([{ times: 1, since: ago(100) }]);
    expect(settle({ passages: passages.slice(0, 2) }).status.setAside).toEqual([]);
  });

  test.each<[string, Partial<RolloutFacts>]>([
    ['a child that was turned back', { passages: [child('worker-1', 'Cancelled')] }],
    ['a child that has not ended', { passages: [passage({ phase: 'Draining', since: ago(5) })] }],
    ['a child for another target', { passages: [child('worker-1', 'Failed', 60, { target: 'v1.35.7' })] }],
    ['a child from before retry was raised', { passages: [child('worker-1', 'Failed', 100_000)] }],
  ])('%s is not remembered', (_, over) => {
    expect(settle(over).writes).toBe(0);
  });
});

describe('caught: more than status can hold', () => {
  const many = (count: number, phase: Phase) =>
    Array.from({ length: count }, (_, index) => child(`worker-${index}`, phase, 60 + index));

  test('120 failures at once are written once, and all of them count', () => {
    const passages = many(120, 'Failed');
    const { status, writes } = settle({ passages });
    expect(writes).toBe(1);
    expect(status.failures).toHaveLength(50);
    expect(failures(rolloutFacts({ passages, upgrade: upgrade({}, { status }) }))).toHaveLength(120);
  });

  test('a node whose failure found no place is not tried again', () => {
    const passages = many(60, 'Failed');
    const spec = { rollout: { failureThreshold: 1000 } };
    const { status } = settle({ passages, upgrade: upgrade(spec) });
    const told = new Set(status.failures.map(({ nodeName }) => nodeName));
    const nodes = passages.map((each) => node(each.spec.nodeName)).filter(({ name }) => !told.has(name));
    expect(nodes).toHaveLength(10);
    expect(say(decideRollout(rolloutFacts({ passages, nodes, upgrade: upgrade(spec, { status }) })))).toBe(
      'wait: Rolling',
    );
  });

  test('400 nodes set aside at once are written once, and the rollout goes on', () => {
    const { status, writes } = settle({ passages: many(400, 'Skipped') });
    expect(writes).toBe(1);
    expect(status.setAside).toHaveLength(100);
  });
});

describe('what wipes the memory', () => {
  const filled = {
    startTime: ago(5000),
    failures: [{ nodeName: 'worker-1', reason: 'x', time: ago(60) }],
    setAside: [{ nodeName: 'worker-2', reason: '', times: 1, notBefore: ahead(60), since: ago(60) }],
  };
  test.each<[string, Parameters<typeof upgrade>[0], Partial<UpgradeStatus>, object]>([
    [
      '[rule 60] retry raised: every failed node gets one new try',
      { rollout: { retry: 2 } },
      {},
      { observedRetry: 2, startTime: ago(5000), target: 'v1.36.4' },
    ],
    ['a changed target begins anew', {}, { target: 'v1.35.7' }, { target: 'v1.36.4', observedRetry: 0 }],
  ])('%s', (_, spec, status, expected) => {
    const decision = decideRollout(rolloutFacts({ upgrade: upgrade(spec, { status: { ...filled, ...status } }) }));
    if (decision.kind !== 'move') throw new Error('no move');
    expect(decision.to).toMatchObject({ failures: [], setAside: [], retryTime: ago(0), ...expected });
    expect('startTime' in decision.to).toBe('startTime' in expected);
  });

  test('a failure from before it does not come back', () => {
    const passages = [child('worker-1', 'Failed')];
    const { status } = settle({ passages });
    const raised = settle({ passages, upgrade: upgrade({ rollout: { retry: 1 } }, { status }) }).status;
    expect(raised.failures).toEqual([]);
  });

  test('a retry takes over the ticket of the failed node in the write that admits it', () => {
    const failed = child('worker-1', 'Failed', 100_000);
    const nodes = [node('worker-1', { unschedulable: true })];
    const seen = rolloutFacts({ passages: [failed], nodes, ledger: ledger([ticket({ passageUID: failed.uid })]) });
    expect(because(decideRollout(seen))).toEqual({ reason: 'Admitting', nodes: ['worker-1'] });
    expect(decideRollout(seen)).toMatchObject({
      effects: [{ as: 'admit', status: { tickets: [{ ticket: 'uid-policy-18' }] } }],
    });
  });
});

describe('failures that count', () => {
  test('a node that is lost counts while it is, and no longer', () => {
    const lost = lostPassage('Rebooting');
    expect(failures(rolloutFacts({ passages: [lost] }))).toEqual([
      { nodeName: 'worker-1', reason: 'The node has not come back.' },
    ]);
    expect(failures(rolloutFacts({ passages: [passage({ phase: 'Draining', since: ago(9) })] }))).toEqual([]);
  });

  test('a failure that is seen and not yet remembered counts at once, and once', () => {
    const passages = [child('worker-1', 'Failed')];
    expect(failures(rolloutFacts({ passages }))).toHaveLength(1);
    expect(
      failures(rolloutFacts({ passages, upgrade: upgrade({}, { status: settle({ passages }).status }) })),
    ).toHaveLength(1);
  });
});
