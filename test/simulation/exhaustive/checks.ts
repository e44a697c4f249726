import { edges, type Phase } from '../../../src/api/phases.ts';
import { isAtWork, isSettled, isUpgradeJob } from '../../../src/core/ledger.ts';
import { HELD_BY, LEFT_CORDONED, readMark } from '../../../src/core/mark.ts';
import { dueFor, isCordonedBy } from '../../../src/core/patch.ts';
import { atLeast } from '../../../src/core/version.ts';
import type { NodeView, PassageObject } from '../../../src/core/world.ts';
import type { Guarantee } from '../truth.ts';
import { TARGET } from './environment.ts';
import type { Flight, State } from './state.ts';

/** A guarantee that does not hold, and how. */
export type Violation = { readonly guarantee: Guarantee; readonly text: string };

const SETTLED: readonly string[] = ['Succeeded', 'Skipped', 'Cancelled'];

function stateOf(passage: PassageObject | undefined) {
  return passage?.readable ? passage.status.state : undefined;
}

function passageBy(state: State, uid: string): PassageObject | undefined {
  return state.truth.NodeMaintenance.views.find((passage) => passage.uid === uid);
}

function ticketsOf(state: State) {
  const policy = state.truth.MaintenancePolicy.get('cluster');
  return policy?.readable ? policy.status.tickets : [];
}

/** What must hold at the moment when something is asked for: U1 is about the look, not about when its answer lands. */
export function whenSent(state: State, { request, worker }: Flight): Violation | undefined {
  if (request.asks !== 'store' || request.write.of !== 'NodeMaintenance') return undefined;
  const there = state.truth.NodeMaintenance.get(request.write.name);
  const { state: to } = request.write.status as { readonly state: { readonly phase: Phase } };
  if (!there?.readable || to.phase !== 'Detaching' || there.status.state.phase !== 'Draining') return undefined;
  const { nodeName } = there.spec;
  const node = state.truth.Node.get(nodeName);
  const bound = state.truth.Pod.views.find((pod) => pod.nodeName === nodeName && !pod.mirror);
  if (bound !== undefined)
    return { guarantee: 'U1', text: `${worker} goes on while ${bound.name} is bound to ${nodeName}` };
  if (node === undefined || !isCordonedBy(node, there.uid))
    return { guarantee: 'U1', text: `${worker} goes on while ${nodeName} is not cordoned` };
  return state.justCordoned.includes(nodeName) && !state.lateOn.includes(nodeName)
    ? { guarantee: 'U1', text: `${worker} goes on less than five seconds after the cordon of ${nodeName}` }
    : undefined;
}

/** What must hold when a request has been carried out, before and after it. */
export function whenLanded(before: State, after: State, flight: Flight): Violation | undefined {
  const { request } = flight;
  if (before.truth === after.truth) return undefined;
  if (request.asks === 'store')
    return request.write.of === 'NodeMaintenance' ? passageMoved(before, after, request.write.name) : undefined;
  const { effect } = request;
  switch (effect.kind) {
    case 'patchNode':
      return (
        patched(before, after, effect.nodeName) ?? atTheDoor(before, flight, effect.nodeName, effect.as === 'cordon')
      );
    case 'evict':
      return floor(before, after, effect.pod) ?? atTheDoor(before, flight, undefined, true);
    case 'createJob':
    case 'releaseJob':
      return atTheDoor(before, flight, undefined, true);
    case 'writeLedger':
      return effect.as === 'admit' ? admitted(after) : undefined;
    default:
      return undefined;
  }
}

function passageMoved(before: State, after: State, name: string): Violation | undefined {
  const passage = after.truth.NodeMaintenance.get(name);
  const [from, to] = [stateOf(before.truth.NodeMaintenance.get(name))?.phase, stateOf(passage)?.phase];
  if (from === undefined || to === undefined || from === to || !passage?.readable) return undefined;
  if (!(edges[from] as readonly Phase[]).includes(to))
    return { guarantee: 'S1', text: `${name} went from ${from} to ${to}` };
  const node = after.truth.Node.get(passage.spec.nodeName);
  const holds = node !== undefined && readMark(node, HELD_BY)?.uid === passage.uid;
  return SETTLED.includes(to) && holds && !after.lateOn.includes(node.name)
    ? { guarantee: 'C1', text: `${name} is ${to} while its mark is on ${passage.spec.nodeName}` }
    : undefined;
}

function patched(before: State, after: State, name: string): Violation | undefined {
  const [was, is] = [before.truth.Node.get(name), after.truth.Node.get(name)];
  if (!was?.unschedulable || is?.unschedulable) return undefined;
  if (before.ownCordons.includes(name))
    return { guarantee: 'C2', text: `the cordon of a person on ${name} was lifted` };
  const mark = readMark(was, HELD_BY) ?? readMark(was, LEFT_CORDONED);
  return mark === undefined ? { guarantee: 'C2', text: `${name} was uncordoned without a mark of ours` } : undefined;
}

/** What lands after its process has died was decided by what was true then: it is made harmless, not impossible. */
function atTheDoor(state: State, flight: Flight, node: string | undefined, asks: boolean): Violation | undefined {
  if (!asks || flight.late || flight.passageUID === '') return undefined;
  const passage = passageBy(state, flight.passageUID);
  const nodeName = node ?? (passage?.readable ? passage.spec.nodeName : '');
  const ticket = ticketsOf(state).find((each) => each.nodeName === nodeName);
  if (ticket?.passageUID === flight.passageUID) return undefined;
  const what = flight.request.asks === 'perform' ? flight.request.effect.kind : 'store';
  return { guarantee: 'T1', text: `${what} on ${nodeName} by ${flight.worker} without a ticket that it has stamped` };
}

