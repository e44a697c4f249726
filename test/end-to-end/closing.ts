import { expect } from 'vitest';
import { readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply } from './ground.ts';
import { begun, isCordoned, markOn, phasesOn, pinned, setScene, ticketed } from './scene.ts';
import { inPhase, passageOn, upgradeIs } from './seen.ts';
import { nodes, policy, profile, upgrade } from './shop.ts';
import { type Stage, stage } from './stage.ts';

/** A stage on which windows close; whoever plays next finds no freeze, no pause and no Job that hangs. */
export function closingStage(): Stage {
  return stage({
    turnBack: async ({ plane, agent }) => {
      agent.release('worker-1');
      agent.behave('worker-1', {});
      await apply(plane, [policy()]);
    },
  });
}

/** An instant as it is written. */
export const at = (milliseconds: number) => new Date(milliseconds).toISOString();
/** Long after every test. */
export const FAR = '2100-01-01T00:00:00Z';
export const OVERRIDE = { overrideWindows: { until: FAR, reason: 'a kernel hole' } };
export const year = (name: string) => ({ name, from: '2020-01-01T00:00:00Z', until: FAR, reason: 'retail peak' });

/** Waits until the upgrade says that nothing may begin, and why. */
export function waits({ plane }: Stage, reason: string) {
  return upgradeIs(
    plane,
    'to-1-36',
    `waits: ${reason}`,
    ({ phase, conditions = [] }) =>
      phase === 'WaitingForWindow' && conditions.some((said) => said.type === 'Blocked' && said.reason === reason),
  );
}

/** One node at work for good and one that cannot be drained, both admitted; a third waits. */
export async function oneCommittedOneDraining(
  { plane, agent }: Stage,
  upgradeSpec: Readonly<Record<string, unknown>>,
  objects: readonly unknown[] = [],
) {
  agent.behave('worker-1', { hang: true });
  await setScene(plane, nodes(3), [profile(), ...pinned('cart', 'worker-2', { maxUnavailable: 0 }), ...objects], 1);
  const mark = plane.audit.mark();
  await apply(plane, [upgrade(upgradeSpec)]);
  await inPhase(plane, 'worker-2', ['Draining']);
  await inPhase(plane, 'worker-1', ['Upgrading']);
  return mark;
}

/** That the node that was draining was put back without a failure, and the committed one is still out. */
export async function putBackButTheCommitted({ plane }: Stage, reason: string) {
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
export async function theJobEnds({ plane, agent }: Stage) {
  const succeeded = async () => {
    agent.release('worker-1');
    return (await passageOn(plane, 'worker-1'))?.status.state.phase === 'Succeeded';
  };
  await until(succeeded, { what: 'worker-1 has succeeded', seconds: 60 });
}

/** That the committed node finishes although nothing may begin, and nothing else does. */
export async function theCommittedFinishes(ground: Stage, mark: number, reason: string) {
  const { plane } = ground;
  await theJobEnds(ground);
  expect(isCordoned(await readNode(plane, 'worker-1'))).toBe(false);
  const { status } = await waits(ground, reason);
  expect(status).toMatchObject({ nodes: { total: 3, done: 1, waiting: 2, failed: 0, inFlight: 0 }, failures: [] });
  expect(begun(plane.audit, mark).length).toBe(2);
  expect(await phasesOn(plane, 'worker-3')).toEqual([]);
}
