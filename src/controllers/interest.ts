import { UPGRADE_LABEL } from '../api/node-maintenance.ts';
import type { Caches, Change } from '../cluster/cluster.ts';
import { covering } from '../core/budget.ts';
import { isInOrder, isSettled } from '../core/ledger.ts';
import { dueFor } from '../core/patch.ts';
import { POLICY } from '../core/policy.ts';
import { same } from '../core/same.ts';
import { passageNameOf } from '../core/sweep.ts';
import type {
  BudgetView,
  JobView,
  NodeView,
  PassageObject,
  PodView,
  PolicyObject,
  UpgradeObject,
} from '../core/world.ts';
import { JOB_KEY } from './sweep.ts';

/** The queues there are. */
export type QueueName = 'passages' | 'upgrades' | 'ledger' | 'sweep' | 'windows' | 'profiles';
/** A key to look at again, and in which queue. */
export type Interest = readonly [QueueName, string];

type Both<V> = { readonly before: V | undefined; readonly after: V | undefined };

/**
 * What is watched for whom: the keys that a change may concern. Handlers only name keys; everything is looked at afresh.
 * What cannot concern anybody names none: in a big cluster heartbeats, ledgers and budgets are written all the time.
 */
export function interested(change: Change, caches: Caches, jobsNamespace: string): readonly Interest[] {
  switch (change.kind) {
    case 'Node':
      return ofNode(change.key, change, caches);
    case 'Pod': {
      const pods = seen(change);
      const nodes = [...new Set(pods.map(({ nodeName }) => nodeName))].filter((name) => name !== '');
      const components = pods.some(({ componentVersion }) => componentVersion !== undefined) ? allUpgrades(caches) : [];
      const jobs = pods
        .filter(({ namespace }) => namespace === jobsNamespace)
        .flatMap((pod) => byUID(pod.labels['drydock.dev/passage'], caches));
      return [
        ...nodes.flatMap((name) => [...onNode(name, caches), ...returningTo(name, caches)]),
        ...components,
        ...jobs,
      ];
    }
    case 'PodDisruptionBudget':
      return ofBudget(change, caches);
    case 'DaemonSet':
      // All that is kept of one is that it exists; its status is written for each of its pods.
      return isThere(change) ? [] : inPhases(caches, ['Draining', 'Detaching']);
    case 'Namespace':
      // Rules of profiles select by its labels.
      return same(change.before?.labels, change.after?.labels) ? [] : inPhases(caches, ['Draining']);
    case 'PersistentVolumeClaim':
      return change.before?.volumeName === change.after?.volumeName ? [] : inPhases(caches, ['Draining', 'Detaching']);
    case 'VolumeAttachment':
      return seen(change).flatMap(({ nodeName }) => onNode(nodeName, caches));
    case 'Job':
      return ofJob(change.key, change, caches);
    case 'MaintenanceWindow':
      return [['windows', change.key], ...allUpgrades(caches), ...unsettled(caches)];
    case 'MaintenanceProfile':
      // Once it has begun, a passage has a plan of its own.
      return [['profiles', change.key], ...allUpgrades(caches), ...inPhases(caches, ['Pending'])];
    case 'MaintenancePolicy':
      return [
        ['ledger', POLICY],
        ...allUpgrades(caches),
        ...(isOtherPolicy(change) ? unsettled(caches) : inPhases(caches, ASK_THE_LEDGER)),
      ];
    case 'ClusterUpgrade':
      // What Drydock says of an upgrade its passages do not read.
      return [
        ['upgrades', change.key],
        ['ledger', POLICY],
        ...(isOther(change) ? names([...caches.NodeMaintenance.by('upgrade', change.key)]) : []),
        ...(change.after?.readable ? [] : dueTo(change.key, caches)),
      ];
    case 'NodeMaintenance':
      return ofPassage(change.key, change, caches);
  }
}

/** The phases in which a passage asks the ledger for its ticket: every write of it is news for these, and for no others. */
const ASK_THE_LEDGER = ['Pending', 'Detaching', 'Starting'];

function ofNode(key: string, { before, after }: Both<NodeView>, caches: Caches): readonly Interest[] {
  const own: Interest[] = [...onNode(key, caches), ['sweep', key]];
  // A heartbeat brings a resourceVersion and nothing else; at 5,000 nodes there are 17 of them a second.
  if (before !== undefined && after !== undefined && same({ ...before, resourceVersion: after.resourceVersion }, after))
    return own;
  // A node that is gone cannot be asked for its Jobs any more.
  const left = after === undefined && before !== undefined ? [...caches.Job.by('node', before.uid)] : [];
  return [...own, ...allUpgrades(caches), ['ledger', POLICY], ...left.map(sweepOf)];
}

