import { describe, expect, test } from 'vitest';
import { nodeMaintenance, type Plan } from '../../src/api/node-maintenance.ts';
import { amissOn, missing } from '../../src/core/verify.ts';
import type { PodView, Taint } from '../../src/core/world.ts';
import { ago, cordoned, NOW, node, pod } from '../support/build.ts';
import { plan } from '../support/build-own.ts';

const STATE = {
  phase: 'Verifying',
  since: ago(60),
  attempt: 1,
  jobUID: 'j',
  bootIDBefore: 'b',
  machineID: 'm',
} as const;
const taint = (key: string, effect = 'NoSchedule'): Taint => ({ key, value: '', effect });
const cni = (over: Partial<PodView> = {}) =>
  pod('cni-x', {
    namespace: 'kube-system',
    controller: { kind: 'DaemonSet', name: 'cni', uid: 'uid-cni' },
    ready: false,
    ...over,
  });
const lacks = (of: Plan, taints: readonly Taint[], pods: readonly PodView[] = []) =>
  missing(of, STATE, cordoned('uid-passage', { kubeletVersion: 'v1.36.4', taints }), { now: NOW, pods });

describe('[rule 64] start-up taints, by their keys', () => {
  test.each([
    'node.kubernetes.io/not-ready',
    'node.kubernetes.io/unreachable',
    'node.kubernetes.io/network-unavailable',
    'node.cloudprovider.kubernetes.io/uninitialized',
    'node.cloudprovider.kubernetes.io/shutdown',
    'node.cilium.io/agent-not-ready',
    'ebs.csi.aws.com/agent-not-ready',
    'disk.csi.azure.com/agent-not-ready',
    'cni.istio.io/not-ready',
    'karpenter.sh/unregistered',
    'startup-taint.cluster-autoscaler.kubernetes.io/gpu',
    'ignore-taint.cluster-autoscaler.kubernetes.io/gpu',
    'readiness.k8s.io/example.com-network',
    'example.com/storage.unavailable',
  ])('caught: %s is waited for', (key) => {
    expect(lacks(plan(), [taint(key)])).toEqual({ what: 'Taint', taint: key });
    expect(lacks(plan(), [taint(key, 'NoExecute')])).toEqual({ what: 'Taint', taint: key });
  });

  test.each([
    taint('node.kubernetes.io/unschedulable'),
    taint('node.kubernetes.io/memory-pressure'),
    taint('node-role.kubernetes.io/control-plane'),
    taint('dedicated'),
    taint('nvidia.com/gpu'),
    taint('karpenter.sh/disrupted'),
    taint('ToBeDeletedByClusterAutoscaler'),
    taint('drydock.dev/due', 'PreferNoSchedule'),
    taint('example.com/agent-not-ready', 'PreferNoSchedule'),
  ])('caught: $key:$effect does not fail the node', (one) => {
    expect(lacks(plan(), [one])).toBeUndefined();
  });
});

describe('what was wrong before the node was touched is not waited for', () => {
  const SICK = plan({ amiss: { taints: ['node.cilium.io/agent-not-ready'], daemonSets: ['kube-system/cni'] } });

  test('caught: the pod of a DaemonSet that was sick before, though it is another pod by now', () => {
    expect(lacks(SICK, [], [cni({ name: 'cni-new', createdAt: NOW })])).toBeUndefined();
    expect(lacks(plan(), [], [cni()])).toEqual({ what: 'DaemonSetPod', pod: 'kube-system/cni-x' });
  });

  test('the pod of another DaemonSet is, even of the same name', () => {
    expect(lacks(SICK, [], [cni({ namespace: 'other' })])).toMatchObject({ what: 'DaemonSetPod' });
  });

  test('a start-up taint that was there before', () => {
    expect(lacks(SICK, [taint('node.cilium.io/agent-not-ready')])).toBeUndefined();
    expect(lacks(SICK, [taint('ebs.csi.aws.com/agent-not-ready')])).toMatchObject({ what: 'Taint' });
  });

  test('caught: those that go by themselves when the node is up are always waited for', () => {
    const before = node('worker-1', { taints: [taint('node.kubernetes.io/not-ready', 'NoExecute')] });
    expect(amissOn(before, [])).toBeUndefined();
  });

  test('is found by one look at the node and its pods, each named once, and the schema takes it', () => {
    const seen = node('worker-1', { taints: [taint('node.cilium.io/agent-not-ready'), taint('dedicated')] });
    const healthy = cni({ name: 'csi-y', controller: { kind: 'DaemonSet', name: 'csi', uid: 'u' }, ready: true });
    const amiss = amissOn(seen, [cni(), cni({ name: 'cni-y' }), healthy, pod('web', { ready: false })]);
    expect(amiss).toEqual({ taints: ['node.cilium.io/agent-not-ready'], daemonSets: ['kube-system/cni'] });
    expect(nodeMaintenance.status.safeParse({ plan: plan({ amiss }) }).error).toBeUndefined();
  });

  test('is nothing on a healthy node, and not more than status can hold', () => {
    expect(amissOn(node(), [pod()])).toBeUndefined();
    const many = Array.from({ length: 80 }, (_, index) =>
      cni({ name: `x-${index}`, controller: { kind: 'DaemonSet', name: `d-${index}`, uid: 'u' } }),
    );
    expect(amissOn(node(), many)?.daemonSets).toHaveLength(50);
  });
});
