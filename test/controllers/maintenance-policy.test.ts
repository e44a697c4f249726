import { expect, test } from 'vitest';
import { maintenancePolicy } from '../../src/api/maintenance-policy.ts';
import { reconciler } from '../../src/controllers/loop.ts';
import { ledger as ledgerSubject } from '../../src/controllers/maintenance-policy.ts';
import { Memory } from '../../src/controllers/memory.ts';
import { ago, node } from '../support/build.ts';
import { ledger, passage } from '../support/build-own.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { SmallCluster } from './small-cluster.ts';

const draining = passage({ phase: 'Draining', since: ago(60) });

test.each([
  ['a ledger that had lost its tickets is rebuilt, and people are told', [draining], ['LedgerRebuilt']],
  ['caught: one that is made for the first time is no news', [], []],
])('%s', async (_, passages, reasons) => {
  const fresh = { ...ledger(), status: maintenancePolicy.status.parse({}) };
  const cluster = new SmallCluster({ Node: [node('worker-1')], MaintenancePolicy: [fresh], NodeMaintenance: passages });
  const clock = new FakeClock();
  const loop = { cluster, clock, memory: new Memory(clock), happened: () => {} };
  await reconciler(ledgerSubject(loop), loop).reconcile('cluster');
  expect(cluster.effects.map(({ kind }) => kind)).toEqual(['writeLedger']);
  expect(cluster.told.map(({ reason }) => reason)).toEqual(reasons);
});
