import type { Because } from './because.ts';
import { iso } from './rollout-sentences.ts';

/** The sentence for what people must know while a node is out, and can do something about. */
export function warningSentence(b: Because): string | undefined {
  switch (b.reason) {
    case 'PodWillBeDeleted':
      return `The node is not Ready: Kubernetes deletes this pod at ${iso(b.at)}, asking no PodDisruptionBudget.`;
    case 'PodsWillBeDeleted':
      return deletions(b);
    case 'Held':
      return b.pods === 'left'
        ? 'The node is empty and held. Delete this object to give it back.'
        : 'The node is cordoned and held; its pods stay on it. Delete this object to give it back.';
    case 'CordonLost':
      return `Somebody uncordoned the node, or it was registered anew: pods may come while it is worked on. It is not cordoned again; if they should not come: kubectl cordon ${b.node}`;
    case 'JobCannotRun':
      return `Job ${b.job} cannot run on the node yet: ${b.detail}`;
    case 'JobSuspended':
      return `Job ${b.job} was released and has been suspended by somebody since: what it had done by then is unknown, so it is not run again blindly. Look at the node, then let it go on by kubectl patch (spec.suspend: false), or give it up: kubectl annotate the NodeMaintenance drydock.dev/release=${b.node}`;
    default:
      return undefined;
  }
}

function deletions({ since, at, pods, names, deleted }: Extract<Because, { reason: 'PodsWillBeDeleted' }>): string {
  const more = names.length < pods ? ` and ${pods - names.length} more` : '';
  const coming =
    at === undefined
      ? ''
      : ` Kubernetes deletes ${count(pods)} on it from ${iso(at)} on, asking no PodDisruptionBudget: ${names.join(', ')}${more}.`;
  const gone = deleted === 0 ? '' : ` ${count(deleted)} on it ${deleted === 1 ? 'is' : 'are'} being deleted already.`;
  return `The node has not been Ready since ${iso(since)}.${coming}${gone} Bring it back; if it takes longer, use drain.mode: Drain another time, so that pods leave under their budgets.`;
}

function count(pods: number): string {
  return pods === 1 ? '1 pod' : `${pods} pods`;
}
