import type { Blocker } from '../api/blocker.ts';
import type { UpgradeSpec } from '../api/cluster-upgrade.ts';
import type { Ticket } from '../api/maintenance-policy.ts';
import type { Drain } from '../api/maintenance-profile.ts';
import type { Because } from './because.ts';
import { MOST_SAID } from './hindrance.ts';
import { controlPlaneTicket, type Ledger, MOST_TICKETS, type Request } from './ledger.ts';
import { HOLD, LEFT_CORDONED, TAKE_NOT_READY } from './mark.ts';
import { matches } from './selector.ts';
import { isDue, type SetAside, stillInTheWay } from './set-aside.ts';
import { isDone, type Target } from './target.ts';
import { type ControlPlane, workersMayFollow } from './version.ts';
import type { NodeView } from './world.ts';

/** Taints by which others announce that a node is about to go. */
const LEAVING = new Set([
  'ToBeDeletedByClusterAutoscaler',
  'karpenter.sh/disrupted',
  'DeletionCandidateOfClusterAutoscaler',
]);
/** Whether a node of ours failed and waits for a person or a retry: it was never given back, so it is not done, whatever runs on it. */
export function wasLeft(node: NodeView, takeOver: ReadonlySet<string>): boolean {
  return takeOver.has(node.name) && node.annotations[LEFT_CORDONED] !== undefined;
}

/** How many are meant by an integer or a percentage: rounds down, at least 1. */
export function share(value: number | string, of: number): number {
  const wanted = typeof value === 'number' ? value : Math.floor((of * Number.parseInt(value, 10)) / 100);
  return Math.max(1, wanted);
}

/** Everything a choice of nodes depends on. */
export type ChoiceFacts = SetAside & {
  readonly upgrade: { readonly name: string; readonly uid: string; readonly spec: UpgradeSpec };
  readonly target: Target;
  readonly nodes: readonly NodeView[];
  readonly controlPlane: ControlPlane;
  readonly ledger: Ledger;
  readonly policyMaxUnavailable: number | string;
  readonly drain: Drain;
  /** Nodes that failed and wait for a raise of `retry`, and those whose passage has not ended. */
  readonly failed: ReadonlySet<string>;
  /** Nodes whose Failed passage is settled: a new ticket takes the old one's place. */
  readonly takeOver: ReadonlySet<string>;
};

/** Nodes to admit now, or why there are none. */
export type Choice = { readonly requests: readonly Request[]; readonly because: Because };

