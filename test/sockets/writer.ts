import { fakeNode } from '../../src/simulation/controllers/fake-node.ts';
import type { Dice } from '../../src/simulation/dice.ts';
import type { NodeObject, PodObject } from '../../src/simulation/objects.ts';
import type { Registry } from '../../src/simulation/registry.ts';

export const SHOP = 'shop';
const BY = 'writer';
const PHASES = ['Pending', 'Running'] as const;

/** Writes at will, straight into the registry of a model: nothing between it and the truth. */
export class Writer {
  readonly #registry: Registry;
  readonly #dice: Dice;
  readonly #pods: readonly string[];
  readonly #nodes: readonly string[];
  #turn = 0;

  constructor(registry: Registry, dice: Dice, counts: { readonly pods: number; readonly nodes: number }) {
    this.#registry = registry;
    this.#dice = dice;
    this.#pods = Array.from({ length: counts.pods }, (_, at) => `pod-${at}`);
    this.#nodes = Array.from({ length: counts.nodes }, (_, at) => `node-${at}`);
  }

  /** Makes everything that there is at first. */
  begin(): void {
    for (const name of this.#nodes) this.#makeNode(name);
    for (const name of this.#pods) this.#makePod(name);
  }

  /** One write, or the two of a deletion. */
  write(): void {
    this.#turn += 1;
    const dice = this.#dice;
    if (dice.chance(0.25)) this.#node(dice.pick(this.#nodes));
    else this.#pod(dice.pick(this.#pods));
  }

  #pod(name: string): void {
    const registry = this.#registry;
    const key = `${SHOP}/${name}`;
    if (registry.get('pods', key) === undefined) {
      this.#makePod(name);
      return;
    }
    if (this.#dice.chance(0.05)) {
      registry.remove('pods', key, { gracePeriodSeconds: 0 }, { by: BY });
      // Another object under the same name, before anybody can have seen that the first is gone.
      if (this.#dice.chance(0.5)) this.#makePod(name);
      return;
    }
    const ready = { type: 'Ready', status: this.#dice.chance(0.5) ? 'True' : 'False' } as const;
    registry.write<PodObject>('pods', key, BY, (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, turn: String(this.#turn) } },
      status: { ...pod.status, phase: this.#dice.pick(PHASES), conditions: [ready] },
    }));
  }

  #node(name: string): void {
    const registry = this.#registry;
    if (registry.get('nodes', name) === undefined) {
      this.#makeNode(name);
      return;
    }
    if (this.#dice.chance(0.01)) {
      registry.remove('nodes', name, {}, { by: BY });
      return;
    }
    registry.write<NodeObject>('nodes', name, BY, (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, turn: String(this.#turn) } },
      spec: { ...node.spec, unschedulable: this.#dice.chance(0.5) },
    }));
  }

  #makePod(name: string): void {
    const spec = { containers: [{ name: 'web', image: 'shop/web' }] };
    const metadata = { name, namespace: SHOP, labels: { app: 'wéb', turn: String(this.#turn) } };
    expected(this.#registry.create('pods', { apiVersion: 'v1', kind: 'Pod', metadata, spec }, { by: BY }));
  }

  #makeNode(name: string): void {
    const fake = { name, kubeletVersion: 'v1.36.4' };
    expected(this.#registry.create('nodes', fakeNode(fake, this.#dice), { by: BY }));
  }
}

function expected(made: { readonly ok: boolean; readonly failure?: { readonly message: string } }): void {
  if (!made.ok) throw new Error(`the writer was refused: ${made.failure?.message}`);
}
