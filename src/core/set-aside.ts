import type { Blocker } from '../api/blocker.ts';
import type { Instant, NodeView } from './world.ts';

/** What would keep a node from being drained now and does not clear by itself. */
export type Hindered = (nodeName: string) => readonly Blocker[];

/** What is known of the nodes that were put back. */
export type SetAside = {
  readonly now: Instant;
  /** Until when each of them is left alone. */
  readonly setAside: ReadonlyMap<string, Instant>;
  /** Asked of those whose time is over. */
  readonly hindered: Hindered;
};

/** Whether a node is not set aside, or its time is over. */
export function isDue({ name }: NodeView, { setAside, now }: SetAside): boolean {
  return (setAside.get(name) ?? 0) <= now;
}

/** Why a node that was put back is not returned to though its time is over: it would only be put back again. */
export function stillInTheWay(node: NodeView, facts: SetAside): readonly Blocker[] {
  return facts.setAside.has(node.name) && isDue(node, facts) ? facts.hindered(node.name) : [];
}
