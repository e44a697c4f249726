import type { Rule } from './rule.ts';

const BUDGET = 'core/budget.test.ts';
const DRAIN = 'core/drain.test.ts';
const LEAVING = 'core/leaving.test.ts';
const SEEN = 'controllers/drain-seen.test.ts';
const DRAINING = 'core/node-draining.test.ts';
const JOB = 'core/node-job.test.ts';
const PATCH = 'core/patch.test.ts';
const EFFECTS = 'cluster/effects.test.ts';
const LOOP = 'controllers/loop.test.ts';
const DOOR = 'cluster/views.test.ts';

/** Which pods must leave. */
export const PODS: Readonly<Record<number, Rule>> = {
  1: {
    says: 'The mirror of a static pod is never evicted.',
    shown: [
      [DRAIN, '[rule 1] a mirror pod stays'],
      [SEEN, '[rule 1] the mirror of a static pod is not'],
      [DOOR, 'a mirror of a static pod is known by its annotation'],
    ],
  },
  2: {
    says: 'A DaemonSet keeps only pods that it controls, while it exists.',
    shown: [
      [DRAIN, '[rule 2] a pod of a DaemonSet stays'],
      [DRAIN, '[rule 2] a pod whose DaemonSet is gone must leave'],
      [SEEN, '[rule 2] one that a DaemonSet owns and does not control'],
      [SEEN, '[rule 2] one whose DaemonSet is gone is asked'],
    ],
  },
  3: {
    says: 'A DaemonSet pod stays even if it does not tolerate the cordon.',
    shown: [[SEEN, '[rule 3] a pod of a DaemonSet is not, though it tolerates nothing']],
  },
  4: {
    says: 'Pods that have ended are no work, and wait for no budget.',
    shown: [
      [DRAIN, '[rule 4] a pod that has succeeded stays'],
      [DRAIN, '[rule 4] a pod that has failed stays'],
      [SEEN, '[rule 4] a pod that has ended waits for no budget'],
    ],
  },
  5: {
    says: 'Bound pending pods pass every budget; unbound ones are not ours.',
    shown: [
      [DRAIN, '[rule 5] a pending pod that is bound must leave'],
      [BUDGET, '[rule 5] a pending pod passes every budget'],
      [SEEN, '[rule 5] a pending pod that is bound is asked, one that is not'],
    ],
  },
  6: {
    says: 'Pods on their way are awaited, on a silent node only briefly.',
    shown: [
      [DRAIN, '[rule 6] a pod on its way is awaited, never asked again'],
      [DRAIN, '[rule 6] on a node that does not answer it counts for a minute'],
      [DRAIN, '[rule 6] on a node that does not answer it counts no more after that'],
      [DRAIN, '[rule 6] on a node that answers it is awaited however long it takes, and named'],
      [DRAIN, '[rule 6] caught: a node that says itself that it is not ready still answers'],
    ],
  },
  7: {
    says: 'On a silent node budgets still count, until the deadline decides.',
    shown: [
      [DRAIN, '[rule 7] on a node that does not answer a pod is still asked'],
      [SEEN, '[rule 7] on a node that does not answer its budget still counts'],
      [DRAINING, '[rule 30] at the deadline, '],
    ],
  },
  8: {
    says: 'The profile says whether the data of an emptyDir may go.',
    shown: [
      [DRAIN, '[rule 8] a pod with an emptyDir leaves'],
      [DRAIN, '[rule 8] a pod with an emptyDir is in the way where the profile says so'],
    ],
  },
  9: {
    says: 'A pod that nobody would make again blocks unless it is allowed.',
    shown: [
      [DRAIN, '[rule 9] an unmanaged pod is in the way'],
      [DRAIN, '[rule 9] an unmanaged pod leaves where the profile says so'],
    ],
  },
  10: {
    says: 'A pod that always comes back is not evicted for ever.',
    shown: [
      [LEAVING, 'caught: one that came back is left alone, named, and not waited for'],
      [LEAVING, 'one %s'],
      ['cluster/toleration.test.ts', '[rule 10] tolerates the cordon or not: %s'],
    ],
    otherwise: '**No taint, only a cordon.**',
  },
  11: {
    says: 'No NoExecute taint: it ends pods without asking their budgets.',
    shown: [
      [EFFECTS, '[rule 11] no request writes a taint of ours but the soft one'],
      [PATCH, 'cordon: mark, cordon, load balancers and autoscaler'],
    ],
    otherwise: '**No taint, only a cordon.**',
  },
  12: {
    says: 'Pods are listed anew at every pass, and live before the Job.',
    shown: [
      [DRAINING, 'leaving Draining is decided again on a live read, and a pod seen there keeps it'],
      ['controllers/looks.test.ts', 'a pod that the cache does not show keeps the node draining'],
      [SEEN, '[rule 12] a pod of the same name that has come back on another node is left alone'],
    ],
  },
  13: {
    says: 'Evictions carry the UID; another or none by it is gone.',
    shown: [
      [DRAIN, '[rule 13] by UID'],
      [EFFECTS, 'an eviction'],
      [BUDGET, '[rule 18] another by that name: the cache is behind'],
    ],
  },
  14: {
    says: 'A node is drained when its pods are gone, not when told.',
    shown: [[DRAIN, '[rule 14] a pod that was told to leave is awaited until it is gone']],
  },
  15: {
    says: 'Once the Job has begun nothing is drained again.',
    shown: [
      ['core/phases.test.ts', 'the order of steps is a ratchet'],
      [JOB, 'a pod that lands on the node after the look does not send it back to draining'],
    ],
  },
  16: {
    says: 'Pods of Drydock leave last; those of its Jobs stay.',
    shown: [
      [DRAIN, '[rule 16] Drydock leaves last, when nothing else is left'],
      [DRAIN, '[rule 16] a pod of a Job of ours stays'],
      [DRAIN, '[rule 16] the label of a Job elsewhere keeps nothing'],
      [LEAVING, '[rule 16] no tier comes after the pods of Drydock'],
      [LEAVING, '[rule 40] caught: on the only node Drydock stays'],
    ],
  },
  17: {
    says: 'A webhook whose pod was drained is named; it can leave last.',
    shown: [
      [BUDGET, '[rule 17] a webhook that does not answer'],
      ['cluster/outcomes.test.ts', 'whose webhook is down'],
      [LEAVING, 'caught: a later tier is asked only when the one before has gone'],
    ],
    otherwise: '**Order is yours to give.**',
  },
};

