import { describe, expect, test } from 'vitest';
import type { NodeState } from '../../src/api/node-maintenance.ts';
import type { SeenPassage } from '../../src/controllers/see-passage.ts';
import { tellPassage } from '../../src/controllers/telling.ts';
import { ago } from '../support/build.ts';
import { facts, passage, plan, upgrade } from '../support/build-own.ts';
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
