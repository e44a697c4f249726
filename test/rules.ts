import { BUDGETS, EVICTIONS, PODS } from './rules/drain.ts';
import { BACK, JOBS, MARKS } from './rules/passage.ts';
import type { Rule } from './rules/rule.ts';

/** Every rule by its number. */
export const RULES: Readonly<Record<number, Rule>> = {
  ...PODS,
  ...EVICTIONS,
  ...BUDGETS,
  ...MARKS,
  ...JOBS,
  ...BACK,
};

/** What a rule asks and Drydock does not do yet, or not for all of it: one sentence each. */
export const MISSING: Readonly<Record<number, string>> = {
  6: 'A node whose Ready is False still has a kubelet that answers, and is taken for one that does not.',
  10: 'Nobody notices that the same owner brings a pod back to the node from which one was just evicted.',
  16: 'Drydock evicts itself also where no other node could take it, and never comes back.',
  17: 'No pod of an admission webhook is told from any other, and a webhook that cannot be reached has no advice.',
  22: 'A budget in disorder is said with the advice for an admission policy.',
  25: 'Where a budget of theirs allows nothing, webhooks that move a workload when asked are never asked.',
  27: 'Pods with volumes leave like all others.',
  28: 'There is a limit for a pass over one node, and none for a second over all of them.',
  31: 'Nothing is asked with dryRun, and two nodes count the same budget each for itself.',
  34: 'Budgets of CloudNativePG, Longhorn, Rook and KubeVirt are said to be misconfigured.',
  36: 'Two drains that wait for each other are not recognised.',
  39: 'A pod whose budget allows nothing is not asked, so its webhooks and stale budgets never get their say.',
  40: 'Nobody counts the nodes that could take the pods.',
  42: 'A node that is uncordoned while its Job runs, or while it is held, is not reported.',
  63: 'That the Lease of the kubelet was renewed after the boot is not asked.',
  64: 'Start-up taints of networks and storage drivers are not known, only the four of Kubernetes.',
};
