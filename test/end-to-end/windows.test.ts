import { describe, expect, it } from 'vitest';
import { until } from '../control-plane/until.ts';
import {
  at,
  closingStage,
  FAR,
  oneCommittedOneDraining,
  putBackButTheCommitted,
  theCommittedFinishes,
  theJobEnds,
  waits,
} from './closing.ts';
import { apply, USER } from './ground.ts';
import { begun, condition, cordons, phasesOn, setScene } from './scene.ts';
import { complete, inPhase, isTrue, paths, upgradeIs } from './seen.ts';
import { nodes, profile, upgrade, window } from './shop.ts';

const ground = closingStage();

describe('a window not kept: a window by the clock', () => {
  it('closed: nothing moves; it opens: work starts within two seconds, not before', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(2), [profile()]);
    const mark = plane.audit.mark();
    const opens = Date.now() + 10_000;
    const closed = window('night', false, { openings: [{ from: at(opens), until: FAR }] });
    await apply(plane, [closed, upgrade({ windowNames: ['night'] })]);
    const { status } = await waits(ground, 'WindowClosed');
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
    const mark = await oneCommittedOneDraining(ground, { windowNames: ['night'] }, [window('night', true)]);
    const closes = Date.now() + 3_000;
    const openings = [{ from: '2020-01-01T00:00:00Z', until: at(closes) }];
    await plane.admin.patch(paths.window('night'), { spec: { openings } });
    await putBackButTheCommitted(ground, 'WindowClosed');
    const [uncordon] = cordons(plane.audit, mark, false);
    expect(uncordon?.name).toBe('worker-2');
    expect(uncordon?.time).toBeGreaterThanOrEqual(closes);
    expect(uncordon?.time).toBeLessThan(closes + 2_000);
    await theCommittedFinishes(ground, mark, 'WindowClosed');
    await plane.admin.delete('/apis/policy/v1/namespaces/shop/poddisruptionbudgets/cart');
    await apply(plane, [window('night', true)]);
    const done = await complete(plane);
    expect(done.status.failures).toEqual([]);
    expect(await phasesOn(plane, 'worker-2')).toEqual(['Cancelled', 'Succeeded']);
  });

  it('closes with onClose Finish: what drains goes on and finishes outside the window', async () => {
    const { plane } = ground;
    const finish = { onClose: 'Finish' };
    const mark = await oneCommittedOneDraining(ground, { windowNames: ['night'] }, [window('night', true, finish)]);
    await apply(plane, [window('night', false, finish)]);
    await upgradeIs(plane, 'to-1-36', 'knows that the window is closed', ({ notBefore }) => notBefore !== undefined);
    await plane.admin.delete('/apis/policy/v1/namespaces/shop/poddisruptionbudgets/cart');
    await inPhase(plane, 'worker-2', ['Succeeded']);
    await theJobEnds(ground);
    const { status } = await waits(ground, 'WindowClosed');
    expect(status.nodes).toMatchObject({ done: 2, waiting: 1 });
    expect(begun(plane.audit, mark).length).toBe(2);
  });
});