function floor(before: State, after: State, pod: string): Violation | undefined {
  const gone = before.truth.Pod.views.find(({ name }) => name === pod);
  const broken = after.truth.PodDisruptionBudget.views.find(
    (budget) =>
      budget.selector?.matchLabels['app'] === gone?.labels['app'] && budget.currentHealthy < budget.desiredHealthy,
  );
  if (broken === undefined) return undefined;
  const { name, currentHealthy, desiredHealthy } = broken;
  return {
    guarantee: 'B1',
    text: `${pod} was evicted: ${name} has ${currentHealthy} healthy pods and needs ${desiredHealthy}`,
  };
}

function admitted(after: State): Violation | undefined {
  const tickets = ticketsOf(after);
  const isOut = (node: NodeView) => tickets.some(({ nodeName }) => nodeName === node.name) || node.unschedulable;
  const out = after.truth.Node.views.filter(isOut).length;
  // A node that was out before takes no room, so those that others took out may be more than the limit.
  const most = Math.max(after.rules.maxUnavailable, after.ownCordons.length);
  if (out > most) return { guarantee: 'N1', text: `${out} nodes are out after an admission, ${most} may be` };
  const behind = after.truth.Node.views.filter((node) => node.controlPlane && !atLeast(node.kubeletVersion, TARGET));
  const early = tickets.find(({ controlPlane }) => !controlPlane);
  return early !== undefined && behind.length > 0
    ? { guarantee: 'V1', text: `${early.nodeName} is admitted before ${behind[0]?.name}` }
    : undefined;
}

/** What must hold in every state. */
export function always(state: State): Violation | undefined {
  if (ticketsOf(state).filter(({ controlPlane }) => controlPlane).length > 1)
    return { guarantee: 'T1', text: 'two control planes have a ticket' };
  const attempts = state.begun.map((each) => each.split('/').slice(0, 2).join('/'));
  if (new Set(attempts).size < attempts.length)
    return { guarantee: 'J1', text: `an attempt was released twice: ${state.begun}` };
  for (const job of state.truth.Job.views) {
    if (!isUpgradeJob(job) || !isAtWork(job)) continue;
    const uid = job.labels['drydock.dev/passage'] ?? '';
    const stands = stateOf(passageBy(state, uid));
    const isRecorded = stands !== undefined && 'jobUID' in stands && stands.jobUID === job.uid;
    if (!isRecorded)
      return {
        guarantee: 'J1',
        text: `Job ${job.name} is at work and its passage does not know it (${stands?.phase})`,
      };
    const node = state.truth.Node.views.find((each) => each.uid === job.labels['drydock.dev/node-uid']);
    if (!ticketsOf(state).some(({ passageUID }) => passageUID === uid))
      return { guarantee: 'T1', text: `Job ${job.name} is at work on ${node?.name} without a ticket` };
  }
  return undefined;
}

/** What must hold when nothing is left to happen. */
export function atRest(state: State): Violation | undefined {
  for (const node of state.truth.Node.views) {
    const broken = nodeAtRest(state, node);
    if (broken !== undefined) return broken;
  }
  const unsettled = state.truth.NodeMaintenance.views.find((passage) => !isSettled(passage));
  if (unsettled !== undefined)
    return { guarantee: 'L1', text: `${unsettled.name} stays in ${stateOf(unsettled)?.phase}` };
  const [job] = state.truth.Job.views;
  if (job !== undefined) return { guarantee: 'C3', text: `Job ${job.name} outlives its passage` };
  const ticket = ticketsOf(state).find(({ nodeName }) => !isLeft(state, nodeName));
  if (ticket !== undefined) return { guarantee: 'L1', text: `the ticket of ${ticket.nodeName} never comes back` };
  const [upgrade] = state.truth.ClusterUpgrade.views;
  if (upgrade?.deletedAt !== undefined) return { guarantee: 'L1', text: 'the deleted upgrade never goes' };
  const isClosed = state.truth.MaintenanceWindow.views.some((window) => window.readable && window.spec.paused);
  const behind = state.truth.Node.views.find((node) => isSelected(node) && !atLeast(node.kubeletVersion, TARGET));
  if (behind === undefined || upgrade === undefined || isClosed || state.failedOn.length > 0) return undefined;
  return { guarantee: 'L1', text: `${behind.name} is never upgraded` };
}

function nodeAtRest(state: State, node: NodeView): Violation | undefined {
  const { name } = node;
  const mark = readMark(node, HELD_BY);
  if (mark !== undefined) return { guarantee: 'C3', text: `${name} still carries the mark of ${mark.nodeMaintenance}` };
  if (dueFor(node) !== undefined) return { guarantee: 'C3', text: `${name} still carries the soft taint` };
  if (readMark(node, LEFT_CORDONED) !== undefined && !state.failedOn.includes(name))
    return { guarantee: 'C1', text: `${name} was left cordoned though no Job has failed on it` };
  const isExplained = isLeft(state, name) || state.ownCordons.includes(name);
  if (node.unschedulable && !isExplained) return { guarantee: 'C1', text: `${name} stays cordoned` };
  return state.ownCordons.includes(name) && !node.unschedulable
    ? { guarantee: 'C2', text: `the cordon of a person on ${name} is gone` }
    : undefined;
}

function isLeft(state: State, name: string): boolean {
  const node = state.truth.Node.get(name);
  return node !== undefined && readMark(node, LEFT_CORDONED) !== undefined;
}

function isSelected({ labels }: NodeView): boolean {
  return labels['upgrade'] === 'yes';
}
