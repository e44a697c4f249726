import { describe, expect, test } from 'vitest';
import { pool } from '../../src/cluster/pool.ts';
import { view } from '../../src/cluster/views.ts';
import type { Kind } from '../../src/core/world.ts';

const see = <K extends Kind>(kind: K, raw: unknown) => view(kind, raw, { jobsNamespace: 'drydock-jobs', pool: pool() });
const metadata = { name: 'one', uid: 'uid-1', resourceVersion: '7' };
const KINDS: readonly Kind[] = [
  'Node',
  'Pod',
  'PodDisruptionBudget',
  'Job',
  'DaemonSet',
  'VolumeAttachment',
  'PersistentVolumeClaim',
  'MaintenanceWindow',
  'MaintenanceProfile',
  'MaintenancePolicy',
  'ClusterUpgrade',
  'NodeMaintenance',
];

describe('whatever comes in', () => {
  const garbage: readonly unknown[] = [
    undefined,
    null,
    7,
    'x',
    [],
    {},
    { metadata: null },
    { metadata: { name: 'a' } },
    { metadata: { ...metadata, uid: 7 } },
  ];
  test.each(KINDS)('what has no identity is not a %s, and nothing is thrown', (kind) => {
    for (const raw of garbage) expect(see(kind, raw)).toBeUndefined();
  });

  const odd = [
    null,
    7,
    'x',
    [],
    [null],
    { conditions: 'x' },
    { conditions: [null, 7], volumes: [null], containers: [7], taints: [null], selector: 'x' },
  ];
  test.each(KINDS)('a %s with odd fields keeps its name', (kind) => {
    for (const part of odd) {
      const raw = {
        metadata: {
          ...metadata,
          labels: part,
          annotations: part,
          ownerReferences: part,
          finalizers: part,
          deletionTimestamp: part,
        },
        spec: part,
        status: part,
      };
      expect(see(kind, raw)).toMatchObject({ name: 'one', uid: 'uid-1', resourceVersion: '7' });
    }
  });
});

describe('a Node', () => {
  const node = (more: object = {}) =>
    see('Node', {
      metadata: {
        ...metadata,
        labels: { 'kubernetes.io/hostname': 'one' },
        annotations: {
          'drydock.dev/hold': 'yes',
          'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true',
          'csi.volume.kubernetes.io/nodeid': '{"a":"kilobytes"}',
        },
      },
      spec: {
        taints: [
          { key: 'a', effect: 'NoSchedule' },
          { key: 'b', effect: 'NoExecute', timeAdded: '2026-11-21T10:00:00Z' },
        ],
      },
      status: {
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-21T10:00:00Z' }],
        nodeInfo: { bootID: 'boot', machineID: 'machine', kubeletVersion: 'v1.36.4' },
      },
      ...more,
    });

  test('is read with what decisions need, and of its annotations only ours', () => {
    expect(node()).toEqual({
      ...metadata,
      labels: { 'kubernetes.io/hostname': 'one' },
      annotations: { 'drydock.dev/hold': 'yes', 'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true' },
      unschedulable: false,
      taints: [
        { key: 'a', value: '', effect: 'NoSchedule' },
        { key: 'b', value: '', effect: 'NoExecute', timeAdded: '2026-11-21T10:00:00Z' },
      ],
      ready: true,
      unreachable: false,
      readySince: Date.UTC(2026, 10, 21, 10),
      bootID: 'boot',
      machineID: 'machine',
      kubeletVersion: 'v1.36.4',
      controlPlane: false,
      deleting: false,
    });
  });

  test('whose Ready is Unknown is not Ready', () => {
    expect(node({ status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } })).toMatchObject({
      ready: false,
      readySince: 0,
    });
  });

  test('is a control plane by the label alone, whatever its value', () => {
    const labels = { 'node-role.kubernetes.io/control-plane': '' };
    expect(node({ metadata: { ...metadata, labels } })).toMatchObject({ controlPlane: true });
  });
});

