import type { UpgradeSpec } from '../api/cluster-upgrade.ts';
import { type ControlPlane, runs } from './version.ts';
import type { Instant, NodeView } from './world.ts';

const DAY_MS = 86_400_000;
/** A prefix that no kubelet may write: what is remembered there cannot be forged from a node. */
const MEMORY_PREFIX = 'drydock.node-restriction.kubernetes.io/';

/** What an upgrade takes nodes to, in the form that decisions need. */
export type Target =
  | { readonly kind: 'version'; readonly text: string; readonly version: string }
  | { readonly kind: 'revision'; readonly text: string; readonly label: string; readonly value: string }
  | { readonly kind: 'age'; readonly text: string; readonly label: string; readonly days: number };

/** The target of an upgrade. */
export function targetOf(name: string, { target }: UpgradeSpec): Target {
  const label = `${MEMORY_PREFIX}${name}`;
  if (target.kubernetesVersion !== undefined) {
    return { kind: 'version', text: target.kubernetesVersion, version: target.kubernetesVersion };
  }
  if (target.revision !== undefined) return { kind: 'revision', text: target.revision, label, value: target.revision };
  const days = target.maxAgeDays ?? 1;
  return { kind: 'age', text: `every ${days} days`, label, days };
}

/** The label that remembers a success on a node, where the node itself does not show it. */
export function memoryOf(target: Target, now: Instant): { readonly label: string; readonly value: string } | undefined {
  if (target.kind === 'version') return undefined;
  return { label: target.label, value: target.kind === 'revision' ? target.value : stampOf(now) };
}

/** An instant as a label value: 20261121T040000Z. */
function stampOf(at: Instant): string {
  return new Date(at).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
}

function readStamp(value: string): Instant | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(value);
  return match === null
    ? undefined
    : Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
}

/** Whether a node is where the target wants it. */
export function isDone(node: NodeView, target: Target, controlPlane: ControlPlane, now: Instant): boolean {
  switch (target.kind) {
    case 'version':
      return runs(node, target.version, controlPlane.components);
    case 'revision':
      return node.labels[target.label] === target.value;
    case 'age': {
      const at = readStamp(node.labels[target.label] ?? '');
      return at !== undefined && now < at + target.days * DAY_MS;
    }
  }
}
