import type { Blocker } from '../../src/api/blocker.ts';
import type { NodeRow, Scene } from './scene.ts';

/** A worker that waits for its turn. */
export function row(name = 'worker-1', over: Partial<NodeRow> = {}): NodeRow {
  return {
    name,
    controlPlane: false,
    kubelet: 'v1.35.7',
    ready: true,
    cordoned: false,
    pods: 3,
    is: 'waiting',
    reason: '',
    message: '',
    blockers: [],
    ...over,
  };
}

/** A worker whose pods are asked to leave. */
export function draining(name = 'worker-1', over: Partial<NodeRow> = {}): NodeRow {
  const message = '2 pods asked to leave.';
  return row(name, {
    is: 'inFlight',
    phase: 'Draining',
    step: 1,
    cordoned: true,
    reason: 'Evicting',
    message,
    ...over,
  });
}

/** A node that has been upgraded and given back. */
export function done(name = 'worker-1', over: Partial<NodeRow> = {}): NodeRow {
  return row(name, { is: 'done', phase: 'Succeeded', step: 5, kubelet: 'v1.36.4', seconds: 14, ...over });
}

/** A pod that a budget keeps for good. */
export function blocker(over: Partial<Blocker> = {}): Blocker {
  return {
    nodeName: 'worker-1',
    pod: 'shop/payments-56b5c89884-txbb2',
    owner: 'ReplicaSet/payments-56b5c89884',
    budgets: ['shop/payments'],
    reason: 'BudgetNeverAllows',
    message: 'PodDisruptionBudget shop/payments can never allow a disruption as it is written (2 of 2 pods healthy).',
    since: '2026-11-10T12:00:00Z',
    selfClearing: false,
    advice: 'Raise the replicas, or let shop/payments allow one disruption (maxUnavailable: 1).',
    ...over,
  };
}

/** A pod that a budget keeps for a moment. */
export function passing(pod = 'shop/web-1'): Blocker {
  const message = 'PodDisruptionBudget shop/web allows no disruption now (8 of 10 pods healthy, 8 needed).';
  return blocker({ pod, budgets: ['shop/web'], reason: 'BudgetExhausted', message, selfClearing: true, advice: '' });
}

/** A rollout over some nodes. */
export function scene(nodes: readonly NodeRow[], over: Partial<Scene> = {}): Scene {
  return {
    upgrade: { name: 'to-1-36', target: 'v1.36.4', phase: 'Rolling', message: '1 nodes in flight, 2 waiting.' },
    window: { name: 'hourly', open: true },
    limit: 2,
    nodes,
    budgets: [{ name: 'shop/payments', healthy: 2, expected: 2, needed: 2, allowed: 0 }],
    ...over,
  };
}
