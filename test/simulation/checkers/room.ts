import type { Ticket } from '../../../src/api/maintenance-policy.ts';
import type { KubeObject, NodeObject } from '../../../src/simulation/objects.ts';
import { type Check, FOUND, isOurs, isReady, POLICIES, ticketsIn, UPGRADES, type Upgrade } from '../truth.ts';

/** The longest that can lie between the list of nodes that was looked at and the write of the ledger. */
const LOOKED_MS = 10_000;

/** N1: after an admission of a node that was in service, no more are out than may be. */
export const room: Check = (truth) => {
  /** Since when each node is out of service by itself or by other hands. */
  const outSince = new Map<string, number>();
  const admitted = (policy: KubeObject, before: readonly Ticket[], after: readonly Ticket[]) => {
    const known = new Set(before.map(({ ticket }) => ticket));
    // A hold is a person's will: it takes its ticket without waiting for room, and rollouts count it.
    const taken = after.filter(({ ticket, mode, nodeName, holder }) => {
      const inService = !outSince.has(nodeName);
      return !known.has(ticket) && mode !== 'Leave' && inService && holder.kind === 'ClusterUpgrade';
    });
    if (taken.length === 0) return;
    const looked = truth.sentAt() - LOOKED_MS;
    const counted = new Set(after.filter(({ mode }) => mode !== 'Leave').map(({ nodeName }) => nodeName));
    const isStrict = taken.some(({ holder }) => foreignOf(holder.name) === 'Count');
    for (const [name, since] of outSince) if (isStrict && since <= looked) counted.add(name);
    const all = [...truth.registry.all<NodeObject>('nodes')].length;
    const { maxUnavailable } = policy.spec as { readonly maxUnavailable: number | string };
    const most =
      typeof maxUnavailable === 'number'
        ? maxUnavailable
        : Math.max(1, Math.floor((all * Number.parseInt(maxUnavailable, 10)) / 100));
    if (counted.size <= most) return;
    const text = `${taken.map(({ nodeName }) => nodeName).join(', ')} admitted: ${counted.size} nodes are out, ${most} may be`;
    truth.violated('N1', text);
  };
  const foreignOf = (upgrade: string) => truth.registry.get<Upgrade>(UPGRADES, upgrade)?.spec.rollout.foreign;
  return {
    written({ resource, key, before, after, by }) {
      if (resource === 'nodes') {
        const node = after as NodeObject | undefined;
        const isOut = node !== undefined && (node.spec.unschedulable === true || !isReady(node));
        if (!isOut) outSince.delete(key);
        else if (!outSince.has(key)) outSince.set(key, by === FOUND ? Number.NEGATIVE_INFINITY : truth.now());
      }
      if (resource === POLICIES && isOurs(by) && after !== undefined)
        admitted(after, ticketsIn(before), ticketsIn(after));
    },
  };
};
