import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../control-plane/client.ts';
import { readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, type Ground, type Operator, startGround, startOperator, USER } from './ground.ts';
import {
  begun,
  condition,
  cordons,
  isCordoned,
  markOn,
  phasesOn,
  pinned,
  setScene,
  strikeScene,
  ticketed,
} from './scene.ts';
import { complete, inPhase, isTrue, passageOn, paths, type SeenPolicy, upgradeIs } from './seen.ts';
import { nodes, policy, profile, upgrade, window } from './shop.ts';

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
  ground.agent.release('worker-1');
  ground.agent.behave('worker-1', {});
  await apply(ground.plane, [policy()]);
  await strikeScene(ground.plane);
});

const at = (milliseconds: number) => new Date(milliseconds).toISOString();
const FAR = '2100-01-01T00:00:00Z';
const OVERRIDE = { overrideWindows: { until: FAR, reason: 'a kernel hole' } };
const year = (name: string) => ({ name, from: '2020-01-01T00:00:00Z', until: FAR, reason: 'retail peak' });

/** Waits until the upgrade says that nothing may begin, and why. */
function waits(reason: string) {
  return upgradeIs(
    ground.plane,
    'to-1-36',
    `waits: ${reason}`,
    ({ phase, conditions = [] }) =>
      phase === 'WaitingForWindow' && conditions.some((said) => said.type === 'Blocked' && said.reason === reason),
  );
}

/** One node at work for good and one that cannot be drained, both admitted; a third waits. */
async function oneCommittedOneDraining(
  upgradeSpec: Readonly<Record<string, unknown>>,
  objects: readonly unknown[] = [],
) {
  const { plane, agent } = ground;
  agent.behave('worker-1', { hang: true });
  await setScene(plane, nodes(3), [profile(), ...pinned('cart', 'worker-2', { maxUnavailable: 0 }), ...objects], 1);
  const mark = plane.audit.mark();
  await apply(plane, [upgrade(upgradeSpec)]);
  await inPhase(plane, 'worker-2', ['Draining']);
  await inPhase(plane, 'worker-1', ['Upgrading']);
  return mark;
}

/** That the node that was draining was put back without a failure, and the committed one is still out. */
async function putBackButTheCommitted(reason: string) {
  const { plane } = ground;
  const cancelled = await inPhase(plane, 'worker-2', ['Cancelled']);
  expect(cancelled.status.state).toMatchObject({ phase: 'Cancelled', reason });
  const node = await readNode(plane, 'worker-2');
  expect(isCordoned(node)).toBe(false);
  expect(markOn(node, 'held-by')).toBeUndefined();
  await until(async () => (await ticketed(plane)).join() === 'worker-1', {
    what: 'the ticket of worker-2 is returned',
  });
  expect(isCordoned(await readNode(plane, 'worker-1'))).toBe(true);
  expect((await inPhase(plane, 'worker-1', ['Upgrading'])).status.state.phase).toBe('Upgrading');
}

/** Lets the hanging Job succeed, once it hangs, and waits until its node is given back. */
async function theJobEnds() {
  const { plane, agent } = ground;
  const succeeded = async () => {
    agent.release('worker-1');
    return (await passageOn(plane, 'worker-1'))?.status.state.phase === 'Succeeded';
  };
  await until(succeeded, { what: 'worker-1 has succeeded', seconds: 60 });
}

/** That the committed node finishes although nothing may begin, and nothing else does. */
async function theCommittedFinishes(mark: number, reason: string) {
  const { plane } = ground;
  await theJobEnds();
  expect(isCordoned(await readNode(plane, 'worker-1'))).toBe(false);
  const { status } = await waits(reason);
  expect(status).toMatchObject({ nodes: { total: 3, done: 1, waiting: 2, failed: 0, inFlight: 0 }, failures: [] });
  expect(begun(plane.audit, mark).length).toBe(2);
  expect(await phasesOn(plane, 'worker-3')).toEqual([]);
}

describe('a window by the clock', () => {
  it('closed: nothing moves; it opens: work starts within two seconds, not before', async () => {
    const { plane } = ground;
    const opens = Date.now() + 8_000;
    const closed = window('night', false, { openings: [{ from: at(opens), until: FAR }] });
    await setScene(plane, nodes(2), [profile(), closed]);
    const mark = plane.audit.mark();
    await apply(plane, [upgrade({ windowNames: ['night'] })]);
    const { status } = await waits('WindowClosed');
    expect(Date.now()).toBeLessThan(opens);
    expect(Date.parse(status.notBefore?.time ?? '')).toBe(opens);
    expect(condition(status, 'Blocked').message).toContain('the next opens at');
    expect(isTrue(status, 'Stalled')).toBe(false);
    const [first] = await until(() => (begun(plane.audit, mark).length > 0 ? begun(plane.audit, mark) : undefined), {
      what: 'the first node is taken',
      seconds: 30,
    });
    expect(first?.time).toBeGreaterThanOrEqual(opens);
    expect(first?.time).toBeLessThan(opens + 2_000);
    const tickets = plane.audit.events({ user: USER, verb: 'update', resource: 'maintenancepolicies', from: mark });
    expect(tickets.filter(({ time }) => time < opens)).toEqual([]);
    await complete(plane);
  });

  it('closes: what drains is put back, what is committed finishes, the rest waits until it opens again', async () => {
    const { plane } = ground;
    const mark = await oneCommittedOneDraining({ windowNames: ['night'] }, [window('night', true)]);
    const closes = Date.now() + 3_000;
    const openings = [{ from: '2020-01-01T00:00:00Z', until: at(closes) }];
    await plane.admin.patch(paths.window('night'), { spec: { openings } });
    await putBackButTheCommitted('WindowClosed');
    const [uncordon] = cordons(plane.audit, mark, false);
    expect(uncordon?.name).toBe('worker-2');
    expect(uncordon?.time).toBeGreaterThanOrEqual(closes);
    expect(uncordon?.time).toBeLessThan(closes + 2_000);
    await theCommittedFinishes(mark, 'WindowClosed');
    await plane.admin.delete('/apis/policy/v1/namespaces/shop/poddisruptionbudgets/cart');
    await apply(plane, [window('night', true)]);
    const done = await complete(plane);
    expect(done.status.failures).toEqual([]);
    expect(await phasesOn(plane, 'worker-2')).toEqual(['Cancelled', 'Succeeded']);
  });

  it('closes with onClose Finish: what drains goes on and finishes outside the window', async () => {
    const { plane } = ground;
    const finish = { onClose: 'Finish' };
    const mark = await oneCommittedOneDraining({ windowNames: ['night'] }, [window('night', true, finish)]);
    await apply(plane, [window('night', false, finish)]);
    await upgradeIs(plane, 'to-1-36', 'knows that the window is closed', ({ notBefore }) => notBefore !== undefined);
    await plane.admin.delete('/apis/policy/v1/namespaces/shop/poddisruptionbudgets/cart');
    await inPhase(plane, 'worker-2', ['Succeeded']);
    await theJobEnds();
    const { status } = await waits('WindowClosed');
    expect(status.nodes).toMatchObject({ done: 2, waiting: 1 });
    expect(begun(plane.audit, mark).length).toBe(2);
  });
});

