import type { Blocker } from '../api/blocker.ts';
import type { NodeState, Plan } from '../api/node-maintenance.ts';
import { iso } from './conditions.ts';
import { deadlineOf } from './deadline.ts';
import { MOST_BLOCKERS } from './hindrance.ts';
import type { NodeFacts } from './passage.ts';

/** The volumes that a drained node still holds, each by name: what keeps them is nothing that Drydock could hurry. */
export function volumesLeft(
  plan: Plan | undefined,
  state: NodeState,
  { attached, passage, now }: Pick<NodeFacts, 'attached' | 'passage' | 'now'>,
  earlier: readonly Blocker[],
): readonly Blocker[] {
  if (plan === undefined || state.phase !== 'Detaching') return [];
  const until = iso(deadlineOf(plan, state) ?? now);
  return attached.slice(0, MOST_BLOCKERS).map((volume) => ({
    nodeName: passage.spec.nodeName,
    volume,
    budgets: [],
    reason: 'VolumeAttached',
    message: 'It is still attached to the node, so no other node can have it.',
    since: earlier.find((said) => said.volume === volume)?.since ?? iso(now),
    selfClearing: true,
    advice: `See whether the node plugin of its storage driver runs. Drydock goes on without it at ${until}.`,
  }));
}
