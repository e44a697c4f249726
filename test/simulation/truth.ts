import type { UpgradeSpec } from '../../src/api/cluster-upgrade.ts';
import type { Ticket } from '../../src/api/maintenance-policy.ts';
import type { MaintenanceSpec, MaintenanceStatus } from '../../src/api/node-maintenance.ts';
import type { Written } from '../../src/simulation/etcd.ts';
import type { KubeObject, NodeObject, PodObject } from '../../src/simulation/objects.ts';
import type { Registry } from '../../src/simulation/registry.ts';
import type { Request, Response } from '../../src/simulation/request.ts';
import { DRYDOCK } from './process.ts';

/** The guarantees of Drydock, by the names they have in the README. */
export const GUARANTEES = {
  B1: 'no eviction of ours takes a budget below its floor',
  C1: 'a cordon of ours is gone once its maintenance settled, unless its Job had begun and it Failed',
  C2: 'we never lift a cordon we did not set',
  C3: 'no mark, soft taint or idle Job of ours outlives its owner by more than a sweep',
  H1: 'a node that a person holds is not given back, and one that a person wants left alone is not begun',
  T1: 'no node is cordoned, drained or given a Job without a live ticket stamped with that passage; one control plane at a time',
  U1: 'no upgrade begins while a pod that must leave is bound to the node at the look, at least 5 s after our cordon was seen',
  D1: 'what leaves a node, when and how, is what the frozen profile of its passage says',
  D2: 'no work begins while a volume of a drained pod is attached, until volumeDetachSeconds are over',
  N1: 'no admission of a schedulable and Ready node leaves more than maxUnavailable nodes out',
  E1: 'no control plane begins a release that no API server runs before etcd was saved for it, no longer ago than its upgrade says',
  V1: 'no version step breaks the skew policy; control plane before workers',
  W1: 'no node is admitted, and under TurnBack none committed, outside its windows',
  J1: 'at most one upgrade Job per node, ticket and attempt; a lost Job is never run again blindly',
  S1: 'only steps in the table',
  L1: 'once faults stop, budgets allow and the window is open, every selected node settles within 1.25 × the bound + 60 s and stays settled',
} as const;

export type Guarantee = keyof typeof GUARANTEES;

/** The linearised truth: what is stored, and the request that is being handled. What the operator believes is not in it. */
export type Truth = {
  readonly registry: Registry;
  now(): number;
  /** When the request that is handled now was sent: what lands late was decided by what was true then. */
  sentAt(): number;
  /** How far a view of the world may lag behind, or a decision behind its view. */
  lagMs(): number;
  /** How far the clocks of processes and API server may be apart. */
  readonly skewMs: number;
  /** Whether a window that the scene drew is open; written down when the scene was drawn, by other arithmetic than Drydock's. */
  isOpen(window: string, at: number): boolean;
  violated(guarantee: Guarantee, text: string): void;
};

/** Watches over one guarantee. */
export type Checker = {
  /** After each write, by whomever. */
  written?(written: Written): void;
  /** After each request that was answered. */
  answered?(request: Request, response: Response): void;
  /** When faults have ceased and everything had the time to come to rest. */
  atRest?(): void;
};

/** Who is said to have written what was there before a checker was: since when it was so is not known. */
export const FOUND = 'found';

/** Makes a checker over a truth. */
export type Check = (truth: Truth) => Checker;

/** Whether a write or a request is of a process of Drydock. */
export function isOurs(by: string): boolean {
  return by.startsWith(DRYDOCK);
}

export type Passage = KubeObject & { readonly spec: MaintenanceSpec; readonly status: MaintenanceStatus };
export type Upgrade = KubeObject & { readonly spec: UpgradeSpec };
export type Mark = {
  readonly uid: string;
  readonly ticket: string;
  readonly nodeMaintenance: string;
  readonly previous: { readonly unschedulable: boolean };
};

export const SETTLED: readonly string[] = ['Succeeded', 'Skipped', 'Cancelled', 'Failed'];
export const PASSAGES = 'nodemaintenances.drydock.dev';
export const UPGRADES = 'clusterupgrades.drydock.dev';
export const POLICIES = 'maintenancepolicies.drydock.dev';
export const JOBS = 'jobs.batch';

/** The mark of ours that a node carries. */
export function markOf(
  node: KubeObject | undefined,
  annotation: 'held-by' | 'left-cordoned' = 'held-by',
): Mark | undefined {
  const text = node?.metadata.annotations?.[`drydock.dev/${annotation}`];
  return text === undefined ? undefined : (JSON.parse(text) as Mark);
}

/** The tickets in a ledger. */
export function ticketsIn(policy: KubeObject | undefined): readonly Ticket[] {
  return (policy?.status as { readonly tickets?: readonly Ticket[] } | undefined)?.tickets ?? [];
}

/** The tickets that there are. */
export function tickets({ registry }: Truth): readonly Ticket[] {
  return ticketsIn(registry.get(POLICIES, 'cluster'));
}

export function phaseOf(passage: KubeObject | undefined): string | undefined {
  return (passage as Passage | undefined)?.status?.state?.phase;
}

/** The passage with a UID, if there is one. */
export function passageBy({ registry }: Truth, uid: string): Passage | undefined {
  for (const passage of registry.all<Passage>(PASSAGES)) if (passage.metadata.uid === uid) return passage;
  return undefined;
}

export function isControlPlane({ metadata }: KubeObject): boolean {
  return metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined;
}

export function isReady({ status }: NodeObject): boolean {
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

/** Whether a pod must leave a node before it is worked on: no mirror, no DaemonSet's, not finished, none of ours. */
export function mustLeave({ metadata, status }: PodObject): boolean {
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return false;
  if (metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return false;
  if (metadata.labels?.['drydock.dev/job'] !== undefined) return false;
  return !metadata.ownerReferences?.some(({ kind, controller }) => controller && kind === 'DaemonSet');
}
