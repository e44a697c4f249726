import { EFFECTS, needs, STATUS } from './effects.ts';
import { EVENT_PERMISSIONS } from './events.ts';
import { SEEN_KINDS } from './kinds.ts';
import { LEASE_PERMISSIONS } from './leases.ts';
import type { Permission, Verb } from './permission.ts';

/** What the rights are granted under, which an installation may choose. */
export type RbacNames = {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly jobsNamespace: string;
  readonly lease: string;
};

/** The names of the shipped manifests. */
export const RBAC_NAMES: RbacNames = {
  name: 'drydock',
  namespace: 'drydock-system',
  serviceAccount: 'drydock',
  jobsNamespace: 'drydock-jobs',
  lease: 'drydock',
};

const READ: readonly Verb[] = ['get', 'list', 'watch'];
const ORDER: readonly Verb[] = [...READ, 'create', 'update', 'patch', 'delete'];

/** Every right that Drydock needs: one for each read, and those in the table of effects. */
export function permissions(): readonly Permission[] {
  return [
    ...SEEN_KINDS.flatMap((kind) => READ.map((verb) => needs(kind, verb))),
    ...Object.values(EFFECTS).flatMap((entry) => entry.needs),
    ...STATUS.needs,
    ...EVENT_PERMISSIONS,
    ...LEASE_PERMISSIONS,
  ];
}

/** One rule, as RBAC writes it. */
export type Rule = {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
};

/** An RBAC object, ready to be written as YAML. */
export type RbacObject = {
  readonly apiVersion: 'rbac.authorization.k8s.io/v1';
  readonly kind: 'ClusterRole' | 'ClusterRoleBinding' | 'Role' | 'RoleBinding';
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
};

/** The roles and bindings that grant exactly these rights: derived, so that no right outlives what needed it. */
export function rbac(
  names: RbacNames = RBAC_NAMES,
  needed: readonly Permission[] = permissions(),
): readonly RbacObject[] {
  const inside = (namespace: Permission['namespace']) =>
    needed.filter((permission) => permission.namespace === namespace);
  const version: Rule = { nonResourceURLs: ['/version'], verbs: ['get'] };
  return [
    ...granted(names, undefined, [...rules(inside(undefined), names), version]),
    ...granted(names, names.jobsNamespace, rules(inside('jobs'), names)),
    ...granted(names, 'default', rules(inside('default'), names)),
    ...granted(names, 'kube-system', rules(inside('kube-system'), names)),
  ];
}

function granted(names: RbacNames, namespace: string | undefined, rules: readonly Rule[]): readonly RbacObject[] {
  const cluster = namespace === undefined ? 'Cluster' : '';
  const metadata = {
    name: names.name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { 'app.kubernetes.io/name': 'drydock', 'app.kubernetes.io/part-of': 'drydock' },
  };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion, kind: `${cluster}Role`, metadata, rules },
    {
      apiVersion,
      kind: `${cluster}RoleBinding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: `${cluster}Role`, name: names.name },
      subjects: [{ kind: 'ServiceAccount', name: names.serviceAccount, namespace: names.namespace }],
    },
  ];
}

/** One rule for all resources of a group that share their verbs and names, in an order that never changes by itself. */
function rules(needed: readonly Permission[], names: RbacNames): readonly Rule[] {
  const verbs = new Map<string, Set<Verb>>();
  for (const { apiGroup, resource, subresource, verb, object } of needed) {
    const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
    const key = JSON.stringify([apiGroup, whole, object ?? '']);
    verbs.set(key, (verbs.get(key) ?? new Set()).add(verb));
  }
  const merged = new Map<string, { group: string; named: string; verbs: readonly Verb[]; resources: string[] }>();
  for (const [key, all] of verbs) {
    const [group, resource, named] = JSON.parse(key) as [string, string, string];
    const ordered = ORDER.filter((verb) => all.has(verb));
    const same = JSON.stringify([group, named, ordered]);
    const rule = merged.get(same) ?? { group, named, verbs: ordered, resources: [] };
    rule.resources.push(resource);
    merged.set(same, rule);
  }
  return [...merged.values()].map(({ group, named, verbs: granted, resources }) => ({
    apiGroups: [group],
    resources: resources.sort(),
    ...(named === 'lease' ? { resourceNames: [names.lease] } : {}),
    verbs: granted,
  }));
}
