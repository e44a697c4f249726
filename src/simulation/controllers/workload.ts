import type { KubeObject, OwnerReference, PodObject, PodTemplate, WorkloadObject } from '../objects.ts';
import type { Draft, Registry } from '../registry.ts';
import { isReady } from './pods.ts';

/** What a pod made from a template has of its own. */
export type Own = {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly spec?: Partial<PodObject['spec']>;
};

/** The reference by which a controller owns what it makes. */
export function ownedBy({ apiVersion, kind, metadata: { name, uid } }: KubeObject): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** A pod of a template, not yet stored. */
export function podFrom(owner: KubeObject, template: PodTemplate, own: Own = {}): Draft {
  const { name, namespace } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(own.name === undefined ? { generateName: `${name}-` } : { name: own.name }),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...template.metadata?.labels, ...own.labels },
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ...(own.finalizers === undefined ? {} : { finalizers: own.finalizers }),
      ownerReferences: [ownedBy(owner)],
    },
    spec: { ...template.spec, ...own.spec },
  };
}

/** Writes a status whole; nothing when it says what it said. */
export function report(registry: Registry, id: string, key: string, by: string, status: object): void {
  registry.write<KubeObject>(id, key, by, (before) => ({ ...before, status }));
}

/** Without what is 0 or absent: Go leaves such fields out of the JSON. */
export function counts(numbers: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> {
  const kept = Object.entries(numbers).filter((each): each is [string, number] => (each[1] ?? 0) !== 0);
  return Object.fromEntries(kept);
}

const PHASES = ['Pending', 'Unknown', 'Running'];

/**
 * In which order pods go when there are too many, as ActivePodsWithRanks of pkg/controller has it: without node before with,
 * pending before running, not ready before ready, where many are before where few are, the younger before the older.
 */
export function toSpare(pods: readonly PodObject[]): readonly PodObject[] {
  const beside = new Map<string, number>();
  for (const { spec } of pods) {
    if (spec.nodeName !== undefined) beside.set(spec.nodeName, (beside.get(spec.nodeName) ?? 0) + 1);
  }
  const rank = (pod: PodObject): readonly (number | string)[] => [
    pod.spec.nodeName === undefined ? 0 : 1,
    PHASES.indexOf(pod.status.phase ?? 'Pending'),
    isReady(pod) ? 1 : 0,
    -(beside.get(pod.spec.nodeName ?? '') ?? 0),
    -Date.parse(pod.metadata.creationTimestamp),
    pod.metadata.name,
  ];
  return pods
    .map((pod) => ({ pod, rank: rank(pod) }))
    .sort((one, other) => {
      const at = one.rank.findIndex((each, index) => each !== other.rank[index]);
      return at < 0 || (one.rank[at] ?? 0) < (other.rank[at] ?? 0) ? -1 : 1;
    })
    .map(({ pod }) => pod);
}

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const HASHES = new WeakMap<PodTemplate, string>();

/** A name for what a template says: the same for the same words, whatever the order of its fields. */
export function templateHash({ spec }: WorkloadObject): string {
  const known = HASHES.get(spec.template);
  if (known !== undefined) return known;
  let sum = 0x811c9dc5;
  for (const letter of JSON.stringify(sorted(spec.template))) {
    sum = Math.imul(sum ^ letter.charCodeAt(0), 0x01000193);
  }
  const hash = [...String(sum >>> 0)].map((digit) => LETTERS[digit.charCodeAt(0) % LETTERS.length]).join('');
  HASHES.set(spec.template, hash);
  return hash;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
