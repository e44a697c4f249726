import type { Blocker } from '../api/blocker.ts';
import { never } from './decision.ts';

/** How many blockers a status lists: the definitions allow no more. */
export const MOST_BLOCKERS = 50;

/** How many blockers one sentence names. */
export const MOST_SAID = 5;

/** Why a pod that should leave does not, in words that stay stable. */
export type Hindrance = {
  readonly reason:
    | 'BudgetExhausted'
    | 'BudgetNeverAllows'
    | 'BudgetNotObserved'
    | 'BudgetFailed'
    | 'HeldByOperator'
    | 'TooManyBudgets'
    | 'UnhealthyPod'
    | 'NamespaceTerminating'
    | 'RateLimited'
    | 'WebhookDenied'
    | 'WebhookFailed'
    | 'Refused'
    | 'Unavailable'
    | 'Unmanaged'
    | 'EmptyDir'
    | 'WaitingForCompletion'
    | 'ComesBack'
    | 'HeldByFinalizers'
    | 'StuckTerminating';
  /** `namespace/name` of the budgets it is about. */
  readonly budgets: readonly string[];
  /** Whether it may clear without anybody doing anything. */
  readonly selfClearing: boolean;
  readonly detail: string;
};

/** What is in the way of one pod, as a sentence. */
export function hindranceSentence({ reason, budgets, detail }: Hindrance): string {
  const budget = budgets.join(' and ');
  switch (reason) {
    case 'BudgetExhausted':
      return `PodDisruptionBudget ${budget} allows no disruption now (${detail}).`;
    case 'BudgetNeverAllows':
      return `PodDisruptionBudget ${budget} can never allow a disruption as it is written (${detail}).`;
    case 'BudgetNotObserved':
      return `PodDisruptionBudget ${budget} has not been looked at by its controller yet.`;
    case 'BudgetFailed':
      return `PodDisruptionBudget ${budget} allows nothing because its controller cannot count its pods: ${detail}`;
    case 'HeldByOperator':
      return `${detail} keeps PodDisruptionBudget ${budget} shut until it has moved the workload by itself.`;
    case 'TooManyBudgets':
      return `More than one PodDisruptionBudget selects this pod (${budget}), which the API server never evicts.`;
    case 'UnhealthyPod':
      return `The pod is not ready, and PodDisruptionBudget ${budget} counts that against it (${detail}).`;
    case 'NamespaceTerminating':
      return 'Its namespace is being deleted; the pod goes with it.';
    case 'RateLimited':
      return 'The API server limits the rate of requests; this has nothing to do with a budget.';
    case 'WebhookDenied':
      return `An admission webhook does not let it be evicted now: ${detail}`;
    case 'WebhookFailed':
      return `An admission webhook that must be asked does not answer: ${detail}`;
    case 'Unmanaged':
      return 'No controller would make this pod again; evicting it would end it for good.';
    case 'EmptyDir':
      return 'The pod has an emptyDir, whose data would be lost, and the profile says drain.emptyDir: Block.';
    case 'WaitingForCompletion':
      return 'A rule of the profile lets this pod finish its work before the node is taken.';
    case 'ComesBack':
      return 'The pod tolerates the cordon and comes back to this node whenever it leaves, so it is left alone and not waited for.';
    case 'HeldByFinalizers':
      return `The pod has ended, but is kept by ${detail}.`;
    case 'StuckTerminating':
      return `The pod should have been gone at ${detail}, and the kubelet has not said that it is.`;
    case 'Refused':
    case 'Unavailable':
      return `The eviction was not accepted: ${detail}`;
    default:
      return never(reason);
  }
}

/** What a person can do about it; empty where there is nothing to do but wait. */
export function advice({ reason, budgets, detail }: Hindrance): string {
  const [budget = ''] = budgets;
  switch (reason) {
    case 'BudgetExhausted':
      return 'It clears when enough of its pods are healthy elsewhere.';
    case 'BudgetNeverAllows':
      return `Raise the replicas, or let ${budget} allow one disruption (maxUnavailable: 1).`;
    case 'BudgetFailed':
      return `Mend ${budget}: its selector must match pods whose controller has a scale.`;
    case 'HeldByOperator':
      return `It clears by itself; if it does not, look at the cluster that ${detail} runs there.`;
    case 'TooManyBudgets':
      return `Change the selector of one of ${budgets.join(' and ')}.`;
    case 'UnhealthyPod':
      return `Mend or delete the pod, or set unhealthyPodEvictionPolicy: AlwaysAllow on ${budget}.`;
    case 'WebhookDenied':
      return 'Whoever runs the webhook usually moves the workload and lets the next eviction pass; it is asked again.';
    case 'WebhookFailed':
      return 'See whether its pods run; if the last of them was drained, start one elsewhere.';
    case 'Unmanaged':
      return 'Delete the pod yourself if it may go, or allow it with drain.unmanaged: Evict.';
    case 'EmptyDir':
      return 'Delete the pod yourself if its data may go, or allow it with drain.emptyDir: Evict.';
    case 'ComesBack':
      return 'Nothing needs to be done; to have it leave, take the toleration of node.kubernetes.io/unschedulable from it.';
    case 'HeldByFinalizers':
      return 'See why the controller behind the finalizer does not take it off.';
    case 'StuckTerminating':
      return 'Look at the kubelet and the container runtime of the node.';
    case 'Refused':
      return 'Ask whoever runs the admission policy that refused it.';
    default:
      return '';
  }
}

/** What a blocker is about, in words. */
export function subjectOf({ pod, volume, nodeName }: Blocker): string {
  return pod ?? (volume === undefined ? nodeName : `volume ${volume}`);
}
