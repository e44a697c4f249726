import { describe, expect, test } from 'vitest';
import { type NodeObject, type PodObject, type PodSpec, stamp } from '../../../src/simulation/objects.ts';
import { isReady, job, template, type World, workload, world } from './world.ts';

function ready(...nodes: readonly string[]) {
  const at = world();
  for (const name of nodes) at.node(name);
  at.run(10);
  return at;
}

function pod(at: World, name: string, annotations = {}, spec: Partial<PodSpec> = {}) {
  const metadata = { name, namespace: 'default', annotations };
  return at.create('pods', { metadata, spec: { ...template(name).spec, ...spec } });
}

const condition = ({ status }: NodeObject) => status.conditions?.find(({ type }) => type === 'Ready');
const taints = ({ spec }: NodeObject) => spec.taints?.map(({ key, effect }) => `${key.split('/')[1]}:${effect}`);
const readyPod = (at: World, name: string) => at.pods(name).some(isReady);

describe('a kubelet', () => {
  test('makes a new node Ready after a while, and its taint goes', () => {
    const at = world();
    at.node('one');
    expect(taints(at.nodeOf('one'))).toEqual(['not-ready:NoSchedule']);
    at.until(() => condition(at.nodeOf('one'))?.status === 'True');
    expect(condition(at.nodeOf('one'))?.lastTransitionTime).toBe(stamp(at.timeline.now()));
    at.run(1);
    expect(taints(at.nodeOf('one'))).toEqual([]);
    expect(at.timeline.next()).toBeUndefined();
  });

  test('makes a pod Running, and Ready when its annotation says so', () => {
    const at = ready('one');
    pod(at, 'web', { 'test.drydock.dev/ready-after': '40' });
    at.until(() => at.pod('web')?.status.phase === 'Running');
    expect(readyPod(at, 'web')).toBe(false);
    expect(at.until(() => readyPod(at, 'web'))).toBe(40);
  });

  test('never makes a pod ready that crashes', () => {
    const at = ready('one');
    pod(at, 'web', { 'test.drydock.dev/crash-loop': 'true' });
    at.run(600);
    expect(at.pod('web')?.status.containerStatuses?.[0]?.state?.waiting?.reason).toBe('CrashLoopBackOff');
    expect(readyPod(at, 'web')).toBe(false);
  });

  const ENDS: readonly [string, string, number, number, number][] = [
    ['takes the time that it needs', '7', 30, 7, 143],
    ['takes its grace period at most, and is killed', '70', 20, 20, 137],
  ];
  test.each(ENDS)('a pod that ends %s', (_, after, grace, seconds, exitCode) => {
    const at = ready('one');
    pod(at, 'web', { 'test.drydock.dev/terminate-after': after }, { terminationGracePeriodSeconds: grace });
    at.until(() => readyPod(at, 'web'));
    at.remove('pods', 'default/web');
    const took = at.until(() => at.pod('web')?.status.phase === 'Failed');
    expect(took).toBeGreaterThanOrEqual(seconds);
    expect(took).toBeLessThan(seconds + 0.1);
    expect(at.pod('web')?.status.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(exitCode);
    expect(at.until(() => at.pod('web') === undefined)).toBeLessThan(0.1);
  });

  test('a second deletion shortens what is left', () => {
    const at = ready('one');
    pod(at, 'web', { 'test.drydock.dev/terminate-after': '25' });
    at.until(() => readyPod(at, 'web'));
    at.remove('pods', 'default/web');
    at.run(5);
    at.registry.remove('pods', 'default/web', { gracePeriodSeconds: 8 }, { by: 'test' });
    at.run(3.5);
    expect(at.pod('web')).toBeUndefined();
  });

  test('a pod that a finalizer holds is Failed first, and stays until it is let go', () => {
    const at = ready('one');
    at.create('pods', {
      metadata: { name: 'web', namespace: 'default', finalizers: ['example.com/held'] },
      spec: template('web').spec,
    });
    at.until(() => readyPod(at, 'web'));
    at.remove('pods', 'default/web');
    at.run(40);
    expect(at.pod('web')?.status.phase).toBe('Failed');
    at.change('pods', 'default/web', ({ metadata: { finalizers: _, ...metadata }, ...before }) => ({
      ...before,
      metadata,
    }));
    expect(at.pod('web')).toBeUndefined();
  });

  test('says that its node is not ready, and ready again', () => {
    const at = ready('one');
    at.kubelets.setReady('one', false);
    at.run(1);
    expect(condition(at.nodeOf('one'))?.status).toBe('False');
    expect(taints(at.nodeOf('one'))).toEqual(['not-ready:NoSchedule', 'not-ready:NoExecute']);
    at.kubelets.setReady('one', true);
    at.run(1);
    expect(taints(at.nodeOf('one'))).toEqual([]);
  });
});

describe('a machine', () => {
  test('that reboots quickly is never seen NotReady, but has another boot ID, and its containers began again', () => {
    const at = ready('one');
    pod(at, 'web');
    at.until(() => readyPod(at, 'web'));
    const before = at.nodeOf('one');
    at.kubelets.quickReboot('one');
    expect(at.nodeOf('one').status.nodeInfo?.bootID).not.toBe(before.status.nodeInfo?.bootID);
    expect(at.nodeOf('one').status.nodeInfo?.machineID).toBe(before.status.nodeInfo?.machineID);
    at.until(() => !readyPod(at, 'web'));
    at.until(() => readyPod(at, 'web'));
    expect(at.pod('web')?.status.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true });
    expect(condition(at.nodeOf('one'))).toEqual(condition(before));
  });

  test('without power is unknown after its grace period, and its pods are not ready', () => {
    const at = ready('one');
    pod(at, 'web');
    at.until(() => readyPod(at, 'web'));
    at.kubelets.powerOff('one');
    const took = at.until(() => condition(at.nodeOf('one'))?.status === 'Unknown');
    expect(took).toBeGreaterThanOrEqual(40);
    expect(took).toBeLessThanOrEqual(55);
    expect(readyPod(at, 'web')).toBe(false);
    at.run(1);
    expect(taints(at.nodeOf('one'))).toEqual(['unreachable:NoSchedule', 'unreachable:NoExecute']);
    at.kubelets.powerOn('one');
    at.until(() => condition(at.nodeOf('one'))?.status === 'True' && readyPod(at, 'web'));
    at.run(1);
    expect(taints(at.nodeOf('one'))).toEqual([]);
  });

  test('that is back within the grace period was never away', () => {
    const at = ready('one');
    const [since, boot] = [condition(at.nodeOf('one')), at.nodeOf('one').status.nodeInfo?.bootID];
    at.kubelets.powerOff('one');
    at.run(20);
    at.kubelets.powerOn('one');
    at.run(100);
    expect(condition(at.nodeOf('one'))).toEqual(since);
    expect(at.nodeOf('one').status.nodeInfo?.bootID).not.toBe(boot);
  });

  test('without power ends no pod, and does so when it is back', () => {
    const at = ready('one');
    pod(at, 'web');
    at.until(() => readyPod(at, 'web'));
    at.kubelets.powerOff('one');
    at.remove('pods', 'default/web');
    at.run(300);
    expect(at.pod('web')?.metadata.deletionTimestamp).toBeDefined();
    at.kubelets.powerOn('one');
    at.run(12);
    expect(at.pod('web')).toBeUndefined();
  });
});

