import { crd } from '../api/crd.ts';
import { groupVersions } from './discovery.ts';
import { RESOURCES, type Resource } from './resources.ts';

type Json = Readonly<Record<string, unknown>>;

const INFO = { title: 'Kubernetes', version: 'model' } as const;
/** The parameters of a patch that the model heeds. It has no fieldValidation, so kubectl does not count on it. */
const PARAMETERS = ['dryRun', 'fieldManager', 'force'].map((name) => ({
  name,
  in: 'query',
  schema: { type: name === 'force' ? 'boolean' : 'string' },
}));

function rootOf(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** What is served under which path, in OpenAPI 3; of our own kinds with their schemas, of others only that they are there. */
export function openApiV3(path: string): unknown {
  const below = path.replace(/^\/openapi\/v3\/?/, '');
  if (below === '') {
    const roots = groupVersions().map(({ group, version }) => rootOf(group, version));
    return {
      paths: Object.fromEntries(roots.map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}?hash=model` }])),
    };
  }
  const found = groupVersions().find(({ group, version }) => rootOf(group, version) === below);
  if (found === undefined) return undefined;
  const own = RESOURCES.filter(({ group, version }) => group === found.group && version === found.version);
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: Object.fromEntries(own.flatMap((resource) => pathsOf(resource))),
    components: { schemas: Object.fromEntries(own.flatMap(schemasOf)) },
  };
}

function kindOf({ group, version, kind }: Resource): Json {
  return { group, version, kind };
}

function nameOf({ group, version, kind }: Resource): string {
  return `${group === '' ? 'core' : group.split('.').reverse().join('.')}.${version}.${kind}`;
}

function pathsOf(resource: Resource): readonly (readonly [string, Json])[] {
  const { group, version, plural, namespaced } = resource;
  const all = `/${rootOf(group, version)}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}`;
  const gvk = { 'x-kubernetes-group-version-kind': kindOf(resource) };
  const responses = { 200: { description: 'OK' } };
  const read = { responses, ...gvk };
  return [
    [all, { get: { ...read, 'x-kubernetes-action': 'list' }, post: { ...read, 'x-kubernetes-action': 'post' } }],
    [
      `${all}/{name}`,
      {
        get: { ...read, 'x-kubernetes-action': 'get' },
        patch: { ...read, parameters: PARAMETERS, 'x-kubernetes-action': 'patch' },
      },
    ],
  ];
}

function schemasOf(resource: Resource): readonly (readonly [string, Json])[] {
  const { definition } = resource;
  if (definition === undefined) return [];
  const { spec } = crd(definition) as {
    readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Json } }[] };
  };
  const schema = spec.versions[0]?.schema.openAPIV3Schema ?? {};
  return [[nameOf(resource), { ...schema, 'x-kubernetes-group-version-kind': [kindOf(resource)] }]];
}

/** The protobuf of an OpenAPI 2 document that defines nothing: kubectl then checks nothing itself, which is the truth. */
export const OPENAPI_V2_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** OpenAPI 2 says that there is an API and nothing more of it. */
export function openApiV2(): unknown {
  return { swagger: '2.0', info: INFO, paths: {}, definitions: {} };
}

/** The same as protobuf: field 1 is `swagger`, field 2 is `info` with `title` and `version`. */
export function openApiV2Bytes(): Buffer {
  const info = Buffer.concat([field(1, Buffer.from(INFO.title)), field(2, Buffer.from(INFO.version))]);
  return Buffer.concat([field(1, Buffer.from('2.0')), field(2, info)]);
}

function field(number: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);
}
