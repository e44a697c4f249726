import { z } from 'zod';
import { clusterUpgrade } from './cluster-upgrade.ts';
import { maintenancePolicy } from './maintenance-policy.ts';
import { maintenanceProfile } from './maintenance-profile.ts';
import { maintenanceWindow } from './maintenance-window.ts';
import { nodeMaintenance } from './node-maintenance.ts';
import { GROUP, type ResourceDefinition, VERSION } from './resource.ts';

/** Every kind, in the order in which a person meets them. */
export const KINDS = [
  maintenanceWindow,
  maintenanceProfile,
  maintenancePolicy,
  clusterUpgrade,
  nodeMaintenance,
] as const satisfies readonly ResourceDefinition<z.ZodType, z.ZodType>[];

type Schema = { [key: string]: unknown };

/** The CustomResourceDefinition of a kind, as the API server wants it. */
export function crd(definition: ResourceDefinition<z.ZodType, z.ZodType>): Schema {
  const { kind, plural, singular, shortName, columns, description } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}`, labels: { 'app.kubernetes.io/part-of': 'drydock' } },
    spec: {
      group: GROUP,
      scope: 'Cluster',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: ['drydock'] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(({ name, type, path, description: said, wide }) => ({
            name,
            type,
            jsonPath: path,
            description: said,
            ...(wide ? { priority: 1 } : {}),
          })),
          schema: { openAPIV3Schema: { description, ...objectSchema(definition) } },
        },
      ],
    },
  };
}

function objectSchema(definition: ResourceDefinition<z.ZodType, z.ZodType>): Schema {
  const spec = structural(definition.spec);
  const status = structural(definition.status);
  const required = spec['required'] as readonly string[] | undefined;
  const specRequired = required !== undefined && required.length > 0;
  return {
    type: 'object',
    ...(specRequired ? { required: ['spec'] } : {}),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { ...spec, description: 'What is wanted.', ...(specRequired ? {} : { default: {} }) },
      status: {
        ...status,
        description: 'What Drydock found; written by Drydock.',
        ...(definition.statusDefault === undefined ? {} : { default: definition.statusDefault }),
      },
    },
    ...(definition.rules === undefined ? {} : { 'x-kubernetes-validations': definition.rules }),
  };
}

/** Turns a zod schema into a structural schema: one type a place, no unions of shapes, nothing the API server refuses. */
export function structural(schema: z.ZodType): Schema {
  return mend(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'throw' }) as Schema);
}

function mend(node: Schema): Schema {
  if (node['x-kubernetes-int-or-string'] === true) return intOrString(node);
  const shapes = (node['oneOf'] ?? node['anyOf']) as Schema[] | undefined;
  const whole = shapes === undefined ? node : lift(node, shapes);
  const { $schema: _, propertyNames: __, ...kept } = whole;
  if (kept['format'] === 'date-time') delete kept['pattern'];
  if (kept['minimum'] === Number.MIN_SAFE_INTEGER) delete kept['minimum'];
  if (kept['maximum'] === Number.MAX_SAFE_INTEGER) delete kept['maximum'];
  if (kept['type'] === 'integer') kept['format'] = 'int64';
  if (isSchema(kept['items'])) kept['items'] = mend(kept['items']);
  if (isSchema(kept['additionalProperties'])) kept['additionalProperties'] = mend(kept['additionalProperties']);
  if (isSchema(kept['properties'])) {
    kept['properties'] = Object.fromEntries(
      Object.entries(kept['properties']).map(([key, value]) => [key, mend(value as Schema)]),
    );
  }
  return kept;
}

function intOrString({ anyOf, ...kept }: Schema): Schema {
  const maxLength = (anyOf as readonly Schema[]).find(({ type }) => type === 'string')?.['maxLength'];
  return { ...kept, maxLength, anyOf: [{ type: 'integer' }, { type: 'string' }] };
}

/**
 * A union of shapes is not structural: every field must stand once, outside. So all fields are lifted into one object,
 * and `oneOf` stays only to say which of them go with which discriminator.
 */
function lift(node: Schema, shapes: readonly Schema[]): Schema {
  const properties: { [key: string]: Schema } = {};
  const branches: { properties: { [key: string]: Schema }; required: readonly string[] }[] = [];
  for (const shape of shapes) {
    if (!isSchema(shape['properties'])) throw new Error('only a union of objects can be lifted');
    const required = (shape['required'] as readonly string[] | undefined) ?? [];
    const fixed: { [key: string]: Schema } = {};
    for (const [key, field] of Object.entries(shape['properties'])) {
      const { enum: words } = field as { enum?: readonly string[] };
      if (words?.length === 1 && required.includes(key)) fixed[key] = { enum: words };
      properties[key] = merged(key, properties[key], field as Schema);
    }
    branches.push({ properties: fixed, required });
  }
  const discriminators = Object.keys(properties).filter((key) => branches.every((branch) => key in branch.properties));
  if (discriminators.length === 0) throw new Error('a union needs a field that tells its shapes apart');
  const { oneOf: _, anyOf: __, ...rest } = node;
  return { ...rest, type: 'object', properties, required: discriminators, oneOf: branches };
}

/** A field that several shapes have stands once, so it must be the same in all of them; of words it may be some. */
function merged(key: string, earlier: Schema | undefined, field: Schema): Schema {
  if (earlier === undefined) return field;
  const { enum: known, ...one } = earlier as { enum?: readonly string[] };
  const { enum: words, ...other } = field as { enum?: readonly string[] };
  if ((known === undefined) !== (words === undefined) || JSON.stringify(one) !== JSON.stringify(other)) {
    throw new Error(`${key} is not the same in every shape of its union`);
  }
  return known === undefined ? earlier : { ...earlier, enum: [...new Set([...known, ...(words ?? [])])] };
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null;
}
