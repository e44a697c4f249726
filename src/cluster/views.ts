import type { z } from 'zod';
import { clusterUpgrade } from '../api/cluster-upgrade.ts';
import { maintenancePolicy } from '../api/maintenance-policy.ts';
import { maintenanceProfile } from '../api/maintenance-profile.ts';
import { maintenanceWindow } from '../api/maintenance-window.ts';
import { nodeMaintenance } from '../api/node-maintenance.ts';
import { type Resource, type ResourceDefinition, readResource } from '../api/resource.ts';
import { attempt } from '../core/attempt.ts';
import type { BudgetView, JobView, Kind, LabelSelector, NodeView, Seen, Taint, World } from '../core/world.ts';
import { RELEASED } from './kinds.ts';
import { podView } from './pod-view.ts';
import type { Pool } from './pool.ts';
import { condition, instant, list, number, type Raw, record, text, words } from './raw.ts';

/** What must be known where objects come in: which namespace is ours, and what was seen before. */
export type Door = { readonly jobsNamespace: string; readonly pool: Pool };

/**
 * From what the API server sent to what Drydock keeps. Total: whatever stands in an object, the others are read. Undefined
 * only for what has no name, UID or resourceVersion, which no API server sends.
 */
export function view<K extends Kind>(kind: K, raw: unknown, door: Door): World[K] | undefined {
  const object = record(raw);
  const seen = seenOf(record(object['metadata']));
  return seen === undefined ? undefined : VIEWS[kind](object, seen, door);
}

type View<K extends Kind> = (raw: Raw, seen: Seen, door: Door) => World[K];

const VIEWS: { readonly [K in Kind]: View<K> } = {
  Node: (raw, seen, { pool }) => ({ ...seen, ...nodeView(raw, pool) }),
  Pod: (raw, seen, door) => ({ ...seen, ...podView(raw, door) }),
  PodDisruptionBudget: (raw, seen, { pool }) => ({ ...seen, ...budgetView(raw, pool) }),
  Job: (raw, seen) => ({ ...seen, ...jobView(raw) }),
  DaemonSet: (raw, seen, { pool }) => ({ ...seen, namespace: namespaceOf(raw, pool) }),
  Namespace: (raw, seen, { pool }) => ({ ...seen, labels: pool.words(words(record(raw['metadata'])['labels'])) }),
  VolumeAttachment: (raw, seen, { pool }) => {
    const spec = record(raw['spec']);
    return {
      ...seen,
      nodeName: pool.text(text(spec['nodeName'])),
      volumeName: text(record(spec['source'])['persistentVolumeName']),
      attached: record(raw['status'])['attached'] === true,
    };
  },
  PersistentVolumeClaim: (raw, seen, { pool }) => ({
    ...seen,
    namespace: namespaceOf(raw, pool),
    volumeName: text(record(raw['spec'])['volumeName']),
  }),
  MaintenanceWindow: (raw, seen) => ours(maintenanceWindow, raw, seen),
  MaintenanceProfile: (raw, seen) => ours(maintenanceProfile, raw, seen),
  MaintenancePolicy: (raw, seen) => ours(maintenancePolicy, raw, seen),
  ClusterUpgrade: (raw, seen) => ours(clusterUpgrade, raw, seen),
  NodeMaintenance: (raw, seen) => ours(nodeMaintenance, raw, seen),
};

function seenOf(metadata: Raw): Seen | undefined {
  const [name, uid, resourceVersion] = [
    text(metadata['name']),
    text(metadata['uid']),
    text(metadata['resourceVersion']),
  ];
  return name === '' || uid === '' || resourceVersion === '' ? undefined : { name, uid, resourceVersion };
}

function namespaceOf(raw: Raw, pool: Pool): string {
  return pool.text(text(record(raw['metadata'])['namespace']));
}

const KEPT_ANNOTATIONS = ['cluster-autoscaler.kubernetes.io/scale-down-disabled'];

function nodeView(raw: Raw, pool: Pool): Omit<NodeView, keyof Seen> {
  const metadata = record(raw['metadata']);
  const spec = record(raw['spec']);
  const status = record(raw['status']);
  const info = record(status['nodeInfo']);
  const ready = condition(status, 'Ready');
  const labels = words(metadata['labels']);
  const annotations = Object.entries(words(metadata['annotations'])).filter(
    ([key]) => key.startsWith('drydock.dev/') || KEPT_ANNOTATIONS.includes(key),
  );
  return {
    labels,
    annotations: Object.fromEntries(annotations),
    unschedulable: spec['unschedulable'] === true,
    taints: list(spec['taints'])
      .map(record)
      .map((taint) => taintView(taint, pool)),
    ready: ready['status'] === 'True',
    unreachable: ready['status'] === 'Unknown',
    readySince: instant(ready['lastTransitionTime']),
    bootID: text(info['bootID']),
    machineID: text(info['machineID']),
    kubeletVersion: pool.text(text(info['kubeletVersion'])),
    controlPlane: labels['node-role.kubernetes.io/control-plane'] !== undefined,
    deleting: metadata['deletionTimestamp'] != null,
  };
}

