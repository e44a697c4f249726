import { maintenancePolicy } from '../../../src/api/maintenance-policy.ts';
import { nodeMaintenance } from '../../../src/api/node-maintenance.ts';
import { covering } from '../../../src/core/budget.ts';
import { type Changes, type Effect, tainted } from '../../../src/core/effect.ts';
import { PASSAGE_FINALIZER } from '../../../src/core/node-pending.ts';
import type { BudgetView, NodeView, PodView, World } from '../../../src/core/world.ts';
import { NOW } from '../../support/build.ts';
import { adding, change, drop, put, putOne, type Request, type State, spoken } from './state.ts';
import type { Modelled } from './tables.ts';

/** What became of a request. */
export type Landed = {
  readonly state: State;
  readonly outcome: 'ok' | 'gone' | 'conflict' | 'blocked' | 'exists';
};

type Own = 'MaintenancePolicy' | 'ClusterUpgrade' | 'NodeMaintenance';
type Version = { readonly uid: string; readonly resourceVersion?: string };

/** The API server handles a request: UIDs, resourceVersions, finalizers and budgets as it knows them. */
export function land(state: State, request: Request): Landed {
  if (request.asks === 'perform') return perform(state, request.effect);
  const { of, name, uid, resourceVersion, status } = request.write;
  // A blind write is what a merge patch without resourceVersion would be.
  const blind = state.rules.variant === 'no precondition on status writes';
  return written(state, of as Own, name, blind ? { uid } : { uid, resourceVersion }, { status } as never);
}

function perform(state: State, effect: Effect): Landed {
  switch (effect.kind) {
    case 'patchNode':
      return patchNode(state, effect);
    case 'evict':
      return evict(state, effect);
    case 'tryEvict':
      return { state, outcome: 'ok' };
    case 'createJob':
      return createJob(state, effect);
    case 'releaseJob': {
      const landed = written(state, 'Job', effect.name, effect, { suspended: false, released: true });
      const job = state.truth.Job.get(effect.name);
      if (landed.outcome !== 'ok' || job === undefined) return landed;
      const attempt = `${job.labels['drydock.dev/passage']}/${job.name.slice(job.name.lastIndexOf('-') + 1)}/${job.uid}`;
      return { ...landed, state: { ...landed.state, begun: adding(state.begun, attempt) } };
    }
    case 'deleteJob':
      return removed(state, 'Job', effect.name, effect);
    case 'createPassage':
      return createPassage(state, effect);
    case 'deletePassage':
      return removed(state, 'NodeMaintenance', effect.name, effect);
    case 'createPolicy':
      return createPolicy(state, effect.name);
    case 'setFinalizers':
      return written(state, effect.of as Own, effect.name, effect, { finalizers: effect.finalizers });
    case 'writeLedger': {
      const blind = state.rules.variant === 'no precondition on status writes';
      const at = blind ? { uid: effect.uid } : effect;
      return written(state, 'MaintenancePolicy', 'cluster', at, { status: effect.status } as never);
    }
  }
}

function written<K extends Modelled>(
  state: State,
  kind: K,
  name: string,
  at: Version,
  over: Partial<World[K]> & { readonly finalizers?: readonly string[] },
): Landed {
  const there = state.truth[kind].get(name) as World[K] | undefined;
  if (there === undefined) return { state, outcome: 'gone' };
  if (there.uid !== at.uid || (at.resourceVersion ?? there.resourceVersion) !== there.resourceVersion)
    return { state, outcome: 'conflict' };
  const isOver = 'deletedAt' in there && there.deletedAt !== undefined && over.finalizers?.length === 0;
  if (isOver) return { state: drop(state, kind, name), outcome: 'ok' };
  return { state: change(state, kind, there, over), outcome: 'ok' };
}

/** A deletion: at once where no finalizer keeps the object, else it is only said. */
export function removed<K extends Modelled>(state: State, kind: K, name: string, at: Version): Landed {
  const there = state.truth[kind].get(name) as World[K] | undefined;
  if (there === undefined) return { state, outcome: 'gone' };
  if (there.uid !== at.uid || (at.resourceVersion ?? there.resourceVersion) !== there.resourceVersion)
    return { state, outcome: 'conflict' };
  const isKept = 'finalizers' in there && there.finalizers.length > 0;
  if (!isKept) return { state: drop(state, kind, name), outcome: 'ok' };
  if ('deletedAt' in there && there.deletedAt !== undefined) return { state, outcome: 'ok' };
  return { state: change(state, kind, there, { deletedAt: NOW } as never), outcome: 'ok' };
}

