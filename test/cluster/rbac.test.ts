import { describe, expect, test } from 'vitest';
import { EFFECTS, requestOf, type Sent, STATUS } from '../../src/cluster/effects.ts';
import type { Permission } from '../../src/cluster/permission.ts';
import { permissions, RBAC_NAMES, type RbacObject, rbac } from '../../src/cluster/rbac.ts';
import type { Effect } from '../../src/core/effect.ts';

/** Every right as one line: where, what, which verbs. */
function lines(objects: readonly RbacObject[]): string[] {
  return objects.flatMap(({ metadata: { namespace = '*' }, rules = [] }) =>
    rules.flatMap((rule) =>
      (rule.resources ?? rule.nonResourceURLs ?? []).map((resource) => {
        const group = rule.apiGroups?.[0] ?? '';
        const named = rule.resourceNames === undefined ? '' : ` (${rule.resourceNames.join(', ')})`;
        return `${namespace}: ${group === '' ? '' : `${group}/`}${resource}${named}: ${rule.verbs.join(' ')}`;
      }),
    ),
  );
}

test('the rights are exactly these', () => {
  expect(lines(rbac()).sort()).toEqual([
    '*: /version: get',
    '*: apps/daemonsets: get list watch',
    '*: drydock.dev/clusterupgrades/status: update',
    '*: drydock.dev/clusterupgrades: get list watch patch',
    '*: drydock.dev/maintenancepolicies/status: update',
    '*: drydock.dev/maintenancepolicies: get list watch create patch',
    '*: drydock.dev/maintenanceprofiles/status: update',
    '*: drydock.dev/maintenanceprofiles: get list watch',
    '*: drydock.dev/maintenancewindows/status: update',
    '*: drydock.dev/maintenancewindows: get list watch',
    '*: drydock.dev/nodemaintenances/status: update',
    '*: drydock.dev/nodemaintenances: get list watch create patch delete',
    '*: namespaces: get list watch',
    '*: nodes: get list watch patch',
    '*: persistentvolumeclaims: get list watch',
    '*: pods/eviction: create',
    '*: pods: get list watch',
    '*: policy/poddisruptionbudgets: get list watch',
    '*: storage.k8s.io/volumeattachments: get list watch',
    'default: events: create patch',
    'drydock-jobs: batch/jobs: get list watch create patch delete',
    'kube-system: coordination.k8s.io/leases (drydock): get update',
    'kube-system: coordination.k8s.io/leases: create',
  ]);
});

/** What may never be granted, whatever is added to the table: the sentence that says so, or nothing. */
function forbidden(needed: readonly Permission[]): string[] {
  return needed.flatMap(({ resource, subresource, verb, apiGroup }) => {
    const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
    if (whole === 'pods' && !['get', 'list', 'watch'].includes(verb))
      return [`${verb} pods would pass every PodDisruptionBudget by`];
    if (['secrets', 'pods/log', 'pods/exec', 'nodes/status', 'nodes/proxy'].includes(whole))
      return [`${verb} ${whole} is never needed`];
    if (apiGroup === 'rbac.authorization.k8s.io' || [verb, resource, apiGroup].includes('*' as never))
      return [`${verb} ${whole} has no bounds`];
    return [];
  });
}

describe('no table of effects', () => {
  test('may delete or change pods, read secrets, or have a wildcard', () =>
    expect(forbidden(permissions())).toEqual([]));

  test('could do so unseen', () => {
    const added: Permission[] = [
      { apiGroup: '', resource: 'pods', verb: 'delete' },
      { apiGroup: '', resource: 'secrets', verb: 'get' },
      { apiGroup: '*', resource: 'things', verb: 'get' },
    ];
    expect(forbidden([...permissions(), ...added])).toHaveLength(3);
    expect(lines(rbac(RBAC_NAMES, [...permissions(), ...added]))).toContain('*: pods: get list watch delete');
  });
});

describe('what an entry needs is what its request does', () => {
  const VERBS: Readonly<Record<Sent['method'], string>> = {
    GET: 'get',
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: 'delete',
  };
  const fields = {
    name: 'a',
    uid: 'u',
    resourceVersion: '1',
    namespace: 'n',
    pod: 'p',
    lane: 'l',
    nodeName: 'w',
    as: 'cordon',
    of: 'ClusterUpgrade',
    manifest: {},
    owner: {},
    spec: {},
    labels: {},
    finalizers: [],
    status: {},
  };
  const sent = Object.keys(EFFECTS).map(
    (kind) => [kind, requestOf({ kind, ...fields } as never as Effect, { jobsNamespace: 'jobs' }).sent] as const,
  );

  test.each(sent)('%s', (kind, { method, resource }) => {
    const needs = EFFECTS[kind as Effect['kind']].needs.map(
      (each) => `${each.verb} ${each.resource}${each.subresource === undefined ? '' : `/${each.subresource}`}`,
    );
    expect(needs).toContain(`${VERBS[method]} ${resource}`);
    expect(new Set(needs.map((need) => need.split(' ')[0]))).toEqual(new Set([VERBS[method]]));
  });

  test('a status is updated, nothing else', () => {
    expect(
      STATUS.needs.every(
        ({ verb, subresource, apiGroup }) =>
          verb === 'update' && subresource === 'status' && apiGroup === 'drydock.dev',
      ),
    ).toBe(true);
  });
});

test('roles are bound to one service account, under names that can be chosen', () => {
  const objects = rbac({
    name: 'dock',
    namespace: 'ops',
    serviceAccount: 'captain',
    jobsNamespace: 'work',
    lease: 'only-one',
  });
  expect(objects.map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace ?? '*'}/${name}`)).toEqual([
    'ClusterRole */dock',
    'ClusterRoleBinding */dock',
    'Role work/dock',
    'RoleBinding work/dock',
    'Role default/dock',
    'RoleBinding default/dock',
    'Role kube-system/dock',
    'RoleBinding kube-system/dock',
  ]);
  for (const { kind, roleRef, subjects } of objects) {
    if (!kind.endsWith('Binding')) continue;
    expect(roleRef).toEqual({ apiGroup: 'rbac.authorization.k8s.io', kind: kind.replace('Binding', ''), name: 'dock' });
    expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'captain', namespace: 'ops' }]);
  }
  expect(lines(objects)).toContain('kube-system: coordination.k8s.io/leases (only-one): get update');
});
