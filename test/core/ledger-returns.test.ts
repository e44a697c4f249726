import { describe, expect, test } from 'vitest';
import { maintenancePolicy, type Ticket } from '../../src/api/maintenance-policy.ts';
import { isInOrder, type Ledger, type Returns, rebuilt, returned } from '../../src/core/ledger.ts';
import { HELD_BY, LEFT_CORDONED, writeMark } from '../../src/core/mark.ts';
import { ago, COMPLETE, cordoned, job, leftCordoned, mark, NOW, node } from '../support/build.ts';
import { HOLD_SPEC, holdPlan, ledger, passage, plan, ticket } from '../support/build-own.ts';

const second = ticket({ nodeName: 'worker-2', ticket: 'uid-policy-2' });
const settled = { phase: 'Succeeded', since: ago(5), reason: 'Succeeded', message: '' } as const;
const failed = { ...settled, phase: 'Failed' } as const;
const draining = { phase: 'Draining', since: ago(60) } as const;

describe('which tickets have come back', () => {
  const stamped = ticket({ passageUID: 'uid-passage' });
  const stampedSecond = { ...second, passageUID: 'uid-second' };
  const unsettledSecond = passage(draining, { uid: 'uid-second' });
  const garbled = node('worker-1', { unschedulable: true, annotations: { [HELD_BY]: '{' } });
  const mended = (over = {}) => leftCordoned('uid-passage', { unschedulable: false, ...over });
  type Row = readonly [string, Ticket, Partial<Returns>, boolean];
  const cases: readonly Row[] = [
    ['settled, no mark: back', stamped, { passages: [passage(settled)] }, true],
    ['gone, no mark: back', stamped, { passages: [] }, true],
    ['on its way: not back', stamped, { passages: [passage(draining)] }, false],
    ['gone, the mark still there: the sweep first', stamped, { nodes: [cordoned('uid-passage')] }, false],
    ['settled, the mark of anybody of us still there: not back', stamped, { nodes: [cordoned('uid-other')] }, false],
    [
      '[rule 82] Failed and left cordoned: keeps its place',
      stamped,
      { passages: [passage(failed)], nodes: [leftCordoned('uid-passage')] },
      false,
    ],
    [
      '[rule 82] its passage gone, the node left cordoned: keeps its place',
      stamped,
      { nodes: [leftCordoned('uid-passage')] },
      false,
    ],
    [
      'left cordoned and uncordoned by a person: back',
      stamped,
      { passages: [passage(failed)], nodes: [mended()] },
      true,
    ],
    [
      'left cordoned, uncordoned, but not Ready: not back',
      stamped,
      { passages: [passage(failed)], nodes: [mended({ ready: false })] },
      false,
    ],
    [
      'settled, cordoned by a person: their cordon is not ours',
      stamped,
      { passages: [passage(settled)], nodes: [node('worker-1', { unschedulable: true })] },
      true,
    ],
    [
      'settled, without a mark, not Ready: back',
      stamped,
      { passages: [passage(settled)], nodes: [node('worker-1', { ready: false })] },
      true,
    ],
    ['[rule 66] the node is gone: back', stamped, { passages: [passage(settled)], nodes: [] }, true],
    [
      '[rule 48] another machine under the name, whatever its mark: back',
      stamped,
      { nodes: [cordoned('x', { uid: 'uid-new' })] },
      true,
    ],
    [
      '[rule 66] the node is gone but its passage waits for it: not back',
      stamped,
      { passages: [passage(draining)], nodes: [] },
      false,
    ],
    ['a Job is at work on the node: not back', stamped, { passages: [passage(failed)], jobs: [job()] }, false],
    [
      'a Job is at work on a node that is gone: not back',
      stamped,
      { passages: [passage(failed)], jobs: [job()], nodes: [] },
      false,
    ],
    [
      'a Job of another passage is at work on the node: not back',
      stamped,
      { jobs: [job({ labels: { ...job().labels, 'drydock.dev/passage': 'x' } })] },
      false,
    ],
    [
      'a Job that never ran, a Job that ended, a prepare Job: back',
      stamped,
      { jobs: [job({ suspended: true }), job({ finished: COMPLETE }), job({}, 'prepare')] },
      true,
    ],
    ['a mark that a person garbled is none', stamped, { nodes: [garbled] }, true],
    ['unstamped, whatever else: its holder hands it back', ticket(), { passages: [] }, false],
    ['unstamped, its upgrade is there', ticket(), { holders: new Set(['uid-upgrade']) }, false],
    ['caught: unstamped, its upgrade is gone: nobody else would hand it back', ticket(), { holders: new Set() }, true],
    [
      'a hold is never taken to be gone by the list of upgrades',
      ticket({ holder: { kind: 'NodeMaintenance', name: 'fan', uid: 'uid-fan' } }),
      { holders: new Set() },
      false,
    ],
  ];
  test.each(cases)('%s', (_name, one, over, back) => {
    const seen: Returns = { passages: [], nodes: [node()], jobs: [], ...over };
    expect(returned(ledger([one, stampedSecond]), { ...seen, passages: [...seen.passages, unsettledSecond] })).toEqual(
      back ? [one] : [],
    );
  });
});

