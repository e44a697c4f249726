import type { JobView, NodeView } from '../../../src/core/world.ts';
import { COMPLETE, FAILED, pod as podOf } from '../../support/build.ts';
import { counted, removed } from './server.ts';
import { type Abandon, adding, change, drop, type Flight, lacking, putOne, type Request, type State } from './state.ts';
import { KINDS, type Modelled, type Tables, tableOf } from './tables.ts';
import { essence, older, olderStatus } from './times.ts';

/** One way on: what happens, and the state after it. */
export type Step = { readonly label: string; readonly state: State };

export const TARGET = 'v1.36.4';

/** Everything that may happen by itself: kubelets, workload controllers, the garbage collector, time. */
export function* environment(state: State): Generator<Step> {
  yield* pods(state);
  yield* jobs(state);
  yield* garbage(state);
  yield* time(state);
}

function* pods(state: State): Generator<Step> {
  for (const pod of state.truth.Pod.views) {
    if (pod.deletedAt !== undefined)
      yield { label: `pod ${pod.name} ends`, state: counted(drop(state, 'Pod', pod.name)) };
  }
  for (const { app, replicas } of state.rules.pods) {
    const own = state.truth.Pod.views.filter((pod) => pod.labels['app'] === app);
    const alive = own.filter(({ deletedAt }) => deletedAt === undefined);
    // One more than there should be: else a node that is drained and filled at once would never cease to be new.
    if (alive.length >= replicas || own.length > replicas) continue;
    const name = freeName(state, app);
    for (const node of state.truth.Node.views) {
      // A binding may be on its way for as long as the scheduler does not know of the cordon.
      const isLate = node.unschedulable;
      if (node.controlPlane || (isLate && (state.left.bindings === 0 || !state.justCordoned.includes(node.name))))
        continue;
      const left = isLate ? { ...state.left, bindings: state.left.bindings - 1 } : state.left;
      const late = isLate ? ', bound before its cordon was known' : '';
      const made = podOf(name, { resourceVersion: '1', nodeName: node.name, labels: { app } });
      yield {
        label: `pod ${name} is ready on ${node.name}${late}`,
        state: counted(putOne({ ...state, left }, 'Pod', made)),
      };
    }
  }
}

/** A name that nothing speaks of, so that what comes and goes does not make ever new worlds. */
function freeName(state: State, app: string): string {
  const spoken = new Set([...state.truth.Pod.views, ...state.seen.Pod.views].map(({ name }) => name));
  for (const { request } of state.flights)
    if (request.asks === 'perform' && request.effect.kind === 'evict') spoken.add(request.effect.pod);
  let number = 1;
  while (spoken.has(`${app}-${number}`)) number += 1;
  return `${app}-${number}`;
}

function* jobs(state: State): Generator<Step> {
  for (const job of state.truth.Job.views) {
    if (job.suspended || job.finished !== undefined) continue;
    const node = state.truth.Node.views.find(({ uid }) => uid === job.labels['drydock.dev/node-uid']);
    if (node === undefined) continue;
    yield { label: `the Job on ${node.name} ends well`, state: ended(state, job, node) };
    if (state.left.failures === 0) continue;
    const left = { ...state.left, failures: state.left.failures - 1 };
    const failed = change({ ...state, left }, 'Job', job, { started: true, finished: FAILED });
    yield {
      label: `the Job on ${node.name} fails`,
      state: { ...failed, failedOn: adding(state.failedOn, node.name) },
    };
  }
}

function ended(state: State, job: JobView, node: NodeView): State {
  const upgraded = change(state, 'Node', node, { kubeletVersion: TARGET });
  const own = upgraded.truth.Pod.views.filter(
    (pod) => pod.nodeName === node.name && pod.componentVersion !== undefined && pod.componentVersion !== TARGET,
  );
  const raised = own.reduce((next, pod) => putOne(next, 'Pod', { ...pod, componentVersion: TARGET }), upgraded);
  return change(raised, 'Job', job, { started: true, finished: COMPLETE });
}

/** The garbage collector deletes what belonged to an upgrade that is gone. */
function* garbage(state: State): Generator<Step> {
  for (const passage of state.truth.NodeMaintenance.views) {
    const isOwned = passage.owners.every(({ uid }) =>
      state.truth.ClusterUpgrade.views.some((each) => each.uid === uid),
    );
    if (isOwned || passage.deletedAt !== undefined) continue;
    const { name, uid } = passage;
    yield { label: `${name} is garbage`, state: removed(state, 'NodeMaintenance', name, { uid }).state };
  }
}

