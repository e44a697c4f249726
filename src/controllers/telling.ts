import type { Condition } from '../api/field.ts';
import type { NodeState } from '../api/node-maintenance.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Because } from '../core/because.ts';
import { sentence } from '../core/conditions.ts';
import type { SeenPassage } from './see-passage.ts';

/** An Event on the passage and on its node for each condition that says what is in the way. */
export function tellHindrances(cluster: Cluster, { passage, facts }: SeenPassage, found: readonly Condition[]): void {
  const { name, uid } = passage;
  const { node } = facts;
  for (const { reason, message } of found) {
    const said = { type: 'Warning', reason, message: message.slice(0, 1024) } as const;
    cluster.tell({ on: { kind: 'NodeMaintenance', name, uid }, ...said });
    if (node !== undefined) cluster.tell({ on: { kind: 'Node', name: node.name, uid: node.uid }, ...said });
  }
}

const WARNING: ReadonlySet<NodeState['phase']> = new Set(['Quarantining', 'Lost', 'Failed', 'Skipped']);

/** An Event on the passage, its node and its upgrade for a step that people would want to have seen. */
export function tellPassage(
  cluster: Cluster,
  { passage, facts, upgrade }: SeenPassage,
  to: NodeState,
  because: Because,
): void {
  const type = WARNING.has(to.phase) || ('verdict' in to && to.verdict !== 'Succeeded') ? 'Warning' : 'Normal';
  const reason = to.phase;
  const message = 'message' in to && to.message !== '' ? to.message : sentence(because);
  const { name, uid } = passage;
  cluster.tell({ on: { kind: 'NodeMaintenance', name, uid }, type, reason, message });
  const { node } = facts;
  if (node !== undefined) cluster.tell({ on: { kind: 'Node', name: node.name, uid: node.uid }, type, reason, message });
  if (upgrade !== undefined && (type === 'Warning' || to.phase === 'Succeeded')) {
    const on = { kind: 'ClusterUpgrade', name: upgrade.name, uid: upgrade.uid } as const;
    cluster.tell({ on, type, reason: `Node${reason}`, message: `${passage.spec.nodeName}: ${message}` });
  }
}
