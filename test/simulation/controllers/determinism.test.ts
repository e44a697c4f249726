import { expect, test } from 'vitest';
import { isReady, job, template, type World, workload, world } from './world.ts';

/** A day in which everything happens that the model knows. */
function day(seed: number): World {
  const at = world(seed);
  for (let node = 0; node < 6; node += 1) at.node(`node-${node}`, { controlPlane: node === 0 });
  at.kubelets.createStaticPods('node-0', 'v1.35.0');
  at.run(10);
  const metadata = { name: 'web', namespace: 'default' };
  const spec = { selector: { matchLabels: { app: 'web' } }, maxUnavailable: '25%' };
  at.create('poddisruptionbudgets.policy', { metadata, spec });
  at.create('deployments.apps', workload('web', 8));
  at.create('statefulsets.apps', workload('db', 3));
  at.create('daemonsets.apps', workload('agent', 0, template('agent')));
  at.create(
    'jobs.batch',
    job('work', { backoffLimit: 2, ttlSecondsAfterFinished: 60 }, { 'test.drydock.dev/exit-code': '1' }),
  );
  at.run(60);
  at.remove('pods', 'default/db-1');
  at.kubelets.quickReboot('node-1');
  at.kubelets.powerOff('node-2');
  at.run(500);
  at.kubelets.powerOn('node-2');
  at.remove('nodes', 'node-3');
  at.run(200);
  at.remove('deployments.apps', 'default/web', 'Foreground');
  at.run(3_000);
  return at;
}

test('the same seed writes the same things, to the byte', () => {
  const [one, other] = [day(7), day(7)].map(({ written }) => written.map((each) => JSON.stringify(each)));
  expect(one?.length).toBeGreaterThan(200);
  expect(other).toEqual(one);
});

test('another seed goes another way to the same end', () => {
  const [one, other] = [day(7), day(8)];
  expect(one.written.map(({ last }) => last.metadata.uid)).not.toEqual(
    other.written.map(({ last }) => last.metadata.uid),
  );
  for (const at of [one, other])
    expect(
      at
        .pods()
        .filter(isReady)
        .map(({ metadata }) => metadata.name).length,
    ).toBe(11);
});

test('when everything is settled nothing is due, and nothing is written', () => {
  const at = day(7);
  expect(at.timeline.next()).toBeUndefined();
});

test('every write says who wrote it', () => {
  const by = new Set(day(7).written.map((each) => each.by.replace(/\d+$/, 'N')));
  expect([...by].sort()).toEqual([
    'daemonset-controller',
    'deployment-controller',
    'disruption-controller',
    'garbage-collector',
    'job-controller',
    'kubelet/node-N',
    'node-lifecycle-controller',
    'pod-garbage-collector',
    'replicaset-controller',
    'scheduler',
    'statefulset-controller',
    'taint-eviction-controller',
    'test',
    'ttl-after-finished-controller',
  ]);
});

test('controllers that are told everything again find nothing to do', () => {
  const at = day(7);
  const { revision } = at.etcd;
  at.resync();
  at.run(600);
  expect(at.etcd.revision).toBe(revision);
});

test('controllers that are stopped write nothing', () => {
  const at = day(7);
  const { revision } = at.etcd;
  at.remove('pods', 'default/db-0');
  at.stop();
  at.run(600);
  expect(at.etcd.revision).toBe(revision + 1);
});
