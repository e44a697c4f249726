import type { Ticket } from '../../../src/api/maintenance-policy.ts';
import type { WindowSpec } from '../../../src/api/maintenance-window.ts';
import type { KubeObject } from '../../../src/simulation/objects.ts';
import {
  type Check,
  isOurs,
  PASSAGES,
  type Passage,
  POLICIES,
  phaseOf,
  type Truth,
  ticketsIn,
  UPGRADES,
  type Upgrade,
} from '../truth.ts';

type Window = KubeObject & { readonly spec: WindowSpec };

/** The longest that can lie between the look at the windows and the write that stores what came of it. */
const LOOKED_MS = 10_000;

/** W1: whatever begins, begins in an open window. */
export const openWindow: Check = (truth) => ({
  written({ resource, before, after, by }) {
    if (!isOurs(by) || after === undefined) return;
    if (resource === POLICIES) {
      const known = new Set(ticketsIn(before).map(({ ticket }) => ticket));
      for (const ticket of ticketsIn(after)) {
        if (!known.has(ticket.ticket))
          mustBeOpen(truth, holderOf(truth, ticket), `${ticket.nodeName} is admitted`, false);
      }
    }
    if (resource === PASSAGES && phaseOf(before) === 'Detaching' && phaseOf(after) === 'Starting') {
      const { upgradeName = '', nodeName } = (after as Passage).spec;
      mustBeOpen(truth, truth.registry.get<Upgrade>(UPGRADES, upgradeName), `${nodeName} is committed`, true);
    }
  },
});

function holderOf({ registry }: Truth, { holder }: Ticket): Upgrade | undefined {
  return holder.kind === 'ClusterUpgrade' ? registry.get<Upgrade>(UPGRADES, holder.name) : undefined;
}

function mustBeOpen(truth: Truth, upgrade: Upgrade | undefined, what: string, committing: boolean): void {
  const windows = upgrade?.spec.windowNames ?? [];
  if (windows.length === 0) return;
  const sent = truth.sentAt();
  // Looked at not long before: one instant of that stretch must have been in an opening.
  const isOpen = windows.some((name) => {
    const window = truth.registry.get<Window>('maintenancewindows.drydock.dev', name);
    // What is admitted goes on after the end of a window that lets it finish.
    if (committing && (window === undefined || window.spec.onClose === 'Finish')) return true;
    for (let at = sent; at >= sent - LOOKED_MS; at -= 1_000) if (truth.isOpen(name, at)) return true;
    return false;
  });
  if (!isOpen) truth.violated('W1', `${what} outside ${windows.join(', ')}`);
}
