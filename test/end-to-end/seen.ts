import type { UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import type { PolicyStatus } from '../../src/api/maintenance-policy.ts';
import type { MaintenanceSpec, MaintenanceStatus } from '../../src/api/node-maintenance.ts';
import type { Metadata } from '../control-plane/client.ts';
import type { Plane } from '../control-plane/cluster.ts';
import type { Node } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';

const GROUP = '/apis/drydock.dev/v1alpha1';

type Named = { readonly metadata: Metadata & { readonly uid: string; readonly resourceVersion: string } };
export type SeenUpgrade = Named & { readonly status: Partial<UpgradeStatus> };
export type SeenPassage = Named & { readonly spec: MaintenanceSpec; readonly status: MaintenanceStatus };
export type SeenPolicy = Named & { readonly status: PolicyStatus };

/** The paths of our objects. */
export const paths = {
  upgrade: (name: string) => `${GROUP}/clusterupgrades/${name}`,
  passage: (name: string) => `${GROUP}/nodemaintenances/${name}`,
  window: (name: string) => `${GROUP}/maintenancewindows/${name}`,
  policy: `${GROUP}/maintenancepolicies/cluster`,
};

export function passages(plane: Plane): Promise<readonly SeenPassage[]> {
  return plane.admin.list<SeenPassage>(`${GROUP}/nodemaintenances`);
}

export async function passageOn(plane: Plane, nodeName: string): Promise<SeenPassage | undefined> {
  const all = (await passages(plane)).filter(({ spec }) => spec.nodeName === nodeName);
  return all
    .sort((a, b) => String(a.metadata.creationTimestamp).localeCompare(String(b.metadata.creationTimestamp)))
    .at(-1);
}

export function allNodes(plane: Plane): Promise<readonly Node[]> {
  return plane.admin.list<Node>('/api/v1/nodes');
}

/** Waits until the passage of a node is in one of some phases. */
export function inPhase(plane: Plane, nodeName: string, phases: readonly string[], seconds = 60): Promise<SeenPassage> {
  return until(
    async () => {
      const passage = await passageOn(plane, nodeName);
      return passage !== undefined && phases.includes(passage.status.state.phase) ? passage : undefined;
    },
    { what: `${nodeName} is ${phases.join(' or ')}`, seconds },
  );
}

/** Waits until an upgrade is as it should be. */
export async function upgradeIs(
  plane: Plane,
  name: string,
  what: string,
  holds: (status: Partial<UpgradeStatus>) => boolean,
  seconds = 60,
): Promise<SeenUpgrade> {
  let last: SeenUpgrade | undefined;
  const ask = async () => {
    last = await plane.admin.find<SeenUpgrade>(paths.upgrade(name));
    return last?.status !== undefined && holds(last.status) ? last : undefined;
  };
  try {
    return await until(ask, { what: `${name}: ${what}`, seconds });
  } catch (error) {
    // What it waited for instead is the first thing that whoever reads the failure wants to know.
    throw new Error(`${String(error)}; it says: ${JSON.stringify(last?.status)}`, { cause: error });
  }
}

/** Whether a condition is True. */
export function isTrue(
  status: { readonly conditions?: readonly { type: string; status: string }[] | undefined },
  type: string,
): boolean {
  return status.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

/** Waits until an upgrade is Ready at its generation. */
export function complete(plane: Plane, name = 'to-1-36', seconds = 180): Promise<SeenUpgrade> {
  return upgradeIs(plane, name, 'is Ready', (status) => isTrue(status, 'Ready'), seconds);
}
