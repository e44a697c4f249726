import type { Blocker } from '../api/blocker.ts';
import type { NodeState, Plan } from '../api/node-maintenance.ts';
import type { Phase } from '../api/phases.ts';
import type { Because } from './because.ts';
import { iso, sentence } from './conditions.ts';
import { ownerOf } from './drain.ts';
import { MOST_BLOCKERS } from './hindrance.ts';
import type { NodeFacts } from './passage.ts';
import { isCordonedBy } from './patch.ts';
import type { Instant, NodeView, PodView } from './world.ts';

const MOST_NAMES = 5;
/** The phases in which a node may be away while its pods are still on it. */
const AWAY: ReadonlySet<Phase> = new Set(['Upgrading', 'Rebooting', 'Lost', 'Verifying', 'Held']);

/** What Kubernetes will do to the pods of a node that is away, and each pod by name. */
export type Threat = { readonly because: Because; readonly blockers: readonly Blocker[] };

/**
 * The pods that stayed on a node which is not Ready now: the taint manager deletes each when its tolerations of
 * not-ready and unreachable are over, and asks no budget. That is said before it happens.
 */
export function threatOf(plan: Plan | undefined, state: NodeState, facts: NodeFacts): Threat | undefined {
  const { node, pods } = facts;
  if (plan === undefined || plan.drain.mode === 'Drain' || !AWAY.has(state.phase)) return undefined;
  if (node === undefined || node.ready) return undefined;
  const deleted = pods.filter((pod) => mayBeDeleted(pod) && pod.deletedAt !== undefined).length;
  const doomed = pods
    .filter((pod) => mayBeDeleted(pod) && pod.deletedAt === undefined)
    .map((pod) => ({ pod, key: `${pod.namespace}/${pod.name}`, at: endOf(pod, node) }))
    .sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
  if (doomed.length === 0 && deleted === 0) return undefined;
  const because: Because = {
    reason: 'PodsWillBeDeleted',
    since: node.readySince,
    pods: doomed.length,
    names: doomed.slice(0, MOST_NAMES).map(({ key }) => key),
    deleted,
    ...(doomed[0] === undefined ? {} : { at: doomed[0].at }),
  };
  return { because, blockers: doomed.slice(0, MOST_BLOCKERS).map((one) => blocker(one, node)) };
}

/** Whether a committed node is in service though we took it out: once its Job may run that is reported, not fought over. */
export function cordonLost(plan: Plan | undefined, state: NodeState, facts: NodeFacts): Because | undefined {
  const { node, passage } = facts;
  const committed = AWAY.has(state.phase) || (state.phase === 'Starting' && state.attempt > 1);
  if (plan === undefined || plan.drain.mode === 'Leave' || !committed || node === undefined) return undefined;
  return isCordonedBy(node, passage.uid) ? undefined : { reason: 'CordonLost', node: node.name };
}

/** Not those that tolerate it for ever, as pods of DaemonSets and static pods do, and not what has ended already. */
function mayBeDeleted({ evictedAfterSeconds, phase }: PodView): boolean {
  return evictedAfterSeconds !== undefined && phase !== 'Succeeded' && phase !== 'Failed';
}

function endOf({ evictedAfterSeconds = 0 }: PodView, { readySince }: NodeView): Instant {
  return readySince + evictedAfterSeconds * 1000;
}

function blocker(
  { pod, key, at }: { readonly pod: PodView; readonly key: string; readonly at: Instant },
  node: NodeView,
): Blocker {
  return {
    nodeName: node.name,
    pod: key,
    ...(pod.controller === undefined ? {} : { owner: ownerOf(pod.controller, pod) }),
    budgets: [],
    reason: 'PodsWillBeDeleted',
    message: sentence({ reason: 'PodWillBeDeleted', at }),
    since: iso(node.readySince),
    selfClearing: true,
    advice: 'Bring the node back before then.',
  };
}
