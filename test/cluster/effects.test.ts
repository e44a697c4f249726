import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { EFFECTS, requestOf, type Sent, STATUS } from '../../src/cluster/effects.ts';
import type { Effect } from '../../src/core/effect.ts';

const NAMES = { jobsNamespace: 'drydock-jobs' };
const PASSAGES = '/apis/drydock.dev/v1alpha1/nodemaintenances';
const JOBS = '/apis/batch/v1/namespaces/drydock-jobs/jobs';
const owner = { kind: 'ClusterUpgrade', name: 'to-1-36', uid: 'upgrade-uid' };
const guarded = { uid: 'uid-1', resourceVersion: '7' };

/** A taint of somebody else. */
const SLOW = { key: 'a', value: 'b', effect: 'NoExecute', timeAdded: '2026-11-21T10:00:00Z' };

/** Each effect, as the request that it must become. */
const table: readonly [string, Effect, Partial<Sent>][] = [
  [
    'a cordon',
    {
      kind: 'patchNode',
      as: 'cordon',
      nodeName: 'worker-1',
      resourceVersion: '7',
      unschedulable: true,
      labels: { a: 'b' },
      annotations: { c: null },
    },
    {
      method: 'PATCH',
      path: '/api/v1/nodes/worker-1',
      resource: 'nodes',
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { resourceVersion: '7', labels: { a: 'b' }, annotations: { c: null } },
        spec: { unschedulable: true },
      },
    },
  ],
  [
    'the end of a mark, which leaves everything else alone',
    { kind: 'patchNode', as: 'unmark', nodeName: 'worker-1', resourceVersion: '7', annotations: { c: null } },
    { body: { metadata: { resourceVersion: '7', annotations: { c: null } } } },
  ],
  [
    'a soft taint, with the taints of others as they are',
    {
      kind: 'patchNode',
      as: 'steer',
      nodeName: 'worker-1',
      resourceVersion: '7',
      taints: { others: [SLOW], due: 'to-1-36' },
    },
    {
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { resourceVersion: '7' },
        spec: { taints: [SLOW, { key: 'drydock.dev/due', value: 'to-1-36', effect: 'PreferNoSchedule' }] },
      },
    },
  ],
  [
    'the end of a cordon and of the last taint',
    {
      kind: 'patchNode',
      as: 'uncordon',
      nodeName: 'worker-1',
      resourceVersion: '7',
      unschedulable: false,
      taints: { others: [] },
      annotations: { c: null },
    },
    {
      body: {
        metadata: { resourceVersion: '7', annotations: { c: null } },
        spec: { unschedulable: false, taints: [] },
      },
    },
  ],
  [
    'an eviction',
    { kind: 'evict', namespace: 'shop', pod: 'web-1', uid: 'uid-1', gracePeriodSeconds: 30, lane: 'shop/web' },
    {
      method: 'POST',
      path: '/api/v1/namespaces/shop/pods/web-1/eviction',
      resource: 'pods/eviction',
      contentType: 'application/json',
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: 'web-1', namespace: 'shop' },
        deleteOptions: { preconditions: { uid: 'uid-1' }, gracePeriodSeconds: 30 },
      },
    },
  ],
  [
    'an eviction in the time that the pod itself wants',
    { kind: 'evict', namespace: 'shop', pod: 'web-1', uid: 'uid-1', lane: 'shop/web' },
    {
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: 'web-1', namespace: 'shop' },
        deleteOptions: { preconditions: { uid: 'uid-1' } },
      },
    },
  ],
  [
    'a trial, which is no eviction by its address and by its body',
    { kind: 'tryEvict', namespace: 'shop', pod: 'web-1', uid: 'uid-1' },
    {
      method: 'POST',
      path: '/api/v1/namespaces/shop/pods/web-1/eviction?dryRun=All',
      resource: 'pods/eviction',
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: 'web-1', namespace: 'shop' },
        deleteOptions: { preconditions: { uid: 'uid-1' }, dryRun: ['All'] },
      },
    },
  ],
  [
    'a new Job, always in the namespace of the Jobs and under its own name',
    {
      kind: 'createJob',
      name: 'a-1',
      manifest: { metadata: { name: 'x', namespace: 'kube-system', labels: { a: 'b' } }, spec: { suspend: true } },
    },
    {
      method: 'POST',
      path: JOBS,
      body: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'a-1', namespace: 'drydock-jobs', labels: { a: 'b' } },
        spec: { suspend: true },
      },
    },
  ],
  [
    'the release of a Job',
    { kind: 'releaseJob', name: 'a-1', ...guarded },
    {
      method: 'PATCH',
      path: `${JOBS}/a-1`,
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { ...guarded, annotations: { 'drydock.dev/released': 'true' } },
        spec: { suspend: false },
      },
    },
  ],
  [
    'the deletion of a Job',
    { kind: 'deleteJob', name: 'a-1', ...guarded },
    {
      method: 'DELETE',
      path: `${JOBS}/a-1`,
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: guarded, propagationPolicy: 'Background' },
    },
  ],
  [
    'the deletion of a Job that may have changed since',
    { kind: 'deleteJob', name: 'a-1', uid: 'uid-1' },
    {
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid: 'uid-1' },
        propagationPolicy: 'Background',
      },
    },
  ],
  [
    'a new passage',
    {
      kind: 'createPassage',
      name: 'worker-1-x',
      labels: { 'drydock.dev/upgrade': 'to-1-36' },
      owner,
      spec: { nodeName: 'worker-1', hold: false },
    },
    {
      method: 'POST',
      path: PASSAGES,
      resource: 'nodemaintenances',
      body: {
        apiVersion: 'drydock.dev/v1alpha1',
        kind: 'NodeMaintenance',
        metadata: {
          name: 'worker-1-x',
          labels: { 'drydock.dev/upgrade': 'to-1-36' },
          finalizers: ['drydock.dev/passage'],
          ownerReferences: [
            { apiVersion: 'drydock.dev/v1alpha1', ...owner, controller: true, blockOwnerDeletion: false },
          ],
        },
        spec: { nodeName: 'worker-1', hold: false },
      },
    },
  ],
  [
    'the deletion of a passage',
    { kind: 'deletePassage', name: 'worker-1-x', uid: 'uid-1' },
    {
      method: 'DELETE',
      path: `${PASSAGES}/worker-1-x`,
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid: 'uid-1' },
        propagationPolicy: 'Background',
      },
    },
  ],
  [
    'the policy where there is none',
    { kind: 'createPolicy', name: 'cluster' },
    {
      method: 'POST',
      path: '/apis/drydock.dev/v1alpha1/maintenancepolicies',
      body: {
        apiVersion: 'drydock.dev/v1alpha1',
        kind: 'MaintenancePolicy',
        metadata: { name: 'cluster' },
        spec: {},
      },
    },
  ],
  [
    'finalizers',
    { kind: 'setFinalizers', of: 'ClusterUpgrade', name: 'to-1-36', ...guarded, finalizers: [] },
    {
      method: 'PATCH',
      path: '/apis/drydock.dev/v1alpha1/clusterupgrades/to-1-36',
      contentType: 'application/merge-patch+json',
      body: { metadata: { ...guarded, finalizers: [] } },
    },
  ],
  [
    'the ledger',
    { kind: 'writeLedger', as: 'admit', ...guarded, status: { conditions: [], nextTicket: 2, tickets: [] } },
    {
      method: 'PUT',
      path: '/apis/drydock.dev/v1alpha1/maintenancepolicies/cluster/status',
      resource: 'maintenancepolicies/status',
      body: {
        apiVersion: 'drydock.dev/v1alpha1',
        kind: 'MaintenancePolicy',
        metadata: { name: 'cluster', ...guarded },
        status: { conditions: [], nextTicket: 2, tickets: [] },
      },
    },
  ],
];

