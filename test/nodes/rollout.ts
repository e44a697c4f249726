import type { Say } from '../control-plane/binaries.ts';
import { pause } from '../control-plane/until.ts';
import type { NodeCluster } from './cluster.ts';
import { passagesOf, upgradeOf } from './seen.ts';
import { portrait } from './stage.ts';

const EVERY_MS = 1_000;

/** When a passage was seen in a phase first, in milliseconds since 1970. */
export type Step = { readonly at: number; readonly nodeName: string; readonly phase: string };

/**
 * Waits until an upgrade is Ready, and says each step on the way. The API server may be away for as long as it likes: what is
 * not answered is asked again. Rejects when the upgrade stalls or takes too long.
 */
export async function rolledOut(
  cluster: NodeCluster,
  name: string,
  seconds: number,
  say: Say,
): Promise<readonly Step[]> {
  const end = performance.now() + seconds * 1000;
  const steps: Step[] = [];
  for (;;) {
    const [upgrade, passages] = await Promise.all([upgradeOf(cluster, name), passagesOf(cluster, name)]);
    for (const { spec, status } of passages) {
      const step = { nodeName: spec.nodeName, phase: status.state.phase };
      if (steps.some((each) => each.nodeName === step.nodeName && each.phase === step.phase)) continue;
      steps.push({ at: Date.now(), ...step });
      say(`${name}: ${step.nodeName} ${step.phase}`);
    }
    const conditions = upgrade?.status?.conditions ?? [];
    const condition = (type: string) => conditions.find((each) => each.type === type && each.status === 'True');
    if (condition('Ready') !== undefined) return steps;
    const stalled = condition('Stalled');
    if (stalled !== undefined || performance.now() > end) {
      const passed = passages.map(({ spec, status }) => `${spec.nodeName}: ${JSON.stringify(status)}`);
      const why = stalled === undefined ? `not within ${seconds} s` : stalled.message;
      const seen = await portrait(cluster);
      throw new Error(`${name}: ${why}\n${JSON.stringify(conditions)}\n${passed.join('\n')}\n${seen}`);
    }
    await pause(EVERY_MS);
  }
}
