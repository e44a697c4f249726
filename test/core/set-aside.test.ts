import { describe, expect, test } from 'vitest';
import type { Blocker } from '../../src/api/blocker.ts';
import { choose, upcoming } from '../../src/core/choice.ts';
import { decideRollout } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { ago, ahead, NOW, node } from '../support/build.ts';
import { ledger, PASSAGE_SPEC, passage, rolloutFacts, ticket, upgrade } from '../support/build-own.ts';
import { chosen, facts, worker } from './choosing.ts';
import { report, blocker as unmanaged } from './reporting.ts';

const on = (nodeName: string): readonly Blocker[] => [{ ...unmanaged, nodeName }];
const hinderedOn =
  (...names: readonly string[]) =>
  (name: string) =>
    names.includes(name) ? on(name) : [];
const over = new Map([['worker-1', NOW]]);

describe('a node that was put back and whose time is over', () => {
  const nodes = [worker(1), worker(2)];
  test.each<[string, string, string]>([
    ['is returned to when nothing is in its way', chosen({ nodes, setAside: over }), 'worker-1'],
    [
      'is not returned to while it would only be put back again (planted: time alone is asked)',
      chosen({ nodes, setAside: over, hindered: hinderedOn('worker-1') }),
      'worker-2',
    ],
    [
      'is not returned to, and that is why nothing goes on',
      chosen({ nodes: [worker(1)], setAside: over, hindered: hinderedOn('worker-1') }),
      'StillInTheWay',
    ],
    [
      'says first which others only wait for their time',
      chosen({ nodes, setAside: new Map([...over, ['worker-2', NOW + 9]]), hindered: hinderedOn('worker-1') }),
      'SetAside',
    ],
    [
      'says first that it is not Ready',
      chosen({ nodes: [worker(1, { ready: false })], setAside: over, hindered: hinderedOn('worker-1') }),
      'NodesUnavailable',
    ],
    [
      'one that was never put back is begun whatever is in its way',
      chosen({ nodes, hindered: hinderedOn('worker-1') }),
      'worker-1',
    ],
  ])('%s', (_, got, expected) => {
    expect(got).toBe(expected);
  });

  test('is the only one whose pods are looked at', () => {
    const asked: string[] = [];
    const setAside = new Map([...over, ['worker-2', NOW + 1]]);
    const hindered = (name: string) => {
      asked.push(name);
      return [];
    };
    choose(facts({ nodes: [worker(1), worker(2), worker(3)], setAside, hindered }));
    expect(new Set(asked)).toEqual(new Set(['worker-1']));
  });

  test('is not among the next while something is in its way', () => {
    const next = upcoming(facts({ nodes, setAside: over, hindered: hinderedOn('worker-1') }));
    expect(next.nodes.map(({ name }) => name)).toEqual(['worker-2']);
  });
});

describe('what people read', () => {
  const entry = (nodeName: string, notBefore: string) => ({
    nodeName,
    reason: 'Not drained.',
    times: 1,
    notBefore,
    since: ago(600),
  });
  const aside = upgrade({}, { status: { setAside: [entry('worker-1', ago(9)), entry('worker-2', ahead(9))] } });
  const seen = { upgrade: aside, hindered: hinderedOn('worker-1', 'worker-2') };
  const alone: Partial<RolloutFacts> = {
    ...seen,
    upgrade: upgrade({}, { status: { setAside: [entry('worker-1', ago(9))] } }),
    nodes: [node('worker-1')],
  };

  test('is why each node is still aside, once its time is over', () => {
    expect(report(seen).setAside.map(({ reason }) => reason)).toEqual(['worker-1: shop/web-1: m a', 'Not drained.']);
  });

  test('is that the rollout is blocked, and by what, where nothing else goes on', () => {
    const status = report(alone);
    expect(status).toMatchObject({ phase: 'Blocked', blockersTotal: 1, blockers: on('worker-1') });
    expect(status.conditions.find(({ type }) => type === 'Blocked')).toMatchObject({
      status: 'True',
      reason: 'StillInTheWay',
      message: 'Put back, and returned to when this has cleared: worker-1: shop/web-1: m a',
    });
    expect(status.conditions.find(({ type }) => type === 'Stalled')?.status).toBe('False');
  });

  test('is that it rolls while others are on their way, with the blocker in the list', () => {
    const flying = {
      ...seen,
      ledger: ledger([ticket({ nodeName: 'worker-3', nodeUID: 'uid-worker-3', passageUID: 'uid-passage' })]),
      passages: [passage({ phase: 'Draining', since: ago(60) }, { spec: { ...PASSAGE_SPEC, nodeName: 'worker-3' } })],
    };
    const status = report(flying);
    expect(status).toMatchObject({ phase: 'Rolling', blockers: on('worker-1') });
    expect(status.conditions.find(({ type }) => type === 'Blocked')?.status).toBe('False');
  });

  test('is asked for again within a minute', () => {
    expect(decideRollout(rolloutFacts(alone))).toMatchObject({
      kind: 'wait',
      because: { reason: 'StillInTheWay' },
      recheckAfterSeconds: 60,
    });
  });
});