/** Five seconds pass: a scheduler knows of every cordon, and what was decided just now was decided a while ago. */
function* time(state: State): Generator<Step> {
  const aged = (tables: Tables) => ({
    ...tables,
    NodeMaintenance: tableOf('NodeMaintenance', tables.NodeMaintenance.views.map(older)),
  });
  yield {
    label: 'five seconds pass',
    state: {
      ...state,
      truth: aged(state.truth),
      seen: aged(state.seen),
      flights: state.flights.map(olderFlight),
      remembered: [],
      young: false,
      justCordoned: [],
    },
  };
}

const agedFlights = new WeakMap<Flight, Flight>();

function olderFlight(flight: Flight): Flight {
  const { request } = flight;
  if (request.asks !== 'store' || request.write.of !== 'NodeMaintenance') return flight;
  const aged = agedFlights.get(flight) ?? { ...flight, request: olderRequest(request) };
  agedFlights.set(flight, aged);
  return aged;
}

function olderRequest(request: Extract<Request, { asks: 'store' }>): Request {
  const { write } = request;
  return { asks: 'store', write: essence({ ...write, status: olderStatus(write.status as never) }) };
}

/** What people do: abandon something, once, and lift a cordon. */
export function* people(state: State): Generator<Step> {
  const { left, rules, truth } = state;
  if (left.abandons > 0) {
    const next = { ...state, left: { ...left, abandons: left.abandons - 1 } };
    for (const how of rules.abandons) yield* abandoned(next, how);
  }
  for (const window of truth.MaintenanceWindow.views) {
    if (!rules.reopens || !window.readable || !window.spec.paused) continue;
    const over = { spec: { ...window.spec, paused: false }, generation: window.generation + 1 };
    yield { label: 'the window opens again', state: change(state, 'MaintenanceWindow', window, over as never) };
  }
  if (left.uncordons === 0) return;
  for (const node of truth.Node.views) {
    if (!node.unschedulable) continue;
    const next = { ...state, left: { ...left, uncordons: left.uncordons - 1 } };
    const lifted = change(next, 'Node', node, { unschedulable: false });
    yield {
      label: `a person uncordons ${node.name}`,
      state: { ...lifted, ownCordons: lacking(lifted.ownCordons, node.name) },
    };
  }
}

function* abandoned(state: State, how: Abandon): Generator<Step> {
  const { truth } = state;
  switch (how) {
    case 'deleteUpgrade':
      for (const { name, uid } of truth.ClusterUpgrade.views)
        yield { label: 'a person deletes the upgrade', state: removed(state, 'ClusterUpgrade', name, { uid }).state };
      return;
    case 'deletePassage':
      for (const { name, uid, deletedAt } of truth.NodeMaintenance.views) {
        if (deletedAt !== undefined) continue;
        yield { label: `a person deletes ${name}`, state: removed(state, 'NodeMaintenance', name, { uid }).state };
      }
      return;
    case 'closeWindow':
      for (const window of truth.MaintenanceWindow.views) {
        if (!window.readable || window.spec.paused) continue;
        const over = { spec: { ...window.spec, paused: true }, generation: window.generation + 1 };
        yield { label: 'the window closes', state: change(state, 'MaintenanceWindow', window, over as never) };
      }
  }
}

const lateFlights = new WeakMap<Flight, Flight>();

/** The process dies: its memory is gone, and what it has sent may land late or never. Another begins, and lists. */
export function* crash(state: State): Generator<Step> {
  if (state.left.crashes === 0) return;
  const flights = state.flights.map((flight) => {
    const late = lateFlights.get(flight) ?? { ...flight, late: true };
    lateFlights.set(flight, late);
    return late;
  });
  const left = { ...state.left, crashes: state.left.crashes - 1 };
  yield {
    label: flights.length === 0 ? 'the process dies, another begins' : 'the process dies with requests on their way',
    state: { ...state, left, flights, seen: state.truth, remembered: [], young: true },
  };
}

/** A cache that is behind catches up. */
export function* syncs(state: State): Generator<Step> {
  for (const kind of KINDS) {
    if (state.seen[kind] === state.truth[kind]) continue;
    yield { label: `the cache of ${kind} catches up`, state: caughtUp(state, kind) };
  }
}

function caughtUp(state: State, kind: Modelled): State {
  return { ...state, seen: { ...state.seen, [kind]: state.truth[kind] } };
}
