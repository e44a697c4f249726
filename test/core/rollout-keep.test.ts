import { describe, expect, test } from 'vitest';
import { decideRollout } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import type { PassageObject } from '../../src/core/world.ts';
import { ago, NOW, node } from '../support/build.ts';
import { ledger, passage, rolloutFacts, ticket, upgrade } from '../support/build-own.ts';
import { say } from '../support/say.ts';

const ended = (name: string, secondsAgo: number, phase: 'Succeeded' | 'Failed' = 'Succeeded', over: object = {}) =>
  passage(
    { phase, since: ago(100_000), reason: 'Why', message: '' },
    { name, uid: `uid-${name}`, createdAt: NOW - secondsAgo * 1000, ...over },
  );
const kept = (historyLimit: number, passages: readonly PassageObject[], over: Partial<RolloutFacts> = {}) => {
  const nodes = [node('worker-1', { ready: false })];
  return decideRollout(rolloutFacts({ upgrade: upgrade({ historyLimit }), passages, nodes, ...over }));
};
const forgotten = (...args: Parameters<typeof kept>) => {
  const decision = kept(...args);
  return decision.kind === 'act'
    ? decision.effects.map((effect) => (effect.kind === 'deletePassage' ? effect.name : effect.kind))
    : [];
};

describe('history', () => {
  const three = [ended('old', 300), ended('new', 100), ended('middle', 200)];
  test.each<[string, ReturnType<typeof forgotten>, readonly string[]]>([
    ['the newest are kept', forgotten(2, three), ['old']],
    ['none is kept where none is wanted', forgotten(0, three), ['new', 'middle', 'old']],
    ['all are kept while they fit', forgotten(3, three), []],
    ['failed ones always are', forgotten(0, [ended('bad', 300, 'Failed')]), []],
    ['failed ones take no place of others', forgotten(1, [ended('bad', 50, 'Failed'), ended('good', 100)]), []],
    [
      'one that still has its ticket is kept',
      forgotten(0, [ended('old', 300)], { ledger: ledger([ticket({ passageUID: 'uid-old' })]) }),
      [],
    ],
    ['one that has not ended is kept', forgotten(0, [passage({ phase: 'Draining', since: ago(5) })]), []],
    [
      'one that is on its way out is not deleted again',
      forgotten(0, [ended('old', 300, 'Succeeded', { deletedAt: NOW })]),
      [],
    ],
    ['nothing is forgotten without the ledger', forgotten(0, three, { ledger: undefined }), []],
  ])('%s', (_, got, expected) => {
    expect(got).toEqual(expected);
  });

  test('by UID, so that another of that name is safe', () => {
    expect(kept(0, [ended('old', 300)])).toMatchObject({
      effects: [{ kind: 'deletePassage', name: 'old', uid: 'uid-old' }],
    });
  });
});

describe('[rule 88] the finalizer of an upgrade goes with its last unsettled passage', () => {
  const gone = (over: Partial<RolloutFacts> = {}, finalizers = ['drydock.dev/upgrade', 'a/b']) =>
    say(decideRollout(rolloutFacts({ upgrade: upgrade({}, { deletedAt: NOW - 1000, finalizers }), ...over })));
  test.each<[string, string, string]>([
    ['nothing of it is out', gone(), 'finalizers [a/b]: Finishing'],
    [
      'a passage is on its way',
      gone({
        passages: [
          passage({ phase: 'Upgrading', since: ago(5), attempt: 1, jobUID: 'j', bootIDBefore: 'b', machineID: 'm' }),
        ],
      }),
      'wait: Finishing',
    ],
    ['an unstamped ticket is handed back first', gone({ ledger: ledger([ticket()]) }), 'handBack: HandingBack'],
    [
      'the ticket of a failed node outlives it',
      gone({ passages: [ended('bad', 60, 'Failed')], ledger: ledger([ticket({ passageUID: 'uid-bad' })]) }),
      'finalizers [a/b]: Finishing',
    ],
    ['a passage that cannot be read has not ended', gone({ passages: [unreadable()] }), 'wait: Finishing'],
    ['it has gone already', gone({}, []), 'wait: Finishing'],
  ])('%s', (_, got, expected) => {
    expect(got).toBe(expected);
  });

  test('it goes in the end of work too, and not before', () => {
    const done = [node('worker-1', { kubeletVersion: 'v1.36.4' })];
    expect(say(decideRollout(rolloutFacts({ nodes: done })))).toBe('finalizers []: Finishing');
    expect(say(decideRollout(rolloutFacts({ nodes: [node('worker-1', { ready: false })] })))).toBe(
      'wait: NodesUnavailable',
    );
  });
});

function unreadable(): PassageObject {
  const { spec: _, status: __, ...rest } = passage();
  return { ...rest, readable: false, problem: 'status.state: bad' };
}
