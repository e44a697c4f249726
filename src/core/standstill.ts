import type { PodCounts } from '../api/blocker.ts';
import type { Assessment } from './drain.ts';
import { since } from './passage.ts';
import type { Instant, PassageObject, Read } from './world.ts';

/** A drain from which no pod has left for so long, while all that is left is kept by something, stands still. */
export const STANDSTILL_MS = 600_000;

/**
 * The node of an older drain that stands still as this one does. Two drains can wait for each other for ever: each has
 * cordoned the room in which a pod of the other would start. The younger one is given up, and what it had cordoned helps the
 * other. One drain alone is never given up for this: its deadline decides.
 */
export function rivalOf(
  passage: Read<PassageObject>,
  assessment: Assessment,
  passages: Iterable<PassageObject>,
  now: Instant,
): string | undefined {
  if (!standsStill(passage.status.pods, now) || assessment.hopeful > 0 || !isKept(assessment.counts)) return undefined;
  for (const other of passages) {
    if (!other.readable || other.status.state.phase !== 'Draining' || !isOlder(other, passage)) continue;
    const { pods } = other.status;
    if (pods !== undefined && standsStill(pods, now) && isKept(pods)) return other.spec.nodeName;
  }
  return undefined;
}

function standsStill(pods: PodCounts | undefined, now: Instant): boolean {
  return pods?.since !== undefined && now - Date.parse(pods.since) >= STANDSTILL_MS;
}

function isKept({ remaining, blocked, terminating }: PodCounts): boolean {
  return blocked > 0 && terminating === 0 && remaining > 0;
}

function isOlder(other: Read<PassageObject>, passage: Read<PassageObject>): boolean {
  const [theirs, ours] = [since(other.status.state), since(passage.status.state)];
  return theirs < ours || (theirs === ours && other.name < passage.name);
}