describe('a Pod', () => {
  const pod = (namespace: string, spec: object, status: object = {}, more: object = {}) =>
    see('Pod', { metadata: { ...metadata, namespace, ...more }, spec, status });

  test('is read without what nobody asks for', () => {
    const owner = { kind: 'ReplicaSet', name: 'web-1', uid: 'rs', controller: true, apiVersion: 'apps/v1' };
    const seen = pod(
      'shop',
      { nodeName: 'worker-1', containers: [{ image: 'web:1' }] },
      { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      {
        creationTimestamp: '2026-11-21T09:00:00Z',
        labels: { app: 'web' },
        ownerReferences: [{ kind: 'Other', name: 'x', uid: 'y' }, owner],
      },
    );
    expect(seen).toEqual({
      ...metadata,
      namespace: 'shop',
      nodeName: 'worker-1',
      phase: 'Running',
      ready: true,
      createdAt: Date.UTC(2026, 10, 21, 9),
      evictedAfterSeconds: 0,
      labels: { app: 'web' },
      toleratesCordon: false,
      mirror: false,
      controller: { kind: 'ReplicaSet', name: 'web-1', uid: 'rs' },
      emptyDir: false,
      claims: [],
      finalizers: [],
    });
  });

  test('says when it would be deleted from a node that is not ready, or that it would not', () => {
    expect(pod('shop', { tolerations: [{ operator: 'Exists' }] })).not.toHaveProperty('evictedAfterSeconds');
    expect(pod('shop', { tolerations: [{ operator: 'Exists', tolerationSeconds: 300 }] })).toMatchObject({
      evictedAfterSeconds: 300,
    });
  });

  test('an owner that is no controller does not manage it', () => {
    expect(pod('shop', {}, {}, { ownerReferences: [{ kind: 'DaemonSet', name: 'x', uid: 'y' }] })).not.toHaveProperty(
      'controller',
    );
  });

  test('names its claims, those of ephemeral volumes too, and says whether it has an emptyDir', () => {
    const volumes = [
      { name: 'a', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'scratch', ephemeral: {} },
      { name: 'c', emptyDir: {} },
    ];
    expect(pod('shop', { volumes })).toMatchObject({ claims: ['data', 'one-scratch'], emptyDir: true });
  });

  test('a mirror of a static pod is known by its annotation, even an empty one', () => {
    expect(pod('kube-system', {}, {}, { annotations: { 'kubernetes.io/config.mirror': '' } })).toMatchObject({
      mirror: true,
    });
  });

  test('being deleted counts, even at a time nobody can read', () => {
    expect(pod('shop', {}, {}, { deletionTimestamp: '2026-11-21T10:00:00Z' })).toMatchObject({
      deletedAt: Date.UTC(2026, 10, 21, 10),
    });
    expect(pod('shop', {}, {}, { deletionTimestamp: 'soon' })).toMatchObject({ deletedAt: 0 });
  });

  test.each([
    ['registry.k8s.io/kube-apiserver:v1.36.4', 'v1.36.4'],
    ['registry.k8s.io/kube-apiserver:v1.36.4@sha256:abc', 'v1.36.4'],
    ['registry:5000/kube-apiserver', undefined],
    ['kube-apiserver@sha256:abc', undefined],
  ])('of a component with image %s has version %s', (image, version) => {
    const seen = pod(
      'kube-system',
      { containers: [{ image }, { image: 'other:v9' }] },
      {},
      { labels: { component: 'kube-apiserver' } },
    );
    expect(seen?.componentVersion).toBe(version);
  });

  test.each([
    ['another namespace', 'shop', 'kube-apiserver'],
    ['another component', 'kube-system', 'kube-proxy'],
  ])('of %s has no component version', (_, namespace, component) => {
    expect(pod(namespace, { containers: [{ image: 'a:v1' }] }, {}, { labels: { component } })).not.toHaveProperty(
      'componentVersion',
    );
  });

  const finished = {
    containerStatuses: [{ state: { terminated: { exitCode: 3, message: 'disk full', reason: 'Error' } } }],
  };
  test('of a Job of ours says how it ended, others do not', () => {
    expect(pod('drydock-jobs', {}, finished)).toMatchObject({ ended: { exitCode: 3, message: 'disk full' } });
    expect(pod('shop', {}, finished)).not.toHaveProperty('ended');
  });

  test('of a Job of ours says why it waits', () => {
    const status = {
      containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }],
    };
    expect(pod('drydock-jobs', {}, status)).toMatchObject({
      waiting: { reason: 'ImagePullBackOff', message: 'no such image' },
    });
  });

  test('of a Job of ours says why it has no place, others do not', () => {
    const message = '0/3 nodes are available: 1 Too many pods.';
    const status = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] };
    expect(pod('drydock-jobs', {}, status)).toMatchObject({ waiting: { reason: 'Unschedulable', message } });
    expect(pod('shop', {}, status)).not.toHaveProperty('waiting');
    const placed = { conditions: [{ type: 'PodScheduled', status: 'True' }] };
    expect(pod('drydock-jobs', {}, placed)).not.toHaveProperty('waiting');
  });
});

