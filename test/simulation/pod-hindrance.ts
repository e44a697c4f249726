import type { PodObject } from '../../src/simulation/objects.ts';
import { leftAttached } from './attached.ts';
import { ATTIC } from './odd-apps.ts';
import { leftToPeople } from './people.ts';
import { mustLeave, PASSAGES, type Passage, phaseOf } from './truth.ts';
import type { World } from './world.ts';

/** How long a volume takes to let go of its node once faults are over, and more. */
const DETACHED_MS = 5_000;
const REFUSED_MS = 11 * 60_000;

/** What of pods and volumes is in the way of an end and goes by itself or by other hands; `from`: since when faults are over. */
export function podHindrance(world: World, from: number): string | undefined {
  const { registry } = world.server;
  const [left] = leftToPeople(world);
  if (left !== undefined) return `${left.metadata.name} is left to people`;
  if (registry.get('namespaces', ATTIC)?.metadata.deletionTimestamp !== undefined)
    return 'a namespace is being deleted';
  for (const pod of registry.all<PodObject>('pods')) {
    const { name, labels, deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
    if (labels?.['app'] === 'batch' && mustLeave(pod)) return `${name} runs to its end`;
    // How long it takes was drawn when it was told to.
    const told = Date.parse(deletionTimestamp ?? '') - deletionGracePeriodSeconds * 1000;
    if (told <= from) return `${name} ends as slowly as before`;
  }
  // What a policy refused is remembered for so long, and no node is returned to for it meanwhile.
  const isRefused = world.scenario.denials.some(({ how }) => how === 'refuses');
  if (isRefused && world.timeline.now() < from + REFUSED_MS) return 'a refusal is remembered';
  return attached(world);
}

/** A volume whose detaching began while it took long. */
function attached({ server: { registry }, timeline }: World): string | undefined {
  for (const passage of registry.all<Passage>(PASSAGES)) {
    if (phaseOf(passage) !== 'Detaching') continue;
    const { since } = passage.status.state as { readonly since: string };
    if (Math.abs(timeline.now() - Date.parse(since)) < DETACHED_MS) continue;
    const [volume] = leftAttached(registry, passage.spec.nodeName);
    if (volume !== undefined) return `${volume.metadata.name} is still attached`;
  }
  return undefined;
}
