import { apiVersionOf, RESOURCES, type Resource } from './resources.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;
const WRITTEN = ['get', 'patch', 'update'] as const;

type Kind = { readonly group: string; readonly version: string; readonly kind: string };
type Below = { readonly name: string; readonly kind: Kind; readonly verbs: readonly string[] };
type Served = Pick<Resource, 'group' | 'version' | 'plural' | 'singular' | 'kind' | 'namespaced'> & {
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly below: readonly Below[];
};

/** Whose replicas are counted through a path of their own. */
export const SCALED = ['deployments.apps', 'replicasets.apps', 'statefulsets.apps'] as const;

const KIND_OF: Readonly<Record<string, Kind>> = {
  eviction: { group: 'policy', version: 'v1', kind: 'Eviction' },
  binding: { group: '', version: 'v1', kind: 'Binding' },
};

function below(resource: Resource): readonly Below[] {
  const { group, version, kind } = resource;
  return [
    ...(resource.hasStatus ? [{ name: 'status', kind: { group, version, kind }, verbs: WRITTEN }] : []),
    ...resource.subresources.map((name) => ({
      name,
      kind: KIND_OF[name] ?? { group, version, kind },
      verbs: ['create'],
    })),
    ...(SCALED.some((id) => id === resource.id)
      ? [{ name: 'scale', kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: WRITTEN }]
      : []),
    ...(resource.id === 'serviceaccounts'
      ? [
          {
            name: 'token',
            kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
            verbs: ['create'],
          },
        ]
      : []),
  ];
}

/** What is answered and never stored. */
function review(group: string, kind: string): Served {
  const names = { group, version: 'v1', plural: `${kind.toLowerCase()}s`, singular: kind.toLowerCase(), kind };
  return { ...names, namespaced: false, shortNames: [], categories: [], verbs: ['create'], below: [] };
}

const SERVED: readonly Served[] = [
  ...RESOURCES.map((resource) => ({ ...resource, verbs: VERBS, below: below(resource) })),
  review('authentication.k8s.io', 'SelfSubjectReview'),
  review('authorization.k8s.io', 'SelfSubjectAccessReview'),
];

const versionsOf = (group: string) => [
  ...new Set(SERVED.filter((each) => each.group === group).map((each) => each.version)),
];
const GROUPS = [...new Set(SERVED.map(({ group }) => group))];

/** Every group and version that anything is served under. */
export function groupVersions(): readonly { readonly group: string; readonly version: string }[] {
  return GROUPS.flatMap((group) => versionsOf(group).map((version) => ({ group, version })));
}

function groupOf(group: string) {
  const versions = versionsOf(group).map((version) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resourceList(group: string, version: string) {
  const own = SERVED.filter((each) => each.group === group && each.version === version);
  if (own.length === 0) return undefined;
  const resources = own.flatMap((each) => [
    {
      name: each.plural,
      singularName: each.singular,
      namespaced: each.namespaced,
      kind: each.kind,
      verbs: each.verbs,
      ...(each.shortNames.length === 0 ? {} : { shortNames: each.shortNames }),
      ...(each.categories.length === 0 ? {} : { categories: each.categories }),
    },
    ...each.below.map(({ name, kind, verbs }) => ({
      name: `${each.plural}/${name}`,
      singularName: '',
      namespaced: each.namespaced,
      ...kind,
      verbs,
    })),
  ]);
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({ group, version }), resources };
}

/** The document of discovery under a path, in the form that every client knows. */
export function discovered(path: string): unknown {
  const parts = path.split('/').filter((part) => part !== '');
  const [root, one, two, ...more] = parts;
  if (more.length > 0) return undefined;
  if (root === 'api') {
    if (one === undefined) return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    return two === undefined ? resourceList('', one) : undefined;
  }
  if (root !== 'apis') return undefined;
  if (one === undefined) {
    const groups = GROUPS.filter((group) => group !== '').map(groupOf);
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }
  if (!GROUPS.includes(one)) return undefined;
  return two === undefined ? { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(one) } : resourceList(one, two);
}

/** The content type of aggregated discovery, as kubectl asks for it. */
export const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** All of discovery in one document, where kubectl asks for that; the core group stands apart under /api. */
export function aggregated(path: string): unknown {
  if (path !== '/api' && path !== '/apis') return undefined;
  const groups = GROUPS.filter((group) => (group === '') === (path === '/api'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: versionsOf(group).map((version) => ({
        version,
        freshness: 'Current',
        resources: SERVED.filter((each) => each.group === group && each.version === version).map(gathered),
      })),
    })),
  };
}

function gathered({
  group,
  version,
  plural,
  singular,
  kind,
  namespaced,
  verbs,
  shortNames,
  categories,
  below,
}: Served) {
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(below.length === 0
      ? {}
      : {
          subresources: below.map((each) => ({ subresource: each.name, responseKind: each.kind, verbs: each.verbs })),
        }),
  };
}
