import { describe, expect, test } from 'vitest';
import { maintenancePolicy } from '../../src/api/maintenance-policy.ts';
import type { Ledger } from '../../src/core/ledger.ts';
import { decidePolicy, type PolicyFacts } from '../../src/core/policy.ts';
import { ago, leftCordoned, NOW, node } from '../support/build.ts';
import { ledger, passage, ticket } from '../support/build-own.ts';
import { because, say } from '../support/say.ts';

const READY = {
  type: 'Ready',
  status: 'True',
  observedGeneration: 1,
  lastTransitionTime: ago(60),
  reason: 'PolicyReady',
  message: 'The ledger is in order.',
} as const;
const quiet = (...args: Parameters<typeof ledger>): Ledger => {
  const seen = ledger(...args);
  return { ...seen, status: { ...seen.status, conditions: [READY] } };
};
const decideOn = (over: Partial<PolicyFacts>) =>
  decidePolicy({ now: NOW, ledger: quiet(), passages: [], nodes: [node()], jobs: [], busy: true, ...over });
const settled = passage({ phase: 'Succeeded', since: ago(5), reason: 'Succeeded', message: '' });
const stamped = ticket({ passageUID: 'uid-passage' });
const fresh: Ledger = { ...ledger(), status: maintenancePolicy.status.parse({}) };
const DELETING = { deletedAt: NOW - 1000 };
const UNKEPT = { finalizers: ['a/b'] };

describe('the first that applies', () => {
  const cases: readonly (readonly [string, Partial<PolicyFacts>, string])[] = [
    ['there is none: made with its defaults', { ledger: undefined }, 'createPolicy: Planning'],
    ['just made: rebuilt before anything is admitted', { ledger: fresh }, 'rebuild: LedgerRebuilt'],
    ['a ticket has come back', { ledger: quiet([stamped]), passages: [settled] }, 'remove: Removing'],
    ['a ticket is out', { ledger: quiet([stamped]), passages: [passage()] }, 'wait: PolicyReady'],
    [
      'an unstamped ticket of an upgrade that is gone',
      { ledger: quiet([ticket()]), holders: new Set() },
      'remove: Removing',
    ],
    ['no ticket, nobody busy: it may go', { busy: false }, 'finalizers []: Finishing'],
    ['no ticket, but an upgrade is at it', { busy: true }, 'wait: PolicyReady'],
    [
      'no ticket, being deleted: it goes though an upgrade is at it',
      { ledger: quiet([], DELETING) },
      'finalizers []: Finishing',
    ],
    [
      'a ticket is out: kept, nobody busy or not',
      { ledger: quiet([stamped]), passages: [passage()], busy: false },
      'wait: PolicyReady',
    ],
    [
      'caught: a hold brought a ticket to a ledger that nothing kept',
      { ledger: quiet([stamped], UNKEPT), passages: [passage()] },
      'finalizers [a/b drydock.dev/ledger]: Planning',
    ],
    [
      'no finalizer can be put on what is being deleted',
      { ledger: quiet([stamped], { ...UNKEPT, ...DELETING }), passages: [passage()] },
      '→ status: Reported',
    ],
    ['nothing to say that is not said: it waits', {}, 'wait: PolicyReady'],
    ['never looked at: it says how it stands', { ledger: ledger() }, '→ status: Reported'],
    ['its spec changed: it says so', { ledger: quiet([], { generation: 2 }) }, '→ status: Reported'],
  ];
  for (const [name, over, expected] of cases)
    test(name, () => {
      expect(say(decideOn(over))).toBe(expected);
    });
});

describe('what it says', () => {
  const cp = ticket({ nodeName: 'cp-1', nodeUID: 'uid-cp-1', controlPlane: true, passageUID: 'uid-passage' });
  const failedCp = [leftCordoned('uid-passage', { name: 'cp-1', uid: 'uid-cp-1', controlPlane: true })];
  const said = (over: Partial<PolicyFacts>) => {
    const decision = decideOn(over);
    const ready = decision.kind === 'move' ? decision.to.conditions.find(({ type }) => type === 'Ready') : undefined;
    return ready === undefined ? say(decision) : `${ready.status} ${ready.reason}`;
  };
  test.each<[string, Partial<PolicyFacts>, string]>([
    ['in order', { ledger: ledger() }, 'True PolicyReady'],
    ['paused', { ledger: ledger([], {}, { paused: true }) }, 'False PolicyPaused'],
    [
      'being deleted with tickets out',
      { ledger: ledger([stamped], DELETING), passages: [passage()] },
      'False LedgerClosing',
    ],
    [
      'a failed control plane keeps the only ticket',
      { ledger: ledger([cp]), nodes: failedCp },
      'False ControlPlaneTicket',
    ],
    ['a control plane that is out has not failed', { ledger: ledger([cp]), passages: [passage()] }, 'True PolicyReady'],
  ])('%s', (_, over, expected) => {
    expect(said(over)).toBe(expected);
  });

  test('tickets are untouched by a report', () => {
    const decision = decideOn({ ledger: ledger([stamped]), passages: [passage()] });
    expect(decision).toMatchObject({ kind: 'move', to: { tickets: [stamped], nextTicket: 18, observedGeneration: 1 } });
  });

  test('caught: another control plane under the same reason is said anew', () => {
    const first = decideOn({ ledger: ledger([cp]), nodes: failedCp });
    if (first.kind !== 'move') throw new Error('nothing said');
    const other = { ...cp, nodeName: 'cp-2', nodeUID: 'uid-cp-2' };
    const seen = { ...ledger([other]), status: { ...first.to, tickets: [other] } };
    const nodes = [leftCordoned('uid-passage', { name: 'cp-2', uid: 'uid-cp-2', controlPlane: true })];
    const second = decideOn({ ledger: seen, nodes });
    expect(second).toMatchObject({ kind: 'move', to: { conditions: [{ message: expect.stringContaining('cp-2') }] } });
    expect(say(decideOn({ ledger: { ...seen, status: first.to }, nodes: failedCp }))).toBe('wait: ControlPlaneTicket');
  });

  test('the removal names its nodes', () => {
    expect(because(decideOn({ ledger: quiet([stamped]), passages: [settled] }))).toEqual({
      reason: 'Removing',
      nodes: ['worker-1'],
    });
  });
});
