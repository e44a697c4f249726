import { expect, test } from 'vitest';
import { dice } from '../../src/simulation/dice.ts';
import { Etcd } from '../../src/simulation/etcd.ts';
import type { BudgetObject, NodeObject } from '../../src/simulation/objects.ts';
import { Registry } from '../../src/simulation/registry.ts';
import { watchFreed } from './freed.ts';

const BUDGETS = 'poddisruptionbudgets.policy';

/** A pod on a node, with its budget, at an instant that the test sets. */
function scene(isCordoned: boolean) {
  const clock = { ms: 0 };
  const registry = new Registry({ etcd: new Etcd(), now: () => 0, dice: dice(1) });
  const make = (id: string, kind: string, rest: object, namespace?: string) => {
    const metadata = { name: 'web', ...(namespace === undefined ? {} : { namespace }), labels: { app: 'web' } };
    const made = registry.create(id, { apiVersion: 'v1', kind, metadata, ...rest }, { by: 'test' });
    if (!made.ok) throw new Error(made.failure.message);
  };
  make('namespaces', 'Namespace', {});
  make('nodes', 'Node', { spec: {} });
  registry.write<NodeObject>('nodes', 'web', 'test', (node) => ({
    ...node,
    spec: isCordoned ? { unschedulable: true } : {},
  }));
  make('pods', 'Pod', { spec: { nodeName: 'web', containers: [{ name: 'web' }] } }, 'web');
  make(BUDGETS, 'PodDisruptionBudget', { spec: { maxUnavailable: 1 } }, 'web');
  const freed = watchFreed(registry, () => clock.ms);
  const allow = (disruptionsAllowed: number, atMs: number, by = 'disruption-controller') => {
    clock.ms = atMs;
    registry.write<BudgetObject>(BUDGETS, 'web/web', by, (budget) => ({ ...budget, status: { disruptionsAllowed } }));
  };
  const evict = (atMs: number) => {
    clock.ms = atMs;
    const path = '/api/v1/namespaces/web/pods/web/eviction';
    freed.answered({ method: 'POST', path, user: 'drydock' });
  };
  return { freed, allow, evict };
}

test('the time from a budget that is free to the next eviction against it is measured once', () => {
  const { freed, allow, evict } = scene(true);
  allow(1, 100);
  allow(0, 130, 'drydock');
  evict(130);
  evict(200);
  expect(freed.milliseconds).toEqual([30]);
});

test('nothing is measured where no pod waits', () => {
  const { freed, allow, evict } = scene(false);
  allow(1, 100);
  evict(130);
  expect(freed.milliseconds).toEqual([]);
});

test('a budget that is taken again before anybody asked was never used', () => {
  const { freed, allow, evict } = scene(true);
  allow(1, 100);
  allow(0, 110);
  evict(130);
  expect(freed.milliseconds).toEqual([]);
});

test('what is not an eviction is passed over', () => {
  const { freed, allow } = scene(true);
  allow(1, 100);
  freed.answered({ method: 'GET', path: '/api/v1/namespaces/web/pods/web', user: 'drydock' });
  expect(freed.milliseconds).toEqual([]);
});
