import { describe, expect, test } from 'vitest';
import { decideRollout, openingOf, problemOf } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import type { WindowObject } from '../../src/core/world.ts';
import { ago, NOW, node } from '../support/build.ts';
import {
  ledger,
  lostPassage,
  passage,
  profile,
  rolloutFacts,
  ticket,
  upgrade,
  windowObject,
} from '../support/build-own.ts';
import { because, say } from '../support/say.ts';

type Row = readonly [string, Partial<RolloutFacts>, string];
const said = (over: Partial<RolloutFacts>) => say(decideRollout(rolloutFacts(over)));
const settled = { phase: 'Succeeded', since: ago(60), reason: 'Succeeded', message: '' } as const;
const draining = { phase: 'Draining', since: ago(60) } as const;
const stamped = ticket({ passageUID: 'uid-passage' });
const DELETED = { deletedAt: NOW - 1000 };
const done = (name: string) => node(name, { kubeletVersion: 'v1.36.4' });
const allDone = [done('worker-1'), done('worker-2'), done('worker-3')];
const unreadable = (name: string): WindowObject => {
  const { spec: _, status: __, ...rest } = windowObject(name);
  return { ...rest, readable: false, problem: 'spec.openings: bad' };
};
const shut = [{ name: 'nights', object: windowObject('nights') }];

describe('the first that applies', () => {
  const { target: _, ...untouched } = upgrade().status;
  const rows: readonly Row[] = [
    [
      'never looked at: the target is written down',
      { upgrade: { ...upgrade(), status: untouched } },
      '→ status: Planning',
    ],
    ['the target changed', { upgrade: upgrade({}, { status: { target: 'v1.35.7' } }) }, '→ status: Planning'],
    ['retry was raised', { upgrade: upgrade({ rollout: { retry: 1 } }) }, '→ status: Planning'],
    [
      'a child has failed: remembered before anything else',
      { passages: [passage({ ...settled, phase: 'Failed' })], ledger: ledger([ticket()]) },
      '→ status: Remembered',
    ],
    ['a ticket without child: the child is made', { ledger: ledger([ticket()]) }, 'createPassage: Sending'],
    ['a ticket whose child is there', { ledger: ledger([ticket()]), passages: [passage()] }, 'steer: Steering'],
    ['a stamped ticket never makes a child again', { ledger: ledger([stamped]) }, 'steer: Steering'],
    ['room: nodes are admitted', {}, 'admit: Admitting'],
    [
      'its finalizer stands before its first ticket',
      { upgrade: upgrade({}, { finalizers: [] }) },
      'finalizers [drydock.dev/upgrade]: Planning',
    ],
    [
      'the finalizer of the ledger stands before the first ticket',
      { ledger: ledger([], { finalizers: ['a/b'] }) },
      'finalizers [a/b drydock.dev/ledger]: Planning',
    ],
    [
      'the ledger was just made',
      { ledger: { ...ledger(), status: { conditions: [], tickets: [], nextTicket: 1 } } },
      'wait: LedgerAbsent',
    ],
    ['there is no ledger', { ledger: undefined }, 'wait: LedgerAbsent'],
    ['the ledger is being deleted', { ledger: ledger([], { deletedAt: NOW }) }, 'wait: LedgerClosing'],
    ['everything is done: its finalizer goes', { nodes: allDone }, 'finalizers []: Finishing'],
    ['everything is done', { nodes: allDone, upgrade: upgrade({}, { finalizers: [] }) }, 'wait: Rolling'],
    [
      'caught: a child whose end this cache does not know, though its ticket is back, keeps its node from a second one',
      { nodes: [node('worker-1')], passages: [passage(draining)] },
      'wait: Rolling',
    ],
  ];
  for (const [name, over, expected] of rows)
    test(name, () => {
      expect(said(over)).toBe(expected);
    });
});

