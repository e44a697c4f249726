import type { PolicyStatus } from '../api/maintenance-policy.ts';
import { sentence } from '../core/conditions.ts';
import type { Effect, Telling } from '../core/effect.ts';
import type { Ledger } from '../core/ledger.ts';
import { decidePolicy, POLICY, type PolicyFacts } from '../core/policy.ts';
import { UPGRADE_FINALIZER } from '../core/rollout-keep.ts';
import type { Loop, Subject } from './loop.ts';
import { ledgerOf } from './see-rollout.ts';

/** How the ledger is seen, judged and written: tickets come back here, after live reads. */
export function ledger(loop: Loop): Subject<PolicyFacts, PolicyStatus> {
  const { cluster, clock } = loop;
  const { caches } = cluster;
  const busy = () => [...caches.ClusterUpgrade.all()].some(({ finalizers }) => finalizers.includes(UPGRADE_FINALIZER));
  return {
    name: 'MaintenancePolicy',
    version: ({ ledger: seen }) => seen?.resourceVersion ?? '',
    observe(key) {
      if (key !== POLICY) return undefined;
      // An unreadable ledger is left alone: writing it would lose what it holds.
      if (caches.MaintenancePolicy.get(POLICY)?.readable === false) return undefined;
      return {
        now: clock.now(),
        ledger: ledgerOf(caches),
        passages: [...caches.NodeMaintenance.all()],
        nodes: [...caches.Node.all()],
        jobs: [...caches.Job.all()],
        holders: new Set([...caches.ClusterUpgrade.all()].map(({ uid }) => uid)),
        busy: busy(),
      };
    },
    async look() {
      // The tickets first: a passage made and stamped after a list was taken would look as if it were gone.
      const policy = await cluster.read('MaintenancePolicy', POLICY);
      if (!policy.ok) return policy;
      const [passages, nodes, jobs, upgrades] = await Promise.all([
        cluster.list('NodeMaintenance'),
        cluster.list('Node'),
        cluster.list('Job'),
        cluster.list('ClusterUpgrade'),
      ]);
      if (!passages.ok) return passages;
      if (!nodes.ok) return nodes;
      if (!jobs.ok) return jobs;
      if (!upgrades.ok) return upgrades;
      const live = policy.value?.readable ? policy.value : undefined;
      return {
        ok: true,
        value: {
          now: clock.now(),
          ledger: live,
          passages: passages.value,
          nodes: nodes.value,
          jobs: jobs.value,
          holders: new Set(upgrades.value.map(({ uid }) => uid)),
          busy: busy(),
        },
      };
    },
    decide: decidePolicy,
    needsLook: (_, decision) => decision.kind === 'act',
    about: ({ ledger: seen }) => seen && { kind: 'MaintenancePolicy', name: seen.name, uid: seen.uid },
    status: ({ ledger: seen }, to) => ({
      of: 'MaintenancePolicy',
      name: POLICY,
      uid: seen?.uid ?? '',
      resourceVersion: seen?.resourceVersion ?? '',
      status: to,
    }),
    did: ({ ledger: seen }, effect) => (seen === undefined ? undefined : rebuilt(seen, effect)),
    report: () => undefined,
    tell: () => undefined,
  };
}

/** A ledger that is made for the first time is no news; one that had lost its tickets is. */
function rebuilt({ name, uid }: Ledger, effect: Effect): Telling | undefined {
  if (effect.kind !== 'writeLedger' || effect.as !== 'rebuild' || effect.status.tickets.length === 0) return undefined;
  const because = { reason: 'LedgerRebuilt' } as const;
  return { on: { kind: 'MaintenancePolicy', name, uid }, type: 'Warning', ...because, message: sentence(because) };
}
