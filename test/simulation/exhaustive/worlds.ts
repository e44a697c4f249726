import { clusterUpgrade } from '../../../src/api/cluster-upgrade.ts';
import { maintenancePolicy } from '../../../src/api/maintenance-policy.ts';
import { maintenanceWindow } from '../../../src/api/maintenance-window.ts';
import type { BudgetView, NodeView, PodView } from '../../../src/core/world.ts';
import { budget, node, pod } from '../../support/build.ts';
import { ledger, upgrade } from '../../support/build-own.ts';
import type { Guarantee } from '../truth.ts';
import { counted } from './server.ts';
import type { Abandon, State, Variant } from './state.ts';
import { tableOf } from './tables.ts';

/** A tiny world, and how much may go wrong in it. */
export type World = {
  readonly name: string;
  /** Nodes to upgrade. */
  readonly workers: readonly string[];
  readonly controlPlanes?: readonly string[];
  /** Nodes that are not selected, where pods may go. */
  readonly spares?: readonly string[];
  readonly apps: readonly { readonly app: string; readonly on: readonly string[]; readonly needs: number }[];
  readonly maxUnavailable?: number;
  readonly crashes?: number;
  readonly failures?: number;
  readonly uncordons?: number;
  readonly bindings?: number;
  readonly abandons?: readonly Abandon[];
  readonly reopens?: boolean;
  /** Nodes that a person had cordoned before. */
  readonly cordoned?: readonly string[];
  readonly lag?: number;
  readonly flights?: number;
};

const ONE = { workers: ['n1'], apps: [{ app: 'web', on: ['n1'], needs: 0 }] } as const;
const APART = [
  { app: 'web', on: ['n1'], needs: 0 },
  { app: 'db', on: ['n2'], needs: 0 },
] as const;
const SHARED = [{ app: 'web', on: ['n1', 'n2'], needs: 1 }] as const;

/** Worlds of a second or two each. */
export const SHORT: readonly World[] = [
  { name: 'one node, one budget', ...ONE, bindings: 1 },
  { name: 'one node whose Job fails', ...ONE, failures: 1 },
  { name: 'one node that a person has cordoned before', ...ONE, cordoned: ['n1'] },
  { name: 'one node that a person uncordons under way', ...ONE, uncordons: 1 },
  { name: 'a control plane and a worker', ...ONE, controlPlanes: ['cp'], flights: 0 },
  {
    name: 'two nodes, a budget over both, both at once',
    workers: ['n1', 'n2'],
    apps: SHARED,
    maxUnavailable: 2,
    lag: 0,
  },
];

/** Worlds of a minute together. */
export const USUAL: readonly World[] = [
  ...SHORT,
  { name: 'one node, one crash', ...ONE, bindings: 1, crashes: 1 },
  { name: 'one node, every cache behind, every request under way at once', ...ONE, bindings: 1, lag: 8, flights: 9 },
  { name: 'one node that a person uncordons, one crash', ...ONE, crashes: 1, uncordons: 1, lag: 0 },
  { name: 'one node, its passage is deleted', ...ONE, abandons: ['deletePassage'] },
  { name: 'one node, the upgrade is deleted', ...ONE, abandons: ['deleteUpgrade'] },
  { name: 'one node, the window closes and opens again', ...ONE, abandons: ['closeWindow'], reopens: true },
  { name: 'two nodes, one at a time', workers: ['n1', 'n2'], apps: APART, flights: 0 },
  { name: 'a control plane and two workers', workers: ['n1', 'n2'], controlPlanes: ['cp'], apps: APART, lag: 0 },
];

/** Worlds of minutes each. */
export const LARGE: readonly World[] = [
  { name: 'one node, one crash, its Job may fail', ...ONE, bindings: 1, crashes: 1, failures: 1 },
  { name: 'one node, one crash, the upgrade is deleted', ...ONE, bindings: 1, crashes: 1, abandons: ['deleteUpgrade'] },
  { name: 'one node, one crash, a person uncordons it', ...ONE, bindings: 1, crashes: 1, uncordons: 1 },
  { name: 'two nodes, one at a time, one crash', workers: ['n1', 'n2'], apps: APART, crashes: 1, lag: 0 },
  {
    name: 'two nodes, a budget over both, caches behind',
    workers: ['n1', 'n2'],
    apps: SHARED,
    maxUnavailable: 2,
    flights: 0,
  },
  {
    name: 'a control plane and two workers, caches behind',
    workers: ['n1', 'n2'],
    controlPlanes: ['cp'],
    apps: APART,
    flights: 0,
  },
];

/** A rule that is taken away, the smallest world in which that shows, and what breaks. */
export type Planted = { readonly variant: Variant; readonly guarantee: Guarantee; readonly world: World };