function taintView({ key, value, effect, timeAdded }: Raw, pool: Pool): Taint {
  const since = text(timeAdded);
  return {
    key: pool.text(text(key)),
    value: pool.text(text(value)),
    effect: pool.text(text(effect)),
    ...(since === '' ? {} : { timeAdded: since }),
  };
}

const NONE: readonly string[] = [];

function budgetView(raw: Raw, pool: Pool): Omit<BudgetView, keyof Seen> {
  const spec = record(raw['spec']);
  const status = record(raw['status']);
  const selector = spec['selector'] == null ? undefined : selectorView(record(spec['selector']), pool);
  const allowed = condition(status, 'DisruptionAllowed');
  const failed = allowed['reason'] === 'SyncFailed' ? text(allowed['message']) : undefined;
  const denied = allowed['status'] === 'False' ? instant(allowed['lastTransitionTime']) : 0;
  const disrupted = Object.keys(record(status['disruptedPods']));
  const [minAvailable, maxUnavailable] = [amount(spec['minAvailable']), amount(spec['maxUnavailable'])];
  return {
    namespace: namespaceOf(raw, pool),
    ...(selector === undefined ? {} : { selector }),
    ...(minAvailable === undefined ? {} : { minAvailable }),
    ...(maxUnavailable === undefined ? {} : { maxUnavailable }),
    generation: number(record(raw['metadata'])['generation']),
    observedGeneration: number(status['observedGeneration']),
    disruptionsAllowed: number(status['disruptionsAllowed']),
    currentHealthy: number(status['currentHealthy']),
    desiredHealthy: number(status['desiredHealthy']),
    expectedPods: number(status['expectedPods']),
    alwaysAllowUnhealthy: spec['unhealthyPodEvictionPolicy'] === 'AlwaysAllow',
    ...(denied === 0 ? {} : { deniedSince: denied }),
    ...(failed === undefined ? {} : { failed }),
    disruptedPods: disrupted.length === 0 ? NONE : disrupted,
  };
}

function amount(value: unknown): number | string | undefined {
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}

function selectorView(selector: Raw, pool: Pool): LabelSelector {
  return {
    matchLabels: pool.words(words(selector['matchLabels'])),
    matchExpressions: list(selector['matchExpressions'])
      .map(record)
      .map(({ key, operator, values }) => ({
        key: text(key),
        operator: text(operator),
        values: list(values).map(text),
      })),
  };
}

function jobView(raw: Raw): Omit<JobView, keyof Seen> {
  const metadata = record(raw['metadata']);
  const status = record(raw['status']);
  const finished = ended(status, 'Complete') ?? ended(status, 'Failed');
  return {
    labels: words(metadata['labels']),
    suspended: record(raw['spec'])['suspend'] === true,
    released: words(metadata['annotations'])[RELEASED] !== undefined,
    createdAt: instant(metadata['creationTimestamp']),
    deleting: metadata['deletionTimestamp'] != null,
    ...(finished === undefined ? {} : { finished }),
    started: hasPods(status),
  };
}

function ended(status: Raw, as: 'Complete' | 'Failed'): JobView['finished'] {
  const { status: holds, reason, message } = condition(status, as);
  return holds === 'True' ? { as, reason: text(reason), message: text(message) } : undefined;
}

/** Counts a pod that only waits as begun: nothing in a Job says that its pod has not run yet, and the safe side is this. */
function hasPods(status: Raw): boolean {
  const uncounted = record(status['uncountedTerminatedPods']);
  return (
    ['active', 'ready', 'succeeded', 'failed', 'terminating'].some((count) => number(status[count]) > 0) ||
    list(uncounted['succeeded']).length > 0 ||
    list(uncounted['failed']).length > 0
  );
}

function ours<Spec extends z.ZodType, Status extends z.ZodType>(
  definition: ResourceDefinition<Spec, Status>,
  raw: Raw,
  seen: Seen,
): Resource<z.output<Spec>, z.output<Status>> {
  const read = attempt(() => readResource(definition, raw));
  return read.ok
    ? read.value
    : { ...bareMetadata(seen, record(raw['metadata'])), readable: false, problem: 'metadata cannot be read' };
}

function bareMetadata(seen: Seen, metadata: Raw) {
  return {
    ...seen,
    generation: number(metadata['generation']),
    createdAt: instant(metadata['creationTimestamp']),
    ...(metadata['deletionTimestamp'] == null ? {} : { deletedAt: instant(metadata['deletionTimestamp']) }),
    labels: words(metadata['labels']),
    annotations: words(metadata['annotations']),
    finalizers: list(metadata['finalizers']).map(text),
    owners: [],
  };
}
