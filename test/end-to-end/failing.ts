import { expect } from 'vitest';
import type { Behaves } from '../../src/simulation/controllers/payload.ts';
import { readNode } from '../control-plane/nodes.ts';
import { apply, must, USER } from './ground.ts';
import { condition, isCordoned, markOn, setScene, ticketed } from './scene.ts';
import { inPhase, isTrue, upgradeIs } from './seen.ts';
import { nodes, profile, upgrade } from './shop.ts';
import { type Stage, stage } from './stage.ts';

/** A stage on which nodes fail; whoever plays next finds them well again. */
export function failingStage(): Stage {
  return stage({
    turnBack: ({ agent }) => {
      for (const node of ['worker-1', 'worker-2', 'worker-3']) agent.behave(node, {});
    },
  });
}

const ONE_BY_ONE = { rollout: { maxUnavailable: 1 } };

/** Starts a rollout one by one over some workers, the first of which behaves in its own way. */
export async function start(
  { plane, agent }: Stage,
  workers: number,
  behaves: Behaves,
  work: Readonly<Record<string, unknown>> = {},
): Promise<number> {
  agent.behave('worker-1', behaves);
  await setScene(plane, nodes(workers), [profile(work)]);
  const mark = plane.audit.mark();
  await apply(plane, [upgrade(ONE_BY_ONE)]);
  return mark;
}

/** Waits until the rollout is halted. */
export function halted({ plane }: Stage) {
  return upgradeIs(plane, 'to-1-36', 'is Halted', ({ phase }) => phase === 'Halted');
}

/** The phases that a node's passage was stored in, in order, read from the audit log. */
export function steps({ plane }: Stage, nodeName: string, from: number): readonly { phase: string; time: number }[] {
  const written = plane.audit.events({
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

/** The phases of a node that reboots, up to its verification. */
export const WITH_REBOOT = [
  'Preparing',
  'Cordoning',
  'Draining',
  'Detaching',
  'Starting',
  'Upgrading',
  'Rebooting',
  'Verifying',
];
/** How every passage ends that went well. */
export const GIVEN_BACK = ['Uncordoning', 'Succeeded'];

/** That a node was left out of service on purpose, says why, and keeps its ticket. */
export async function leftCordoned({ plane }: Stage, reason: string, message: string) {
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
export async function saysWhatToDo(ground: Stage, ...words: readonly string[]) {
  const { plane } = ground;
  // It halts as soon as a passage can only fail; what came of it is written down when it has.
  await halted(ground);
  const { status } = await upgradeIs(
    ground.plane,
    'to-1-36',
    'remembers the failure',
    ({ phase, failures }) => phase === 'Halted' && (failures ?? []).length > 0,
  );
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
