import type { UpgradeSpec } from '../api/cluster-upgrade.ts';
import type { TakenSnapshot } from '../api/etcd-snapshot.ts';
import type { Plan } from '../api/node-maintenance.ts';
import type { Invalid } from './because.ts';
import type { Choice } from './choice.ts';
import { iso } from './conditions.ts';
import { snapshotIn } from './evidence.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import type { Target } from './target.ts';
import { apiServerVersions, atLeast } from './version.ts';
import type { Instant, ProfileObject } from './world.ts';

/** What is wrong with the profile that is to save etcd, if anything. */
export function snapshotProblem(
  { etcdSnapshot }: UpgradeSpec,
  profile: ProfileObject | undefined,
): Invalid | undefined {
  if (etcdSnapshot === undefined) return undefined;
  const name = etcdSnapshot.profileName;
  if (profile === undefined) return { reason: 'ProfileNotFound', name, field: 'spec.etcdSnapshot.profileName' };
  if (!profile.readable) return { reason: 'InvalidProfile', name, problem: profile.problem };
  const { mode } = profile.spec.drain;
  return mode === 'Leave' ? undefined : { reason: 'SnapshotDrains', name, mode };
}

/**
 * Before the first control plane of a release begins, etcd is saved: in place of its admission a passage is asked for that takes
 * the snapshot on that node and leaves everything there as it is. A release that an API server runs already has its snapshot behind it.
 */
export function savedFirst(choice: Choice, target: Target, facts: RolloutFacts): Choice {
  const { now, upgrade, controlPlane, profile } = facts;
  const wanted = upgrade.spec.etcdSnapshot;
  const [first] = choice.requests;
  if (wanted === undefined || first === undefined || !first.controlPlane || target.kind !== 'version') return choice;
  if (apiServerVersions(controlPlane).some((has) => atLeast(has, target.version))) return choice;
  if (isFresh(upgrade.status.etcdSnapshot, wanted.maxAgeSeconds, now)) return choice;
  // Whoever retries a node that was left cordoned has it out all the while: its ticket goes on counting.
  const isOut = facts.ledger?.status.tickets.some(
    ({ nodeName, mode }) => nodeName === first.nodeName && mode !== 'Leave',
  );
  const mode = isOut && profile?.readable ? profile.spec.drain.mode : 'Leave';
  const request = { ...first, profileName: wanted.profileName, mode, purpose: 'EtcdSnapshot' } as const;
  return { requests: [request], because: { reason: 'SavingEtcd', node: first.nodeName } };
}

/** By the clock of Drydock alone: what the node calls the time says nothing of how old it is. */
function isFresh(snapshot: TakenSnapshot | undefined, maxAgeSeconds: number, now: Instant): boolean {
  return snapshot !== undefined && now < Date.parse(snapshot.time) + maxAgeSeconds * 1000;
}

/** Whether a passage only saves etcd. */
export function savesEtcd(plan: Plan | undefined): boolean {
  return plan?.purpose === 'EtcdSnapshot';
}

/** The snapshot that a passage has taken, by what its Job said; undefined where that does not say what was saved. */
export function takenBy(message: string | undefined, at: Instant): TakenSnapshot | undefined {
  const found = snapshotIn(message ?? '');
  return found === undefined ? undefined : { ...found, time: iso(at) };
}