describe('a PodDisruptionBudget', () => {
  const budget = (spec: object) =>
    see('PodDisruptionBudget', { metadata: { ...metadata, namespace: 'shop' }, spec, status: {} });

  test('without a selector selects nothing, with an empty one everything', () => {
    expect(budget({})).not.toHaveProperty('selector');
    expect(budget({ selector: {} })?.selector).toEqual({ matchLabels: {}, matchExpressions: [] });
  });

  test('says why its controller could not count its pods', () => {
    const condition = { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'no controllers' };
    const raw = (over: object) => ({
      metadata: { ...metadata, namespace: 'shop' },
      spec: {},
      status: { conditions: [{ ...condition, ...over }] },
    });
    expect(see('PodDisruptionBudget', raw({}))).toMatchObject({ failed: 'no controllers' });
    expect(see('PodDisruptionBudget', raw({ reason: 'InsufficientPods' }))).not.toHaveProperty('failed');
  });

  test('keeps the names of the pods whose eviction it counts', () => {
    const status = { disruptedPods: { 'web-9': '2026-11-21T12:00:00Z' } };
    const raw = { metadata: { ...metadata, namespace: 'shop' }, spec: {}, status };
    expect(see('PodDisruptionBudget', raw)).toMatchObject({ disruptedPods: ['web-9'] });
    expect(budget({})).toMatchObject({ disruptedPods: [] });
  });

  test('keeps expressions, numbers and percentages', () => {
    const selector = {
      matchExpressions: [
        { key: 'app', operator: 'In', values: ['a', 'b'] },
        { key: 'x', operator: 'Exists' },
      ],
    };
    expect(
      budget({ selector, minAvailable: '50%', maxUnavailable: 0, unhealthyPodEvictionPolicy: 'AlwaysAllow' }),
    ).toMatchObject({
      selector: {
        matchLabels: {},
        matchExpressions: [
          { key: 'app', operator: 'In', values: ['a', 'b'] },
          { key: 'x', operator: 'Exists', values: [] },
        ],
      },
      minAvailable: '50%',
      maxUnavailable: 0,
      alwaysAllowUnhealthy: true,
    });
  });
});

describe('a Job', () => {
  test('says whether Drydock released it, whoever has suspended it since', () => {
    const annotations = { 'drydock.dev/released': 'true' };
    const raw = { metadata: { ...metadata, annotations }, spec: { suspend: true }, status: {} };
    expect(see('Job', raw)).toMatchObject({ suspended: true, released: true });
    expect(see('Job', { ...raw, metadata })).toMatchObject({ suspended: true, released: false });
  });

  const job = (spec: object, status: object) =>
    see('Job', { metadata: { ...metadata, creationTimestamp: '2026-11-21T10:00:00Z' }, spec, status });

  test.each([
    ['suspended and untouched', { suspend: true }, {}, { suspended: true, started: false }],
    ['with a pod', {}, { active: 1 }, { suspended: false, started: true }],
    [
      'whose pod has ended but is not counted yet',
      {},
      { uncountedTerminatedPods: { succeeded: ['uid'] } },
      { started: true },
    ],
    [
      'that is not complete yet',
      {},
      { conditions: [{ type: 'SuccessCriteriaMet', status: 'True' }] },
      { started: false },
    ],
  ])('%s', (_, spec, status, expected) => {
    const seen = job(spec, status);
    expect(seen).toMatchObject(expected);
    expect(seen).not.toHaveProperty('finished');
  });

  test('that failed says why', () => {
    const conditions = [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'too long' }];
    expect(job({}, { failed: 1, conditions })?.finished).toEqual({
      as: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'too long',
    });
  });
});

test('attachments, claims and DaemonSets keep what joins them', () => {
  const attachment = {
    metadata,
    spec: { nodeName: 'worker-1', source: { persistentVolumeName: 'pv-1' } },
    status: { attached: true },
  };
  expect(see('VolumeAttachment', attachment)).toEqual({
    ...metadata,
    nodeName: 'worker-1',
    volumeName: 'pv-1',
    attached: true,
  });
  const claim = { metadata: { ...metadata, namespace: 'shop' }, spec: { volumeName: 'pv-1' } };
  expect(see('PersistentVolumeClaim', claim)).toEqual({ ...metadata, namespace: 'shop', volumeName: 'pv-1' });
  expect(see('DaemonSet', { metadata: { ...metadata, namespace: 'shop' } })).toEqual({
    ...metadata,
    namespace: 'shop',
  });
});

describe('a kind of ours', () => {
  const whole = { ...metadata, generation: 2, creationTimestamp: '2026-11-21T10:00:00Z' };

  test('is read by its schema, defaults filled in', () => {
    const seen = see('NodeMaintenance', { metadata: whole, spec: { nodeName: 'worker-1', hold: true, reason: 'fan' } });
    expect(seen).toMatchObject({
      readable: true,
      generation: 2,
      spec: { nodeName: 'worker-1' },
      status: { state: { phase: 'Pending' } },
    });
  });

  test('that its schema refuses comes back as unreadable, with a sentence', () => {
    const seen = see('NodeMaintenance', { metadata: whole, spec: { nodeName: 'UPPER' } });
    expect(seen).toMatchObject({ readable: false, name: 'one' });
    expect(seen?.readable === false && seen.problem).toMatch(/^spec\.nodeName: must be the name of an object/);
  });

  test('whose metadata is odd comes back as unreadable, with its name', () => {
    expect(see('MaintenancePolicy', { metadata: { ...metadata, finalizers: 'x' } })).toMatchObject({
      readable: false,
      name: 'one',
      finalizers: [],
    });
  });
});

test('what repeats is kept once', () => {
  const door = { jobsNamespace: 'drydock-jobs', pool: pool() };
  const raw = (name: string) => ({
    metadata: { ...metadata, name, namespace: 'shop', labels: { app: 'web' } },
    spec: {},
    status: {},
  });
  const [one, two] = [view('Pod', raw('a'), door), view('Pod', raw('b'), door)];
  expect(one?.labels).toBe(two?.labels);
});
