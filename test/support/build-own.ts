import { clusterUpgrade, type UpgradeSpec, type UpgradeStatus } from '../../src/api/cluster-upgrade.ts';
import {
  maintenancePolicy,
  type PolicySpec,
  type PolicyStatus,
  type Ticket,
} from '../../src/api/maintenance-policy.ts';
import { type Drain, maintenanceProfile, type ProfileSpec } from '../../src/api/maintenance-profile.ts';
import { maintenanceWindow, type WindowSpec } from '../../src/api/maintenance-window.ts';
import {
  type MaintenanceSpec,
  type MaintenanceStatus,
  type NodeState,
  nodeMaintenance,
  type Plan,
  type Work,
} from '../../src/api/node-maintenance.ts';
import type { Metadata } from '../../src/api/resource.ts';
import type { Ledger } from '../../src/core/ledger.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import { NOTHING_AHEAD } from '../../src/core/preflight.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import type { PassageObject, ProfileObject, Read, UpgradeObject, WindowObject } from '../../src/core/world.ts';
import { ago, cordoned, NOW, node, PASSAGE, POLICY_UID, recalling, UPGRADE_UID } from './build.ts';

function metadata(name: string, over: Partial<Metadata> = {}): Metadata {
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '7',
    generation: 1,
    createdAt: NOW - 3_600_000,
    labels: {},
    annotations: {},
    finalizers: [],
    owners: [],
    ...over,
  };
}

/** A profile as a cluster admin writes it, defaults filled in. */
export function profileSpec(over: Readonly<Record<string, unknown>> = {}): ProfileSpec {
  return maintenanceProfile.spec.parse({
    image: `ghcr.io/example/drydock-node@sha256:${'a'.repeat(64)}`,
    commands: { worker: ['/drydock/kubeadm-apt', 'node'] },
    ...over,
  });
}

export function profile(over: Readonly<Record<string, unknown>> = {}): ProfileObject {
  return {
    ...metadata('kubeadm-apt'),
    readable: true,
    spec: profileSpec(over),
    status: maintenanceProfile.status.parse({}),
  };
}

/** A frozen plan for a worker. */
export function plan(
  over: Partial<Plan> = {},
  work: Partial<Work> | undefined = {},
  draining: Partial<Drain> = {},
): Plan {
  const { drain, ...base } = profileSpec();
  return {
    profileName: 'kubeadm-apt',
    nodeUID: 'uid-worker-1',
    holderUID: UPGRADE_UID,
    role: 'worker',
    target: 'v1.36.4',
    version: 'v1.36.4',
    currentVersion: 'v1.35.7',
    drain: { ...drain, ...draining },
    work: { ...base, ...work },
    ...over,
  };
}

/** The plan of a hold: no work, only a drain. */
export function holdPlan(draining: Partial<Drain> = {}): Plan {
  const { work: _, version: __, ...rest } = plan({ holderUID: 'uid-fan', target: '' }, {}, draining);
  return rest;
}

export function ticket(over: Partial<Ticket> = {}): Ticket {
  return {
    nodeName: 'worker-1',
    nodeUID: 'uid-worker-1',
    ticket: `${POLICY_UID}-1`,
    target: 'v1.36.4',
    profileName: 'kubeadm-apt',
    holder: { kind: 'ClusterUpgrade', name: 'to-1-36', uid: UPGRADE_UID },
    controlPlane: false,
    mode: 'Drain',
    since: ago(600),
    ...over,
  };
}

/** A ledger in order. */
export function ledger(
  tickets: readonly Ticket[] = [],
  over: Partial<Metadata> = {},
  spec: Partial<PolicySpec> = {},
  status: Partial<PolicyStatus> = {},
): Ledger {
  return {
    ...metadata('cluster', { uid: POLICY_UID, finalizers: ['drydock.dev/ledger'], ...over }),
    readable: true,
    spec: { ...maintenancePolicy.spec.parse({}), ...spec },
    status: {
      ...maintenancePolicy.status.parse({}),
      observedGeneration: 1,
      nextTicket: 18,
      tickets: [...tickets],
      ...status,
    },
  };
}

export const PASSAGE_SPEC: MaintenanceSpec = {
  nodeName: 'worker-1',
  hold: false,
  upgradeName: 'to-1-36',
  nodeUID: 'uid-worker-1',
  ticket: `${POLICY_UID}-1`,
};

export const HOLD_SPEC: MaintenanceSpec = { nodeName: 'worker-1', hold: true, reason: 'replace a fan' };

