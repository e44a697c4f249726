import { expect, test } from 'vitest';
import { blocker, done, draining, passing, row, scene } from './build.ts';
import { changes } from './changes.ts';
import type { Scene } from './scene.ts';

const waiting = scene([row()]);
const busy = scene([draining()]);
const upgrade = (phase: string, message = '') => ({ name: 'to-1-36', target: 'v1.36.4', phase, message });

test.each<[what: string, before: Scene, after: Scene, lines: readonly string[]]>([
  ['nothing is new', busy, busy, []],
  ['a node begins', waiting, busy, ['worker-1  cordoned', 'worker-1  Draining: 2 pods asked to leave.']],
  [
    'a node is back',
    busy,
    scene([done('worker-1', { message: 'Given back.' })]),
    ['worker-1  schedulable again', 'worker-1  kubelet v1.35.7 is now v1.36.4', 'worker-1  Succeeded: Given back.'],
  ],
  ['its kubelet restarts', busy, scene([draining('worker-1', { ready: false })]), ['worker-1  NotReady']],
  [
    'a pod is kept',
    busy,
    scene([draining('worker-1', { blockers: [passing()] })]),
    [
      'worker-1  waits for pod shop/web-1, owner ReplicaSet/payments-56b5c89884, budget shop/web, reason BudgetExhausted: PodDisruptionBudget shop/web allows no disruption now (8 of 10 pods healthy, 8 needed).',
    ],
  ],
  [
    'a node is blocked from its first moment',
    waiting,
    scene([draining('worker-1', { blockers: [passing()] })]),
    [
      'worker-1  cordoned',
      'worker-1  Draining',
      'worker-1  waits for pod shop/web-1, owner ReplicaSet/payments-56b5c89884, budget shop/web, reason BudgetExhausted: PodDisruptionBudget shop/web allows no disruption now (8 of 10 pods healthy, 8 needed).',
    ],
  ],
  [
    'a pod without owner or budget is kept',
    busy,
    scene([
      draining('worker-1', {
        blockers: [
          blocker({
            owner: undefined,
            budgets: [],
            reason: 'Unmanaged',
            message: 'No controller.',
            advice: 'Delete it.',
          }),
        ],
      }),
    ]),
    [
      'worker-1  waits for pod shop/payments-56b5c89884-txbb2, owner nobody, reason Unmanaged: No controller. Delete it.',
    ],
  ],
  [
    'it is kept still',
    scene([draining('worker-1', { blockers: [passing()] })]),
    scene([draining('worker-1', { blockers: [{ ...passing(), message: 'Other numbers.' }] })]),
    [],
  ],
  [
    'the window closes',
    busy,
    scene([draining()], { window: { name: 'hourly', open: false } }),
    ['hourly    window is closed'],
  ],
  [
    'the rollout is blocked',
    busy,
    scene([draining()], { upgrade: upgrade('Blocked', 'long') }),
    ['to-1-36   Blocked: every node in flight waits for a pod.'],
  ],
  [
    'the rollout is complete',
    busy,
    scene([draining()], { upgrade: upgrade('Complete', 'All.') }),
    ['to-1-36   Complete: All.'],
  ],
  [
    'others wait longer',
    scene([draining(), row('worker-2')]),
    scene([draining(), draining('worker-2'), row('worker-3')]),
    [
      'worker-2  cordoned',
      'worker-2  Draining: 2 pods asked to leave.',
      'next      worker-3. 2 nodes are out, and 2 may be.',
    ],
  ],
])('what is told when %s', (_, before, after, lines) => {
  expect(changes(before, after)).toEqual(lines);
});

test('at first only the window and who waits are told', () => {
  const told = changes(undefined, scene([row('worker-1')], { upgrade: upgrade('Pending', 'Not looked at.') }));
  expect(told).toEqual(['hourly    window is open', 'next      worker-1. Not looked at.']);
});