function patchNode(state: State, effect: Extract<Effect, { kind: 'patchNode' }>): Landed {
  const { nodeName, resourceVersion, unschedulable, taints, labels, annotations } = effect;
  const node = state.truth.Node.get(nodeName);
  if (node === undefined) return { state, outcome: 'gone' };
  if (node.resourceVersion !== resourceVersion) return { state, outcome: 'conflict' };
  const over: Partial<NodeView> = {
    ...(unschedulable === undefined ? {} : { unschedulable }),
    ...(taints === undefined ? {} : { taints: tainted(taints) }),
    labels: patched(node.labels, labels),
    annotations: patched(node.annotations, annotations),
  };
  const next = change(state, 'Node', node, over);
  const isCut = unschedulable === true && !node.unschedulable;
  return {
    state: isCut ? { ...next, justCordoned: adding(state.justCordoned, nodeName) } : next,
    outcome: 'ok',
  };
}

function patched(before: Readonly<Record<string, string>>, changes: Changes = {}): Record<string, string> {
  const all = Object.entries({ ...before, ...changes }).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== null));
}

/** kubernetes pkg/registry/core/pod/storage/eviction.go: a pod on its way out is let go without asking a budget again. */
function evict(state: State, { namespace, pod: name, uid }: Extract<Effect, { kind: 'evict' }>): Landed {
  const pod = state.truth.Pod.get(`${namespace}/${name}`);
  if (pod === undefined) return { state, outcome: 'gone' };
  if (pod.uid !== uid) return { state, outcome: 'conflict' };
  if (pod.deletedAt !== undefined) return { state, outcome: 'ok' };
  const isAllowed = covering(pod, state.truth.PodDisruptionBudget.views).every(
    ({ disruptionsAllowed }) => disruptionsAllowed > 0,
  );
  if (!isAllowed && state.rules.variant !== 'pods are deleted') return { state, outcome: 'blocked' };
  return { state: counted(putOne(state, 'Pod', { ...pod, deletedAt: NOW })), outcome: 'ok' };
}

/**
 * The disruption controller counts; that it may be late only makes evictions slower, so it is not. Nobody writes a pod or a
 * budget against a resourceVersion, so they have always the same.
 */
export function counted(state: State): State {
  const budgets = state.truth.PodDisruptionBudget.views.map((budget) => recounted(budget, state.truth.Pod.views));
  return put(state, 'PodDisruptionBudget', budgets);
}

function recounted(budget: BudgetView, pods: readonly PodView[]): BudgetView {
  const healthy = pods.filter((pod) => covering(pod, [budget]).length > 0 && pod.deletedAt === undefined && pod.ready);
  if (healthy.length === budget.currentHealthy) return budget;
  return {
    ...budget,
    currentHealthy: healthy.length,
    disruptionsAllowed: Math.max(0, healthy.length - budget.desiredHealthy),
  };
}

function createJob(state: State, { name, manifest }: Extract<Effect, { kind: 'createJob' }>): Landed {
  if (state.truth.Job.get(name) !== undefined) return { state, outcome: 'exists' };
  const { labels } = manifest['metadata'] as { labels: Record<string, string> };
  const { suspend } = manifest['spec'] as { suspend: boolean };
  const uid = freshUID(state, name);
  const job = { name, uid, resourceVersion: '1', labels, suspended: suspend, released: false, createdAt: NOW } as const;
  return { state: putOne(state, 'Job', { ...job, deleting: false, started: false }), outcome: 'ok' };
}

function createPassage(state: State, effect: Extract<Effect, { kind: 'createPassage' }>): Landed {
  const { name, labels, owner, spec } = effect;
  if (state.truth.NodeMaintenance.get(name) !== undefined) return { state, outcome: 'exists' };
  const uid = freshUID(state, name);
  const status = { ...nodeMaintenance.status.parse({}), conditions: [] };
  const metadata = { name, uid, resourceVersion: '1', generation: 1, createdAt: NOW, labels, annotations: {} };
  const kept = { finalizers: [PASSAGE_FINALIZER], owners: [owner] };
  return {
    state: putOne(state, 'NodeMaintenance', { ...metadata, ...kept, readable: true, spec, status }),
    outcome: 'ok',
  };
}

function createPolicy(state: State, name: string): Landed {
  if (state.truth.MaintenancePolicy.get(name) !== undefined) return { state, outcome: 'exists' };
  const uid = freshUID(state, name);
  const spec = { ...maintenancePolicy.spec.parse({}), maxUnavailable: state.rules.maxUnavailable };
  const metadata = { name, uid, resourceVersion: '1', generation: 1, createdAt: NOW, labels: {}, annotations: {} };
  const rest = {
    finalizers: [],
    owners: [],
    readable: true,
    spec,
    status: maintenancePolicy.status.parse({}),
  } as const;
  return { state: putOne(state, 'MaintenancePolicy', { ...metadata, ...rest }), outcome: 'ok' };
}

/** What is made again under a name is another object; a UID of which nobody speaks any more may come again. */
function freshUID(state: State, name: string): string {
  const words = spoken(state);
  let number = 1;
  while (words.has(`${name}#${number}`) || state.begun.some((each) => each.includes(`${name}#${number}`))) number += 1;
  return `${name}#${number}`;
}
