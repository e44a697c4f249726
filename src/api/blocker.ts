import { z } from 'zod';
import { count, list, name, set, text, time } from './field.ts';

const blocker = z.object({
  nodeName: name('The node that cannot be drained.'),
  pod: text(317, 'The pod, as namespace/name.').optional(),
  volume: text(253, 'The PersistentVolume, where that is what is in the way.').optional(),
  owner: text(317, 'Who made it, as Kind/name.').optional(),
  budgets: set(8, 317, 'The PodDisruptionBudgets that refuse, as namespace/name.').default([]),
  reason: text(63, 'A stable word.'),
  message: text(1024, 'What is in the way.').default(''),
  since: time('Since when.'),
  selfClearing: z.boolean().describe('Whether it may clear without anybody doing anything.'),
  advice: text(1024, 'What a person can do.').default(''),
});

/** What keeps a node from being drained, the same in every kind that says so. */
export const blockers = list(
  blocker,
  50,
  { as: 'atomic' },
  'What is in the way, named: pod, owner, budget and reason.',
).default([]);

/** How many pods of a node are left, on their way and in the way. */
export const podCounts = z
  .object({
    remaining: count('Pods that must still leave.').default(0),
    terminating: count('Of these, those already on their way.').default(0),
    blocked: count('Of these, those that something keeps.').default(0),
    since: time('Since when no pod has left.').optional(),
  })
  .describe('Pods of the node.');

export type Blocker = z.output<typeof blocker>;
export type PodCounts = z.output<typeof podCounts>;
