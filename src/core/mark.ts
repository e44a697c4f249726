import { attempt } from './attempt.ts';
import type { NodeView } from './world.ts';

/** The annotation of a node that a passage has taken out of service. */
export const HELD_BY = 'drydock.dev/held-by';
/** The annotation of a node that was left cordoned on purpose, with why and when. */
export const LEFT_CORDONED = 'drydock.dev/left-cordoned';
/** Written by people: never start this node; while Drydock has it: give it back cordoned. */
export const HOLD = 'drydock.dev/hold';
/** Written by people: start this node though it is not Ready. */
export const TAKE_NOT_READY = 'drydock.dev/take-not-ready';
/** Written by people on a NodeMaintenance: stop waiting for its node. */
export const RELEASE = 'drydock.dev/release';
/** The taint of a node that is next: pods that leave another one rather go elsewhere, and so move once. */
export const DUE = 'drydock.dev/due';
export const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';
export const SCALE_DOWN_DISABLED = 'cluster-autoscaler.kubernetes.io/scale-down-disabled';

/** What a node was before Drydock changed it; null: it had no such label or annotation. */
export type Previous = {
  readonly unschedulable: boolean;
  readonly labels: Readonly<Record<string, string | null>>;
  readonly annotations: Readonly<Record<string, string | null>>;
};

/** What Drydock writes on a node it takes: who, by which right, and how to put everything back. */
export type Mark = {
  readonly nodeMaintenance: string;
  readonly uid: string;
  readonly ticket: string;
  readonly previous: Previous;
  /** Only of a node that was left cordoned. */
  readonly reason?: string;
  readonly message?: string;
  readonly since?: string;
};

/** Reads a mark. What a person has garbled is no mark. */
export function readMark(node: NodeView, annotation: typeof HELD_BY | typeof LEFT_CORDONED): Mark | undefined {
  const written = node.annotations[annotation];
  if (written === undefined) return undefined;
  const read = attempt(() => JSON.parse(written) as Partial<Mark> | null);
  if (!read.ok || read.value === null || typeof read.value !== 'object') return undefined;
  const { nodeMaintenance, uid, ticket, previous, reason, message, since } = read.value;
  if (typeof nodeMaintenance !== 'string' || typeof uid !== 'string') return undefined;
  return {
    nodeMaintenance,
    uid,
    ticket: typeof ticket === 'string' ? ticket : '',
    previous: readPrevious(previous),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    ...(typeof since === 'string' ? { since } : {}),
  };
}

function readPrevious(previous: Partial<Previous> | undefined): Previous {
  return {
    unschedulable: previous?.unschedulable === true,
    labels: values(previous?.labels, EXCLUDE_LABEL),
    annotations: values(previous?.annotations, SCALE_DOWN_DISABLED),
  };
}

/**
 * Only what Drydock changes itself: a kubelet may write the annotations of its node, and what is given back is written with
 * Drydock's rights, which reach labels that no kubelet may set.
 */
function values(written: unknown, key: string): Record<string, string | null> {
  if (typeof written !== 'object' || written === null) return {};
  const value = (written as Readonly<Record<string, unknown>>)[key];
  return value === null || typeof value === 'string' ? { [key]: value } : {};
}

/** Writes a mark, first why: of a long annotation `kubectl describe node` shows the first 140 characters. */
export function writeMark({ reason, message, since, ...mark }: Mark): string {
  return JSON.stringify({ reason, message, since, ...mark });
}