describe('nothing is admitted', () => {
  const rows: readonly Row[] = [
    ['while it is deleted', { upgrade: upgrade({}, { ...DELETED, finalizers: [] }) }, 'wait: Finishing'],
    ['without its profile', { profile: undefined }, 'wait: ProfileNotFound'],
    ['without its window', { windows: [{ name: 'nights', object: undefined }] }, 'wait: WindowNotFound'],
    [
      'with a window that cannot be read',
      { windows: [{ name: 'nights', object: unreadable('nights') }] },
      'wait: InvalidWindow',
    ],
    [
      'caught: with an unknown zone, and nothing falls over it',
      { windows: [{ name: 'nights', object: windowObject('nights', { timeZone: 'Mars/Base' }) }] },
      'wait: InvalidTimeZone',
    ],
    [
      'with a schedule that cannot be read',
      { windows: [{ name: 'n', object: windowObject('n', { openings: [{ schedule: 'soon', durationMinutes: 5 }] }) }] },
      'wait: InvalidSchedule',
    ],
    ['[W1] in a closed window', { windows: shut }, 'wait: WindowClosed'],
    [
      'in a freeze of the policy',
      { ledger: ledger([], {}, { freezes: [{ name: 'f', from: ago(9), until: ago(-9) }] }) },
      'wait: Frozen',
    ],
    ['while the policy is paused', { ledger: ledger([], {}, { paused: true }) }, 'wait: PolicyPaused'],
    ['while it is paused', { upgrade: upgrade({ mode: 'Paused' }) }, 'wait: UpgradePaused'],
    [
      'while nobody knows the version of the API server',
      { controlPlane: { server: undefined, components: [] } },
      'wait: VersionUnknown',
    ],
    ['[rule 67] over more than one minor', { controlPlane: { server: 'v1.34.1', components: [] } }, 'wait: MissingHop'],
    [
      'once it has failed too often',
      { upgrade: upgrade({}, { status: { failures: [{ nodeName: 'worker-9', reason: 'x', time: ago(9) }] } }) },
      'wait: Halted',
    ],
    [
      'while a node is lost',
      {
        passages: [lostPassage()],
      },
      'wait: Halted',
    ],
  ];
  for (const [name, over, expected] of rows)
    test(name, () => {
      expect(said(over)).toBe(expected);
    });

  test('the version of the API server is no matter where the target is none', () => {
    const os = upgrade({ target: { revision: 'os' } }, { status: { target: 'os' } });
    expect(said({ upgrade: os, controlPlane: { server: undefined, components: [] } })).toBe('admit: Admitting');
  });

  test('a threshold lets so many fail', () => {
    const failing = upgrade(
      { rollout: { failureThreshold: 2 } },
      { status: { failures: [{ nodeName: 'worker-1', reason: 'x', time: ago(9) }] } },
    );
    expect(because(decideRollout(rolloutFacts({ upgrade: failing })))).toEqual({
      reason: 'Admitting',
      nodes: ['worker-2'],
    });
  });

  test('[rule 68] a profile that keeps the pods is refused for a minor change of the kubelet', () => {
    const keeping = profile({ drain: { mode: 'Cordon' } });
    expect(problemOf(rolloutFacts({ profile: keeping }))).toEqual({
      reason: 'CordonForMinor',
      node: 'worker-1',
      from: 'v1.35.7',
      to: 'v1.36.4',
    });
    expect(
      problemOf(rolloutFacts({ profile: keeping, nodes: [node('worker-1', { kubeletVersion: 'v1.36.1' })] })),
    ).toBeUndefined();
  });

  test('caught: [V1] raising the API servers may leave behind the kubelet of a node that is not selected', () => {
    const cps = upgrade({ nodes: { selector: { matchLabels: { cp: 'yes' } } } });
    const nodes = [
      node('cp-1', { controlPlane: true, labels: { cp: 'yes' } }),
      node('worker-1', { kubeletVersion: 'v1.32.0' }),
    ];
    const controlPlane = { server: 'v1.35.7', components: [] };
    expect(problemOf(rolloutFacts({ upgrade: cps, nodes, controlPlane }))).toMatchObject({
      reason: 'SkewTooWide',
      node: 'worker-1',
    });
    expect(
      problemOf(
        rolloutFacts({
          upgrade: upgrade({ nodes: { selector: { matchLabels: { none: 'x' } } } }),
          nodes,
          controlPlane,
        }),
      ),
    ).toBeUndefined();
  });
});

describe('windows of an upgrade', () => {
  const open = (over: Partial<RolloutFacts>) => openingOf(rolloutFacts(over)).open;
  test('a window that cannot be read is closed; one that is gone stops admission only', () => {
    expect(open({ windows: [{ name: 'nights', object: unreadable('nights') }] })).toBe(false);
    expect(open({ windows: [{ name: 'nights', object: undefined }] })).toBe(true);
  });

  test('[rule 101] an override is of the upgrade alone', () => {
    const urgent = upgrade({ overrideWindows: { until: ago(-60), reason: 'CVE' } });
    expect(open({ windows: shut, upgrade: urgent })).toBe(true);
    expect(open({ windows: shut })).toBe(false);
  });

  test('it comes back when time alone may change the answer', () => {
    const until = '2026-11-10T12:00:20Z';
    const frozen = ledger([], {}, { freezes: [{ name: 'f', from: ago(60), until }] });
    expect(decideRollout(rolloutFacts({ ledger: frozen }))).toMatchObject({ kind: 'wait', recheckAfterSeconds: 20 });
    const aside = upgrade(
      {},
      { status: { setAside: [{ nodeName: 'worker-1', reason: '', times: 1, notBefore: ago(-7), since: ago(60) }] } },
    );
    expect(decideRollout(rolloutFacts({ upgrade: aside, nodes: [node('worker-1')] }))).toMatchObject({
      recheckAfterSeconds: 7,
    });
    expect(decideRollout(rolloutFacts({ nodes: [node('worker-1', { ready: false })] }))).toMatchObject({
      recheckAfterSeconds: 60,
    });
  });
});
