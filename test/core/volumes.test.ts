import { describe, expect, test } from 'vitest';
import { passageStatus } from '../../src/core/passage-report.ts';
import { volumesLeft } from '../../src/core/volumes.ts';
import { ago, NOW } from '../support/build.ts';
import { facts, passage, plan } from '../support/build-own.ts';

const DETACHING = { phase: 'Detaching', since: ago(60) } as const;

describe('volumes that a drained node still holds', () => {
  const seen = facts({ attached: ['pv-1', 'pv-2'] });

  test('are in the way, each by name, with what to do and until when it is waited', () => {
    expect(volumesLeft(plan(), DETACHING, seen, [])).toMatchObject([
      { nodeName: 'worker-1', volume: 'pv-1', reason: 'VolumeAttached', selfClearing: true },
      { volume: 'pv-2', advice: expect.stringContaining('2026-11-10T12:04:00Z') },
    ]);
  });

  test('keep since when they are', () => {
    const [first] = volumesLeft(plan(), DETACHING, { ...seen, now: NOW - 30_000 }, []);
    if (first === undefined) throw new Error('no blocker');
    const again = volumesLeft(plan(), DETACHING, seen, [first]);
    expect(again.map(({ since }) => since)).toEqual([ago(30), ago(0)]);
  });

  test('caught: they are said in status while they are waited for, and no longer', () => {
    const before = passage(DETACHING).status;
    const because = { reason: 'WaitingForVolumes', volumes: ['pv-1'] } as const;
    expect(passageStatus(before, plan(), DETACHING, because, seen, 1).blockers).toHaveLength(2);
    const next = { phase: 'Starting', since: ago(0), attempt: 1 } as const;
    expect(passageStatus(before, plan(), next, { reason: 'Detached' }, seen, 1).blockers).toEqual([]);
  });
});
