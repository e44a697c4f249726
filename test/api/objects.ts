import type { z } from 'zod';
import { KINDS } from '../../src/api/crd.ts';

/** One of our kinds. */
export type OwnKind = (typeof KINDS)[number]['kind'];

/** An object of ours as a person writes it, without its name. */
export type Written = { readonly kind: OwnKind; readonly name?: string; readonly spec: unknown };

/** What happens to an object when it is applied. */
export type Fate =
  /** One of our own rules refuses it, in a sentence that says what to write instead. */
  | { readonly refused: RegExp; readonly by: 'rule' }
  /** The schema refuses it, in the words of the API server: a type, a bound, an enum whose values it lists. */
  | { readonly refused: RegExp; readonly by: 'schema' }
  /** Nobody but the API server sees it: a field that does not exist, and pruned where nobody asks for strictness. */
  | { readonly refused: RegExp; readonly by: 'strictness' }
  | { readonly accepted: true };

/** An object, what is wrong or remarkable about it, and what happens to it. */
export type Case = Written & { readonly what: string } & Fate;

/** An object that one of our own rules refuses. */
export const unruly = (what: string, written: Written, refused: RegExp): Case => ({
  ...written,
  what,
  refused,
  by: 'rule',
});
/** An object that its schema refuses. */
export const misshapen = (what: string, written: Written, refused: RegExp): Case => ({
  ...written,
  what,
  refused,
  by: 'schema',
});
/** An object with a field that does not exist. */
export const unknown = (what: string, written: Written, refused: RegExp): Case => ({
  ...written,
  what,
  refused,
  by: 'strictness',
});
/** An object that is accepted. */
export const fine = (what: string, written: Written): Case => ({ ...written, what, accepted: true });

type Fields = { readonly [field: string]: unknown };

/** An image with its digest. */
export const IMAGE = `ghcr.io/example/drydock-node@sha256:${'0123456789abcdef'.repeat(4)}`;

/** A window, which must say when it opens. */
export const window = (spec: Fields): Written => ({
  kind: 'MaintenanceWindow',
  spec: { timeZone: 'Asia/Seoul', ...spec },
});
/** A window with the one opening. */
export const opening = (...openings: unknown[]): Written => window({ openings });
/** A profile with what it cannot do without. */
export const profile = (spec: Fields): Written => ({
  kind: 'MaintenanceProfile',
  spec: { image: IMAGE, commands: { worker: ['/upgrade'] }, ...spec },
});
/** The policy. */
export const policy = (spec: Fields): Written => ({ kind: 'MaintenancePolicy', name: 'cluster', spec });
/** An upgrade of all workers and control planes, always. */
export const upgrade = (spec: Fields): Written => ({
  kind: 'ClusterUpgrade',
  spec: {
    profileName: 'kubeadm-apt',
    target: { kubernetesVersion: 'v1.36.4' },
    nodes: { selector: {} },
    windowNames: [],
    ...spec,
  },
});
/** An upgrade to a target. */
export const target = (value: unknown): Written => upgrade({ target: value });
/** An upgrade whose rollout is written. */
export const rollout = (value: Fields): Written => upgrade({ rollout: value });
/** A node taken out by a person. */
export const hold = (spec: Fields): Written => ({
  kind: 'NodeMaintenance',
  spec: { nodeName: 'worker-7', hold: true, reason: 'replace a fan', ...spec },
});
/** A passage as Drydock makes it. */
export const passage = (spec: Fields): Written => ({
  kind: 'NodeMaintenance',
  spec: { nodeName: 'worker-7', upgradeName: 'to-1-36', nodeUID: 'n-7', ticket: '5f1c2b7a-17', ...spec },
});

/** The object as it is sent; where its name does not matter it is made of what is said about it, which must fit into one. */
export function objectOf({ kind, name, spec }: Written, what: string) {
  const slug = what.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return {
    apiVersion: 'drydock.dev/v1alpha1',
    kind,
    metadata: { name: name ?? slug.slice(0, 60).replaceAll(/^-+|-+$/g, '') },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** The definition of a kind. */
export function definitionOf(kind: OwnKind): (typeof KINDS)[number] {
  const found = KINDS.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`there is no kind ${kind}`);
  return found;
}

/** What our predicates say of an object, in their own words and in those of zod, with the path as the API server writes it. */
export function said({ kind, spec }: Written): readonly string[] {
  return saidBy(definitionOf(kind).spec, spec ?? {});
}

/** What a schema says of a spec. */
export function saidBy(schema: z.ZodType, spec: unknown): readonly string[] {
  const read = schema.safeParse(spec);
  if (read.success) return [];
  return read.error.issues.map(({ path, message }) => {
    const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
    return `spec${steps.join('')}: ${message}`;
  });
}
