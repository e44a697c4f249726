import { describe, expect, test } from 'vitest';
import { type NodeState, nodeMaintenance, type Plan } from '../../src/api/node-maintenance.ts';
import { PHASES } from '../../src/api/phases.ts';
import { deadlineOf } from '../../src/core/deadline.ts';
import { decide } from '../../src/core/node.ts';
import { passageStatus } from '../../src/core/passage-report.ts';
import { ago, ahead, cordoned, job, NOW, PASSAGE } from '../support/build.ts';
import { facts, holdPlan, passage, plan } from '../support/build-own.ts';
import { say } from '../support/say.ts';

const REBOOT = plan({}, { reboot: 'Expected' });
const begun = { attempt: 1, jobUID: 'uid-job-1', bootIDBefore: 'boot-1', machineID: 'machine-worker-1' };
const inPhase = (phase: string, seconds = 60) =>
  ({
    phase,
    since: ago(seconds),
    ...begun,
    from: 'Upgrading',
    verdict: 'Skipped',
    reason: 'x',
    message: '',
  }) as NodeState;

const BEFORE = { Preparing: 600, Cordoning: 300, Detaching: 300 };
const AFTER = { Upgrading: 1830, Rebooting: 900, Verifying: 600 };

describe('when a phase is given up', () => {
  test.each<[string, Plan, Readonly<Record<string, number>>]>([
    ['of an upgrade', REBOOT, { ...BEFORE, Draining: 3600, ...AFTER }],
    ['of a drain that waits', plan({}, {}, { onDeadline: 'Wait' }), { ...BEFORE, ...AFTER }],
    ['of a hold, whose drain goes on', holdPlan(), { Cordoning: 300, Detaching: 300 }],
  ])('%s', (_, of, seconds) => {
    for (const phase of PHASES) {
      const after = seconds[phase];
      const expected = after === undefined ? undefined : NOW + (after - 60) * 1000;
      expect([phase, deadlineOf(of, inPhase(phase))]).toEqual([phase, expected]);
    }
  });

  test('is said in status as a time, and goes with its phase', () => {
    const told = (phase: string) => {
      const { state } = nodeMaintenance.status.parse({ state: inPhase(phase) });
      const before = { ...passage(state).status, deadline: ago(9) };
      return passageStatus(before, REBOOT, state, { reason: 'Rebooted' }, facts(), 1).deadline;
    };
    expect(told('Rebooting')).toBe(ahead(840));
    expect(told('Verifying')).toBe(ahead(540));
    expect(told('Upgrading')).toBe(ahead(1770));
    expect(told('Lost')).toBeUndefined();
    expect(told('Held')).toBeUndefined();
  });

  const down = cordoned('uid-passage', { ready: false });
  const jobs = [job({ name: `${PASSAGE}-1` })];
  test.each(['Upgrading', 'Rebooting', 'Verifying'])('caught: what status says of %s is what decides', (phase) => {
    const state = inPhase(phase);
    const at = deadlineOf(REBOOT, state) ?? 0;
    expect(say(decide(REBOOT, state, facts({ node: down, jobs, now: at - 1 })))).toMatch(/^wait/);
    expect(say(decide(REBOOT, state, facts({ node: down, jobs, now: at })))).toBe('→ Lost: NodeLost');
  });
});