describe('the request of', () => {
  test.each(table)('%s', (_, effect, expected) => expect(requestOf(effect, NAMES).sent).toMatchObject(expected));
  test.each(table)('%s has exactly that body', (_, effect, { body }) =>
    expect(requestOf(effect, NAMES).sent.body).toEqual(body),
  );

  test('a status', () => {
    expect(STATUS.request({ of: 'NodeMaintenance', name: 'a', ...guarded, status: { pods: 1 } }, NAMES)).toMatchObject({
      method: 'PUT',
      path: `${PASSAGES}/a/status`,
      body: {
        apiVersion: 'drydock.dev/v1alpha1',
        kind: 'NodeMaintenance',
        metadata: { name: 'a', ...guarded },
        status: { pods: 1 },
      },
    });
  });
});

test('the table above has every effect', () => {
  expect(new Set(table.map(([, { kind }]) => kind))).toEqual(new Set(Object.keys(EFFECTS)));
});

describe('the guard that an entry names stands in its request', () => {
  test.each(table)('%s', (_, effect) => {
    const { guard } = EFFECTS[effect.kind];
    const sent = JSON.stringify(requestOf(effect, NAMES).sent.body);
    if (guard.includes('uid')) expect(sent).toContain('"uid":"uid-1"');
    if (guard.includes('resourceVersion')) expect(sent).toContain('"resourceVersion":"7"');
    if (guard === 'name') expect(sent).toContain(`"name":"${'name' in effect ? effect.name : ''}"`);
  });

  test('and only what creates is guarded by its name', () => {
    for (const [kind, { guard, asked }] of Object.entries(EFFECTS))
      expect([kind, guard === 'name']).toEqual([kind, asked === 'create']);
  });
});

test.each([0, -5, 0.5, 1])('a grace period of %s s is sent as 1: 0 would be a force delete', (gracePeriodSeconds) => {
  const effect: Effect = { kind: 'evict', namespace: 'shop', pod: 'a', uid: 'u', gracePeriodSeconds, lane: 'x' };
  expect(requestOf(effect, NAMES).sent.body).toMatchObject({ deleteOptions: { gracePeriodSeconds: 1 } });
});

test('a name can never lead out of its path', () => {
  const effect: Effect = { kind: 'evict', namespace: 'a/../b', pod: '../../nodes/x?', uid: 'u', lane: 'x' };
  expect(requestOf(effect, NAMES).sent.path).toBe('/api/v1/namespaces/a%2F..%2Fb/pods/..%2F..%2Fnodes%2Fx%3F/eviction');
});

test('[rule 11] no request writes a taint of ours but the soft one: NoExecute would end pods without asking their budgets', () => {
  const added = (effect: Effect) => {
    const { spec } = requestOf(effect, NAMES).sent.body as { spec?: { taints?: readonly { effect: string }[] } };
    return spec?.taints?.filter((taint) => !isDeepStrictEqual(taint, SLOW)).map((taint) => taint.effect) ?? [];
  };
  expect(table.flatMap(([, effect]) => (effect.kind === 'patchNode' ? added(effect) : []))).toEqual([
    'PreferNoSchedule',
  ]);
  const smuggled = { ...table[0]?.[1], taints: { others: [], due: 'x', effect: 'NoExecute' } } as unknown as Effect;
  expect(added(smuggled)).toEqual(['PreferNoSchedule']);
});
