/** A schema as it stands in a definition. */
export type Schema = { readonly [key: string]: unknown };

type Rule = { readonly rule: string; readonly message: string };
type Place = { readonly path: string; readonly schema: Schema };

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

/** The schema of a kind's objects. */
export function objectSchemaOf(definition: Schema): Schema {
  const { spec } = definition as { spec: { versions: readonly [{ schema: { openAPIV3Schema: Schema } }] } };
  return spec.versions[0].schema.openAPIV3Schema;
}

/** Every schema in a schema, itself first, with its path; what only constrains (`oneOf`, `anyOf`) is left out. */
export function places(schema: Schema, path = ''): readonly Place[] {
  const inside = (step: string, value: unknown) => (isSchema(value) ? places(value, `${path}${step}`) : []);
  const properties = Object.entries((schema['properties'] ?? {}) as Schema);
  return [
    { path, schema },
    ...properties.flatMap(([key, value]) => inside(path === '' ? key : `.${key}`, value)),
    ...inside('[]', schema['items']),
    ...inside('{}', schema['additionalProperties']),
  ];
}

/** Every rule in the definition of a kind, with the path of what it is about. */
export function rulesOf(definition: Schema): readonly (Rule & { readonly path: string })[] {
  return places(objectSchemaOf(definition)).flatMap(({ path, schema }) =>
    ((schema['x-kubernetes-validations'] ?? []) as readonly Rule[]).map((rule) => ({ ...rule, path })),
  );
}

/** What a structural schema may consist of: anything else the API server refuses, or silently drops. */
const KEYWORDS = new Set([
  ...['type', 'format', 'description', 'default', 'enum', 'properties', 'required', 'items', 'additionalProperties'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'maxProperties', 'oneOf', 'anyOf'],
  ...['x-kubernetes-validations', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-int-or-string'],
]);

/** What is wrong with one schema, each a sentence. The root's own apiVersion, kind and metadata belong to Kubernetes. */
const CHECKS: Readonly<Record<string, (schema: Schema, path: string) => string | false>> = {
  keywords: (schema) => {
    const strange = Object.keys(schema).filter((key) => !KEYWORDS.has(key));
    return strange.length > 0 && `has ${strange.join(', ')}, which no structural schema may have`;
  },
  closed: (schema) => schema['additionalProperties'] === false && 'closes its object: unknown fields are pruned anyway',
  typed: (schema) =>
    typeof schema['type'] !== 'string' && schema['x-kubernetes-int-or-string'] !== true && 'has no type',
  branches: (schema) =>
    !branchesConstrain(schema) && 'has a union whose branches say more than which of its fields go together',
  bounded: (schema) =>
    (schema['type'] === 'string' || schema['x-kubernetes-int-or-string'] === true) &&
    schema['enum'] === undefined &&
    schema['maxLength'] === undefined &&
    'is a string without maxLength',
  listed: (schema) => schema['type'] === 'array' && schema['maxItems'] === undefined && 'is a list without maxItems',
  shared: (schema) => {
    if (schema['type'] !== 'array') return false;
    const as = schema['x-kubernetes-list-type'];
    if (as === undefined) return 'is a list without x-kubernetes-list-type';
    if (as !== 'map') return false;
    const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
    const required = ((schema['items'] as Schema)['required'] ?? []) as readonly string[];
    const known = keys.length > 0 && keys.every((key) => required.includes(key));
    return !known && 'is a map list whose keys its items may lack';
  },
  counted: (schema) =>
    isSchema(schema['additionalProperties']) &&
    schema['maxProperties'] === undefined &&
    'is a map without maxProperties',
  described: (schema, path) =>
    !path.endsWith('[]') && schema['description'] === undefined && 'has no description that a user could read',
  ruled: (schema) => {
    const rules = (schema['x-kubernetes-validations'] ?? []) as readonly Partial<Rule>[];
    return rules.some(({ message }) => !message || message.includes('\n')) && 'has a rule without a sentence';
  },
  patterns: (schema) => {
    const rules = (schema['x-kubernetes-validations'] ?? []) as readonly Rule[];
    return rules.some(({ rule }) => /\(\?[=!<]/.test(rule)) && 'has a pattern that looks ahead, which RE2 cannot';
  },
  filled: (schema, path) =>
    path.startsWith('spec') &&
    Object.values((schema['properties'] ?? {}) as Record<string, Schema>).some((field) => 'default' in field) &&
    ((schema['required'] ?? []) as readonly string[]).length === 0 &&
    schema['default'] === undefined &&
    !path.endsWith('[]') &&
    'has fields with defaults, requires none, and has no default itself',
};

function branchesConstrain(schema: Schema): boolean {
  const branches = (schema['oneOf'] ?? []) as readonly Schema[];
  return branches.every((branch) =>
    Object.entries(branch).every(([key, value]) => {
      if (key === 'required') return true;
      return (
        key === 'properties' &&
        Object.values(value as Record<string, Schema>).every((field) => Object.keys(field).join() === 'enum')
      );
    }),
  );
}

/** The names of what is checked. */
export const CHECKED: readonly string[] = Object.keys(CHECKS);

/** Everything that is wrong with the schema of a kind's objects, as `check: path …`. */
export function complaints(objectSchema: Schema): readonly string[] {
  const { apiVersion: _, kind: __, metadata: ___, ...own } = (objectSchema['properties'] ?? {}) as Schema;
  return places({ ...objectSchema, properties: own }).flatMap(({ path, schema }) =>
    Object.entries(CHECKS).flatMap(([check, complain]) => {
      const complaint = complain(schema, path);
      return complaint === false ? [] : [`${check}: ${path} ${complaint}`];
    }),
  );
}
