import { median, table } from './figures.ts';
import { type Drainer, type Rollout, rollOut } from './makespan.ts';
import { type Scene, told } from './scenes.ts';

/** The rollouts of one scenario, one of each drainer for each seed. */
export type Pair = {
  readonly scene: Scene;
  readonly drydock: readonly Rollout[];
  readonly kubectlLike: readonly Rollout[];
};

/** Plays a scenario once for each seed with both drainers; says so before each. */
export async function playScene(scene: Scene, seeds: readonly number[], say: (line: string) => void): Promise<Pair> {
  const found: Record<Drainer, Rollout[]> = { drydock: [], 'kubectl-like': [] };
  for (const seed of seeds) {
    for (const drainer of ['kubectl-like', 'drydock'] as const) {
      say(`  ${told(scene)}: ${drainer}, seed ${seed}`);
      found[drainer].push(await rollOut(scene, drainer, seed));
    }
  }
  return { scene, drydock: found.drydock, kubectlLike: found['kubectl-like'] };
}

/** What the scenarios came to: how long they took beside their bound, and what that cost. */
export function makespanPage(pairs: readonly Pair[]): string {
  const head = ['scenario', 'bound', 'Drydock', 'ratio', 'kubectl-like', 'ratio', 'bound, stock rates'];
  const times = pairs.map(({ scene, drydock, kubectlLike }) => [
    scene.name,
    seconds(drydock, ({ bound }) => bound),
    seconds(drydock, (each) => each.seconds),
    spread(drydock, ratioOf, 3),
    seconds(kubectlLike, (each) => each.seconds),
    spread(kubectlLike, ratioOf, 3),
    seconds(drydock, ({ stockBound }) => stockBound),
  ]);
  const costs = pairs.flatMap(({ scene, drydock, kubectlLike }) => [
    costOf(`${scene.name} Drydock`, drydock),
    costOf(`${scene.name} kubectl-like`, kubectlLike),
  ]);
  const costHead = ['', 'evictions a pod', 'calls an evicted pod', 'refused (429)', 'requests a node', 'writes a node'];
  return [table(head, times), '', table(costHead, costs)].join('\n');
}

function ratioOf({ seconds: took, bound }: Rollout): number {
  return took / bound;
}

function seconds(rollouts: readonly Rollout[], of: (rollout: Rollout) => number): string {
  return `${Math.round(median(rollouts.map(of))).toLocaleString('en')} s`;
}

/** The median, and behind it the least and the most where they differ. */
function spread(rollouts: readonly Rollout[], of: (rollout: Rollout) => number, digits: number): string {
  const all = rollouts.map(of);
  const [middle, least, most] = [median(all), Math.min(...all), Math.max(...all)].map((each) => each.toFixed(digits));
  return least === most ? `${middle}` : `${middle} (${least}–${most})`;
}

function costOf(name: string, rollouts: readonly Rollout[]): readonly string[] {
  return [
    name,
    spread(rollouts, ({ tally, pods }) => tally.granted / pods, 2),
    spread(rollouts, ({ tally }) => tally.evictionCalls / tally.granted, 3),
    `${spread(rollouts, ({ tally }) => (100 * tally.refused) / tally.evictionCalls, 1)} %`,
    spread(rollouts, ({ tally, nodes }) => tally.requests / nodes, 0),
    spread(rollouts, ({ tally, nodes }) => tally.writes / nodes, 1),
  ];
}