/** The six rules of the loop, each taken away; and what a process that begins does not know. */
export const PLANTED: readonly Planted[] = [
  { variant: 'move and act at once', guarantee: 'J1', world: { name: 'one node', ...ONE, flights: 2 } },
  {
    variant: 'no precondition on status writes',
    guarantee: 'S1',
    world: { name: 'one node, one crash, the upgrade is deleted', ...ONE, crashes: 1, abandons: ['deleteUpgrade'] },
  },
  {
    variant: 'no look before',
    guarantee: 'C1',
    world: { name: 'one node, the upgrade is deleted', ...ONE, abandons: ['deleteUpgrade'] },
  },
  {
    variant: 'pods are deleted',
    guarantee: 'B1',
    world: {
      name: 'two nodes, a budget over both',
      workers: ['n1', 'n2'],
      apps: SHARED,
      maxUnavailable: 2,
      lag: 0,
      flights: 2,
    },
  },
  { variant: 'no ticket at the door', guarantee: 'T1', world: { name: 'one node', ...ONE } },
  {
    variant: 'no sweep',
    guarantee: 'C3',
    world: { name: 'one node, one crash, the upgrade is deleted', ...ONE, crashes: 1, abandons: ['deleteUpgrade'] },
  },
  {
    variant: 'a beginning is not remembered',
    guarantee: 'U1',
    world: { name: 'one node that a person uncordons, one crash', ...ONE, crashes: 1, uncordons: 1, lag: 0 },
  },
];

/** The first state of a world. */
export function begin(world: World, variant: Variant = 'none'): State {
  const { workers, controlPlanes = [], spares = [], apps, maxUnavailable = 1, cordoned = [], abandons = [] } = world;
  const nodes: NodeView[] = [
    ...workers.map((name) => node(name, { resourceVersion: '1', labels: { upgrade: 'yes' } })),
    ...controlPlanes.map((name) =>
      node(name, { resourceVersion: '1', labels: { upgrade: 'yes' }, controlPlane: true }),
    ),
    ...spares.map((name) => node(name, { resourceVersion: '1' })),
  ].map((each) => ({ ...each, unschedulable: cordoned.includes(each.name) }));
  const pods: PodView[] = [
    ...apps.flatMap(({ app, on }) =>
      on.map((nodeName, at) => pod(`${app}-${at + 1}`, { resourceVersion: '1', nodeName, labels: { app } })),
    ),
    ...controlPlanes.map((name) => apiServer(name)),
  ];
  const budgets = apps.map(({ app, on, needs }) => budgetOf(app, on.length, needs));
  const asked = { nodes: { selector: { matchLabels: { upgrade: 'yes' } } }, windowNames: ['nights'], historyLimit: 0 };
  const upgrades = [upgrade(clusterUpgradeSpec({ ...asked, rollout: { maxUnavailable } }), { resourceVersion: '1' })];
  const spec = maintenancePolicy.spec.parse({ maxUnavailable });
  const policies = [ledger([], { resourceVersion: '1' }, spec, { nextTicket: 1 })];
  const tables = {
    Node: tableOf('Node', nodes),
    Pod: tableOf('Pod', pods),
    PodDisruptionBudget: tableOf('PodDisruptionBudget', budgets),
    Job: tableOf('Job', []),
    MaintenanceWindow: tableOf('MaintenanceWindow', [openWindow()]),
    MaintenancePolicy: tableOf('MaintenancePolicy', policies),
    ClusterUpgrade: tableOf('ClusterUpgrade', upgrades),
    NodeMaintenance: tableOf('NodeMaintenance', []),
  };
  const { crashes = 0, failures = 0, uncordons = 0, bindings = 0, lag = 1, flights = 1, reopens = false } = world;
  const first: State = {
    rules: {
      lag,
      flights,
      maxUnavailable,
      abandons,
      reopens,
      pods: apps.map(({ app, on }) => ({ app, replicas: on.length })),
      variant,
    },
    truth: tables,
    seen: tables,
    flights: [],
    left: { crashes, failures, uncordons, bindings, abandons: abandons.length > 0 ? 1 : 0 },
    remembered: [],
    young: false,
    justCordoned: [],
    ownCordons: [...cordoned].sort(),
    lateOn: [],
    failedOn: [],
    begun: [],
  };
  const ready = counted(first);
  return { ...ready, seen: ready.truth };
}

function clusterUpgradeSpec(over: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const base = { profileName: 'kubeadm-apt', target: { kubernetesVersion: 'v1.36.4' } };
  return clusterUpgrade.spec.parse({ ...base, ...over });
}

function budgetOf(app: string, replicas: number, needs: number): BudgetView {
  const selector = { matchLabels: { app }, matchExpressions: [] };
  const numbers = { expectedPods: replicas, desiredHealthy: needs, currentHealthy: replicas };
  return budget(app, { resourceVersion: '1', selector, ...numbers, disruptionsAllowed: replicas - needs });
}

function apiServer(nodeName: string): PodView {
  const labels = { component: 'kube-apiserver' };
  const base = { resourceVersion: '1', namespace: 'kube-system', nodeName, labels, mirror: true } as const;
  const { controller: _, ...rest } = pod(`kube-apiserver-${nodeName}`, base);
  return { ...rest, componentVersion: 'v1.35.7' };
}

const ALL_YEAR = { from: '2026-01-01T00:00:00Z', until: '2027-01-01T00:00:00Z' };

/** A window that is open until a person pauses it. */
function openWindow() {
  const metadata = { name: 'nights', uid: 'uid-nights', resourceVersion: '1', generation: 1, createdAt: 0 };
  const spec = maintenanceWindow.spec.parse({ timeZone: 'Europe/Paris', openings: [ALL_YEAR] });
  const rest = { labels: {}, annotations: {}, finalizers: [], owners: [] };
  return { ...metadata, ...rest, readable: true, spec, status: maintenanceWindow.status.parse({}) } as const;
}
