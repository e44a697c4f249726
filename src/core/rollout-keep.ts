import { selected } from './choice.ts';
import { isSettled, LEDGER_FINALIZER, type Ledger } from './ledger.ts';
import { ownTickets, type RolloutDecision, type RolloutFacts } from './rollout-facts.ts';
import { isDone, type Target } from './target.ts';

/** Kept on an upgrade while it has a ticket whose passage is unsettled. */
export const UPGRADE_FINALIZER = 'drydock.dev/upgrade';

/** Finalizers stand before the first ticket does. */
export function keep({ upgrade }: RolloutFacts, ledger: Ledger): RolloutDecision | undefined {
  const because = { reason: 'Planning' } as const;
  if (!upgrade.finalizers.includes(UPGRADE_FINALIZER)) {
    const { name, uid, resourceVersion } = upgrade;
    const finalizers = [...upgrade.finalizers, UPGRADE_FINALIZER];
    return {
      kind: 'act',
      effects: [{ kind: 'setFinalizers', of: 'ClusterUpgrade', name, uid, resourceVersion, finalizers }],
      because,
      recheckAfterSeconds: 5,
    };
  }
  if (!ledger.finalizers.includes(LEDGER_FINALIZER)) {
    const { name, uid, resourceVersion } = ledger;
    const finalizers = [...ledger.finalizers, LEDGER_FINALIZER];
    return {
      kind: 'act',
      effects: [{ kind: 'setFinalizers', of: 'MaintenancePolicy', name, uid, resourceVersion, finalizers }],
      because,
      recheckAfterSeconds: 5,
    };
  }
  return undefined;
}

/** Settled passages beyond the limit are forgotten, oldest first; failed ones never, and none that still has its ticket. */
export function forget(facts: RolloutFacts): RolloutDecision | undefined {
  const { ledger, passages, upgrade } = facts;
  if (ledger === undefined) return undefined;
  const ticketed = new Set(ledger.status.tickets.flatMap(({ passageUID }) => passageUID ?? []));
  const old = passages
    .filter((passage) => isSettled(passage) && !ticketed.has(passage.uid) && passage.deletedAt === undefined)
    .filter((passage) => passage.readable && passage.status.state.phase !== 'Failed')
    .sort((a, b) => b.createdAt - a.createdAt || (a.name < b.name ? -1 : 1))
    .slice(upgrade.spec.historyLimit);
  const [first, ...rest] = old.map(({ name, uid }) => ({ kind: 'deletePassage', name, uid }) as const);
  if (first === undefined) return undefined;
  return {
    kind: 'act',
    effects: [first, ...rest],
    because: { reason: 'Forgetting', passages: old.length },
    recheckAfterSeconds: 10,
  };
}

/** The finalizer goes when nothing of the upgrade is out any more, and it is either unwanted or has nothing left to do. */
export function letGo(facts: RolloutFacts, target: Target): RolloutDecision | undefined {
  const { upgrade, passages, nodes, controlPlane, now } = facts;
  if (!upgrade.finalizers.includes(UPGRADE_FINALIZER)) return undefined;
  const unstamped = ownTickets(facts).some(({ passageUID }) => passageUID === undefined);
  if (unstamped || passages.some((passage) => !isSettled(passage))) return undefined;
  const complete = selected(nodes, upgrade.spec).every((node) => isDone(node, target, controlPlane, now));
  if (upgrade.deletedAt === undefined && !complete) return undefined;
  const { name, uid, resourceVersion } = upgrade;
  const finalizers = upgrade.finalizers.filter((finalizer) => finalizer !== UPGRADE_FINALIZER);
  const effect = { kind: 'setFinalizers', of: 'ClusterUpgrade', name, uid, resourceVersion, finalizers } as const;
  return { kind: 'act', effects: [effect], because: { reason: 'Finishing' }, recheckAfterSeconds: 10 };
}
