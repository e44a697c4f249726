import type { NodeState } from '../../src/api/node-maintenance.ts';
import type { Say } from '../control-plane/binaries.ts';
import type { Client, Metadata } from '../control-plane/client.ts';
import { pause } from '../control-plane/until.ts';
import type { NodeCluster } from './cluster.ts';
import { portrait } from './stage.ts';

const GROUP = '/apis/drydock.dev/v1alpha1';
const EVERY_MS = 1_000;

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };
type Upgrade = { readonly status?: { readonly conditions?: readonly Condition[] } };
type Passage = {
  readonly metadata: Metadata;
  readonly spec: { readonly nodeName: string; readonly upgradeName?: string };
  readonly status: { readonly state: NodeState; readonly conditions?: readonly Condition[] };
};

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
    const [upgrade, passages] = await Promise.all([
      answered<Upgrade>(cluster.admin, `${GROUP}/clusterupgrades/${name}`),
      answered<{ readonly items: readonly Passage[] }>(cluster.admin, `${GROUP}/nodemaintenances`),
    ]);
    for (const { spec, status } of passages?.items ?? []) {
      const step = { nodeName: spec.nodeName, phase: status.state.phase };
      if (
        spec.upgradeName !== name ||
        steps.some((each) => each.nodeName === step.nodeName && each.phase === step.phase)
      ) {
        continue;
      }
      steps.push({ at: Date.now(), ...step });
      say(`${name}: ${step.nodeName} ${step.phase}`);
    }
    const conditions = upgrade?.status?.conditions ?? [];
    const condition = (type: string) => conditions.find((each) => each.type === type && each.status === 'True');
    if (condition('Ready') !== undefined) return steps;
    const stalled = condition('Stalled');
    if (stalled !== undefined || performance.now() > end) {
      const passed = passages?.items.map(({ spec, status }) => `${spec.nodeName}: ${JSON.stringify(status)}`);
      const why = stalled === undefined ? `not within ${seconds} s` : stalled.message;
      const seen = await portrait(cluster);
      throw new Error(`${name}: ${why}\n${JSON.stringify(conditions)}\n${passed?.join('\n')}\n${seen}`);
    }
    await pause(EVERY_MS);
  }
}

/** The answer, or nothing where there is none for now. */
async function answered<T>(admin: Client, path: string): Promise<T | undefined> {
  const late = pause(5 * EVERY_MS).then(() => undefined);
  return await Promise.race([admin.find<T>(path).catch(() => undefined), late]);
}