describe('what else closes', () => {
  it('a freeze of the policy beats an open window and an override; what drains is put back', async () => {
    const { plane } = ground;
    const mark = await oneCommittedOneDraining({ windowNames: ['night'], ...OVERRIDE }, [window('night', true)]);
    await apply(plane, [policy({ freezes: [year('year-end')] })]);
    await putBackButTheCommitted('Frozen');
    await theCommittedFinishes(mark, 'Frozen');
    const { status } = await waits('Frozen');
    expect(condition(status, 'Blocked').message).toBe('Freeze year-end lasts until 2100-01-01T00:00:00Z.');
  });

  it('spec.paused of the policy puts back what drains, even under an override', async () => {
    const { plane } = ground;
    const mark = await oneCommittedOneDraining(OVERRIDE);
    await apply(plane, [policy({ paused: true })]);
    await putBackButTheCommitted('PolicyPaused');
    await theCommittedFinishes(mark, 'PolicyPaused');
    const { status } = await plane.admin.get<SeenPolicy>(paths.policy);
    expect(condition(status, 'Ready')).toMatchObject({ status: 'False', reason: 'PolicyPaused' });
  });

  it('mode Paused of the upgrade puts back what drains; mode Run takes it again', async () => {
    const { plane } = ground;
    const mark = await oneCommittedOneDraining({});
    await plane.admin.patch(paths.upgrade('to-1-36'), { spec: { mode: 'Paused' } });
    await putBackButTheCommitted('UpgradePaused');
    await theCommittedFinishes(mark, 'UpgradePaused');
    await plane.admin.delete('/apis/policy/v1/namespaces/shop/poddisruptionbudgets/cart');
    await plane.admin.patch(paths.upgrade('to-1-36'), { spec: { mode: 'Run' } });
    await complete(plane);
  });
});

describe('an override', () => {
  it('lets an upgrade run outside its window and its freeze, and says so in condition and Event', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(1), [profile(), window('night', false, { freezes: [year('retail')] })]);
    await apply(plane, [upgrade({ windowNames: ['night'] })]);
    await waits('Frozen');
    const mark = plane.audit.mark();
    await plane.admin.patch(paths.upgrade('to-1-36'), { spec: OVERRIDE });
    const seen = await upgradeIs(plane, 'to-1-36', 'says that it overrides', ({ conditions = [] }) =>
      conditions.some(({ reason }) => reason === 'WindowOverridden'),
    );
    expect(condition(seen.status, 'Reconciling').message).toBe(
      'Windows do not count until 2100-01-01T00:00:00Z: a kernel hole',
    );
    await complete(plane);
    expect(begun(plane.audit, mark).length).toBe(1);
    type Told = KubernetesObject & { reason: string; message: string; involvedObject: { uid: string } };
    const told = async () =>
      (await plane.admin.list<Told>('/api/v1/namespaces/default/events')).filter(
        ({ reason, involvedObject }) => reason === 'WindowOverridden' && involvedObject.uid === seen.metadata.uid,
      );
    await until(async () => (await told()).length > 0, { what: 'the Event is written' });
    expect((await told()).map(({ message }) => message)).toEqual([
      'Windows do not count until 2100-01-01T00:00:00Z: a kernel hole',
    ]);
  });

  it('that ends puts back what drains', async () => {
    const { plane } = ground;
    const ends = { until: at(Date.now() + 60_000), reason: 'a kernel hole' };
    await oneCommittedOneDraining({ windowNames: ['night'], overrideWindows: ends }, [window('night', false)]);
    const over = Date.now() + 3_000;
    await plane.admin.patch(paths.upgrade('to-1-36'), { spec: { overrideWindows: { until: at(over) } } });
    await putBackButTheCommitted('WindowClosed');
    const [uncordon] = cordons(plane.audit, 0, false).filter(({ time }) => time >= over);
    expect(uncordon?.name).toBe('worker-2');
    expect(uncordon?.time).toBeLessThan(over + 2_000);
  });
});