/** How they are asked, and what the answers mean. */
export const EVICTIONS: Readonly<Record<number, Rule>> = {
  18: {
    says: 'Accepted is not gone; not found and conflict are.',
    shown: [
      [BUDGET, '[rule 18] accepted is not gone: awaited'],
      [BUDGET, '[rule 18] gone: the cache is behind'],
      ['cluster/outcomes.test.ts', 'of another pod by that name'],
    ],
  },
  19: {
    says: 'A limit of requests is told from the no of a budget.',
    shown: [
      [BUDGET, '[rule 19] the limit of requests is no budget'],
      [BUDGET, '[rule 19] Retry-After is honoured'],
      ['core/conditions.test.ts', '[rule 19] a limit of requests is not blamed on a budget'],
      ['cluster/outcomes.test.ts', 'when there are too many requests'],
    ],
  },
  20: {
    says: 'A budget that its controller has not looked at yet is transient.',
    shown: [
      [BUDGET, '[rule 20] its controller has not looked at the budget'],
      [BUDGET, '[rule 20] a budget that nobody looked at clears by itself'],
      ['cluster/outcomes.test.ts', 'of a budget that its controller has not seen'],
    ],
  },
  21: {
    says: 'Two budgets on a pod never clear; both are named.',
    shown: [
      [BUDGET, '[rule 21] two budgets: said at once, and the API server is asked all the same'],
      [BUDGET, '[rule 21] more than one budget: '],
      ['core/conditions.test.ts', '[rule 21] both budgets are named'],
    ],
  },
  22: {
    says: 'A namespace on its way out is awaited; other refusals are said.',
    shown: [
      [BUDGET, '[rule 22] the namespace is going'],
      [BUDGET, '[rule 22] another refusal'],
      ['cluster/outcomes.test.ts', 'of a budget in disorder'],
    ],
  },
  23: {
    says: 'No answer is asked again; a control plane may be away.',
    shown: [
      [BUDGET, '[rule 23] no answer: asked again'],
      ['controllers/operator.test.ts', 'goes on after the API server was away for ten minutes'],
    ],
  },
  24: {
    says: 'An error nobody knows neither empties a node nor ends a rollout.',
    shown: [
      [DRAIN, '[rule 24] a pod that cannot be asked is not gone'],
      [LOOP, 'that gets no answer backs off; one that is rate limited waits for its time'],
    ],
  },
  25: {
    says: 'Webhooks that deny while they move a workload are asked on.',
    shown: [
      [BUDGET, '[rule 25] a webhook that moves the workload denies on purpose'],
      [BUDGET, '[rule 25] caught: whoever waits behind a budget that says 0 for good must be asked'],
    ],
  },
  26: {
    says: 'Pods are asked side by side, not one after another.',
    shown: [
      [DRAIN, '[rule 26] all at once, those of one budget on one lane'],
      [LOOP, 'go side by side, and each one after another'],
    ],
  },
  27: {
    says: 'Pods with volumes leave one by one where storage is slow.',
    shown: [[LEAVING, 'caught: a later tier is asked only when the one before has gone']],
    otherwise: '**Order is yours to give.**',
  },
  28: {
    says: 'So many at once and no more; nothing sleeps.',
    shown: [
      [DRAIN, '[rule 28] at most 50 in one pass'],
      [DRAINING, 'after asking: soon'],
      ['controllers/memory.test.ts', 'takes one eviction after another, of two passages too'],
    ],
    otherwise: '**No limit of evictions a second.**',
  },
  29: {
    says: 'A grace period of nothing is never sent.',
    shown: [
      [EFFECTS, 'a grace period of %s s is sent as 1'],
      [DRAIN, '[rule 29] with the grace period of the profile, where it has one'],
    ],
  },
  30: {
    says: 'No pod is ever deleted; a deadline waits, skips or fails.',
    shown: [
      [DRAINING, '[rule 30] at the deadline, '],
      [EFFECTS, 'the table above has every effect'],
      ['end-to-end/cluster-rights.test.ts', 'to delete a pod'],
    ],
    otherwise: '**No pod is deleted.**',
  },
  31: {
    says: 'Before a node begins, budgets are counted together and webhooks tried.',
    shown: [
      [BUDGET, '[rule 31] one by one they would pass, together they do not'],
      [BUDGET, 'is not asked for a second time, and is looked at again should it never be shown'],
      ['core/preflight.test.ts', 'caught: that a budget refuses, which is counted as it is seen'],
      ['controllers/preflight.test.ts', 'name the pod that a webhook denies, once for its owner'],
      ['end-to-end/preflight.test.ts', 'names what a budget and what a webhook would deny'],
    ],
  },
};

