import type { Passage } from './truth.ts';
import { isControlPlane, PASSAGES, phaseOf } from './truth.ts';
import type { World } from './world.ts';

const HOUR = 3_600_000;
const PATH = '/apis/drydock.dev/v1alpha1/nodemaintenances';
const NAME = 'afterwards';

/** When every rollout is through somebody takes out a node by hand, and gives it back: both must come to their end. */
export async function holdAfterwards(world: World, isSettled: (world: World) => boolean): Promise<void> {
  const { registry } = world.server;
  const worker = registry.list('nodes').find((node) => !isControlPlane(node));
  if (!world.scenario.holdsAfterwards || worker === undefined) return;
  const spec = { nodeName: worker.metadata.name, hold: true, reason: 'replace a fan', profileName: 'quick' };
  world.ask('POST', PATH, { metadata: { name: NAME }, spec });
  const phase = () => phaseOf(registry.get<Passage>(PASSAGES, NAME));
  const isHeld = await world.run(2 * HOUR, () => phase() === 'Held');
  if (!isHeld) world.violated('L1', `the hold of ${worker.metadata.name} is ${phase()} after two hours`);
  world.ask('DELETE', `${PATH}/${NAME}`, {});
  const isBack = await world.run(HOUR, () => isSettled(world) && phase() === undefined);
  if (!isBack) world.violated('L1', `the hold of ${worker.metadata.name} is ${phase()} an hour after it was deleted`);
}
