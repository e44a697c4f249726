import type { Blocker } from '../../src/api/blocker.ts';
import type { UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import type { Phase } from '../../src/api/phases.ts';
import type { Metadata } from '../control-plane/client.ts';
import { isControlPlane, isReady, type Node } from '../control-plane/nodes.ts';
import type { SeenPassage } from '../end-to-end/seen.ts';

/** The steps of a node that everybody knows. */
export const STEPS = ['cordon', 'drain', 'Job', 'verify', 'uncordon'] as const;

/** The step that a phase belongs to; -1: before the first, 5: all are done, undefined: it was put back or failed. */
const STEP_OF: Readonly<Record<Phase, number | undefined>> = {
  Pending: -1,
  Preparing: -1,
  Cordoning: 0,
  Draining: 1,
  Detaching: 1,
  Held: 1,
  Starting: 2,
  Upgrading: 2,
  Rebooting: 2,
  Lost: 2,
  Verifying: 3,
  Uncordoning: 4,
  Succeeded: 5,
  Quarantining: undefined,
  Skipped: undefined,
  Cancelled: undefined,
  Failed: undefined,
};
const SETTLED: readonly Phase[] = ['Succeeded', 'Skipped', 'Cancelled', 'Failed'];

/** A pod of the shop. */
export type Pod = { readonly metadata: Metadata; readonly spec: { readonly nodeName?: string } };
/** A PodDisruptionBudget. */
export type Budget = {
  readonly metadata: Metadata;
  readonly status?: {
    readonly currentHealthy: number;
    readonly desiredHealthy: number;
    readonly expectedPods: number;
    readonly disruptionsAllowed: number;
  };
};
/** A ClusterUpgrade. */
export type Upgrade = { readonly metadata: Metadata; readonly status?: Partial<UpgradeStatus> };
/** A MaintenanceWindow. */
export type Window = { readonly metadata: Metadata; readonly status?: { readonly open?: boolean } };

/** Everything that is watched. */
export type World = {
  readonly nodes: readonly Node[];
  readonly passages: readonly SeenPassage[];
  readonly upgrades: readonly Upgrade[];
  readonly windows: readonly Window[];
  readonly budgets: readonly Budget[];
  readonly pods: readonly Pod[];
};

/** One node as the demo shows it. */
export type NodeRow = {
  readonly name: string;
  readonly controlPlane: boolean;
  readonly kubelet: string;
  readonly ready: boolean;
  readonly cordoned: boolean;
  /** Pods that would have to leave. */
  readonly pods: number;
  readonly is: 'waiting' | 'inFlight' | 'done' | 'ended';
  readonly phase?: Phase;
  readonly step?: number;
  /** What its NodeMaintenance says of itself. */
  readonly reason: string;
  readonly message: string;
  readonly blockers: readonly Blocker[];
  /** From the creation of its NodeMaintenance to its end. */
  readonly seconds?: number;
};

/** One budget as the demo shows it. */
export type BudgetRow = {
  readonly name: string;
  readonly healthy: number;
  readonly expected: number;
  readonly needed: number;
  readonly allowed: number;
};

/** What is on the screen. */
export type Scene = {
  readonly upgrade: {
    readonly name: string;
    readonly target: string;
    readonly phase: string;
    readonly message: string;
  };
  readonly window: { readonly name: string; readonly open: boolean } | undefined;
  readonly limit: number;
  readonly nodes: readonly NodeRow[];
  readonly budgets: readonly BudgetRow[];
};

const byName = (a: { readonly metadata: Metadata }, b: { readonly metadata: Metadata }) =>
  a.metadata.name < b.metadata.name ? -1 : 1;

/** What is seen of the cluster as rows. */
export function sceneOf(world: World, target: string, limit: number): Scene {
  const [upgrade] = world.upgrades;
  const [window] = world.windows;
  return {
    upgrade: {
      name: upgrade?.metadata.name ?? '',
      target,
      phase: upgrade?.status?.phase ?? 'Pending',
      message: upgrade?.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '',
    },
    window: window?.status?.open === undefined ? undefined : { name: window.metadata.name, open: window.status.open },
    limit,
    nodes: [...world.nodes].sort(byName).map((node) => nodeRow(node, world, target)),
    budgets: [...world.budgets].sort(byName).flatMap(budgetRow),
  };
}

function nodeRow(node: Node, { passages, pods }: World, target: string): NodeRow {
  const { name } = node.metadata;
  const passage = passages
    .filter(({ spec }) => spec.nodeName === name)
    .sort((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
    .at(-1);
  const kubelet = node.status.nodeInfo.kubeletVersion;
  const shared = {
    name,
    controlPlane: isControlPlane(node),
    kubelet,
    ready: isReady(node),
    cordoned: node.spec.unschedulable === true,
    pods: pods.filter((pod) => pod.spec.nodeName === name && mustLeave(pod)).length,
  };
  if (passage === undefined) {
    return { ...shared, is: kubelet === target ? 'done' : 'waiting', reason: '', message: '', blockers: [] };
  }
  const { state, conditions, blockers } = passage.status;
  const step = STEP_OF[state.phase];
  const said = conditions.find(({ type }) => type === 'Ready');
  return {
    ...shared,
    is: state.phase === 'Succeeded' ? 'done' : step === undefined ? 'ended' : 'inFlight',
    phase: state.phase,
    ...(step === undefined ? {} : { step }),
    reason: said?.reason ?? '',
    message: said?.message ?? '',
    blockers,
    ...(SETTLED.includes(state.phase) ? secondsOf(passage) : {}),
  };
}

function mustLeave({ metadata }: Pod): boolean {
  return !metadata.ownerReferences?.some(({ kind }) => kind === 'DaemonSet');
}

function secondsOf({ metadata, status }: SeenPassage): { readonly seconds?: number } {
  const { since } = status.state;
  if (since === undefined || metadata.creationTimestamp === undefined) return {};
  return { seconds: Math.max(0, Math.round((Date.parse(since) - Date.parse(metadata.creationTimestamp)) / 1000)) };
}

function budgetRow({ metadata, status }: Budget): readonly BudgetRow[] {
  if (status === undefined) return [];
  return [
    {
      name: `${metadata.namespace}/${metadata.name}`,
      healthy: status.currentHealthy,
      expected: status.expectedPods,
      needed: status.desiredHealthy,
      allowed: status.disruptionsAllowed,
    },
  ];
}

/** Why the nodes that have not begun have not, as far as anybody can see it from outside. */
export function queue({ nodes, limit, window, upgrade }: Scene): {
  readonly names: readonly string[];
  readonly why: string;
} {
  const names = nodes.filter(({ is }) => is === 'waiting').map(({ name }) => name);
  if (names.length === 0) return { names, why: '' };
  const out = nodes.filter(({ is }) => is === 'inFlight');
  if (out.length === 0) return { names, why: upgrade.message };
  if (window?.open === false) return { names, why: `Window ${window.name} is closed.` };
  if (out.length >= limit) return { names, why: `${out.length} nodes are out, and ${limit} may be.` };
  const first = out.find(({ controlPlane }) => controlPlane);
  if (first !== undefined) return { names, why: `Control planes come first: ${first.name}.` };
  return { names, why: 'There is room for one more, so the next begins.' };
}
