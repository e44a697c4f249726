import { describe, expect, test } from 'vitest';
import type { NodeState } from '../../src/api/node-maintenance.ts';
import type { SeenPassage } from '../../src/controllers/see-passage.ts';
import { tellHindrances, tellPassage } from '../../src/controllers/telling.ts';
import { HELD_BY, writeMark } from '../../src/core/mark.ts';
import { ago, COMPLETE, job, mark, NOW, node, PASSAGE, pod } from '../support/build.ts';
import { facts, ledger, passage, plan, profile, ticket, upgrade } from '../support/build-own.ts';
import { running } from './running.ts';
import { SmallCluster } from './small-cluster.ts';

const since = ago(5);
const begun = { since, attempt: 1, jobUID: 'j', bootIDBefore: 'b', machineID: 'm' };
const end = { since, reason: 'Word', message: 'Why.' };

/** What is told of a step, as `kind type reason`. */
function told(to: NodeState, over: Partial<SeenPassage> = {}): readonly string[] {
  const cluster = new SmallCluster();
  const seen = { passage: passage(), plan: plan(), facts: facts(), upgrade: upgrade(), ...over };
  tellPassage(cluster, seen, to, { reason: 'Drained' });
  return cluster.told.map(({ on, type, reason, message }) => `${on.kind} ${type} ${reason}: ${message}`);
}

describe('a step of a passage', () => {
  test('is told on the passage and on its node', () => {
    expect(told({ phase: 'Detaching', since })).toEqual([
      expect.stringMatching(/^NodeMaintenance Normal Detaching: ./),
      expect.stringMatching(/^Node Normal Detaching: ./),
    ]);
  });

  test('that ends well is told on the upgrade too, where the node is named', () => {
    expect(told({ phase: 'Succeeded', ...end })).toEqual([
      'NodeMaintenance Normal Succeeded: Why.',
      'Node Normal Succeeded: Why.',
      'ClusterUpgrade Normal NodeSucceeded: worker-1: Why.',
    ]);
  });

  test.each<[NodeState]>([
    [{ phase: 'Failed', ...end }],
    [{ phase: 'Skipped', ...end }],
    [{ phase: 'Quarantining', ...end }],
    [{ phase: 'Lost', ...begun, from: 'Upgrading' }],
    [{ phase: 'Uncordoning', ...end, verdict: 'Cancelled' }],
  ])('that people must see is a warning, on all three: %j', (to) => {
    expect(told(to).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'NodeMaintenance Warning',
      'Node Warning',
      'ClusterUpgrade Warning',
    ]);
  });

  test('is told where there is something to tell it on: no node, no upgrade', () => {
    const alone = { facts: facts({ node: undefined }), upgrade: undefined };
    expect(told({ phase: 'Failed', ...end }, alone)).toEqual(['NodeMaintenance Warning Failed: Why.']);
  });
});

describe('what has come in the way of a passage', () => {
  const found = [
    { type: 'Blocked', status: 'True', reason: 'NodeBusy', message: 'x'.repeat(2000), lastTransitionTime: since },
  ] as const;
  const toldOf = (over: Partial<SeenPassage> = {}) => {
    const cluster = new SmallCluster();
    tellHindrances(cluster, { passage: passage(), plan: plan(), facts: facts(), upgrade: upgrade(), ...over }, found);
    return cluster.told.map(({ on, type, reason, message }) => [on.kind, type, reason, message.length]);
  };

  test('is told on it and on its node, in what an Event can hold', () => {
    expect(toldOf()).toEqual([
      ['NodeMaintenance', 'Warning', 'NodeBusy', 1024],
      ['Node', 'Warning', 'NodeBusy', 1024],
    ]);
    expect(toldOf({ facts: facts({ node: undefined }) })).toHaveLength(1);
  });
});

describe('a passage that takes a step while its node is away', () => {
  const begun = {
    since: ago(5),
    attempt: 1,
    jobUID: 'uid-job-1',
    bootIDBefore: 'boot-1',
    machineID: 'machine-worker-1',
  };
  const of = plan({}, { reboot: 'Expected', rebootDeadlineSeconds: 86_400 }, { mode: 'Cordon' });
  const scene = () => {
    const annotations = { [HELD_BY]: writeMark(mark('uid-passage', {}, { nodeMaintenance: PASSAGE })) };
    const down = node('worker-1', { unschedulable: true, ready: false, readySince: NOW, annotations });
    const upgrading = passage({ phase: 'Upgrading', ...begun }, { status: { plan: of } });
    return running({
      Node: [down],
      Pod: [pod()],
      Job: [job({ finished: COMPLETE })],
      MaintenanceProfile: [profile()],
      MaintenancePolicy: [ledger([ticket({ passageUID: 'uid-passage' })])],
      ClusterUpgrade: [upgrade()],
      NodeMaintenance: [upgrading],
    });
  };

  test('caught: what comes in the way with the step itself is told too, once', async () => {
    const { cluster, clock, drydock } = scene();
    drydock.lead();
    await clock.advance(120_000);
    const said = cluster.told.filter(({ on }) => on.kind === 'NodeMaintenance').map(({ reason }) => reason);
    expect(said).toEqual(['Rebooting', 'PodsWillBeDeleted']);
    const blocked = cluster.told.filter(({ on, type }) => on.kind === 'ClusterUpgrade' && type === 'Warning');
    expect(blocked.map(({ reason }) => reason)).toEqual(['Blocked']);
  });
});
