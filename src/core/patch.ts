import type { Changes, Effect } from './effect.ts';
import {
  DUE,
  EXCLUDE_LABEL,
  HELD_BY,
  HOLD,
  LEFT_CORDONED,
  type Mark,
  type Previous,
  readMark,
  SCALE_DOWN_DISABLED,
  writeMark,
} from './mark.ts';
import type { NodeView, Taint } from './world.ts';

type NodePatch = Extract<Effect, { kind: 'patchNode' }>;

/** Who takes a node. */
export type Taker = { readonly name: string; readonly uid: string; readonly ticket: string };

/**
 * Cordon and mark in one patch against the version that was seen: a crash between the two, or a person in between, would
 * lose whose cordon it is. A node that was left cordoned hands its previous values on.
 */
export function cordonPatch(node: NodeView, taker: Taker, excludeFromLoadBalancers: boolean): NodePatch {
  const earlier = readMark(node, LEFT_CORDONED)?.previous ?? readMark(node, HELD_BY)?.previous;
  const labels: Changes = excludeFromLoadBalancers ? { [EXCLUDE_LABEL]: '' } : {};
  const annotations: Changes = { [SCALE_DOWN_DISABLED]: 'true' };
  const previous: Previous = {
    // A cordon from before that somebody has lifted meanwhile is no state to go back to.
    unschedulable: node.unschedulable && (earlier?.unschedulable ?? true),
    labels: { ...before(labels, node.labels), ...earlier?.labels },
    annotations: { ...before(annotations, node.annotations), ...earlier?.annotations },
  };
  const mark: Mark = { nodeMaintenance: taker.name, uid: taker.uid, ticket: taker.ticket, previous };
  return {
    kind: 'patchNode',
    as: 'cordon',
    nodeName: node.name,
    resourceVersion: node.resourceVersion,
    unschedulable: true,
    labels,
    annotations: { ...annotations, [HELD_BY]: writeMark(mark), [LEFT_CORDONED]: null },
  };
}

function before(changes: Changes, has: Readonly<Record<string, string>>): Record<string, string | null> {
  return Object.fromEntries(Object.keys(changes).map((key) => [key, has[key] ?? null]));
}

/** Whether a node carries the mark of a passage and is cordoned. */
export function isCordonedBy(node: NodeView, uid: string): boolean {
  return node.unschedulable && readMark(node, HELD_BY)?.uid === uid;
}

/**
 * Gives a node back: the mark off and everything the mark changed as it was, in one patch. A cordon that was there before
 * stays unless somebody lifted it while we had the node, and so does one that a person asked for with the hold annotation.
 */
export function uncordonPatch(
  node: NodeView,
  mark: Mark | undefined,
  memory: { readonly label: string; readonly value: string } | undefined,
  as: 'uncordon' | 'unmark',
): NodePatch {
  const remembered = memory === undefined ? {} : { [memory.label]: memory.value };
  const { name: nodeName, resourceVersion } = node;
  const base = { kind: 'patchNode', as, nodeName, resourceVersion, ...withoutDue(node) } as const;
  if (mark === undefined) return { ...base, labels: remembered };
  const { previous } = mark;
  return {
    ...base,
    unschedulable: (previous.unschedulable && node.unschedulable) || node.annotations[HOLD] !== undefined,
    labels: { ...previous.labels, ...remembered },
    annotations: { ...previous.annotations, [HELD_BY]: null },
  };
}

/** Leaves a node cordoned, with a mark that says why: what happened on it is for a person to judge. */
export function quarantinePatch(
  node: NodeView,
  mark: Mark,
  why: { readonly reason: string; readonly message: string },
  since: string,
): NodePatch {
  return {
    kind: 'patchNode',
    as: 'quarantine',
    nodeName: node.name,
    resourceVersion: node.resourceVersion,
    unschedulable: true,
    ...withoutDue(node),
    annotations: { [HELD_BY]: null, [LEFT_CORDONED]: writeMark({ ...mark, ...why, since }) },
  };
}

/** The ClusterUpgrade that a node is next for, as its soft taint says. */
export function dueFor({ taints }: NodeView): string | undefined {
  return taints.find(({ key }) => key === DUE)?.value;
}

/** Steers pods away from a node: only the scheduler's preference changes, nothing leaves it and nothing is kept out. */
export function steerPatch(node: NodeView, upgrade: string): NodePatch {
  const { name: nodeName, resourceVersion } = node;
  const taints = { others: othersOf(node), due: upgrade };
  return { kind: 'patchNode', as: 'steer', nodeName, resourceVersion, taints };
}

/** Takes the soft taint off a node that nobody is about to take any more. */
export function unsteerPatch(node: NodeView): NodePatch {
  const { name: nodeName, resourceVersion } = node;
  return { kind: 'patchNode', as: 'unsteer', nodeName, resourceVersion, ...withoutDue(node) };
}

/** What was next is now over: the soft taint goes in the same write as everything else. */
function withoutDue(node: NodeView): Pick<NodePatch, 'taints'> {
  return dueFor(node) === undefined ? {} : { taints: { others: othersOf(node) } };
}

function othersOf({ taints }: NodeView): readonly Taint[] {
  return taints.filter(({ key }) => key !== DUE);
}
