import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/api/node-maintenance.ts';
import { MOST_TICKETS } from '../../src/core/ledger.ts';
import { decide, needsLook } from '../../src/core/node.ts';
import type { NodeFacts, PassageFacts } from '../../src/core/passage.ts';
import { ago, NOW, node, PASSAGE } from '../support/build.ts';
import { facts, HOLD_SPEC, holdPlan, ledger, plan, ticket } from '../support/build-own.ts';
import { because, say } from '../support/say.ts';

const PENDING = { phase: 'Pending' } as const;
const CLOSED = { reason: 'WindowClosed' } as const;
const DELETED = { reason: 'PassageDeleted' } as const;
const door = (over: Partial<NodeFacts> = {}, of: Plan | undefined = plan()) =>
  say(decide(of, PENDING, facts({ node: node(), ...over })));
const passageWith = (over: Partial<PassageFacts>): PassageFacts => ({ ...facts().passage, ...over });

describe('Pending: the ticket is shown at the door', () => {
  const unstamped = ledger([ticket()]);
  const stamped = ledger([ticket({ passageUID: 'uid-passage' })]);
  const cases: readonly [string, Partial<NodeFacts>, string][] = [
    ['its ticket is there, without a stamp: it stamps it', { ledger: unstamped }, 'stamp: Stamping'],
    ['its stamp is seen: it begins', { ledger: stamped }, '→ Preparing: Stamped'],
    ['the ledger has no ticket', { ledger: ledger() }, '→ Cancelled: NoTicket'],
    [
      'the node has a later ticket than its own',
      { ledger: ledger([ticket({ ticket: 'uid-policy-2' })]) },
      '→ Cancelled: NoTicket',
    ],
    [
      'the ticket is for another node of that name',
      { ledger: ledger([ticket({ nodeUID: 'uid-other' })]) },
      '→ Cancelled: NoTicket',
    ],
    [
      'another has stamped the ticket',
      { ledger: ledger([ticket({ passageUID: 'uid-twin' })]) },
      '→ Cancelled: NoTicket',
    ],
    [
      'its name is not the one that the ticket gives',
      { ledger: stamped, passage: passageWith({ name: 'worker-1-by-hand' }) },
      '→ Cancelled: NoTicket',
    ],
    [
      'its owner is not the holder',
      { ledger: unstamped, passage: passageWith({ ownerUIDs: ['uid-somebody'] }) },
      '→ Cancelled: NoTicket',
    ],
    [
      '[seed 583] its ticket takes no room and its profile drains by now: seen to fail where no mode was compared',
      { ledger: ledger([ticket({ mode: 'Leave', passageUID: 'uid-passage' })]) },
      '→ Cancelled: NoTicket',
    ],
    ['it has no owner', { ledger: unstamped, passage: passageWith({ ownerUIDs: [] }) }, '→ Cancelled: NoTicket'],
    ['there is no ledger: nothing is known, nothing is cancelled', { ledger: undefined }, 'wait: LedgerAbsent'],
    [
      'the ledger was just made and is not rebuilt yet',
      { ledger: { ...stamped, status: { conditions: [], tickets: [], nextTicket: 1 } } },
      'wait: LedgerAbsent',
    ],
    ['the window closed', { ledger: stamped, closing: CLOSED }, '→ Cancelled: WindowClosed'],
    ['it was deleted', { ledger: stamped, abandoned: DELETED }, '→ Cancelled: PassageDeleted'],
    ['the node is gone', { ledger: stamped, node: undefined }, '→ Cancelled: NodeGone'],
  ];
  test.each(cases)('%s', (_, over, expected) => {
    expect(door(over)).toBe(expected);
  });

  test('no plan can be made: it waits with the reason, stamped', () => {
    const planProblem = { reason: 'ProfileNotFound', name: 'kubeadm-apt' } as const;
    expect(say(decide(undefined, PENDING, facts({ node: node(), planProblem })))).toBe('wait: ProfileNotFound');
    expect(say(decide(undefined, PENDING, facts({ node: node() })))).toBe('wait: LedgerAbsent');
  });

  test.each([
    ['name', { name: 'worker-1-by-hand' }],
    ['owner', { ownerUIDs: ['uid-somebody'] }],
  ])('a twin made by hand is told that its %s is wrong, and stamps nothing', (detail, over) => {
    const decision = decide(plan(), PENDING, facts({ ledger: unstamped, passage: passageWith(over) }));
    expect(because(decision)).toEqual({ reason: 'NoTicket', detail });
  });

  test('the stamp is one write of the ledger against the version that was seen, of this ticket only', () => {
    const other = ticket({ nodeName: 'worker-2', ticket: 'uid-policy-2' });
    const seen = ledger([ticket(), other], { resourceVersion: '41' });
    const decision = decide(plan(), PENDING, facts({ node: node(), ledger: seen }));
    expect(decision).toMatchObject({
      kind: 'act',
      effects: [{ kind: 'writeLedger', as: 'stamp', resourceVersion: '41' }],
    });
    expect(decision.kind === 'act' && decision.effects[0].kind === 'writeLedger' && decision.effects[0].status).toEqual(
      {
        ...seen.status,
        tickets: [ticket({ passageUID: 'uid-passage' }), other],
      },
    );
  });

  test.each<[string, Partial<NodeFacts>]>([
    ['stamping', { ledger: unstamped }],
    ['beginning', { ledger: stamped }],
    ['giving up', { ledger: ledger() }],
  ])('%s is decided again on a live read', (_, over) => {
    expect(needsLook(PENDING, decide(plan(), PENDING, facts({ node: node(), ...over })))).toBe(true);
  });

  test('waiting is not', () => {
    expect(needsLook(PENDING, decide(plan(), PENDING, facts({ ledger: undefined })))).toBe(false);
  });
});

