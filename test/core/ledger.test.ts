import { describe, expect, test } from 'vitest';
import type { NodeState } from '../../src/api/node-maintenance.ts';
import { PHASES } from '../../src/api/phases.ts';
import {
  admit,
  admitHold,
  controlPlaneTicket,
  isAtWork,
  isInOrder,
  isSettled,
  stamp,
  ticketOf,
  without,
} from '../../src/core/ledger.ts';
import { ago, COMPLETE, job, NOW } from '../support/build.ts';
import { ledger, passage, ticket } from '../support/build-own.ts';

const { ticket: _, since: __, ...request } = ticket();
const second = ticket({ nodeName: 'worker-2', ticket: 'uid-policy-2' });
const settled = { phase: 'Succeeded', since: ago(5), reason: 'Succeeded', message: '' } as const;

describe('writing', () => {
  test('all tickets of a pass are one write against the version that was seen', () => {
    const seen = ledger([ticket()], { resourceVersion: '41' });
    const written = admit(
      seen,
      [
        { ...request, nodeName: 'worker-2' },
        { ...request, nodeName: 'worker-3' },
      ],
      NOW,
    );
    expect(written).toMatchObject({ kind: 'writeLedger', as: 'admit', uid: 'uid-policy', resourceVersion: '41' });
    expect(written.status.tickets.map(({ nodeName, ticket: number, since }) => [nodeName, number, since])).toEqual([
      ['worker-1', 'uid-policy-1', ago(600)],
      ['worker-2', 'uid-policy-18', ago(0)],
      ['worker-3', 'uid-policy-19', ago(0)],
    ]);
    expect(written.status.nextTicket).toBe(20);
    expect(written.status.tickets[1]).not.toHaveProperty('passageUID');
  });

  test('a retry takes the place of the old ticket in the same write, under a new number', () => {
    const seen = ledger([ticket({ passageUID: 'uid-passage' }), second]);
    const { tickets } = admit(seen, [request], NOW).status;
    expect(tickets).toEqual([second, { ...request, ticket: 'uid-policy-18', since: ago(0) }]);
  });

  test('a hold brings its own, stamped', () => {
    const { as, status } = admitHold(ledger([second]), request, 'uid-fan', NOW);
    expect(as).toBe('stamp');
    expect(status.tickets).toEqual([
      second,
      { ...request, ticket: 'uid-policy-18', since: ago(0), passageUID: 'uid-fan' },
    ]);
    expect(status.nextTicket).toBe(19);
  });

  test('a stamp is put on one ticket only', () => {
    expect(stamp(ledger([ticket(), second]), second, 'uid-p').status.tickets).toEqual([
      ticket(),
      { ...second, passageUID: 'uid-p' },
    ]);
  });

  test('a ticket goes by its number, never by its node: one given out since stays', () => {
    const newer = ticket({ ticket: 'uid-policy-7' });
    expect(without(ledger([newer, second]), [ticket(), second], 'handBack').status).toMatchObject({
      tickets: [newer],
      nextTicket: 18,
    });
    expect(without(ledger([newer]), [], 'remove').as).toBe('remove');
  });

  test('what it says beside the tickets is kept', () => {
    const seen = ledger([ticket()], {}, {}, { observedGeneration: 4 });
    for (const { status } of [admit(seen, [], NOW), stamp(seen, ticket(), 'u'), without(seen, [ticket()], 'remove')])
      expect(status.observedGeneration).toBe(4);
  });
});

describe('reading', () => {
  test('by node, and the one of a control plane', () => {
    const cp = ticket({ nodeName: 'cp-1', controlPlane: true });
    const seen = ledger([second, cp]);
    expect(ticketOf(seen, 'cp-1')).toBe(cp);
    expect(ticketOf(seen, 'worker-1')).toBeUndefined();
    expect(controlPlaneTicket(seen)).toBe(cp);
    expect(controlPlaneTicket(ledger([second]))).toBeUndefined();
  });

  test('one that was just made is not believed before it is rebuilt', () => {
    const { observedGeneration: _ignored, ...fresh } = ledger().status;
    expect(isInOrder(ledger())).toBe(true);
    expect(isInOrder({ ...ledger(), status: fresh })).toBe(false);
    expect(isInOrder(undefined)).toBe(false);
  });

  test('only four phases are ends, and what cannot be read has not ended', () => {
    const ends = PHASES.filter((phase) => isSettled(passage({ phase, since: ago(1) } as unknown as NodeState)));
    expect(ends).toEqual(['Succeeded', 'Skipped', 'Cancelled', 'Failed']);
    const { readable: _r, spec: _s, ...rest } = passage(settled);
    expect(isSettled({ ...rest, readable: false, problem: 'x' })).toBe(false);
  });

  test('a Job is at work from its release to its end', () => {
    expect(
      [
        job({ suspended: true }),
        job(),
        job({ started: false }),
        job({ finished: COMPLETE }),
        job({ deleting: true }),
      ].map(isAtWork),
    ).toEqual([false, true, true, false, true]);
  });
});
