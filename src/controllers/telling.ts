import type { NodeState } from '../api/node-maintenance.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Because } from '../core/because.ts';
import { sentence } from '../core/conditions.ts';
import type { SeenPassage } from './see-passage.ts';

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