describe('Pending: a hold asks for its own ticket', () => {
  const fan: PassageFacts = { ...facts().passage, name: 'fan', uid: 'uid-fan', spec: HOLD_SPEC, ownerUIDs: [] };
  const own = ticket({ holder: { kind: 'NodeMaintenance', name: 'fan', uid: 'uid-fan' }, passageUID: 'uid-fan' });
  const hold = (over: Partial<NodeFacts> = {}, of: Plan | undefined = holdPlan()) =>
    decide(of, PENDING, facts({ node: node(), ledger: ledger(), passage: fan, ...over }));

  const cases: readonly [string, Partial<NodeFacts>, string][] = [
    [
      'its finalizer stands before its ticket does',
      { passage: { ...fan, finalizers: ['keep.example/it'] } },
      'finalizers [keep.example/it drydock.dev/passage]: Stamping',
    ],
    ['it takes a ticket, without asking for room', { ledger: ledger(fullHouse(20)) }, 'stamp: Stamping'],
    ['its ticket is seen: it begins', { ledger: ledger([own]) }, '→ Preparing: Stamped'],
    ['the node is in a passage of an upgrade', { ledger: ledger([ticket()]) }, 'wait: NodeBusy'],
    ['there is no such node', { node: undefined }, 'wait: NodeNotFound'],
    ['there is no ledger', { ledger: undefined }, 'wait: LedgerAbsent'],
    ['the ledger is being deleted', { ledger: ledger([], { deletedAt: NOW }) }, 'wait: LedgerClosing'],
    [
      'caught: the ledger is full, and one more ticket would be refused for ever',
      { ledger: ledger(fullHouse(MOST_TICKETS)) },
      'wait: LedgerFull',
    ],
    ['it is deleted before anything began', { abandoned: DELETED }, '→ Cancelled: PassageDeleted'],
    ['windows and pauses do not stop it', { closing: { reason: 'PolicyPaused' } }, 'stamp: Stamping'],
    [
      'it is a control plane and another one is out',
      {
        node: node('worker-1', { controlPlane: true }),
        ledger: ledger([ticket({ nodeName: 'cp-2', controlPlane: true })]),
      },
      'wait: ControlPlaneBusy',
    ],
    [
      'it is a worker and a control plane is out',
      { ledger: ledger([ticket({ nodeName: 'cp-2', controlPlane: true })]) },
      'stamp: Stamping',
    ],
    [
      'caught: between ticket and beginning the name went to another machine',
      { ledger: ledger([own]), node: node('worker-1', { uid: 'uid-new' }) },
      '→ Cancelled: NodeGone',
    ],
  ];
  test.each(cases)('%s', (_, over, expected) => {
    expect(say(hold(over))).toBe(expected);
  });

  test('taking its ticket is decided again on a live read, its finalizer is not', () => {
    const unkept = { passage: { ...fan, finalizers: [] } };
    expect(needsLook(PENDING, hold())).toBe(true);
    expect(needsLook(PENDING, hold(unkept))).toBe(false);
  });

  test('an unknown profile keeps it Pending, without a ticket', () => {
    const planProblem = { reason: 'ProfileNotFound', name: 'x' } as const;
    const decision = decide(undefined, PENDING, facts({ node: node(), ledger: ledger(), passage: fan, planProblem }));
    expect(say(decision)).toBe('wait: ProfileNotFound');
    const without = decide(undefined, PENDING, facts({ node: node(), ledger: ledger(), passage: fan }));
    expect(say(without)).toBe('wait: LedgerAbsent');
  });

  test('its ticket is stamped at once, numbered, and says who holds it', () => {
    const decision = hold({ passage: { ...fan, spec: { ...HOLD_SPEC, profileName: 'gentle' } } });
    expect(decision).toMatchObject({
      effects: [
        {
          as: 'stamp',
          status: {
            nextTicket: 19,
            tickets: [
              {
                nodeName: 'worker-1',
                nodeUID: 'uid-worker-1',
                ticket: 'uid-policy-18',
                target: '',
                profileName: 'gentle',
                holder: { kind: 'NodeMaintenance', name: 'fan', uid: 'uid-fan' },
                controlPlane: false,
                mode: 'Drain',
                passageUID: 'uid-fan',
                since: ago(0),
              },
            ],
          },
        },
      ],
    });
  });

  test('a hold is never asked for the name of a ticket', () => {
    expect(PASSAGE).not.toBe('fan');
    expect(say(hold({ ledger: ledger([own]) }))).toBe('→ Preparing: Stamped');
  });
});

function fullHouse(count: number) {
  return Array.from({ length: count }, (_, index) =>
    ticket({ nodeName: `out-${index}`, ticket: `uid-policy-${index}` }),
  );
}