/** A budget concerns the drains of nodes that have a pod which it selects, or did until now, and who may return to such a node. */
function ofBudget(change: Both<BudgetView>, caches: Caches): readonly Interest[] {
  const budgets = seen(change);
  const namespace = budgets[0]?.namespace;
  const isSelected = (pod: PodView) => pod.namespace === namespace && covering(pod, budgets).length > 0;
  const isConcerned = (nodeName: string) => [...caches.Pod.by('node', nodeName)].some(isSelected);
  const draining = inPhase(caches, ['Draining']);
  return [
    ...named(draining.filter((passage) => passage.readable && isConcerned(passage.spec.nodeName))),
    ...returning(caches, isConcerned),
  ];
}

function ofJob(key: string, change: Both<JobView>, caches: Caches): readonly Interest[] {
  const job = change.after ?? change.before;
  if (job === undefined) return [];
  const nodeUID = job.labels['drydock.dev/node-uid'];
  // Another passage of that node may wait for this Job to end.
  const waiting = inPhase(caches, ['Starting']).filter(
    (passage) => passage.readable && passage.status.plan?.nodeUID === nodeUID,
  );
  return [
    ['passages', passageNameOf(job)],
    ...byUID(job.labels['drydock.dev/passage'], caches),
    ...named(waiting),
    ['ledger', POLICY],
    ['sweep', `${JOB_KEY}${key}`],
  ];
}

function ofPassage(key: string, change: Both<PassageObject>, caches: Caches): readonly Interest[] {
  const { after } = change;
  const both = seen(change);
  const upgrades = new Set(both.flatMap(({ labels }) => labels[UPGRADE_LABEL] ?? []));
  const nodes = new Set(both.flatMap((passage) => (passage.readable ? passage.spec.nodeName : [])));
  // Its node may be gone, and with it the key under which its Jobs would be swept.
  const ended = after === undefined || isSettled(after);
  const left = ended ? both.slice(0, 1).flatMap(({ uid }) => [...caches.Job.by('passage', uid)]) : [];
  return [
    ['passages', key],
    ['ledger', POLICY],
    ...[...upgrades].map((name) => ['upgrades', name] as const),
    ...[...nodes].map((name) => ['sweep', name] as const),
    ...left.map(sweepOf),
  ];
}

/** Whether more of the policy changed than its tickets: what closes windows, or whether the ledger may be believed. */
function isOtherPolicy({ before, after }: Both<PolicyObject>): boolean {
  if (isOther({ before, after })) return true;
  return !(before?.readable && after?.readable && isInOrder(before) === isInOrder(after));
}

/** Whether more of an object changed than its status, which Drydock writes itself. */
function isOther({ before, after }: Both<PolicyObject | UpgradeObject>): boolean {
  return (
    before?.uid !== after?.uid ||
    before?.generation !== after?.generation ||
    before?.deletedAt !== after?.deletedAt ||
    before?.readable !== after?.readable
  );
}

function isThere<V>({ before, after }: Both<V>): boolean {
  return before !== undefined && after !== undefined;
}

function seen<V>({ before, after }: Both<V>): V[] {
  return [before, after].flatMap((view) => view ?? []);
}

function sweepOf(job: JobView): Interest {
  return ['sweep', `${JOB_KEY}${job.name}`];
}

function named(passages: readonly PassageObject[]): Interest[] {
  return passages.map(({ name }) => ['passages', name] as const);
}

function names(passages: readonly PassageObject[]): Interest[] {
  return named(passages.filter((passage) => !isSettled(passage)));
}

/** The upgrades that put a node back and return to it when nothing is in its way any more. */
function returningTo(nodeName: string, caches: Caches): Interest[] {
  return returning(caches, (name) => name === nodeName);
}

function returning(caches: Caches, isMeant: (nodeName: string) => boolean): Interest[] {
  return [...caches.ClusterUpgrade.all()].flatMap((upgrade): Interest[] => {
    const isAwaited = upgrade.readable && upgrade.status.setAside.some(({ nodeName }) => isMeant(nodeName));
    return isAwaited ? [['upgrades', upgrade.name]] : [];
  });
}

/** The nodes with the soft taint of an upgrade, which nobody but the sweep takes back once it is gone. */
function dueTo(upgrade: string, caches: Caches): Interest[] {
  return [...caches.Node.all()].flatMap((node) => (dueFor(node) === upgrade ? [['sweep', node.name] as const] : []));
}

function onNode(nodeName: string, caches: Caches): Interest[] {
  return names([...caches.NodeMaintenance.by('node', nodeName)]);
}

function byUID(uid: string | undefined, caches: Caches): Interest[] {
  if (uid === undefined) return [];
  return named([...caches.NodeMaintenance.all()].filter((passage) => passage.uid === uid));
}

function allUpgrades(caches: Caches): Interest[] {
  return [...caches.ClusterUpgrade.all()].map(({ name }) => ['upgrades', name] as const);
}

function unsettled(caches: Caches): Interest[] {
  return names([...caches.NodeMaintenance.all()]);
}

function inPhases(caches: Caches, phases: readonly string[]): Interest[] {
  return named(inPhase(caches, phases));
}

function inPhase(caches: Caches, phases: readonly string[]): PassageObject[] {
  return [...caches.NodeMaintenance.all()].filter(
    (passage) => passage.readable && phases.includes(passage.status.state.phase),
  );
}
