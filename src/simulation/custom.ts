import type { z } from 'zod';
import { POLICY_NAME } from '../api/maintenance-policy.ts';
import { edges, type Phase } from '../api/phases.ts';
import { same } from './equal.ts';
import { type Did, did, invalid, wrong } from './failure.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

/**
 * What the API server makes of an object of ours: completed by the defaults of its schema, without what the schema does not
 * know, refused where a rule of it does not hold. The rules are those of src/api, said there once for both.
 */
export function validated(resource: Resource, object: KubeObject, before?: KubeObject): Did<KubeObject> {
  const { definition } = resource;
  if (definition === undefined) return did(object);
  const spec = parsed(definition.spec, object.spec ?? {});
  const status = definition.status.safeParse(object.status ?? definition.statusDefault ?? {});
  const causes = [
    ...(spec.success ? [] : issues('spec', object.spec, spec.error)),
    ...(status.success ? [] : issues('status', object.status, status.error)),
    ...outside(definition.kind, object, before),
  ];
  if (causes.length > 0) return invalid(resource, object.metadata.name, causes);
  return did({ ...object, spec: spec.data, status: status.data });
}

const KNOWN_GOOD = new WeakMap<z.ZodType, WeakSet<object>>();

/** What a schema makes of a value. What it made itself it would make again: most writes are of status and bring the same spec. */
function parsed(schema: z.ZodType, value: unknown): z.ZodSafeParseResult<unknown> {
  const good = KNOWN_GOOD.get(schema) ?? new WeakSet();
  KNOWN_GOOD.set(schema, good);
  if (typeof value === 'object' && value !== null && good.has(value)) return { success: true, data: value };
  const result = schema.safeParse(value);
  if (result.success && typeof result.data === 'object' && result.data !== null) good.add(result.data);
  return result;
}

type Parts = Readonly<Record<string, unknown>>;

/** The fields of a new object of ours that its schema does not know: they are not kept, and Strict refuses them. */
export function unknownFields({ definition }: Resource, object: Pick<KubeObject, 'spec'>): readonly string[] {
  const spec = definition?.spec.safeParse(object.spec ?? {});
  return spec?.success ? lost(object.spec, spec.data, 'spec') : [];
}

/** What Strict says of them. */
export function strictly({ kind, version }: Resource, fields: readonly string[]): string {
  const list = fields.map((field) => `unknown field ${JSON.stringify(field)}`).join(', ');
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${list}`;
}

function lost(asked: unknown, kept: unknown, path: string): readonly string[] {
  if (typeof asked !== 'object' || asked === null || typeof kept !== 'object' || kept === null) return [];
  return Object.entries(asked).flatMap(([key, value]) => {
    const below = Array.isArray(asked) ? `${path}[${key}]` : `${path}.${key}`;
    if (value === undefined) return [];
    return key in kept ? lost(value, (kept as Parts)[key], below) : [below];
  });
}

/** In the words of the API server where a schema is broken, in ours where a rule is. */
function issues(root: string, value: unknown, error: z.ZodError) {
  return error.issues.map((issue) => {
    const field = issue.path.reduce<string>(
      (path, part) => (typeof part === 'number' ? `${path}[${part}]` : `${path}.${String(part)}`),
      root,
    );
    const found = issue.path.reduce<unknown>((at, part) => (at as Parts | undefined)?.[String(part)], value);
    if (found === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
      return wrong(field, 'Required value', 'FieldValueRequired');
    }
    if (issue.code === 'invalid_value') {
      const values = issue.values.map((each) => JSON.stringify(each)).join(', ');
      const text = `Unsupported value: ${JSON.stringify(found)}: supported values: ${values}`;
      return wrong(field, text, 'FieldValueNotSupported');
    }
    if (issue.code === 'invalid_type') {
      const text = `Invalid value: "${typeof found}": ${field} in body must be of type ${issue.expected}: "${typeof found}"`;
      return wrong(field, text, 'FieldValueTypeInvalid');
    }
    return wrong(field, `Invalid value: ${issue.message}`);
  });
}

const LONGEST_UPGRADE_NAME = 63;

type Phased = { readonly state?: { readonly phase?: Phase } };

/** The rules that need more than one part of one object: the name, or what was there before. */
function outside(kind: string, object: KubeObject, before: KubeObject | undefined) {
  const { name } = object.metadata;
  if (kind === 'MaintenancePolicy' && name !== POLICY_NAME) {
    return [
      wrong(
        '',
        'Invalid value: there is one MaintenancePolicy in a cluster and its name is "cluster": write metadata.name: cluster',
      ),
    ];
  }
  if (kind === 'ClusterUpgrade' && name.length > LONGEST_UPGRADE_NAME) {
    return [wrong('', 'Invalid value: the name of a ClusterUpgrade becomes part of a label: at most 63 characters')];
  }
  if (kind !== 'NodeMaintenance' || before === undefined) return [];
  const causes = [];
  if (!same(object.spec, before.spec)) {
    causes.push(
      wrong('spec', 'Invalid value: the spec of a NodeMaintenance cannot be changed: delete it and write another'),
    );
  }
  const [from, to] = [(before.status as Phased)?.state?.phase, (object.status as Phased)?.state?.phase];
  const isStep =
    from === undefined || from === to || (to !== undefined && (edges[from] as readonly Phase[])?.includes(to));
  if (!isStep) {
    causes.push(wrong('status.state', 'Invalid value: status.state can only take the steps of the state diagram'));
  }
  return causes;
}
