import type { NodeObject } from '../../../src/simulation/objects.ts';
import { type Check, FOUND, isOurs, PASSAGES, POLICIES, phaseOf, ticketsIn } from '../truth.ts';

const HOLD = 'drydock.dev/hold';
/** The longest that can lie between the list of nodes that was looked at and the write of the ledger. */
const LOOKED_MS = 10_000;

/** H1: what a person holds is not given back, and what a person wants left alone is not begun. */
export const heldByPeople: Check = (truth) => {
  /** Since when a person wants each node left alone. */
  const wantedSince = new Map<string, number>();
  const ofNode = (before: NodeObject, after: NodeObject) => {
    const { name, annotations } = before.metadata;
    if (!before.spec.unschedulable || after.spec.unschedulable) return;
    if (annotations?.[HOLD] !== undefined)
      truth.violated('H1', `node ${name} was uncordoned, which a person had forbidden`);
  };
  return {
    written({ resource, key, before, after, by }) {
      if (resource === 'nodes') {
        if (after?.metadata.annotations?.[HOLD] === undefined) wantedSince.delete(key);
        else if (!wantedSince.has(key)) wantedSince.set(key, by === FOUND ? Number.NEGATIVE_INFINITY : truth.now());
        if (isOurs(by) && before !== undefined && after !== undefined)
          ofNode(before as NodeObject, after as NodeObject);
      }
      if (resource === PASSAGES && isOurs(by) && phaseOf(before) === 'Held' && phaseOf(after) === 'Uncordoning') {
        const isEnded = after?.metadata.deletionTimestamp !== undefined;
        if (!isEnded) truth.violated('H1', `${key} gives its node back though nobody has deleted it`);
      }
      if (resource !== POLICIES || !isOurs(by) || after === undefined) return;
      const known = new Set(ticketsIn(before).map(({ ticket }) => ticket));
      for (const { ticket, nodeName, holder } of ticketsIn(after)) {
        const since = wantedSince.get(nodeName);
        if (known.has(ticket) || holder.kind !== 'ClusterUpgrade' || since === undefined) continue;
        if (since > truth.sentAt() - LOOKED_MS) continue;
        truth.violated('H1', `${nodeName} is admitted though a person wants it left alone`);
      }
    },
  };
};
