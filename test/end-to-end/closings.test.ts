import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../control-plane/client.ts';
import { until } from '../control-plane/until.ts';
import {
  at,
  closingStage,
  OVERRIDE,
  oneCommittedOneDraining,
  putBackButTheCommitted,
  theCommittedFinishes,
  waits,
  year,
} from './closing.ts';
import { apply } from './ground.ts';
import { begun, condition, cordons, setScene } from './scene.ts';
import { complete, paths, type SeenPolicy, upgradeIs } from './seen.ts';
import { nodes, policy, profile, upgrade, window } from './shop.ts';

const ground = closingStage();

describe('what else closes', () => {
  it('a freeze of the policy beats an open window and an override; what drains is put back', async () => {
    const { plane } = ground;
    const mark = await oneCommittedOneDraining(ground, { windowNames: ['night'], ...OVERRIDE }, [
      window('night', true),
    ]);
    await apply(plane, [policy({ freezes: [year('year-end')] })]);
    await putBackButTheCommitted(ground, 'Frozen');
    await theCommittedFinishes(ground, mark, 'Frozen');
    const { status } = await waits(ground, 'Frozen');
    expect(condition(status, 'Blocked').message).toContain('Freeze year-end lasts until 2100-01-01T00:00:00Z.');
  });

  it('spec.paused of the policy puts back what drains, even under an override', async () => {
    const { plane } = ground;
    const mark = await oneCommittedOneDraining(ground, OVERRIDE);
    await apply(plane, [policy({ paused: true })]);
    await putBackButTheCommitted(ground, 'PolicyPaused');
    await theCommittedFinishes(ground, mark, 'PolicyPaused');
    const { status } = await plane.admin.get<SeenPolicy>(paths.policy);
    expect(condition(status, 'Ready')).toMatchObject({ status: 'False', reason: 'PolicyPaused' });
  });

  it('mode Paused of the upgrade puts back what drains; mode Run takes it again', async () => {
    const { plane } = ground;
    const mark = await oneCommittedOneDraining(ground, {});
    await plane.admin.patch(paths.upgrade('to-1-36'), { spec: { mode: 'Paused' } });
    await putBackButTheCommitted(ground, 'UpgradePaused');
    await theCommittedFinishes(ground, mark, 'UpgradePaused');
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
    await waits(ground, 'Frozen');
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
    await oneCommittedOneDraining(ground, { windowNames: ['night'], overrideWindows: ends }, [window('night', false)]);
    const over = Date.now() + 3_000;
    await plane.admin.patch(paths.upgrade('to-1-36'), { spec: { overrideWindows: { until: at(over) } } });
    await putBackButTheCommitted(ground, 'WindowClosed');
    const [uncordon] = cordons(plane.audit, 0, false).filter(({ time }) => time >= over);
    expect(uncordon?.name).toBe('worker-2');
    expect(uncordon?.time).toBeLessThan(over + 2_000);
  });
});
