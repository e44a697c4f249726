import { expect, test } from 'vitest';
import { isReady, workload, world } from './world.ts';

function deployed() {
  const at = world();
  at.node('one');
  at.run(10);
  at.create('deployments.apps', workload('web', 2));
  at.until(() => at.pods('web').filter(isReady).length === 2);
  at.run(1);
  return at;
}

const sets = (at: ReturnType<typeof world>) => at.registry.list('replicasets.apps');
const deployment = (at: ReturnType<typeof world>) => at.registry.get('deployments.apps', 'default/web');

test('in the background the owner goes first, what it owns after it', () => {
  const at = deployed();
  at.remove('deployments.apps', 'default/web');
  expect(deployment(at)).toBeUndefined();
  expect(sets(at)).toHaveLength(1);
  at.run(40);
  expect(sets(at)).toEqual([]);
  expect(at.pods('web')).toEqual([]);
});

test('in the foreground the owner goes last', () => {
  const at = deployed();
  at.remove('deployments.apps', 'default/web', 'Foreground');
  at.until(() => at.pods('web').length === 0);
  expect(sets(at)).toHaveLength(1);
  at.until(() => sets(at).length === 0);
  expect(deployment(at)).toBeDefined();
  at.until(() => deployment(at) === undefined);
});

test('orphans stay, without their owner', () => {
  const at = deployed();
  at.remove('deployments.apps', 'default/web', 'Orphan');
  at.until(() => deployment(at) === undefined);
  at.run(60);
  expect(sets(at)).toHaveLength(1);
  expect(sets(at)[0]?.metadata.ownerReferences).toBeUndefined();
  expect(at.pods('web').filter(isReady)).toHaveLength(2);
});

test('a dependent that does not block is not waited for', () => {
  const at = world();
  const owner = at.create('configmaps', { metadata: { name: 'owner', namespace: 'default' } });
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid }];
  at.create('configmaps', { metadata: { name: 'held', namespace: 'default', ownerReferences, finalizers: ['a/b'] } });
  at.remove('configmaps', 'default/owner', 'Foreground');
  at.run(5);
  expect(at.registry.get('configmaps', 'default/owner')).toBeUndefined();
  expect(at.registry.get('configmaps', 'default/held')?.metadata.deletionTimestamp).toBeDefined();
});

test('what has another owner stays, and forgets the one that went', () => {
  const at = world();
  const owners = ['first', 'second'].map((name) =>
    at.create('configmaps', { metadata: { name, namespace: 'default' } }),
  );
  const ownerReferences = owners.map(({ metadata: { name, uid } }) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name,
    uid,
  }));
  at.create('configmaps', { metadata: { name: 'both', namespace: 'default', ownerReferences } });
  at.remove('configmaps', 'default/first');
  at.run(5);
  expect(at.registry.get('configmaps', 'default/both')?.metadata.ownerReferences?.map(({ name }) => name)).toEqual([
    'second',
  ]);
  at.remove('configmaps', 'default/second');
  at.run(5);
  expect(at.registry.get('configmaps', 'default/both')).toBeUndefined();
});

test('what comes after its owner has gone goes as well', () => {
  const at = world();
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'gone' }];
  at.create('configmaps', { metadata: { name: 'late', namespace: 'default', ownerReferences } });
  at.run(5);
  expect(at.registry.get('configmaps', 'default/late')).toBeUndefined();
});

test('a namespace that is deleted is emptied, and then gone', () => {
  const at = deployed();
  at.remove('namespaces', 'default');
  at.run(0.5);
  expect(at.registry.get('namespaces', 'default')?.metadata.deletionTimestamp).toBeDefined();
  at.run(60);
  expect(at.registry.get('namespaces', 'default')).toBeUndefined();
  expect(at.pods('web')).toEqual([]);
  expect(deployment(at)).toBeUndefined();
});