describe('a node that is lost', () => {
  test('loses the pods that do not tolerate it when their time is over, and keeps the others', () => {
    const at = ready('one');
    const all = { tolerations: [{ operator: 'Exists' }] } as const;
    const some = {
      tolerations: [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', tolerationSeconds: 30 }],
    } as const;
    pod(at, 'usual');
    pod(at, 'patient', {}, all);
    pod(at, 'hasty', {}, some);
    at.until(() => at.pods().filter(isReady).length === 3);
    at.kubelets.powerOff('one');
    at.until(() => condition(at.nodeOf('one'))?.status === 'Unknown');
    const isLeaving = (name: string) => at.pod(name)?.metadata.deletionTimestamp !== undefined;
    expect(Math.round(at.until(() => isLeaving('hasty')))).toBe(30);
    expect(at.pod('hasty')?.status.conditions?.at(-1)).toMatchObject({ reason: 'DeletionByTaintManager' });
    expect(Math.round(at.until(() => isLeaving('usual')))).toBe(270);
    at.run(1000);
    expect(isLeaving('patient')).toBe(false);
    expect(at.timeline.next()).toBeUndefined();
  });

  test('that is back in time loses none', () => {
    const at = ready('one');
    pod(at, 'usual');
    at.until(() => readyPod(at, 'usual'));
    at.kubelets.powerOff('one');
    at.run(200);
    at.kubelets.powerOn('one');
    at.run(1000);
    expect(readyPod(at, 'usual')).toBe(true);
  });

  test('that is deleted gives its pods up', () => {
    const at = ready('one', 'two');
    at.create('deployments.apps', workload('web', 4));
    at.until(() => at.pods('web').filter(isReady).length === 4);
    at.remove('nodes', 'one');
    const moved = () => at.pods('web').filter((each) => each.spec.nodeName === 'two' && isReady(each)).length;
    expect(at.until(() => moved() === 4)).toBeGreaterThan(40);
    expect(at.pods('web')).toHaveLength(4);
  });
});

describe('the payload of a Job of ours', () => {
  const payload = (at: World, env = 'v1.36.0') => {
    const labels = { 'drydock.dev/job': 'upgrade' };
    const made = job('work', { backoffLimit: 0 }).spec.template;
    const containers = [{ name: 'drydock', env: [{ name: 'DRYDOCK_TARGET_VERSION', value: env }] }];
    const of = { metadata: { labels }, spec: { ...made.spec, containers, tolerations: [{ operator: 'Exists' }] } };
    at.create('jobs.batch', {
      metadata: { name: 'work', namespace: 'default' },
      spec: { backoffLimit: 0, template: of },
    });
  };
  const over = (at: World, type: string) => at.job('work').status.conditions?.some((one) => one.type === type) ?? false;

  test('that has ended is said to have ended again where etcd was restored to before (seed 10: it ran for ever)', () => {
    const at = world();
    at.node('one');
    at.run(10);
    payload(at);
    at.until(() => at.pods('work')[0]?.spec.nodeName !== undefined);
    const snapshot = at.etcd.snapshot();
    at.until(() => at.kubelets.works.length === 1);
    at.run(1.5);
    at.resync(at.etcd.restore(snapshot, at.etcd.revision + 1_000));
    at.until(() => over(at, 'Complete'), 60);
    expect(at.kubelets.works).toHaveLength(1);
  });

  test('upgrades the kubelet and the static pods of a control plane', () => {
    const at = world();
    at.node('one', { controlPlane: true });
    at.kubelets.createStaticPods('one', 'v1.35.0');
    at.run(10);
    payload(at);
    at.until(() => over(at, 'Complete'));
    expect(at.nodeOf('one').status.nodeInfo?.kubeletVersion).toBe('v1.36.0');
    expect(at.pod('kube-apiserver-one', 'kube-system')?.spec.containers[0]?.image).toContain('v1.36.0');
    expect(at.kubelets.works).toMatchObject([{ node: 'one', job: 'upgrade', targetVersion: 'v1.36.0', attempt: 1 }]);
  });

  test('fails as it is told to', () => {
    const at = ready('one');
    at.kubelets.behave('*', { result: 'fail', exitCode: 7, message: 'no' });
    payload(at);
    at.until(() => over(at, 'Failed'));
    expect(at.pods('work')[0]?.status.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 7,
      message: 'no',
    });
    expect(at.nodeOf('one').status.nodeInfo?.kubeletVersion).toBe('v1.35.0');
  });

  test('hangs until it is released', () => {
    const at = ready('one');
    at.kubelets.behave('one', () => ({ hang: true }));
    payload(at);
    at.run(1000);
    expect(over(at, 'Complete')).toBe(false);
    at.kubelets.release('one');
    at.until(() => over(at, 'Complete'));
  });

  test('that takes the power away in the middle is found failed when the machine is back', () => {
    const at = ready('one');
    at.kubelets.behave('one', { reboot: 'midway', offSeconds: 100 });
    payload(at);
    at.until(() => condition(at.nodeOf('one'))?.status === 'Unknown');
    at.until(() => over(at, 'Failed'));
    expect(at.pods('work')[0]?.status.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(255);
    expect(condition(at.nodeOf('one'))?.status).toBe('True');
  });

  test('that ends with a node that never comes back is complete all the same', () => {
    const at = ready('one');
    at.kubelets.behave('one', { neverBack: true, rebootAfterSeconds: 5 });
    payload(at);
    at.until(() => over(at, 'Complete'));
    at.run(100);
    expect(condition(at.nodeOf('one'))?.status).toBe('Unknown');
  });

  test('restarts its kubelet, and the node is ready again', () => {
    const at = ready('one');
    at.kubelets.behave('one', { notReadySeconds: 20 });
    payload(at);
    at.until(() => condition(at.nodeOf('one'))?.status === 'False');
    expect(Math.round(at.until(() => condition(at.nodeOf('one'))?.status === 'True'))).toBe(20);
    at.until(() => over(at, 'Complete'));
  });
});

test('a pod that is ready stays as it is while nothing happens', () => {
  const at = ready('one');
  pod(at, 'web');
  at.until(() => readyPod(at, 'web'));
  at.run(1);
  const { revision } = at.etcd;
  at.run(86_400);
  expect(at.etcd.revision).toBe(revision);
  expect((at.pod('web') as PodObject).status.phase).toBe('Running');
});
