import { type ChoiceFacts, upcoming } from './choice.ts';
import { HELD_BY, readMark } from './mark.ts';
import { dueFor, steerPatch, unsteerPatch } from './patch.ts';
import type { Rollout, RolloutDecision, RolloutFacts } from './rollout-facts.ts';
import type { NodeView } from './world.ts';

/** In one pass: an admission waits until the API server has answered. */
const MOST_PATCHES = 20;
const AGAIN_MS = 60_000;
const SOON_SECONDS = 10;
const ROOM: ReadonlySet<string> = new Set(['Admitting', 'NoRoom', 'LedgerFull']);

/**
 * The nodes that should carry the soft taint of an upgrade, those that have it first: pods that leave another node would
 * move again with these. As many as may be out at once are left without it: those that are done, or else the last.
 * None before anything is on its way; a node that has the taint keeps it as long as it is to do, for each write of a node costs
 * all who watch it.
 */
export function due(facts: ChoiceFacts): readonly NodeView[] {
  const { upgrade, drain } = facts;
  const { name, spec } = upgrade;
  if (!spec.rollout.steer || drain.mode !== 'Drain') return [];
  const open = openTo(facts);
  const isOpen = new Set(open.map((node) => node.name));
  const next = upcoming(facts);
  const could = next.nodes.filter((node) => isOpen.has(node.name));
  const has = could.filter((node) => dueFor(node) === name);
  const lacks = isBegun(facts) ? could.filter((node) => dueFor(node) !== name) : [];
  return [...has, ...lacks].slice(0, Math.max(0, open.length - next.atOnce));
}

/** Whether a node of this upgrade is on its way. */
function isBegun({ upgrade, ledger, takeOver }: ChoiceFacts): boolean {
  return ledger.status.tickets.some(({ holder, nodeName }) => holder.uid === upgrade.uid && !takeOver.has(nodeName));
}

/** Where pods go: Ready, schedulable, about to be taken by nobody, and without any taint but the one of this upgrade. */
function openTo({ nodes, ledger, upgrade }: ChoiceFacts): readonly NodeView[] {
  const ticketed = new Set(ledger.status.tickets.map(({ nodeName }) => nodeName));
  return nodes.filter(
    (node) =>
      node.ready &&
      !node.unschedulable &&
      !ticketed.has(node.name) &&
      node.taints.length === (dueFor(node) === upgrade.name ? 1 : 0),
  );
}

/**
 * Sets the soft taint on the nodes that are next, and takes it off those that are not: all, where nothing rolls. On a node that
 * is out it stays until the write that gives the node back.
 */
export function steer(
  { upgrade, nodes, now, recall }: RolloutFacts,
  { chooses, choice }: Pick<Rollout, 'chooses' | 'choice'>,
  recheckAfterSeconds: number,
): RolloutDecision | undefined {
  // Between two nodes there may be none on its way for a moment: who only waits for room has not ceased to roll.
  const rolls = chooses !== undefined && (isBegun(chooses) || ROOM.has(choice.because.reason));
  const next = rolls ? due(chooses) : [];
  const names = new Set(next.map(({ name }) => name));
  const isOver = (node: NodeView) =>
    dueFor(node) === upgrade.name &&
    !names.has(node.name) &&
    readMark(node, HELD_BY) === undefined &&
    (!rolls || isIdle(node, chooses));
  const patches = [
    ...nodes.filter(isOver).map(unsteerPatch),
    ...next.filter((node) => dueFor(node) === undefined).map((node) => steerPatch(node, upgrade.name)),
  ];
  const [first, ...rest] = patches
    .filter(({ as, nodeName }) => {
      const last = recall(`patchNode/${as}/${nodeName}`);
      return last === undefined || last.outcome.ok || last.outcome.why === 'conflict' || now > last.at + AGAIN_MS;
    })
    .slice(0, MOST_PATCHES);
  if (first === undefined) return undefined;
  return {
    kind: 'act',
    effects: [first, ...rest],
    because: { reason: 'Steering', nodes: [first, ...rest].map(({ nodeName }) => nodeName) },
    recheckAfterSeconds: Math.min(recheckAfterSeconds, SOON_SECONDS),
  };
}

/** Who has a ticket is about to be cordoned, and who takes no pods for the moment may be back in the next. */
function isIdle(node: NodeView, { ledger }: ChoiceFacts): boolean {
  return node.ready && !node.unschedulable && !ledger.status.tickets.some(({ nodeName }) => nodeName === node.name);
}
