import type { Ticket } from '../../../src/api/maintenance-policy.ts';
import type { KubeObject, PodObject } from '../../../src/simulation/objects.ts';
import { SAVES } from '../saving.ts';
import {
  type Check,
  FOUND,
  isOurs,
  PASSAGES,
  type Passage,
  POLICIES,
  type Truth,
  ticketsIn,
  UPGRADES,
  type Upgrade,
} from '../truth.ts';
import { apiServersIn, compare, releaseOf } from './versions.ts';

/** The longest that can lie between what a pass knows and the write of the ledger that comes of it. */
const LOOKED_MS = 10_000;

/** E1: before the first control plane is admitted to a release, a payload has said what it saved of etcd, not too long ago. */
export const savedBefore: Check = (truth) => {
  const saved = new Map<string, number>();
  return {
    written({ resource, before, after, by }) {
      if (after === undefined) return;
      if (resource === 'pods' && hasSaved(after as PodObject) && !hasSaved(before as PodObject | undefined))
        saved.set(after.metadata.labels?.['drydock.dev/upgrade'] ?? '', truth.now());
      // After a restore the payload that saved etcd may be known of by what was written down then, and by nothing else.
      if (by === FOUND) for (const upgrade of toldBy(resource, after)) saved.set(upgrade, truth.now());
      if (resource !== POLICIES || !isOurs(by)) return;
      const known = new Set(ticketsIn(before).map(({ ticket }) => ticket));
      for (const ticket of ticketsIn(after)) if (!known.has(ticket.ticket)) mustBeSaved(truth, ticket, saved);
    },
  };
};

function mustBeSaved(
  truth: Truth,
  { nodeName, holder, profileName, controlPlane }: Ticket,
  saved: Map<string, number>,
) {
  const { registry } = truth;
  const upgrade = holder.kind === 'ClusterUpgrade' ? registry.get<Upgrade>(UPGRADES, holder.name) : undefined;
  const { etcdSnapshot: wanted, target } = upgrade?.spec ?? {};
  if (!controlPlane || wanted === undefined || profileName === wanted.profileName) return;
  const release = releaseOf(target?.kubernetesVersion ?? '');
  const servers = apiServersIn(registry.all<PodObject>('pods'));
  if (release === undefined || servers.some((each) => compare(each, release) >= 0)) return;
  const at = saved.get(holder.name);
  const most = wanted.maxAgeSeconds * 1000 + LOOKED_MS + truth.lagMs() + truth.skewMs;
  // From the end of the payload to that of its passage nothing is reckoned: that is when it counts as taken.
  const passes = 600_000;
  if (at === undefined) truth.violated('E1', `${nodeName} is admitted, and etcd was never saved`);
  else if (truth.now() - at > most + passes) truth.violated('E1', `${nodeName} is admitted long after etcd was saved`);
}

/** Of which upgrade somebody has written down that etcd was saved for it: in its own status, or in that of the passage. */
function toldBy(resource: string, object: KubeObject): readonly string[] {
  if (resource === UPGRADES) return hasTaken(object) ? [object.metadata.name] : [];
  if (resource !== PASSAGES) return [];
  const { spec, status } = object as Passage;
  return status?.job?.message?.includes('"revision"') && spec.upgradeName !== undefined ? [spec.upgradeName] : [];
}

function hasTaken({ status }: KubeObject): boolean {
  return (status as { readonly etcdSnapshot?: unknown } | undefined)?.etcdSnapshot !== undefined;
}

/** Whether a pod has saved etcd and says so, by the word of the scene. */
function hasSaved(pod: PodObject | undefined): boolean {
  if (pod?.status.phase !== 'Succeeded' || pod.metadata.labels?.['drydock.dev/job'] !== 'upgrade') return false;
  if (!pod.spec.containers[0]?.env?.some(({ name }) => name === SAVES)) return false;
  return pod.status.containerStatuses?.[0]?.state?.terminated?.message?.includes('"revision"') ?? false;
}
