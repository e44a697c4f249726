import type { NodeObject, PodSpec } from '../objects.ts';
import { type Needs, needs, quantity } from './fit.ts';

/** A node as the scheduler counts it. */
export type Seat = {
  node: NodeObject | undefined;
  cpu: number;
  memory: number;
  pods: number;
  usedCPU: number;
  usedMemory: number;
  usedPods: number;
};

/** What the scheduler knows of nodes: what is bound, and what it has decided but not bound yet. */
export type NodeCache = {
  readonly names: readonly string[];
  seat(name: string): Seat;
  node(name: string, node: NodeObject | undefined): void;
  /** A pod takes its place on a node, or leaves the one that it had. */
  place(key: string, node: string | undefined, spec: PodSpec): void;
  clear(): void;
};

/** A cache without nodes. */
export function nodeCache(): NodeCache {
  const names: string[] = [];
  const seats = new Map<string, Seat>();
  const placed = new Map<string, { readonly name: string; readonly takes: Needs }>();
  const seat = (name: string): Seat => {
    let there = seats.get(name);
    if (there === undefined) {
      there = { node: undefined, cpu: 0, memory: 0, pods: 0, usedCPU: 0, usedMemory: 0, usedPods: 0 };
      seats.set(name, there);
    }
    return there;
  };
  return {
    names,
    seat,
    node: (name, node) => {
      const there = seat(name);
      if (node !== undefined && there.node === undefined) names.push(name);
      if (node === undefined && there.node !== undefined) names.splice(names.indexOf(name), 1);
      there.node = node;
      const { cpu, memory, pods } = node?.status?.allocatable ?? {};
      Object.assign(there, { cpu: quantity(cpu), memory: quantity(memory), pods: quantity(pods) });
    },
    place: (key, name, spec) => {
      const before = placed.get(key);
      if (before !== undefined && before.name === name) return;
      if (before !== undefined) {
        take(seat(before.name), before.takes, -1);
        placed.delete(key);
      }
      if (name === undefined) return;
      const takes = needs(spec);
      placed.set(key, { name, takes });
      take(seat(name), takes, 1);
    },
    clear: () => {
      names.length = 0;
      seats.clear();
      placed.clear();
    },
  };
}

function take(seat: Seat, { cpu, memory }: Needs, times: 1 | -1): void {
  seat.usedCPU += times * cpu;
  seat.usedMemory += times * memory;
  seat.usedPods += times;
}
