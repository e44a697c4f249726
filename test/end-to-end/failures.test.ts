import { describe, expect, it } from 'vitest';
import { readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { failingStage, leftCordoned, saysWhatToDo, start } from './failing.ts';
import { JOBS, must } from './ground.ts';
import { begun, isCordoned, markOn, phasesOn, ticketed, upgradeJobs } from './scene.ts';
import { allNodes, complete, inPhase, paths } from './seen.ts';

type Event = {
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
};

const rollout = (retry: number) => ({ spec: { rollout: { retry } } });

const ground = failingStage();

describe('a failure without a reason: a Job that fails', () => {
  it('uses up its attempts, halts the rollout with the reason; retry raised: goes on and leaves no trace', async () => {
    const { plane, agent } = ground;
    const fail = { result: 'fail', exitCode: 3, message: 'the disk is full' } as const;
    const mark = await start(ground, 3, fail, { attempts: 2 });
    const passage = await leftCordoned(ground, 'JobFailed', 'the disk is full');
    expect(passage.status.job).toMatchObject({ attempt: 2, exitCode: 3, message: 'the disk is full' });
    const jobs = upgradeJobs(plane.audit, mark).map(
      ({ requestObject }) => (requestObject as { metadata: { name: string } }).metadata.name,
    );
    expect(jobs).toEqual([1, 2].map((attempt) => `${passage.metadata.name}-${attempt}`));
    const status = await saysWhatToDo(ground, 'exit code 3', 'the disk is full');
    expect(status.nodes).toMatchObject({ total: 3, done: 0, inFlight: 0, failed: 1, waiting: 2 });
    expect(status.failures).toMatchObject([{ nodeName: 'worker-1', nodeMaintenance: passage.metadata.name }]);
    expect(begun(plane.audit, mark).length).toBe(1);

    agent.behave('worker-1', {});
    await plane.admin.patch(paths.upgrade('to-1-36'), rollout(1));
    const done = await complete(plane);
    expect(done.status.failures).toEqual([]);
    const node = await readNode(plane, 'worker-1');
    expect(isCordoned(node)).toBe(false);
    expect(markOn(node, 'left-cordoned')).toBeUndefined();
    expect(markOn(node, 'held-by')).toBeUndefined();
    expect(node.metadata.annotations?.['cluster-autoscaler.kubernetes.io/scale-down-disabled']).toBeUndefined();
    expect(await phasesOn(plane, 'worker-1')).toEqual(['Failed', 'Succeeded']);
    await until(async () => (await ticketed(plane)).length === 0, { what: 'all tickets are returned' });
  });

  it('once: the second attempt succeeds, and nothing counts as failed', async () => {
    const { plane } = ground;
    const mark = await start(ground, 1, ({ attempt }) => (attempt === 1 ? { result: 'fail' } : {}), { attempts: 2 });
    const { status } = await complete(plane);
    expect(status.failures).toEqual([]);
    expect(upgradeJobs(plane.audit, mark).length).toBe(2);
    expect(await phasesOn(plane, 'worker-1')).toEqual(['Succeeded']);
  });

  it('for a payload that lies about its work: the old version is named, and the node is left cordoned', async () => {
    await start(ground, 1, { version: 'unchanged' }, { verifyDeadlineSeconds: 3 });
    await leftCordoned(ground, 'VerifyDeadline', 'its kubelet runs v1.35.7, not v1.36.4');
    await saysWhatToDo(ground, 'its kubelet runs v1.35.7, not v1.36.4');
  });
});

describe('a node left cordoned in silence', () => {
  it('says who left it so, why and what to do: on the node, in its Events, and wherever the upgrade is looked at', async () => {
    const { plane } = ground;
    await start(ground, 2, { result: 'fail', exitCode: 3, message: 'the only disk is full' });
    const { metadata } = await leftCordoned(ground, 'JobFailed', 'the only disk is full');
    await saysWhatToDo(ground, 'the only disk is full');
    const told = await until(
      async () => {
        const events = await plane.admin.list<Event>('/api/v1/namespaces/default/events');
        const failed = events.filter(
          ({ reason, type, message }) =>
            reason.endsWith('Failed') && type === 'Warning' && message.includes('the only disk is full'),
        );
        return failed.length >= 3 ? failed : undefined;
      },
      { what: 'the Events are there' },
    );
    expect(told.map(({ involvedObject: { kind, name } }) => `${kind} ${name}`).sort()).toEqual([
      'ClusterUpgrade to-1-36',
      'Node worker-1',
      `NodeMaintenance ${metadata.name}`,
    ]);
    const described = await must(plane, ['describe', 'node', 'worker-1']);
    expect(described).toMatch(/drydock\.dev\/left-cordoned:\s+\{.*the only disk is full/);
    expect(described).toMatch(/Warning\s+Failed\s.*drydock\s.*the only disk is full/);
    // No other node is out, and none without a word why.
    const out = (await allNodes(plane)).filter(isCordoned);
    expect(out.map((node) => [node.metadata.name, markOn(node, 'left-cordoned')?.reason])).toEqual([
      ['worker-1', 'JobFailed'],
    ]);
  });
});

describe('a Job that vanishes', () => {
  it('is never run again: what it did is unknown, so the node is left to a person', async () => {
    const { plane, agent } = ground;
    const mark = await start(ground, 2, { hang: true });
    await until(() => agent.works.at(-1)?.node === 'worker-1' && agent.works.at(-1)?.job === 'upgrade', {
      what: 'it runs',
    });
    await inPhase(plane, 'worker-1', ['Upgrading']);
    await must(plane, ['delete', 'job', '-n', JOBS, '-l', 'drydock.dev/job=upgrade', '--wait=false']);
    await leftCordoned(ground, 'JobGone', 'what it did is unknown');
    await saysWhatToDo(ground, 'what it did is unknown');
    expect(upgradeJobs(plane.audit, mark).length).toBe(1);
    expect(begun(plane.audit, mark).length).toBe(1);
  });
});
