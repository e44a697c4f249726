import type { Blocker } from '../api/blocker.ts';
import type { UpgradeStatus } from '../api/cluster-upgrade.ts';
import type { TakenSnapshot } from '../api/etcd-snapshot.ts';
import type { Because } from '../core/because.ts';
import { sentence } from '../core/conditions.ts';
import { MOST_SAID } from '../core/hindrance.ts';
import { newHindrances } from '../core/news.ts';
import { foretold } from '../core/preflight.ts';
import { decideRollout, survey } from '../core/rollout.ts';
import type { RolloutDecision, RolloutFacts } from '../core/rollout-facts.ts';
import { reported } from '../core/rollout-report.ts';
import type { Loop, Subject } from './loop.ts';
import { Preflight } from './preflight.ts';
import type { Place } from './see-drain.ts';
import { readProfiles, readWindows, type ServerVersion, seeRollout } from './see-rollout.ts';

/** What is decided again on a live read before it is done. */
const LOOKED: ReadonlySet<string> = new Set(['writeLedger', 'createPassage']);

/** How one upgrade is seen, judged and written. */
export function upgrades(loop: Loop, server: ServerVersion, place: Place): Subject<RolloutFacts, UpgradeStatus> {
  const { cluster, clock, memory } = loop;
  const from = () => ({ caches: cluster.caches, server, memory, now: clock.now(), place });
  const preflight = new Preflight();
  return {
    name: 'ClusterUpgrade',
    version: ({ upgrade }) => upgrade.resourceVersion,
    observe(key) {
      const upgrade = cluster.caches.ClusterUpgrade.get(key);
      if (upgrade === undefined) preflight.forget(key);
      return upgrade?.readable ? seeRollout(upgrade, from(), preflight) : undefined;
    },
    async look(key) {
      // The passages too: after a restore of etcd a cache may still show one as Failed that is on its way again.
      const [nodes, policy, upgrade, passages] = await Promise.all([
        cluster.list('Node'),
        cluster.read('MaintenancePolicy', 'cluster'),
        cluster.read('ClusterUpgrade', key),
        cluster.list('NodeMaintenance', { index: 'upgrade', value: key }),
      ]);
      if (!nodes.ok) return nodes;
      if (!passages.ok) return passages;
      if (!policy.ok) return policy;
      if (!upgrade.ok) return upgrade;
      if (!upgrade.value?.readable) return { ok: true, value: undefined };
      const windows = await readWindows(upgrade.value, cluster);
      if (!windows.ok) return windows;
      const profiles = await readProfiles(upgrade.value, cluster);
      if (!profiles.ok) return profiles;
      const ledger = policy.value?.readable ? policy.value : undefined;
      const live = {
        nodes: nodes.value,
        ledger,
        windows: windows.value,
        passages: passages.value,
        profiles: profiles.value,
      };
      return { ok: true, value: seeRollout(upgrade.value, from(), preflight, live) };
    },
    decide: decideRollout,
    needsLook,
    about: ({ upgrade: { name, uid } }) => ({ kind: 'ClusterUpgrade', name, uid }),
    status: ({ upgrade }, to) => write(upgrade, to),
    report(facts) {
      const rollout = survey(facts);
      const next = reported(rollout);
      if (next === undefined) return undefined;
      const { upgrade } = facts;
      const { status } = upgrade;
      const turns = next.phase !== status.phase || said(next, 'Ready')?.reason !== said(status, 'Ready')?.reason;
      const overrides = overrideIn(next) !== undefined && overrideIn(next) !== overrideIn(status);
      const reopens = next.notBefore?.time !== status.notBefore?.time;
      const tell = () => {
        if (overrides) tellOverride(loop, upgrade, next);
        if (turns) tellPhase(loop, upgrade, next);
        else tellHindered(loop, upgrade, next);
        tellAhead(loop, upgrade, foretold(rollout.ahead, status.blockers, next.blockers));
      };
      return { write: write(upgrade, next), urgent: turns || overrides || reopens, tell };
    },
    tell({ upgrade }, decision) {
      if (decision.kind !== 'move' || decision.to.etcdSnapshot === undefined) return;
      if (decision.to.etcdSnapshot.time !== upgrade.status.etcdSnapshot?.time)
        tellSaved(loop, upgrade, decision.to.etcdSnapshot);
    },
  };
}

