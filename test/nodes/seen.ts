import type { UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import type { MaintenanceSpec, MaintenanceStatus } from '../../src/api/node-maintenance.ts';
import type { Metadata } from '../control-plane/client.ts';
import { pause, until } from '../control-plane/until.ts';
import type { NodeCluster } from './cluster.ts';
import { portrait } from './stage.ts';

const GROUP = '/apis/drydock.dev/v1alpha1';
const PATIENCE_MS = 5_000;

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };
type Conditions = { readonly conditions?: readonly Condition[] };

export type SeenUpgrade = { readonly metadata: Metadata; readonly status?: Partial<UpgradeStatus> };
export type SeenPassage = {
  readonly metadata: Metadata;
  readonly spec: MaintenanceSpec;
  readonly status: MaintenanceStatus;
};
export type SeenNode = {
  readonly metadata: Metadata;
  readonly spec: { readonly unschedulable?: boolean };
  readonly status: {
    readonly nodeInfo: { readonly kubeletVersion: string; readonly bootID: string };
    readonly conditions: readonly Condition[];
  };
};
export type SeenPod = {
  readonly metadata: Metadata & { readonly name: string; readonly uid: string };
  readonly spec: { readonly nodeName?: string; readonly hostNetwork?: boolean };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state: { readonly terminated?: { readonly exitCode: number; readonly message?: string } };
    }[];
  };
};

/** The answer, or nothing where there is none for now: the API server may be away for as long as it likes. */
async function answered<T>({ admin }: NodeCluster, path: string): Promise<T | undefined> {
  const late = pause(PATIENCE_MS).then(() => undefined);
  return await Promise.race([admin.find<T>(path).catch(() => undefined), late]);
}

/** An upgrade, if it is there and the API server answers. */
export function upgradeOf(cluster: NodeCluster, name: string): Promise<SeenUpgrade | undefined> {
  return answered<SeenUpgrade>(cluster, `${GROUP}/clusterupgrades/${name}`);
}

/** The passages of an upgrade, as far as they are told. */
export async function passagesOf(cluster: NodeCluster, upgradeName: string): Promise<readonly SeenPassage[]> {
  const all = await answered<{ readonly items: readonly SeenPassage[] }>(cluster, `${GROUP}/nodemaintenances`);
  return (all?.items ?? []).filter(({ spec }) => spec.upgradeName === upgradeName);
}

/** The last passage of a node for an upgrade. */
export async function passageOf(cluster: NodeCluster, upgradeName: string, nodeName: string) {
  const own = (await passagesOf(cluster, upgradeName)).filter(({ spec }) => spec.nodeName === nodeName);
  const number = ({ spec }: SeenPassage) => Number(spec.ticket?.split('-').at(-1));
  return own.toSorted((a, b) => number(a) - number(b)).at(-1);
}

/** Waits until an upgrade is as it should be; what it says instead is the first thing that a failure must show. */
export async function upgradeIs(
  cluster: NodeCluster,
  name: string,
  what: string,
  holds: (status: Partial<UpgradeStatus>) => boolean,
  seconds: number,
): Promise<Partial<UpgradeStatus>> {
  let last: SeenUpgrade | undefined;
  const look = async () => {
    last = (await upgradeOf(cluster, name)) ?? last;
    return last?.status !== undefined && holds(last.status) ? last.status : undefined;
  };
  return shown(cluster, `${name} ${what}`, look, seconds, () => [last?.status, passagesOf(cluster, name)]);
}

/** Waits until the passage of a node is as it should be. */
export async function passageIs(
  cluster: NodeCluster,
  upgradeName: string,
  nodeName: string,
  what: string,
  holds: (status: MaintenanceStatus) => boolean,
  seconds: number,
): Promise<SeenPassage> {
  let last: SeenPassage | undefined;
  const look = async () => {
    last = (await passageOf(cluster, upgradeName, nodeName)) ?? last;
    return last !== undefined && holds(last.status) ? last : undefined;
  };
  return shown(cluster, `${nodeName} ${what}`, look, seconds, () => [last?.status, upgradeOf(cluster, upgradeName)]);
}

async function shown<T>(
  cluster: NodeCluster,
  what: string,
  look: () => Promise<T | undefined>,
  seconds: number,
  said: () => readonly unknown[],
): Promise<T> {
  try {
    return await until(look, { what, seconds, everyMs: 500 });
  } catch (error) {
    const told = JSON.stringify(await Promise.all(said()));
    throw new Error(`${String(error)}; it says: ${told}\n${await portrait(cluster)}`, { cause: error });
  }
}

/** Takes an upgrade away, and waits until nothing of it is left. */
export async function strike(cluster: NodeCluster, name: string): Promise<void> {
  await cluster.admin.delete(`${GROUP}/clusterupgrades/${name}`);
  const gone = async () => (await cluster.admin.find(`${GROUP}/clusterupgrades/${name}`)) === undefined;
  await until(gone, { what: `${name} is gone`, seconds: 60 });
  const left = async () => (await passagesOf(cluster, name)).length === 0;
  await until(left, { what: `the passages of ${name} are gone`, seconds: 60 });
}

/** One node. */
export function nodeOf(cluster: NodeCluster, name: string): Promise<SeenNode> {
  return cluster.admin.get<SeenNode>(`/api/v1/nodes/${name}`);
}

/** The pods of a namespace, or of all. */
export function podsIn(cluster: NodeCluster, namespace?: string): Promise<readonly SeenPod[]> {
  return cluster.admin.list<SeenPod>(`/api/v1/${namespace === undefined ? '' : `namespaces/${namespace}/`}pods`);
}

/** Whether something is Ready, as its condition says. */
export function isReady({ status }: { readonly status: Conditions }): boolean {
  return holds(status, 'Ready');
}

/** Whether a condition is True. */
export function holds(status: Conditions, type: string): boolean {
  return conditionOf(status, type)?.status === 'True';
}

/** A condition by its type. */
export function conditionOf({ conditions = [] }: Conditions, type: string): Condition | undefined {
  return conditions.find((each) => each.type === type);
}
