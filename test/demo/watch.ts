import type { List, Metadata } from '../control-plane/client.ts';
import type { Plane } from '../control-plane/cluster.ts';
import { pause } from '../control-plane/until.ts';

type Listed = { readonly metadata: Metadata };
/** What a watch is told on. */
export type Watching<T> = { readonly path: string; readonly changed: (objects: readonly T[]) => void };

const AGAIN_MS = 300;

/** Watches resources as `kubectl get --watch` does, event by event, until the signal. */
export class Watches {
  readonly #plane: Plane;
  readonly #signal: AbortSignal;

  constructor(plane: Plane, signal: AbortSignal) {
    this.#plane = plane;
    this.#signal = signal;
  }

  /** Lists, tells, and goes on telling; returns when the list was told. */
  async begin<T extends Listed>(watching: Watching<T>): Promise<void> {
    const from = await this.#list(watching);
    void this.#goOn(watching, from);
  }

  async #list<T extends Listed>({ path, changed }: Watching<T>) {
    const reply = await this.#plane.admin.get<List<T>>(path);
    const objects = new Map(reply.items.map((item) => [item.metadata.uid ?? '', item]));
    changed([...objects.values()]);
    return { objects, version: reply.metadata.resourceVersion };
  }

  async #goOn<T extends Listed>(
    watching: Watching<T>,
    first: { objects: Map<string, T>; version: string },
  ): Promise<void> {
    let at = first;
    while (!this.#signal.aborted) {
      try {
        await this.#follow(watching, at.objects, at.version);
        at = await this.#list(watching);
      } catch {
        // The API server ended the watch, or is away for a moment; a new list tells what was missed.
        await pause(AGAIN_MS);
      }
    }
  }

  async #follow<T extends Listed>({ path, changed }: Watching<T>, objects: Map<string, T>, version: string) {
    const { admin } = this.#plane;
    for await (const { type, object } of admin.watch<T>(path, version, this.#signal)) {
      if (type === 'DELETED') objects.delete(object.metadata.uid ?? '');
      else objects.set(object.metadata.uid ?? '', object);
      changed([...objects.values()]);
    }
  }
}
