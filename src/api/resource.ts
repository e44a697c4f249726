import { z } from 'zod';

/** The group and version of every kind. */
export const GROUP = 'drydock.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** One column of `kubectl get`. */
export type Column = {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date' | 'boolean';
  readonly path: string;
  readonly description: string;
  readonly wide?: true;
};

/** Everything said about one kind: names, columns and schemas. CRDs, types and readers come from this. */
export type ResourceDefinition<Spec extends z.ZodType, Status extends z.ZodType> = {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  readonly description: string;
  readonly columns: readonly Column[];
  readonly spec: Spec;
  readonly status: Status;
  /** What the API server fills in where status is absent, so that no tool takes a new object for a finished one. */
  readonly statusDefault?: z.input<Status>;
  /** Rules over the whole object, its name included. */
  readonly rules?: readonly { readonly rule: string; readonly message: string }[];
};

/** Defines a kind. Every kind is cluster-scoped, because nodes are. */
export function defineResource<Spec extends z.ZodType, Status extends z.ZodType>(
  definition: ResourceDefinition<Spec, Status>,
): ResourceDefinition<Spec, Status> {
  return definition;
}

/** Who owns an object. */
export type Owner = { readonly kind: string; readonly name: string; readonly uid: string };

/** The part of an object's metadata that Drydock reads. Instants are milliseconds since 1970. */
export type Metadata = {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly createdAt: number;
  readonly deletedAt?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly owners: readonly Owner[];
};

/** An object of ours as read: either what its schema says, or the sentence that says why it cannot be read. */
export type Resource<Spec, Status> = Metadata &
  (
    | { readonly readable: true; readonly spec: Spec; readonly status: Status }
    | {
        readonly readable: false;
        readonly problem: string;
        /** Its status, where that can be read though the spec cannot: so that it may be told without losing what it holds. */
        readonly status?: Status;
      }
  );

const OWNER = z.object({ kind: z.string(), name: z.string(), uid: z.string() });
const METADATA = z.object({
  name: z.string(),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.int().default(0),
  creationTimestamp: z.string(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  finalizers: z.array(z.string()).default([]),
  ownerReferences: z.array(OWNER).default([]),
});

/** Reads the metadata of any object. Throws on what no API server would send. */
export function readMetadata(raw: unknown): Metadata {
  const meta = METADATA.parse((raw as { metadata?: unknown }).metadata);
  return {
    name: meta.name,
    uid: meta.uid,
    resourceVersion: meta.resourceVersion,
    generation: meta.generation,
    createdAt: Date.parse(meta.creationTimestamp),
    ...(meta.deletionTimestamp === undefined ? {} : { deletedAt: Date.parse(meta.deletionTimestamp) }),
    labels: meta.labels,
    annotations: meta.annotations,
    finalizers: meta.finalizers,
    owners: meta.ownerReferences,
  };
}

/** Reads one object of a kind. What an older schema let in comes back as `readable: false` with a sentence, never as a throw. */
export function readResource<Spec extends z.ZodType, Status extends z.ZodType>(
  definition: ResourceDefinition<Spec, Status>,
  raw: unknown,
): Resource<z.output<Spec>, z.output<Status>> {
  const metadata = readMetadata(raw);
  const body = raw as { spec?: unknown; status?: unknown };
  const spec = definition.spec.safeParse(body.spec ?? {});
  const status = definition.status.safeParse(body.status ?? definition.statusDefault ?? {});
  if (!status.success) return { ...metadata, readable: false, problem: sentence('status', status.error) };
  if (!spec.success)
    return { ...metadata, readable: false, problem: sentence('spec', spec.error), status: status.data };
  return { ...metadata, readable: true, spec: spec.data, status: status.data };
}

function sentence(root: string, error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return `${root} cannot be read`;
  return `${[root, ...issue.path].join('.')}: ${issue.message}`;
}
