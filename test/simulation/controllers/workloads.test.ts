import { describe, expect, test } from 'vitest';
import type { PodObject, WorkloadObject } from '../../../src/simulation/objects.ts';
import { isReady, template, workload, world } from './world.ts';

const names = (pods: readonly PodObject[]) => pods.map(({ metadata }) => metadata.name);

function withNodes(count: number, seed = 1) {
  const made = world(seed);
  for (let at = 0; at < count; at += 1) made.node(`node-${at}`);
  made.run(10);
  return made;
}

describe('a Deployment', () => {
  test('has its pods running and ready after a while, spread over the nodes, and says so', () => {
    const at = withNodes(3);
    at.create('deployments.apps', workload('web', 6));
    at.until(() => at.pods('web').filter(isReady).length === 6);
    at.run(1);
    const byNode = Map.groupBy(at.pods('web'), ({ spec }) => spec.nodeName);
    expect([...byNode.values()].map((pods) => pods.length)).toEqual([2, 2, 2]);
    expect(at.registry.get('deployments.apps', 'default/web')?.status).toEqual({
      observedGeneration: 1,
      replicas: 6,
      updatedReplicas: 6,
      readyReplicas: 6,
      availableReplicas: 6,
    });
  });

  test('has a successor for a pod as soon as that begins to leave, not when it is gone', () => {
    const at = withNodes(2);
    at.create(
      'deployments.apps',
      workload('web', 1, template('web', {}, { 'test.drydock.dev/terminate-after': '20' })),
    );
    at.until(() => at.pods('web').some(isReady));
    const [old] = names(at.pods('web'));
    at.remove('pods', `default/${old}`);
    at.until(() => at.pods('web').filter(isReady).length === 1);
    expect(names(at.pods('web'))).toContain(old);
    at.run(30);
    expect(names(at.pods('web'))).not.toContain(old);
    expect(at.pods('web')).toHaveLength(1);
  });

  test('replaces pods one by one when its template changes, one less than wanted at most', () => {
    const at = withNodes(2);
    at.create('deployments.apps', workload('web', 3));
    at.until(() => at.pods('web').filter(isReady).length === 3);
    at.run(2);
    at.change<WorkloadObject>('deployments.apps', 'default/web', (before) => ({
      ...before,
      spec: { ...before.spec, template: template('web', { containers: [{ name: 'main', image: 'web:2' }] }) },
    }));
    const isNew = ({ spec }: PodObject) => spec.containers[0]?.image === 'web:2';
    let least = 3;
    at.until(() => {
      least = Math.min(least, at.pods('web').filter(isReady).length);
      return at.pods('web').length === 3 && at.pods('web').every((pod) => isReady(pod) && isNew(pod));
    });
    expect(least).toBe(2);
    expect(at.registry.list('replicasets.apps')).toHaveLength(2);
  });
});

describe('a StatefulSet', () => {
  const set = (at: ReturnType<typeof world>, more = {}) =>
    at.create('statefulsets.apps', workload('db', 3, template('db'), more));

  test('makes its pods one after another, each when the one before is ready', () => {
    const at = withNodes(1);
    set(at);
    at.until(() => at.pods('db').length === 2);
    expect(at.pods('db').map(isReady)).toEqual([true, false]);
    at.until(() => at.pods('db').filter(isReady).length === 3);
    expect(names(at.pods('db'))).toEqual(['db-0', 'db-1', 'db-2']);
  });

  test('makes them all at once where it is Parallel', () => {
    const at = withNodes(1);
    set(at, { podManagementPolicy: 'Parallel' });
    at.run(0.1);
    expect(names(at.pods('db'))).toEqual(['db-0', 'db-1', 'db-2']);
  });

  test('makes a pod again only when the old one of that name is gone', () => {
    const at = withNodes(1);
    set(at);
    at.until(() => at.pods('db').filter(isReady).length === 3);
    const old = at.pod('db-1')?.metadata.uid;
    at.remove('pods', 'default/db-1');
    at.until(() => at.pod('db-1')?.metadata.uid !== old);
    expect(at.pod('db-1')).toBeUndefined();
    at.until(() => at.pods('db').filter(isReady).length === 3);
  });

  test('takes the highest away first when there are too many', () => {
    const at = withNodes(1);
    set(at);
    at.until(() => at.pods('db').filter(isReady).length === 3);
    at.change<WorkloadObject>('statefulsets.apps', 'default/db', (before) => ({
      ...before,
      spec: { ...before.spec, replicas: 1 },
    }));
    at.until(() => at.pods('db').length === 1);
    expect(names(at.pods('db'))).toEqual(['db-0']);
  });
});

describe('a DaemonSet', () => {
  const set = (at: ReturnType<typeof world>) =>
    at.create('daemonsets.apps', workload('agent', 0, template('agent', { nodeSelector: { disk: 'ssd' } })));

  test('has one pod on each node that it is for, cordoned ones too, and none elsewhere', () => {
    const at = world();
    at.node('one', { labels: { disk: 'ssd' } });
    at.node('two', { labels: { disk: 'ssd' } });
    at.node('three');
    at.change('nodes', 'two', (before) => ({ ...before, spec: { ...(before.spec as object), unschedulable: true } }));
    set(at);
    at.until(() => at.pods('agent').filter(isReady).length === 2);
    at.run(5);
    expect(
      at
        .pods('agent')
        .map(({ spec }) => spec.nodeName)
        .sort(),
    ).toEqual(['one', 'two']);
    expect(at.registry.get('daemonsets.apps', 'default/agent')?.status).toMatchObject({
      desiredNumberScheduled: 2,
      currentNumberScheduled: 2,
      numberReady: 2,
      numberAvailable: 2,
    });
  });

  test('makes a pod on the same node again when that was deleted', () => {
    const at = world();
    at.node('one', { labels: { disk: 'ssd' } });
    set(at);
    at.until(() => at.pods('agent').some(isReady));
    const [old] = names(at.pods('agent'));
    at.remove('pods', `default/${old}`);
    at.until(() => at.pods('agent').some(isReady) && !names(at.pods('agent')).includes(old ?? ''));
    expect(at.pods('agent').map(({ spec }) => spec.nodeName)).toEqual(['one']);
  });

  test('follows the labels of nodes', () => {
    const at = world();
    at.node('one');
    set(at);
    at.run(10);
    expect(at.pods('agent')).toEqual([]);
    at.change('nodes', 'one', (before) => ({
      ...before,
      metadata: { ...before.metadata, labels: { ...before.metadata.labels, disk: 'ssd' } },
    }));
    at.until(() => at.pods('agent').some(isReady));
    at.change('nodes', 'one', (before) => ({ ...before, metadata: { ...before.metadata, labels: {} } }));
    at.until(() => at.pods('agent').length === 0);
  });
});
