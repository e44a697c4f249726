import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Behaves } from '../../src/simulation/controllers/payload.ts';
import { isReady, powerOn, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, type Ground, JOBS, must, type Operator, startGround, startOperator, USER } from './ground.ts';
import {
  begun,
  condition,
  isCordoned,
  markOn,
  phasesOn,
  setScene,
  strikeScene,
  ticketed,
  upgradeJobs,
} from './scene.ts';
import { complete, inPhase, isTrue, passageOn, paths, upgradeIs } from './seen.ts';
import { nodes, policy, profile, upgrade } from './shop.ts';

let ground: Ground;
let operator: Operator;

beforeAll(async () => {
  ground = await startGround();
  await apply(ground.plane, [policy()]);
  operator = await startOperator(ground.plane, { args: ['--leader-elect', 'false'] });
  await operator.ready();
});

afterAll(async () => {
  await operator?.end();
  await ground?.stop();
});

afterEach(async () => {
  for (const node of ['worker-1', 'worker-2', 'worker-3']) ground.agent.behave(node, {});
  await strikeScene(ground.plane);
});

const ONE_BY_ONE = { rollout: { maxUnavailable: 1 } };
const rollout = (retry: number) => ({ spec: { rollout: { retry } } });

/** Starts a rollout one by one over some workers, the first of which behaves in its own way. */
async function start(workers: number, behaves: Behaves, work: Readonly<Record<string, unknown>> = {}): Promise<number> {
  const { plane, agent } = ground;
  agent.behave('worker-1', behaves);
  await setScene(plane, nodes(workers), [profile(work)]);
  const mark = plane.audit.mark();
  await apply(plane, [upgrade(ONE_BY_ONE)]);
  return mark;
}

function halted() {
  return upgradeIs(ground.plane, 'to-1-36', 'is Halted', ({ phase }) => phase === 'Halted');
}

/** The phases that a node's passage was stored in, in order, read from the audit log. */
function steps(nodeName: string, from: number): readonly { phase: string; time: number }[] {
  const written = ground.plane.audit.events({
    user: USER,
    verb: 'update',
    resource: 'nodemaintenances',
    code: 200,
    from,
  });
  const phases = written
    .filter(({ name }) => name.startsWith(`${nodeName}-`))
    .map(({ requestObject, stageTimestamp }) => ({
      phase: (requestObject as { status: { state: { phase: string } } }).status.state.phase,
      time: stageTimestamp,
    }));
  return phases.filter(({ phase }, index) => phase !== phases[index - 1]?.phase);
}

const WITH_REBOOT = [
  'Preparing',
  'Cordoning',
  'Draining',
  'Detaching',
  'Starting',
  'Upgrading',
  'Rebooting',
  'Verifying',
];
const GIVEN_BACK = ['Uncordoning', 'Succeeded'];

/** That a node was left out of service on purpose, says why, and keeps its ticket. */
async function leftCordoned(reason: string, message: string) {
  const { plane } = ground;
  const passage = await inPhase(plane, 'worker-1', ['Failed']);
  expect(passage.status.state).toMatchObject({ reason });
  expect(isTrue(passage.status, 'Stalled')).toBe(true);
  const node = await readNode(plane, 'worker-1');
  expect(isCordoned(node)).toBe(true);
  expect(markOn(node, 'held-by')).toBeUndefined();
  expect(markOn(node, 'left-cordoned')).toMatchObject({ nodeMaintenance: passage.metadata.name, reason });
  expect(markOn(node, 'left-cordoned')?.message).toContain(message);
  expect(await ticketed(plane)).toEqual(['worker-1']);
  return passage;
}

/** That a halted upgrade says so where people and tools look, and what to do. */
async function saysWhatToDo(...words: readonly string[]) {
  const { plane } = ground;
  const { status } = await halted();
  expect(isTrue(status, 'Stalled')).toBe(true);
  expect(isTrue(status, 'Reconciling')).toBe(false);
  expect(condition(status, 'Stalled').reason).toBe('Halted');
  const described = await must(plane, ['describe', 'dcu', 'to-1-36']);
  for (const word of ['worker-1', ...words, 'raise rollout.retry']) {
    expect(condition(status, 'Stalled').message).toContain(word);
    expect(described).toContain(word);
  }
  expect(await must(plane, ['get', 'dcu'])).toMatch(/to-1-36\s+v1\.36\.4\s+Halted/);
  return status;
}

describe('a Job that fails', () => {
  it('uses up its attempts, halts the rollout with the reason; retry raised: goes on and leaves no trace', async () => {
    const { plane, agent } = ground;
    const fail = { result: 'fail', exitCode: 3, message: 'the disk is full' } as const;
    const mark = await start(3, fail, { attempts: 2 });
    const passage = await leftCordoned('JobFailed', 'the disk is full');
    expect(passage.status.job).toMatchObject({ attempt: 2, exitCode: 3, message: 'the disk is full' });
    const jobs = upgradeJobs(plane.audit, mark).map(
      ({ requestObject }) => (requestObject as { metadata: { name: string } }).metadata.name,
    );
    expect(jobs).toEqual([1, 2].map((attempt) => `${passage.metadata.name}-${attempt}`));
    const status = await saysWhatToDo('exit code 3', 'the disk is full');
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
    const mark = await start(1, ({ attempt }) => (attempt === 1 ? { result: 'fail' } : {}), { attempts: 2 });
    const { status } = await complete(plane);
    expect(status.failures).toEqual([]);
    expect(upgradeJobs(plane.audit, mark).length).toBe(2);
    expect(await phasesOn(plane, 'worker-1')).toEqual(['Succeeded']);
  });

  it('for a payload that lies about its work: the old version is named, and the node is left cordoned', async () => {
    await start(1, { version: 'unchanged' }, { verifyDeadlineSeconds: 3 });
    await leftCordoned('VerifyDeadline', 'its kubelet runs v1.35.7, not v1.36.4');
    await saysWhatToDo('its kubelet runs v1.35.7, not v1.36.4');
  });
});