/** The selected nodes of an upgrade, in their order. */
export function selected(nodes: readonly NodeView[], spec: UpgradeSpec): readonly NodeView[] {
  return nodes.filter(({ labels }) => matches(spec.nodes.selector, labels)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Chooses nodes: a pure function, run on a live list before anything is written to the ledger. */
export function choose(facts: ChoiceFacts): Choice {
  const { now, ledger, target, controlPlane, nodes } = facts;
  const { mine, held, todo, ready, isThrough } = sorted(facts);

  const controlPlanes = ready.filter((node) => node.controlPlane);
  // One that runs the release but is still being verified, or failed at that, is not a control plane to follow yet.
  const isUnproven = ({ name }: NodeView) => facts.failed.has(name) && held.has(name);
  const laggards = mine.filter((node) => node.controlPlane && (!isThrough(node) || isUnproven(node)));
  const workers = ready.filter((node) => !node.controlPlane);
  const busy = controlPlaneTicket(ledger);
  if (laggards.length > 0) {
    if (busy !== undefined && !facts.takeOver.has(busy.nodeName)) {
      return none(outNow(busy, nodes));
    }
    // Its own failed ticket may give way to a retry of that node, never to another control plane beside it.
    const [next] = controlPlanes.filter(({ name }) => busy === undefined || busy.nodeName === name);
    return next === undefined ? none(idle(todo, facts)) : admissible([next], mine, held, facts);
  }
  if (target.kind === 'version' && !workersMayFollow(target.version, controlPlane)) {
    const behind = nodes.filter((node) => node.controlPlane && !isDone(node, target, controlPlane, now));
    return none({ reason: 'WaitingForControlPlane', nodes: behind.map(({ name }) => name).sort() });
  }
  if (workers.length === 0) return none(idle(todo, facts));
  return admissible(workers, mine, held, facts);
}

/** By the very facts: one pass asks several times, and going through thousands of nodes is most of what it costs. */
const SORTED = new WeakMap<ChoiceFacts, Sorted>();
type Sorted = ReturnType<typeof sort>;

function sorted(facts: ChoiceFacts): Sorted {
  const known = SORTED.get(facts) ?? sort(facts);
  SORTED.set(facts, known);
  return known;
}

/** The selected nodes, with those still to do and those of them that could be next, in their order. */
function sort(facts: ChoiceFacts) {
  const { now, ledger, target, controlPlane, upgrade, nodes } = facts;
  const isThrough = (node: NodeView) => !wasLeft(node, facts.takeOver) && isDone(node, target, controlPlane, now);
  const mine = selected(nodes, upgrade.spec);
  const held = new Map(ledger.status.tickets.map((ticket) => [ticket.nodeName, ticket]));
  const todo = mine.filter((node) => !isThrough(node) && isFree(node, held.get(node.name), facts));
  const ready = todo.filter((node) => canBegin(node) && isDue(node, facts) && stillInTheWay(node, facts).length === 0);
  return { mine, held, todo, ready, isThrough };
}

/** The nodes that nobody has taken yet and that are not where they should be. */
export function stillToDo(facts: ChoiceFacts): readonly NodeView[] {
  return sorted(facts).todo;
}

/** What is in the way of nodes that were put back and could be returned to otherwise. */
export function inTheWayOfReturns(facts: ChoiceFacts): readonly Blocker[] {
  // Of most rollouts none was put back: then there is no need to go through all nodes once more.
  if (facts.setAside.size === 0) return [];
  return sorted(facts).todo.flatMap((node) => (canBegin(node) ? stillInTheWay(node, facts) : []));
}

/** The nodes that will be chosen if everything stays as it is, in the order in which they will be, and how many at once. */
export function upcoming(facts: ChoiceFacts): { readonly nodes: readonly NodeView[]; readonly atOnce: number } {
  const { mine, ready } = sorted(facts);
  const limits = limitsOf(mine, () => false, facts).map(({ limit }) => limit);
  return {
    nodes: [...ready.filter((node) => node.controlPlane), ...ready.filter((node) => !node.controlPlane)],
    atOnce: Math.min(...limits),
  };
}

function none(because: Because): Choice {
  return { requests: [], because };
}

/** A node is free when nobody has its ticket, or when its own failed passage gives way to a retry. */
function isFree(node: NodeView, ticket: Ticket | undefined, { failed, takeOver }: ChoiceFacts): boolean {
  if (failed.has(node.name)) return false;
  return ticket === undefined || takeOver.has(node.name);
}

function canBegin(node: NodeView): boolean {
  if (node.deleting || node.annotations[HOLD] !== undefined) return false;
  if (node.taints.some(({ key }) => LEAVING.has(key))) return false;
  return node.ready || node.annotations[TAKE_NOT_READY] !== undefined;
}

function idle(todo: readonly NodeView[], facts: ChoiceFacts): Because {
  const { setAside, now } = facts;
  const unavailable = todo.filter((node) => !canBegin(node)).map(({ name }) => name);
  if (unavailable.length > 0) return { reason: 'NodesUnavailable', nodes: unavailable };
  const waiting = todo.flatMap(({ name }) => {
    const until = setAside.get(name);
    return until !== undefined && until > now ? [{ name, until }] : [];
  });
  if (waiting.length === 0) {
    const blockers = inTheWayOfReturns(facts);
    if (blockers.length > 0) return { reason: 'StillInTheWay', blockers: blockers.slice(0, MOST_SAID) };
    return takenByOthers(facts) ?? { reason: 'Rolling', inFlight: 0, waiting: todo.length };
  }
  return {
    reason: 'SetAside',
    nodes: waiting.map(({ name }) => name),
    until: Math.min(...waiting.map(({ until }) => until)),
  };
}

/** The first node that somebody else has: a hold, or another upgrade. */
function takenByOthers({ ledger, nodes, upgrade, target, controlPlane, now }: ChoiceFacts): Because | undefined {
  for (const node of selected(nodes, upgrade.spec)) {
    const ticket = ledger.status.tickets.find(({ nodeName }) => nodeName === node.name);
    if (ticket === undefined || ticket.holder.uid === upgrade.uid || isDone(node, target, controlPlane, now)) continue;
    return { reason: 'NodeBusy', node: node.name, holder: `${ticket.holder.kind} ${ticket.holder.name}` };
  }
  return undefined;
}

/** What the one control plane that has a ticket has it for. */
function outNow(busy: Ticket, nodes: readonly NodeView[]): Because {
  if (busy.purpose === 'EtcdSnapshot') return { reason: 'SavingEtcd', node: busy.nodeName };
  return { reason: 'ControlPlaneTicket', node: busy.nodeName, failed: isFailedTicket(busy, nodes) };
}

function isFailedTicket(ticket: Ticket, nodes: readonly NodeView[]): boolean {
  return nodes.find(({ name }) => name === ticket.nodeName)?.annotations[LEFT_CORDONED] !== undefined;
}

/** Whether a node is out of service by itself or by other hands. */
function isOut(node: NodeView): boolean {
  return node.unschedulable || !node.ready;
}

/** Takes as many candidates as there is room for, in the upgrade and in the cluster; one already out needs no room. */
function admissible(
  candidates: readonly NodeView[],
  mine: readonly NodeView[],
  held: ReadonlyMap<string, Ticket>,
  facts: ChoiceFacts,
): Choice {
  const { ledger } = facts;
  const places = MOST_TICKETS - ledger.status.tickets.length;
  if (places <= 0) return none({ reason: 'LedgerFull' });
  const counts = (node: NodeView) =>
    isTicketed(node, held) || (facts.upgrade.spec.rollout.foreign === 'Count' && isOut(node));
  const limits = limitsOf(mine, counts, facts);
  const leaves = facts.drain.mode === 'Leave';
  let room = Math.min(...limits.map(({ limit, out, extra }) => limit - out.length - extra));
  const taken: NodeView[] = [];
  // Those already out first: they wait for nobody, but what nobody counted yet takes its room from those behind.
  for (const node of [...candidates.filter(isOut), ...candidates.filter((candidate) => !isOut(candidate))]) {
    if (taken.length === places) break;
    const takes = leaves || counts(node) ? 0 : 1;
    if (!leaves && !isOut(node) && room < takes) continue;
    room -= takes;
    taken.push(node);
  }
  if (taken.length === 0) {
    const full = limits.find(({ limit, out, extra }) => limit - out.length - extra <= 0) ?? limits[0];
    const foreign = full.out.filter((node) => !isTicketed(node, held)).map(({ name }) => name);
    const left = full.out.filter(({ annotations }) => annotations[LEFT_CORDONED] !== undefined).map(({ name }) => name);
    return none({ reason: 'NoRoom', out: full.out.length + full.extra, limit: full.limit, foreign, left, of: full.of });
  }
  return {
    requests: taken.map((node) => request(node, facts)),
    because: { reason: 'Admitting', nodes: taken.map(({ name }) => name) },
  };
}

/** Whether a node has a ticket that counts as out. */
function isTicketed(node: NodeView, held: ReadonlyMap<string, Ticket>): boolean {
  return (held.get(node.name)?.mode ?? 'Leave') !== 'Leave';
}

/** How many may be out and which are, among the selected nodes and in the cluster; tickets of vanished nodes count in the latter. */
function limitsOf(
  mine: readonly NodeView[],
  counts: (node: NodeView) => boolean,
  { upgrade, nodes, ledger, policyMaxUnavailable }: ChoiceFacts,
) {
  const names = new Set(nodes.map(({ name }) => name));
  const vanished = ledger.status.tickets.filter(({ mode, nodeName }) => mode !== 'Leave' && !names.has(nodeName));
  const workers = mine.filter((node) => !node.controlPlane).length;
  const ofUpgrade = share(upgrade.spec.rollout.maxUnavailable, workers);
  const ofCluster = share(policyMaxUnavailable, nodes.length);
  return [
    { of: 'upgrade', limit: ofUpgrade, out: mine.filter(counts), extra: 0 },
    { of: 'cluster', limit: ofCluster, out: nodes.filter(counts), extra: vanished.length },
  ] as const;
}

function request(node: NodeView, { upgrade, target, drain }: ChoiceFacts): Request {
  return {
    nodeName: node.name,
    nodeUID: node.uid,
    target: target.text,
    profileName: upgrade.spec.profileName,
    holder: { kind: 'ClusterUpgrade', name: upgrade.name, uid: upgrade.uid },
    controlPlane: node.controlPlane,
    mode: drain.mode,
  };
}
