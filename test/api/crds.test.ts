import { expect, test } from 'vitest';
import { crd, KINDS } from '../../src/api/crd.ts';
import { maintenanceProfile } from '../../src/api/maintenance-profile.ts';
import { CHECKED, complaints, objectSchemaOf, places, rulesOf, type Schema } from './schema.ts';

const schemaOf = (kind: (typeof KINDS)[number]) => objectSchemaOf(crd(kind));
const field = (schema: Schema) => ({ type: 'object', description: 'x', properties: { spec: schema } });
const text = { type: 'string', maxLength: 1, description: 'x' };

test.each(KINDS.map((kind) => [kind.kind, kind] as const))('the definition of %s keeps the rules', (_, kind) => {
  expect(complaints(schemaOf(kind))).toEqual([]);
});

/** One schema for each check, which is refused by that check. */
const PLANTED: readonly [check: string, schema: Schema, complaint: string][] = [
  ['keywords', { ...text, $schema: 'x' }, 'spec has $schema'],
  ['keywords', { ...text, pattern: '^(?=a)' }, 'spec has pattern'],
  ['keywords', { type: 'object', description: 'x', propertyNames: {} }, 'spec has propertyNames'],
  ['keywords', { ...text, nullable: true }, 'spec has nullable'],
  ['closed', { type: 'object', description: 'x', additionalProperties: false }, 'spec closes its object'],
  ['typed', { description: 'x' }, 'spec has no type'],
  ['branches', { type: 'object', description: 'x', oneOf: [{ properties: { a: text } }] }, 'spec has a union'],
  ['branches', { type: 'object', description: 'x', oneOf: [{ type: 'object' }] }, 'spec has a union'],
  ['bounded', { type: 'string', description: 'x' }, 'spec is a string without maxLength'],
  ['bounded', { 'x-kubernetes-int-or-string': true, description: 'x' }, 'spec is a string without maxLength'],
  ['listed', { type: 'array', 'x-kubernetes-list-type': 'set', description: 'x', items: text }, 'without maxItems'],
  ['shared', { type: 'array', maxItems: 1, description: 'x', items: text }, 'without x-kubernetes-list-type'],
  ['shared', listBy('name', { type: 'object', properties: { name: text } }), 'keys its items may lack'],
  ['shared', listBy(undefined, { type: 'object', required: ['name'], properties: { name: text } }), 'may lack'],
  ['counted', { type: 'object', description: 'x', additionalProperties: text }, 'spec is a map without maxProperties'],
  ['described', { type: 'string', maxLength: 1 }, 'spec has no description'],
  ['described', { type: 'object', description: 'x', properties: { a: { type: 'integer' } } }, 'spec.a has no'],
  ['ruled', { ...text, 'x-kubernetes-validations': [{ rule: 'true' }] }, 'spec has a rule without a sentence'],
  [
    'patterns',
    { ...text, 'x-kubernetes-validations': [{ rule: "self.matches('(?=a)')", message: 'x' }] },
    'spec has a pattern that looks ahead',
  ],
  [
    'filled',
    { type: 'object', description: 'x', properties: { a: { ...text, default: 'a' } } },
    'spec has fields with',
  ],
];

function listBy(key: string | undefined, items: Schema): Schema {
  const keys = key === undefined ? {} : { 'x-kubernetes-list-map-keys': [key] };
  return { type: 'array', maxItems: 1, description: 'x', 'x-kubernetes-list-type': 'map', ...keys, items };
}

test.each(PLANTED)('planted bug: %s finds %j', (check, schema, complaint) => {
  const found = complaints(field(schema)).filter((each) => each.startsWith(`${check}:`));
  expect(found).toEqual([expect.stringContaining(complaint)]);
});

test('every check has a planted bug', () => {
  expect(new Set(PLANTED.map(([check]) => check))).toEqual(new Set(CHECKED));
});

test('a field that is not available yet has a rule that says so, and no default', () => {
  const missing = KINDS.flatMap((kind) => {
    const all = places(schemaOf(kind));
    return rulesOf(crd(kind))
      .filter(({ message }) => /^\w+ is not available yet/.test(message))
      .map(({ path, message }) => `${path}.${message.split(' ')[0]}`)
      .map((path) => ({ kind: kind.kind, path, schema: all.find((place) => place.path === path)?.schema }));
  });
  expect(missing.filter(({ schema }) => schema === undefined || 'default' in schema)).toEqual([]);
  expect(missing.filter(({ path }) => path.startsWith('spec')).map(({ path }) => path.replace('spec.', ''))).toEqual([
    ...['prometheus', 'gateGroups'],
    ...['gates', 'approval', 'approved'],
    'target.via',
    'nodes.order',
    ...['rollout.steps', 'rollout.soakSeconds', 'rollout.pauseBetweenNodesSeconds'],
    'rollout.estimatedNodeSeconds',
  ]);
});

test('whoever may create an upgrade or a maintenance says nothing about what runs', () => {
  const dangerous = /image|command|mount|namespace(?!Selector)|serviceAccount|url|env|privileged|hostP/i;
  const fields = KINDS.filter(({ kind }) => kind === 'ClusterUpgrade' || kind === 'NodeMaintenance').flatMap((kind) =>
    places(schemaOf(kind)).map(({ path }) => path),
  );
  // A gate names the object that it reads, and is not available yet.
  const named = fields.filter((path) => path.startsWith('spec') && dangerous.test(path));
  expect(named).toEqual(['spec.gates[].object.namespace']);
  expect(places(schemaOf(maintenanceProfile)).some(({ path }) => dangerous.test(path))).toBe(true);
});

test('how two managers share a list', () => {
  const lists = (kind: string) =>
    KINDS.filter((each) => each.kind === kind)
      .flatMap((each) => places(schemaOf(each)))
      .filter(({ schema }) => schema['type'] === 'array')
      .map(({ path, schema }) => {
        const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
        return `${path} ${[schema['x-kubernetes-list-type'], ...keys].join(' ')}`;
      });
  const spec = KINDS.flatMap(({ kind }) => lists(kind).filter((line) => line.startsWith('spec')));
  expect(spec).toEqual([
    ...['spec.openings atomic', 'spec.freezes map name'],
    ...['spec.drain.rules atomic', ...selectors('spec.drain.rules[].namespaceSelector')],
    ...selectors('spec.drain.rules[].podSelector'),
    'spec.imagePullSecrets map name',
    ...['firstControlPlane', 'controlPlane', 'worker', 'check'].map((role) => `spec.commands.${role} atomic`),
    ...['spec.env map name', 'spec.volumes map name', 'spec.volumeMounts map mountPath'],
    ...['spec.securityContext.capabilities.add atomic', 'spec.securityContext.capabilities.drop atomic'],
    ...['spec.freezes map name', 'spec.gateGroups set', 'spec.images set'],
    ...['spec.target.via atomic', ...selectors('spec.nodes.selector'), 'spec.nodes.order atomic'],
    ...['spec.windowNames set', 'spec.rollout.steps atomic', 'spec.gates map name', 'spec.gates[].ignoreAlerts atomic'],
    'spec.approved set',
  ]);
  expect(lists('MaintenancePolicy')).toContain('status.tickets map nodeName');
  expect(lists('ClusterUpgrade')).toEqual(
    expect.arrayContaining(['status.conditions map type', 'status.setAside map nodeName', 'status.failures atomic']),
  );
});

function selectors(path: string): readonly string[] {
  return [`${path}.matchExpressions atomic`, `${path}.matchExpressions[].values atomic`];
}
