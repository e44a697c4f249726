import { describe, expect, test } from 'vitest';
import { passageName } from '../../src/core/name.ts';
import { decideRollout } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { ago, NOW, node, PASSAGE, POLICY_UID, recalling, refused, UPGRADE_UID } from '../support/build.ts';
import { ledger, passage, rolloutFacts, ticket, upgrade, windowObject } from '../support/build-own.ts';
import { say } from '../support/say.ts';

type Row = readonly [string, Partial<RolloutFacts>, string];
const said = (over: Partial<RolloutFacts>) => say(decideRollout(rolloutFacts(over)));
const settled = { phase: 'Succeeded', since: ago(60), reason: 'Succeeded', message: '' } as const;
const draining = { phase: 'Draining', since: ago(60) } as const;
const stamped = ticket({ passageUID: 'uid-passage' });
const DELETED = { deletedAt: NOW - 1000 };
const shut = [{ name: 'nights', object: windowObject('nights') }];

describe('unstamped tickets are handed back', () => {
  const held = { ledger: ledger([ticket()]) };
  const rows: readonly Row[] = [
    ['when the window closes', { ...held, windows: shut }, 'handBack: HandingBack'],
    [
      'when the window closes, under Finish too',
      { ...held, windows: [{ name: 'n', object: windowObject('n', { onClose: 'Finish' }) }] },
      'handBack: HandingBack',
    ],
    ['when it is paused', { ...held, upgrade: upgrade({ mode: 'Paused' }) }, 'handBack: HandingBack'],
    ['when the policy is paused', { ledger: ledger([ticket()], {}, { paused: true }) }, 'handBack: HandingBack'],
    ['when it is deleted', { ...held, upgrade: upgrade({}, DELETED) }, 'handBack: HandingBack'],
    ['when they are for another target', { ledger: ledger([ticket({ target: 'v1.35.7' })]) }, 'handBack: HandingBack'],
    [
      'when their node is not selected any more',
      { ...held, upgrade: upgrade({ nodes: { selector: { matchLabels: { a: 'b' } } } }) },
      'handBack: HandingBack',
    ],
    ['when their node is gone', { ...held, nodes: [node('worker-2')] }, 'handBack: HandingBack'],
    [
      'when their node is another machine by now',
      { ...held, nodes: [node('worker-1', { uid: 'uid-new' })] },
      'handBack: HandingBack',
    ],
    [
      'when their child ended without a stamp',
      { ...held, passages: [passage({ ...settled, phase: 'Cancelled' })] },
      'handBack: HandingBack',
    ],
    [
      'never when they are stamped',
      { ledger: ledger([stamped]), windows: shut, passages: [passage(draining)] },
      'wait: WindowClosed',
    ],
    [
      'never those of others',
      {
        ledger: ledger([ticket({ holder: { kind: 'ClusterUpgrade', name: 'other', uid: 'uid-other' } })]),
        windows: shut,
      },
      'wait: WindowClosed',
    ],
    [
      'never because the profile is missing: that stops admission only',
      { ...held, passages: [passage()], profile: undefined },
      'wait: ProfileNotFound',
    ],
  ];
  for (const [name, over, expected] of rows)
    test(name, () => {
      expect(said(over)).toBe(expected);
    });

  test('against the version of the ledger that was seen, so that a stamp and this cannot both win', () => {
    const decision = decideRollout(
      rolloutFacts({ ledger: ledger([ticket(), stamped], { resourceVersion: '41' }), windows: shut }),
    );
    expect(decision).toMatchObject({ effects: [{ as: 'handBack', resourceVersion: '41', status: { tickets: [] } }] });
  });
});

describe('a child is made by the only name it can have', () => {
  test('owner, labels and everything that its door will ask for', () => {
    expect(decideRollout(rolloutFacts({ ledger: ledger([ticket()]) }))).toMatchObject({
      effects: [
        {
          kind: 'createPassage',
          name: PASSAGE,
          labels: { 'drydock.dev/upgrade': 'to-1-36', 'drydock.dev/node-uid': 'uid-worker-1' },
          owner: { kind: 'ClusterUpgrade', name: 'to-1-36', uid: UPGRADE_UID },
          spec: {
            nodeName: 'worker-1',
            hold: false,
            upgradeName: 'to-1-36',
            nodeUID: 'uid-worker-1',
            ticket: `${POLICY_UID}-1`,
          },
        },
      ],
    });
  });

  test('all that are due in one pass', () => {
    const second = ticket({ nodeName: 'worker-2', nodeUID: 'uid-worker-2', ticket: `${POLICY_UID}-2` });
    expect(said({ ledger: ledger([ticket(), second]) })).toBe('createPassage, createPassage: Sending');
  });

  test.each<[string, number, string]>([
    ['just now: awaited', 4, 'steer: Steering'],
    ['a while ago: simply due again', 5, 'createPassage: Sending'],
  ])('refused %s', (_, seconds, expected) => {
    const recall = recalling({ [`createPassage/${PASSAGE}`]: [refused({ message: 'quota' }), seconds] });
    expect(said({ ledger: ledger([ticket()]), recall })).toBe(expected);
  });

  test('the name is of the ticket: another ticket makes another child', () => {
    expect(passageName('worker-1', UPGRADE_UID, 'uid-worker-1', `${POLICY_UID}-2`)).not.toBe(PASSAGE);
  });
});
