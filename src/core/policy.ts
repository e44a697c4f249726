import type { PolicyStatus } from '../api/maintenance-policy.ts';
import type { Because } from './because.ts';
import { conditions } from './conditions.ts';
import type { Decision } from './decision.ts';
import type { Effect } from './effect.ts';
import {
  controlPlaneTicket,
  isInOrder,
  LEDGER_FINALIZER,
  type Ledger,
  type Returns,
  rebuilt,
  returned,
  without,
} from './ledger.ts';
import { LEFT_CORDONED } from './mark.ts';
import { same } from './same.ts';
import type { Instant } from './world.ts';

/** Everything seen of the ledger. */
export type PolicyFacts = Returns & {
  readonly now: Instant;
  readonly ledger: Ledger | undefined;
  /** Whether any upgrade still has its finalizer, so that tickets will come again soon. */
  readonly busy: boolean;
};

/** The name of the one MaintenancePolicy. */
export const POLICY = 'cluster';
const QUIET_SECONDS = 60;

/** What to do about the ledger, once: make it, rebuild it, take off what has come back, let it go, report. */
export function decidePolicy(facts: PolicyFacts): Decision<PolicyStatus, Effect> {
  const { ledger, now, busy } = facts;
  if (ledger === undefined) {
    return {
      kind: 'act',
      effects: [{ kind: 'createPolicy', name: POLICY }],
      because: { reason: 'Planning' },
      recheckAfterSeconds: 5,
    };
  }
  if (!isInOrder(ledger)) {
    return {
      kind: 'act',
      effects: [rebuilt(ledger, facts, now)],
      because: { reason: 'LedgerRebuilt' },
      recheckAfterSeconds: 5,
    };
  }
  const back = returned(ledger, facts);
  if (back.length > 0) {
    const nodes = back.map(({ nodeName }) => nodeName);
    return {
      kind: 'act',
      effects: [without(ledger, back, 'remove')],
      because: { reason: 'Removing', nodes },
      recheckAfterSeconds: 5,
    };
  }
  const kept = ledger.finalizers.includes(LEDGER_FINALIZER);
  const empty = ledger.status.tickets.length === 0;
  const others = ledger.finalizers.filter((finalizer) => finalizer !== LEDGER_FINALIZER);
  if (kept && empty && (!busy || ledger.deletedAt !== undefined)) return finalize(ledger, others, 'Finishing');
  // A hold brings its ticket without asking whether the ledger is kept.
  if (!kept && !empty && ledger.deletedAt === undefined)
    return finalize(ledger, [...others, LEDGER_FINALIZER], 'Planning');
  const next = report(ledger, facts);
  if (next !== undefined) return { kind: 'move', to: next, because: { reason: 'Reported' } };
  return { kind: 'wait', because: stand(ledger, facts), recheckAfterSeconds: QUIET_SECONDS };
}

function finalize(
  { name, uid, resourceVersion }: Ledger,
  finalizers: readonly string[],
  reason: 'Finishing' | 'Planning',
): Decision<PolicyStatus, Effect> {
  const effect = { kind: 'setFinalizers', of: 'MaintenancePolicy', name, uid, resourceVersion, finalizers } as const;
  return { kind: 'act', effects: [effect], because: { reason }, recheckAfterSeconds: 10 };
}

function stand(ledger: Ledger, { nodes }: PolicyFacts): Because {
  if (ledger.deletedAt !== undefined) return { reason: 'LedgerClosing' };
  if (ledger.spec.paused) return { reason: 'PolicyPaused' };
  const ticket = controlPlaneTicket(ledger);
  const node = nodes.find(({ name }) => name === ticket?.nodeName);
  if (ticket !== undefined && node?.annotations[LEFT_CORDONED] !== undefined) {
    return { reason: 'ControlPlaneTicket', node: ticket.nodeName, failed: true };
  }
  return { reason: 'PolicyReady' };
}

function report(ledger: Ledger, facts: PolicyFacts): PolicyStatus | undefined {
  const because = stand(ledger, facts);
  const ready = because.reason === 'PolicyReady';
  const said = [{ type: 'Ready', status: ready ? 'True' : 'False', because }] as const;
  const next = {
    ...ledger.status,
    observedGeneration: ledger.generation,
    conditions: conditions(said, ledger.status.conditions, ledger.generation, facts.now),
  };
  return same(next, ledger.status) ? undefined : next;
}