/** How budgets are read. */
export const BUDGETS: Readonly<Record<number, Rule>> = {
  32: {
    says: 'A budget selects as the API server says: namespace and whole selector.',
    shown: [
      [BUDGET, 'labels and an expression that does not hold'],
      [BUDGET, 'an empty selector: every pod of the namespace'],
      [BUDGET, 'a budget of another namespace never'],
      [SEEN, '[rule 32] a budget of another namespace counts for nothing'],
    ],
  },
  33: {
    says: 'Never allowed is told from not allowed now.',
    shown: [
      [BUDGET, '[rule 33] all healthy and all needed: never as it is written'],
      [BUDGET, '[rule 33] caught: all are needed, and that one is away now makes it no better'],
      [BUDGET, '[rule 33] a budget over nothing is no misconfiguration'],
    ],
  },
  34: {
    says: 'Budgets that operators run look wrong and are not.',
    shown: [
      [BUDGET, '[rule 34] caught: a budget that an operator keeps shut on purpose'],
      [BUDGET, '[rule 34] a pod of an operator whose budget is only used up for now'],
    ],
  },
  35: {
    says: 'Only the node at work is cordoned, and late.',
    shown: [
      [SEEN, '[rule 35] in a whole rollout no node that only waits is cordoned'],
      [SEEN, '[rule 35] while one is blocked by a budget, the next keeps taking pods'],
    ],
  },
  36: {
    says: 'One control plane at once; of two deadlocked drains one gives up.',
    shown: [
      ['core/choice.test.ts', 'no second one beside it'],
      ['core/node-pending.test.ts', 'it is a control plane and another one is out'],
      ['core/standstill.test.ts', 'caught: the younger is given up, and only that one'],
    ],
  },
  37: {
    says: 'Unready pods leave as their budget says; the remedy is named.',
    shown: [
      [BUDGET, '[rule 37] an unready pod goes where its budget always lets it'],
      [BUDGET, '[rule 37] an unready pod goes where enough others are healthy'],
      [BUDGET, '[rule 37] an unready pod stays where nothing is needed healthy'],
      ['core/conditions.test.ts', '[rule 37] the remedy for a pod that is not ready is named'],
    ],
  },
  38: {
    says: 'A crashing pod under a budget is named, never deleted.',
    shown: [
      [BUDGET, '[rule 38] an unready pod stays where too few are healthy'],
      ['core/conditions.test.ts', '[rule 37] the remedy for a pod that is not ready is named'],
    ],
    otherwise: '**No pod is deleted.**',
  },
  39: {
    says: 'The gate is the eviction itself, never our arithmetic.',
    shown: [
      [BUDGET, '[rule 25] caught: whoever waits behind a budget that says 0 for good must be asked'],
      [LOOP, 'an eviction %s ends its lane, or does not'],
    ],
  },
  40: {
    says: 'Where pods have nowhere to go, it is said.',
    shown: [
      [LEAVING, '[rule 40] caught: on the only node Drydock stays'],
      [LEAVING, '[rule 40] others leave all the same, and that they have nowhere to go is known'],
      [SEEN, '[rule 40] [seed 490] Drydock stays where only a control plane is left'],
      [SEEN, '[rule 40] and leaves for a node that is only rather avoided'],
      [SEEN, '[rule 40] and for one with the taints of its own, which it tolerates'],
    ],
  },
};
