import { describe, expect, it } from 'vitest';
import { isReady, nodePath, powerOn, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { failingStage, GIVEN_BACK, halted, leftCordoned, saysWhatToDo, start, steps, WITH_REBOOT } from './failing.ts';
import { apply, must, USER } from './ground.ts';
import { outOfService } from './referee.ts';
import { begun, condition, isCordoned, setScene, ticketed, upgradeJobs } from './scene.ts';
import { complete, inPhase, isTrue, passageOn, upgradeIs } from './seen.ts';
import { nodes, profile, upgrade } from './shop.ts';

const ground = failingStage();

describe('a reboot', () => {
  it('so quick that the node was never NotReady: only the boot ID tells, and the node is given back', async () => {
    const { plane } = ground;
    const mark = await start(ground, 1, { reboot: 'quick', rebootAfterSeconds: 2 }, { reboot: 'Expected' });
    const before = (await readNode(plane, 'worker-1')).status.nodeInfo.bootID;
    await complete(plane);
    expect((await readNode(plane, 'worker-1')).status.nodeInfo.bootID).not.toBe(before);
    expect(steps(ground, 'worker-1', mark).map(({ phase }) => phase)).toEqual([...WITH_REBOOT, ...GIVEN_BACK]);
  });

  it('that takes its time: the node is not given back before it is Ready again', async () => {
    const { plane } = ground;
    const mark = await start(
      ground,
      1,
      { reboot: 'slow', offSeconds: 4, rebootAfterSeconds: 1 },
      { reboot: 'Expected' },
    );
    await until(async () => !isReady(await readNode(plane, 'worker-1')), { what: 'worker-1 is off', seconds: 60 });
    const off = Date.now();
    await complete(plane);
    const taken = steps(ground, 'worker-1', mark);
    expect(taken.map(({ phase }) => phase)).toEqual([...WITH_REBOOT, ...GIVEN_BACK]);
    expect(taken.find(({ phase }) => phase === 'Verifying')?.time).toBeGreaterThan(off + 3_000);
  });

  it('that never happens: the node is left cordoned after its deadline', async () => {
    const { plane } = ground;
    const mark = await start(ground, 2, {}, { reboot: 'Expected', rebootDeadlineSeconds: 3 });
    await leftCordoned(ground, 'RebootMissing', 'Ready with its old boot ID');
    await saysWhatToDo(ground, 'Ready with its old boot ID');
    expect(steps(ground, 'worker-1', mark).map(({ phase }) => phase)).toEqual([
      ...WITH_REBOOT.slice(0, -1),
      'Quarantining',
      'Failed',
    ]);
    expect(begun(plane.audit, mark).length).toBe(1);
  });

  it('while the Job runs is a failed attempt, never a success', async () => {
    const { plane } = ground;
    const mark = await start(ground, 1, ({ attempt }) => (attempt === 1 ? { reboot: 'midway', offSeconds: 1 } : {}), {
      attempts: 2,
    });
    await complete(plane);
    expect(upgradeJobs(plane.audit, mark).length).toBe(2);
  });
});

describe('a node that does not come back', () => {
  it('is Lost, counts as a failure and keeps its slot; back: it is verified and the rollout goes on', async () => {
    const { plane } = ground;
    const mark = await start(
      ground,
      2,
      { reboot: 'slow', neverBack: true },
      { reboot: 'Expected', rebootDeadlineSeconds: 6 },
    );
    ground.agent.behave('worker-2', { reboot: 'quick', rebootAfterSeconds: 2 });
    const lost = await inPhase(plane, 'worker-1', ['Lost']);
    expect(lost.status.state).toMatchObject({ from: 'Rebooting' });
    const { status } = await halted(ground);
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
    expect(steps(ground, 'worker-1', mark).map(({ phase }) => phase)).toEqual([
      ...WITH_REBOOT.slice(0, -1),
      'Lost',
      'Verifying',
      ...GIVEN_BACK,
    ]);
    expect(isCordoned(await readNode(plane, 'worker-1'))).toBe(false);
  });

  it('the next node starting while one is missing: its slot is taken for as long, though the rollout may go on after a failure (caught: a node that is not Ready takes no room)', async () => {
    const { plane, agent } = ground;
    agent.behave('worker-1', { reboot: 'slow', neverBack: true });
    await setScene(plane, nodes(2), [profile({ reboot: 'Expected', rebootDeadlineSeconds: 3 })]);
    agent.behave('worker-2', { reboot: 'quick', rebootAfterSeconds: 2 });
    const mark = plane.audit.mark();
    await apply(plane, [upgrade({ rollout: { maxUnavailable: 1, failureThreshold: 2 } })]);
    await inPhase(plane, 'worker-1', ['Lost']);
    const { status } = await upgradeIs(
      plane,
      'to-1-36',
      'has seen that a node is missing',
      ({ nodes: counts }) => counts?.failed === 1,
    );
    expect(status.phase).not.toBe('Halted');
    expect(await ticketed(plane)).toEqual(['worker-1']);
    // What could begin begins within two seconds of anything that happens: these are the chances that it had.
    for (const happens of ['one', 'two', 'three']) {
      await plane.admin.patch(nodePath('worker-2'), { metadata: { labels: { happens } } });
      const label = async () => (await readNode(plane, 'worker-2')).metadata.labels?.['happens'] === happens;
      await until(label, { what: 'something happens' });
    }
    await upgradeIs(
      plane,
      'to-1-36',
      'says that there is no room',
      (said) => condition(said, 'Blocked').reason === 'NoRoom',
    );
    const passage = await inPhase(plane, 'worker-1', ['Lost']);
    expect(condition(passage.status, 'Blocked')).toMatchObject({ status: 'True', reason: 'NodeLost' });
    expect(begun(plane.audit, mark).length).toBe(1);
    expect(outOfService(plane.audit, mark, USER)).toEqual([1]);

    await powerOn(plane, 'worker-1');
    await complete(plane);
    const back = steps(ground, 'worker-1', mark).find(({ phase }) => phase === 'Uncordoning');
    const [, second] = begun(plane.audit, mark);
    expect(second?.time).toBeGreaterThan(back?.time ?? Number.POSITIVE_INFINITY);
    expect(Math.max(...outOfService(plane.audit, mark, USER))).toBe(1);
  });

  it('given up by a person: Failed and left cordoned', async () => {
    const { plane } = ground;
    await start(ground, 2, { reboot: 'slow', neverBack: true }, { reboot: 'Expected', rebootDeadlineSeconds: 3 });
    const lost = await inPhase(plane, 'worker-1', ['Lost']);
    await must(plane, ['annotate', 'dnm', lost.metadata.name, 'drydock.dev/release=worker-1']);
    await leftCordoned(ground, 'Released', 'Look at the node');
  });
});