describe('a Job that vanishes', () => {
  it('is never run again: what it did is unknown, so the node is left to a person', async () => {
    const { plane, agent } = ground;
    const mark = await start(2, { hang: true });
    await until(() => agent.works.at(-1)?.node === 'worker-1' && agent.works.at(-1)?.job === 'upgrade', {
      what: 'it runs',
    });
    await inPhase(plane, 'worker-1', ['Upgrading']);
    await must(plane, ['delete', 'job', '-n', JOBS, '-l', 'drydock.dev/job=upgrade', '--wait=false']);
    await leftCordoned('JobGone', 'what it did is unknown');
    await saysWhatToDo('what it did is unknown');
    expect(upgradeJobs(plane.audit, mark).length).toBe(1);
    expect(begun(plane.audit, mark).length).toBe(1);
  });
});

describe('a reboot', () => {
  it('so quick that the node was never NotReady: only the boot ID tells, and the node is given back', async () => {
    const { plane } = ground;
    const mark = await start(1, { reboot: 'quick', rebootAfterSeconds: 2 }, { reboot: 'Expected' });
    const before = (await readNode(plane, 'worker-1')).status.nodeInfo.bootID;
    await complete(plane);
    expect((await readNode(plane, 'worker-1')).status.nodeInfo.bootID).not.toBe(before);
    expect(steps('worker-1', mark).map(({ phase }) => phase)).toEqual([...WITH_REBOOT, ...GIVEN_BACK]);
  });

  it('that takes its time: the node is not given back before it is Ready again', async () => {
    const { plane } = ground;
    const mark = await start(1, { reboot: 'slow', offSeconds: 4, rebootAfterSeconds: 1 }, { reboot: 'Expected' });
    await until(async () => !isReady(await readNode(plane, 'worker-1')), { what: 'worker-1 is off', seconds: 60 });
    const off = Date.now();
    await complete(plane);
    const taken = steps('worker-1', mark);
    expect(taken.map(({ phase }) => phase)).toEqual([...WITH_REBOOT, ...GIVEN_BACK]);
    expect(taken.find(({ phase }) => phase === 'Verifying')?.time).toBeGreaterThan(off + 3_000);
  });

  it('that never happens: the node is left cordoned after its deadline', async () => {
    const { plane } = ground;
    const mark = await start(2, {}, { reboot: 'Expected', rebootDeadlineSeconds: 3 });
    await leftCordoned('RebootMissing', 'Ready with its old boot ID');
    await saysWhatToDo('Ready with its old boot ID');
    expect(steps('worker-1', mark).map(({ phase }) => phase)).toEqual([
      ...WITH_REBOOT.slice(0, -1),
      'Quarantining',
      'Failed',
    ]);
    expect(begun(plane.audit, mark).length).toBe(1);
  });

  it('while the Job runs is a failed attempt, never a success', async () => {
    const { plane } = ground;
    const mark = await start(1, ({ attempt }) => (attempt === 1 ? { reboot: 'midway', offSeconds: 1 } : {}), {
      attempts: 2,
    });
    await complete(plane);
    expect(upgradeJobs(plane.audit, mark).length).toBe(2);
  });
});

describe('a node that does not come back', () => {
  it('is Lost, counts as a failure and keeps its slot; back: it is verified and the rollout goes on', async () => {
    const { plane } = ground;
    const mark = await start(2, { reboot: 'slow', neverBack: true }, { reboot: 'Expected', rebootDeadlineSeconds: 6 });
    ground.agent.behave('worker-2', { reboot: 'quick', rebootAfterSeconds: 2 });
    const lost = await inPhase(plane, 'worker-1', ['Lost']);
    expect(lost.status.state).toMatchObject({ from: 'Rebooting' });
    const { status } = await halted();
    expect(status.nodes).toMatchObject({ failed: 1, done: 0, waiting: 1, inFlight: 0 });
    expect(isTrue(status, 'Stalled')).toBe(true);
    expect(condition(status, 'Stalled').message).toContain('worker-1: The node has not come back.');
    const blocked = await until(
      async () => {
        const passage = await passageOn(plane, 'worker-1');
        return passage !== undefined && isTrue(passage.status, 'Blocked') ? passage : undefined;
      },
      { what: 'the passage says that it waits' },
    );
    expect(condition(blocked.status, 'Blocked').message).toContain('drydock.dev/release=worker-1');
    expect(await ticketed(plane)).toEqual(['worker-1']);
    expect(begun(plane.audit, mark).length).toBe(1);

    await powerOn(plane, 'worker-1');
    await complete(plane);
    expect(steps('worker-1', mark).map(({ phase }) => phase)).toEqual([
      ...WITH_REBOOT.slice(0, -1),
      'Lost',
      'Verifying',
      ...GIVEN_BACK,
    ]);
    expect(isCordoned(await readNode(plane, 'worker-1'))).toBe(false);
  });

  it('given up by a person: Failed and left cordoned', async () => {
    const { plane } = ground;
    await start(2, { reboot: 'slow', neverBack: true }, { reboot: 'Expected', rebootDeadlineSeconds: 3 });
    const lost = await inPhase(plane, 'worker-1', ['Lost']);
    await must(plane, ['annotate', 'dnm', lost.metadata.name, 'drydock.dev/release=worker-1']);
    await leftCordoned('Released', 'Look at the node');
  });
});