/**
 * A finalizer that goes is looked at as well: a lagging ledger may not show a ticket that was admitted just now. So is a passage
 * before it is made: the ticket may be gone, and with no history kept it would be made and cancelled for ever. And so is what is
 * missing, before people are told: it may have been applied together with the upgrade.
 */
function needsLook(facts: RolloutFacts, decision: RolloutDecision): boolean {
  const isNews = isMissing(facts) && facts.upgrade.status.phase !== 'Invalid';
  if (decision.kind === 'wait') return isNews;
  if (decision.kind !== 'act') return false;
  return isNews || LOOKED.has(decision.effects[0].kind) || decision.because.reason === 'Finishing';
}

/** Whether a window or a profile that an upgrade names was not seen. */
function isMissing({ upgrade: { spec }, profile, snapshotProfile, windows }: RolloutFacts): boolean {
  const unsaved = spec.etcdSnapshot !== undefined && snapshotProfile === undefined;
  return profile === undefined || unsaved || windows.some(({ object }) => object === undefined);
}

/** One Event for each turn of a rollout: it waits, rolls, halts, is complete. */
function tellPhase(
  { cluster }: Loop,
  { name, uid }: RolloutFacts['upgrade'],
  { phase = 'Planning', conditions }: UpgradeStatus,
): void {
  const type = phase === 'Halted' || phase === 'Invalid' || phase === 'Blocked' ? 'Warning' : 'Normal';
  const message = said({ conditions }, 'Ready')?.message ?? '';
  cluster.tell({ on: { kind: 'ClusterUpgrade', name, uid }, type, reason: phase, message: message.slice(0, 1024) });
}

/** One Event for what has come in the way of a rollout that goes on. */
function tellHindered({ cluster }: Loop, { name, uid, status }: RolloutFacts['upgrade'], next: UpgradeStatus): void {
  for (const { reason, message } of newHindrances(status.conditions, next.conditions)) {
    const on = { kind: 'ClusterUpgrade', name, uid } as const;
    cluster.tell({ on, type: 'Warning', reason, message: message.slice(0, 1024) });
  }
}

/** One Event for what will be in the way of nodes whose turn has not come: there is time to mend it. */
function tellAhead({ cluster }: Loop, { name, uid }: RolloutFacts['upgrade'], blockers: readonly Blocker[]): void {
  if (blockers.length === 0) return;
  const because: Because = { reason: 'BlockersAhead', blockers: blockers.slice(0, MOST_SAID) };
  const on = { kind: 'ClusterUpgrade', name, uid } as const;
  cluster.tell({ on, type: 'Warning', reason: because.reason, message: sentence(because).slice(0, 1024) });
}

/** What a person would restore, should this upgrade end badly. */
function tellSaved({ cluster }: Loop, { name, uid }: RolloutFacts['upgrade'], taken: TakenSnapshot): void {
  const message = `etcd is saved as ${taken.name}: revision ${taken.revision}, ${taken.sizeBytes} bytes, hash ${taken.hash}.`;
  cluster.tell({ on: { kind: 'ClusterUpgrade', name, uid }, type: 'Normal', reason: 'EtcdSaved', message });
}

/** Windows that do not count are a person's doing, which others must find afterwards: when, until when and why. */
function tellOverride({ cluster }: Loop, { name, uid }: RolloutFacts['upgrade'], next: UpgradeStatus): void {
  const message = (overrideIn(next) ?? '').slice(0, 1024);
  cluster.tell({ on: { kind: 'ClusterUpgrade', name, uid }, type: 'Warning', reason: 'WindowOverridden', message });
}

/** The sentence of an override that is in force. */
function overrideIn(status: UpgradeStatus): string | undefined {
  const reconciling = said(status, 'Reconciling');
  return reconciling?.reason === 'WindowOverridden' ? reconciling.message : undefined;
}

function said({ conditions }: Pick<UpgradeStatus, 'conditions'>, wanted: string) {
  return conditions.find(({ type }) => type === wanted);
}

function write({ name, uid, resourceVersion }: RolloutFacts['upgrade'], status: UpgradeStatus) {
  return { of: 'ClusterUpgrade', name, uid, resourceVersion, status } as const;
}
