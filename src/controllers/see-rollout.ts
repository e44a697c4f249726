import type { Blocker } from '../api/blocker.ts';
import type { Drain } from '../api/maintenance-profile.ts';
import { UPGRADE_LABEL } from '../api/node-maintenance.ts';
import type { Answer, Caches, Cluster } from '../cluster/cluster.ts';
import type { Ledger } from '../core/ledger.ts';
import { type LookAhead, NOTHING_AHEAD } from '../core/preflight.ts';
import type { RolloutFacts } from '../core/rollout-facts.ts';
import type { ControlPlane } from '../core/version.ts';
import type { NodeView, PassageObject, Read, UpgradeObject, World } from '../core/world.ts';
import type { Preflight } from './preflight.ts';
import { type From, seeAhead } from './see-drain.ts';

/** What has been read instead of taken from a cache. */
export type LiveRollout = {
  readonly nodes?: readonly NodeView[];
  readonly ledger?: Ledger | undefined;
  readonly windows?: readonly SeenWindow[];
  readonly passages?: readonly PassageObject[];
  readonly profiles?: ReadonlyMap<string, World['MaintenanceProfile'] | undefined>;
};

/** A window that an upgrade names; undefined where there is none by that name. */
export type SeenWindow = RolloutFacts['windows'][number];

/** What the API server that answered calls itself, asked again from time to time. */
export type ServerVersion = { readonly current: string | undefined };

/** The policy as the ledger, if it is there and can be read. */
export function ledgerOf(caches: Caches): Ledger | undefined {
  const policy = caches.MaintenancePolicy.get('cluster');
  return policy?.readable ? policy : undefined;
}

/** What runs the control plane: the static pods that show themselves, and what the API server says. */
export function controlPlaneOf(caches: Caches, server: ServerVersion): ControlPlane {
  const components = [...caches.Pod.by('namespace', 'kube-system')].filter(
    (pod) => pod.componentVersion !== undefined && pod.deletedAt === undefined,
  );
  return { server: server.current, components };
}

/** The NodeMaintenances of an upgrade: by label and by owner, since anybody can write a label. */
export function passagesOf(labelled: Iterable<PassageObject>, upgrade: UpgradeObject): readonly PassageObject[] {
  return [...labelled].filter(
    (passage) =>
      passage.labels[UPGRADE_LABEL] === upgrade.name &&
      (passage.owners.some(({ uid }) => uid === upgrade.uid) ||
        (passage.readable && passage.status.plan?.holderUID === upgrade.uid)),
  );
}

/** The windows that an upgrade names, in order. */
export function windowsOf({ spec }: Read<UpgradeObject>, caches: Caches): readonly SeenWindow[] {
  return spec.windowNames.map((name) => ({ name, object: caches.MaintenanceWindow.get(name) }));
}

/** The same, read live: an admission or a commitment rests on them. */
export async function readWindows(
  { spec }: Read<UpgradeObject>,
  cluster: Cluster,
): Promise<Answer<readonly SeenWindow[]>> {
  const windows: SeenWindow[] = [];
  for (const name of spec.windowNames) {
    const answer = await cluster.read('MaintenanceWindow', name);
    if (!answer.ok) return answer;
    windows.push({ name, object: answer.value });
  }
  return { ok: true, value: windows };
}

/** The profiles that an upgrade names and no cache shows, read live: people must not be told of what is there that it is not. */
export async function readProfiles(
  { spec }: Read<UpgradeObject>,
  cluster: Cluster,
): Promise<Answer<ReadonlyMap<string, World['MaintenanceProfile'] | undefined>>> {
  const profiles = new Map<string, World['MaintenanceProfile'] | undefined>();
  for (const name of [spec.profileName, spec.etcdSnapshot?.profileName]) {
    if (name === undefined || cluster.caches.MaintenanceProfile.get(name) !== undefined) continue;
    const answer = await cluster.read('MaintenanceProfile', name);
    if (!answer.ok) return answer;
    profiles.set(name, answer.value);
  }
  return { ok: true, value: profiles };
}

/** Everything seen of one upgrade. */
export function seeRollout(
  upgrade: Read<UpgradeObject>,
  from: From,
  preflight: Preflight,
  live: LiveRollout = {},
): RolloutFacts {
  const { caches, server, memory, now } = from;
  const profileOf = (name: string) => caches.MaintenanceProfile.get(name) ?? live.profiles?.get(name);
  const profile = profileOf(upgrade.spec.profileName);
  return {
    now,
    upgrade,
    ledger: 'ledger' in live ? live.ledger : ledgerOf(caches),
    profile,
    snapshotProfile: profileOf(upgrade.spec.etcdSnapshot?.profileName ?? ''),
    windows: live.windows ?? windowsOf(upgrade, caches),
    nodes: live.nodes ?? [...caches.Node.all()],
    passages: passagesOf(live.passages ?? caches.NodeMaintenance.by('upgrade', upgrade.name), upgrade),
    controlPlane: controlPlaneOf(caches, server),
    recall: memory.recall,
    hindered: profile?.readable ? hindered(profile.spec.drain, upgrade.status.blockers, from) : () => [],
    lookAhead: profile?.readable
      ? once((nodes) => preflight.look(upgrade, profile.spec.drain, profile.resourceVersion, nodes, from))
      : () => NOTHING_AHEAD,
  };
}

/** A pass decides and reports by the same look. */
function once(look: LookAhead): LookAhead {
  let known: ReturnType<LookAhead> | undefined;
  return (nodes) => {
    known ??= look(nodes);
    return known;
  };
}

/** What would keep a node from being drained and does not clear by itself: asked of few nodes, and of each once in a pass. */
function hindered(drain: Drain, blockers: readonly Blocker[], from: From): RolloutFacts['hindered'] {
  if (drain.mode !== 'Drain') return () => [];
  const asked = new Map<string, readonly Blocker[]>();
  return (name) => {
    const known = asked.get(name);
    if (known !== undefined) return known;
    const node = from.caches.Node.get(name);
    const found = node === undefined ? [] : seeAhead(drain, node, blockers, from).blockers;
    const lasting = found.filter(({ selfClearing }) => !selfClearing);
    asked.set(name, lasting);
    return lasting;
  };
}
