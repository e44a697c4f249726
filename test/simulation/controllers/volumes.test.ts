import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/simulation/objects.ts';
import { template, world } from './world.ts';

type Attachment = KubeObject & { readonly spec: { readonly nodeName: string } };

/** A pod with a volume on one of two nodes, and one that wants the same volume when the first is gone. */
function disk() {
  const { create, node, ...cluster } = world(1, {
    attach: [100, 100],
    detach: [3_000, 3_000],
    podTerminate: [2_000, 2_000],
  });
  for (const name of ['worker-1', 'worker-2']) node(name);
  create('persistentvolumeclaims', { metadata: { name: 'disk', namespace: 'default' }, spec: { volumeName: 'pv-1' } });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'disk' } }];
  const pod = (name: string, nodeName: string) =>
    create('pods', { metadata: { name, namespace: 'default' }, spec: { ...template(name).spec, volumes, nodeName } });
  const attached = () =>
    cluster.registry.list<Attachment>('volumeattachments.storage.k8s.io').map(({ spec }) => spec.nodeName);
  return { ...cluster, pod, attached };
}

describe('a volume', () => {
  test('is attached to the node of its pod', () => {
    const { pod, attached, run } = disk();
    run(10);
    pod('first', 'worker-1');
    run(1);
    expect(attached()).toEqual(['worker-1']);
  });

  test('is detached some time after its pod is gone: seen to fail where it was let go while the pod was ending', () => {
    const { pod, attached, run, remove, until } = disk();
    run(10);
    pod('first', 'worker-1');
    run(10);
    remove('pods', 'default/first');
    expect(until(() => attached().length === 0)).toBeGreaterThan(5);
  });

  test('is attached to another node only then: seen to fail where each node had it at once', () => {
    const { pod, attached, run, remove } = disk();
    run(10);
    pod('first', 'worker-1');
    run(10);
    pod('second', 'worker-2');
    run(10);
    expect(attached()).toEqual(['worker-1']);
    remove('pods', 'default/first');
    run(10);
    expect(attached()).toEqual(['worker-2']);
  });
});
