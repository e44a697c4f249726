import type { Dice } from '../dice.ts';
import type { NodeObject, PodObject } from '../objects.ts';
import { isWanted, needs, onlyNode, tolerates, UNSCHEDULABLE } from './fit.ts';
import type { NodeCache, Seat } from './node-cache.ts';

/** A node for a pod, or why there is none. */
export type Choice = { readonly node: string } | { readonly message: string };

const LEAST_FEASIBLE = 100;
const LEAST_SHARE = 5;
/** Sums of fractions are not exact; what is asked for is never finer than this. */
const GRAIN = 1e-6;

/**
 * One decision of the scheduler, in a cluster of any size: a pod for one node looks at that node only, others at as many nodes
 * as numFeasibleNodesToFind (pkg/scheduler/schedule_one.go) says, from where the last decision stopped. Fewest taints of
 * PreferNoSchedule first, then fewest pods, then chance. No preemption, no affinity between pods, no spreading over zones.
 */
export function chooser(cache: NodeCache, dice: Dice): (pod: PodObject) => Choice {
  let start = 0;
  return (pod) => {
    const named = onlyNode(pod.spec);
    const names = named === undefined ? cache.names : cache.seat(named).node === undefined ? [] : [named];
    const most = enough(names.length);
    const refusals = new Map<string, number>();
    let [best, bestScore, ties, feasible, looked] = ['', Number.NEGATIVE_INFINITY, 0, 0, 0];
    for (; looked < names.length && feasible < most; looked += 1) {
      const name = names[(start + looked) % names.length] as string;
      const seat = cache.seat(name);
      const reasons = refused(pod, seat);
      for (const reason of reasons) refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
      if (reasons.length > 0) continue;
      feasible += 1;
      const score = scored(pod, seat);
      if (score < bestScore) continue;
      ties = score === bestScore ? ties + 1 : 1;
      bestScore = score;
      // One of several equals, each with the same chance.
      if (ties === 1 || dice.between(1, ties) === 1) best = name;
    }
    if (named === undefined) start = names.length === 0 ? 0 : (start + looked) % names.length;
    return best === '' ? { message: said(refusals, cache.names.length, names.length) } : { node: best };
  };
}

function enough(nodes: number): number {
  if (nodes < LEAST_FEASIBLE) return nodes;
  const share = Math.max(LEAST_SHARE, 50 - Math.floor(nodes / 125));
  return Math.max(LEAST_FEASIBLE, Math.floor((nodes * share) / 100));
}

/** In the words of the scheduler's plugins, in their order; all that is missing of resources is told together. */
function refused(pod: PodObject, seat: Seat): readonly string[] {
  const node = seat.node as NodeObject;
  const { tolerations } = pod.spec;
  if (node.spec.unschedulable && !tolerates(tolerations, UNSCHEDULABLE)) return ['node(s) were unschedulable'];
  for (const taint of node.spec.taints ?? []) {
    if (taint.effect !== 'PreferNoSchedule' && !tolerates(tolerations, taint)) {
      return ['node(s) had untolerated taint(s)'];
    }
  }
  if (!isWanted(pod.spec, node)) return ["node(s) didn't match Pod's node affinity/selector"];
  const { cpu, memory } = needs(pod.spec);
  return [
    ...(seat.usedPods + 1 > seat.pods ? ['Too many pods'] : []),
    ...(cpu > 0 && seat.usedCPU + cpu > seat.cpu + GRAIN ? ['Insufficient cpu'] : []),
    ...(memory > 0 && seat.usedMemory + memory > seat.memory ? ['Insufficient memory'] : []),
  ];
}

function scored(pod: PodObject, { node, usedPods }: Seat): number {
  const avoided = (node?.spec.taints ?? []).filter(
    (taint) => taint.effect === 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, taint),
  );
  return -avoided.length * 1_000_000 - usedPods;
}

function said(refusals: ReadonlyMap<string, number>, all: number, looked: number): string {
  if (all === 0) return 'no nodes available to schedule pods';
  const others = all - looked;
  const why = new Map(refusals);
  if (others > 0) why.set("node(s) didn't satisfy plugin(s) [NodeAffinity]", others);
  const reasons = [...why].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${all} nodes are available: ${reasons.join(', ')}.`;
}