/** A NodeMaintenance of the upgrade, in a state. */
export function passage(
  state: NodeState = { phase: 'Pending' },
  over: Partial<Metadata> & { readonly spec?: MaintenanceSpec; readonly status?: Partial<MaintenanceStatus> } = {},
): Read<PassageObject> {
  const { spec = PASSAGE_SPEC, status, ...meta } = over;
  const frozen = state.phase === 'Pending' ? {} : { plan: plan() };
  return {
    ...metadata(PASSAGE, {
      uid: 'uid-passage',
      labels: { 'drydock.dev/upgrade': 'to-1-36', 'drydock.dev/node-uid': 'uid-worker-1' },
      finalizers: ['drydock.dev/passage'],
      owners: [{ kind: 'ClusterUpgrade', name: 'to-1-36', uid: UPGRADE_UID }],
      ...meta,
    }),
    readable: true,
    spec,
    status: { ...nodeMaintenance.status.parse({}), ...frozen, state, ...status },
  };
}

/** A passage whose node has not come back. */
export function lostPassage(from: 'Upgrading' | 'Rebooting' = 'Upgrading'): Read<PassageObject> {
  const begun = { attempt: 1, jobUID: 'j', bootIDBefore: 'b', machineID: 'm' };
  return passage({ phase: 'Lost', since: ago(9), ...begun, from });
}

/** An upgrade to v1.36.4 of all nodes, looked at before. */
export function upgrade(
  spec: Readonly<Record<string, unknown>> = {},
  over: Partial<Metadata> & { readonly status?: Partial<UpgradeStatus> } = {},
): Read<UpgradeObject> & { readonly spec: UpgradeSpec } {
  const { status, ...meta } = over;
  return {
    ...metadata('to-1-36', { uid: UPGRADE_UID, finalizers: ['drydock.dev/upgrade'], ...meta }),
    readable: true,
    spec: clusterUpgrade.spec.parse({
      profileName: 'kubeadm-apt',
      target: { kubernetesVersion: 'v1.36.4' },
      nodes: { selector: {} },
      windowNames: [],
      ...spec,
    }),
    status: {
      ...clusterUpgrade.status.parse({}),
      target: 'v1.36.4',
      observedRetry: 0,
      retryTime: ago(86_400),
      ...status,
    },
  };
}

export function windowSpec(over: Readonly<Record<string, unknown>> = {}): WindowSpec {
  return maintenanceWindow.spec.parse({
    timeZone: 'Europe/Paris',
    openings: [{ schedule: '0 22 * * 1-5', durationMinutes: 360 }],
    ...over,
  });
}

export function windowObject(name: string, over: Readonly<Record<string, unknown>> = {}): Read<WindowObject> {
  return {
    ...metadata(name),
    readable: true,
    spec: windowSpec(over),
    status: maintenanceWindow.status.parse({}),
  };
}

/** Everything seen of a passage on a healthy, empty, cordoned node with its stamped ticket. */
export function facts(over: Partial<NodeFacts> = {}): NodeFacts {
  return {
    now: NOW,
    passage: {
      name: PASSAGE,
      uid: 'uid-passage',
      resourceVersion: '7',
      spec: PASSAGE_SPEC,
      ownerUIDs: [UPGRADE_UID],
      finalizers: ['drydock.dev/passage'],
      deleting: false,
      released: false,
    },
    node: cordoned('uid-passage'),
    stranger: undefined,
    ledger: ledger([ticket({ passageUID: 'uid-passage' })]),
    drain: {
      empty: true,
      evictions: [],
      hopeful: 0,
      nowhere: false,
      free: [],
      blockers: [],
      counts: { remaining: 0, terminating: 0, blocked: 0 },
      staying: [],
    },
    jobs: [],
    jobPods: [],
    pods: [],
    attached: [],
    jobsNamespace: 'drydock-jobs',
    recall: recalling(),
    ...over,
  };
}

/** Everything seen of an upgrade whose API servers run the target, with three workers to do and nothing in flight. */
export function rolloutFacts(over: Partial<RolloutFacts> = {}): RolloutFacts {
  return {
    now: NOW,
    upgrade: upgrade(),
    ledger: ledger(),
    profile: profile(),
    snapshotProfile: undefined,
    windows: [],
    nodes: [node('worker-1'), node('worker-2'), node('worker-3')],
    passages: [],
    controlPlane: { server: 'v1.36.4', components: [] },
    recall: recalling(),
    hindered: () => [],
    lookAhead: () => NOTHING_AHEAD,
    ...over,
  };
}