describe('a lost ledger is rebuilt from what is in flight', () => {
  const fresh: Ledger = { ...ledger([], { generation: 3 }), status: maintenancePolicy.status.parse({}) };
  const build = (over: Partial<Returns>, seen: Ledger = fresh) =>
    rebuilt(seen, { passages: [], nodes: [node()], jobs: [], ...over }, NOW).status;
  const names = (over: Partial<Returns>) =>
    build(over).tickets.map(({ nodeName, ticket: number }) => `${nodeName} ${number}`);

  test('tickets unchanged, numbers never given out again', () => {
    const status = build({ passages: [passage(draining, { spec: { ...passage().spec, ticket: 'uid-policy-41' } })] });
    expect(status).toEqual({
      ...fresh.status,
      observedGeneration: 3,
      nextTicket: 42,
      tickets: [ticket({ ticket: 'uid-policy-41', passageUID: 'uid-passage', since: ago(60) })],
    });
    expect(isInOrder({ ...fresh, status })).toBe(true);
  });

  test.each<[string, Partial<Returns>, readonly string[]]>([
    ['nothing in flight', {}, []],
    ['past Pending', { passages: [passage(draining)] }, ['worker-1 uid-policy-1']],
    ['still Pending: not taken in', { passages: [passage()] }, []],
    ['settled and returned', { passages: [passage(settled)] }, []],
    [
      'settled, its mark still there',
      { passages: [passage(settled)], nodes: [cordoned('uid-passage')] },
      ['worker-1 uid-policy-1'],
    ],
    [
      'Failed and left cordoned',
      { passages: [passage(failed)], nodes: [leftCordoned('uid-passage')] },
      ['worker-1 uid-policy-1'],
    ],
    ['Failed, its Job still at work', { passages: [passage(failed)], jobs: [job()] }, ['worker-1 uid-policy-1']],
    [
      'the node is gone, its passage waits for it',
      { passages: [passage(draining)], nodes: [] },
      ['worker-1 uid-policy-1'],
    ],
    ['caught: the passage is gone, its mark is there', { nodes: [cordoned('uid-gone')] }, ['worker-1 uid-policy-1']],
    [
      'caught: the passage is gone, the node left cordoned',
      { nodes: [leftCordoned('uid-gone')] },
      ['worker-1 uid-policy-1'],
    ],
    ['caught: the passage is gone, its Job at work', { jobs: [job()] }, ['worker-1 rebuilt-uid-passage']],
    ['the passage is gone, its Job has ended', { jobs: [job({ finished: COMPLETE })] }, []],
    ['a prepare Job of a passage that is gone', { jobs: [job({}, 'prepare')] }, []],
    ['the mark of a passage still Pending', { passages: [passage()], nodes: [cordoned('uid-passage')] }, []],
  ])('%s', (_name, over, expected) => {
    expect(names(over)).toEqual(expected);
  });

  test('a hold finds its number in its mark, and holds itself', () => {
    const fan = passage(
      { phase: 'Held', since: ago(60) },
      { name: 'fan', uid: 'uid-fan', spec: HOLD_SPEC, status: { plan: holdPlan() } },
    );
    expect(build({ passages: [fan], nodes: [cordoned('uid-fan')] }).tickets).toMatchObject([
      {
        ticket: 'uid-policy-1',
        holder: { kind: 'NodeMaintenance', name: 'fan', uid: 'uid-fan' },
        passageUID: 'uid-fan',
        target: '',
      },
    ]);
    expect(build({ passages: [fan] }).tickets).toMatchObject([{ ticket: 'rebuilt-uid-fan' }]);
  });

  test('what a ticket was for is kept: a snapshot of etcd takes no node anywhere', () => {
    const saving = passage(
      { phase: 'Draining', since: ago(60) },
      { status: { plan: plan({ purpose: 'EtcdSnapshot' }) } },
    );
    expect(build({ passages: [saving] }).tickets).toMatchObject([{ purpose: 'EtcdSnapshot' }]);
    expect(build({ passages: [passage({ phase: 'Draining', since: ago(60) })] }).tickets[0]).not.toHaveProperty(
      'purpose',
    );
  });

  test('a control plane keeps the ticket of control planes', () => {
    const cp = passage(draining, { status: { plan: plan({ role: 'firstControlPlane' }) } });
    expect(build({ passages: [cp] }).tickets).toMatchObject([{ controlPlane: true }]);
    expect(build({ nodes: [leftCordoned('uid-gone', { controlPlane: true })] }).tickets).toMatchObject([
      { controlPlane: true },
    ]);
  });

  test('tickets that are there already stay', () => {
    const seen = { ...fresh, status: { ...fresh.status, tickets: [second] } };
    expect(build({ passages: [passage(draining)] }, seen).tickets.map(({ nodeName }) => nodeName)).toEqual([
      'worker-2',
      'worker-1',
    ]);
  });

  test.each(['uid-policy-x', 'uid-policy-1e300', `uid-policy-${'9'.repeat(40)}`, 'x'.repeat(5000), ''])(
    'caught: a mark forged from a node cannot keep the ledger from being rebuilt (%#)',
    (forged) => {
      const written = writeMark(mark('u'.repeat(500), {}, { nodeMaintenance: 'NOT A NAME', ticket: forged }));
      const status = build({ nodes: [node('worker-1', { annotations: { [LEFT_CORDONED]: written } })] });
      expect(maintenancePolicy.status.safeParse(status).success).toBe(true);
      expect(status.nextTicket).toBe(1);
    },
  );
});
