import { readFileSync } from 'node:fs';
import { Agent } from 'undici';
import type { List, Metadata } from '../control-plane/client.ts';
import type { Plane } from '../control-plane/cluster.ts';
import { pause } from '../control-plane/until.ts';

type Listed = { readonly metadata: Metadata };
type Event = { readonly type: string; readonly object: Listed };
/** What a watch is told on. */
export type Watching<T> = { readonly path: string; readonly changed: (objects: readonly T[]) => void };

const AGAIN_MS = 300;

/** Watches resources as `kubectl get --watch` does, event by event, until the signal. */
export class Watches {
  readonly #plane: Plane;
  readonly #agent: Agent;
  readonly #token: string;
  readonly #signal: AbortSignal;

  constructor(plane: Plane, signal: AbortSignal) {
    this.#plane = plane;
    this.#signal = signal;
    const config = JSON.parse(readFileSync(plane.kubeconfig, 'utf8')) as { users: { user: { token: string } }[] };
    this.#token = config.users[0]?.user.token ?? '';
    this.#agent = new Agent({ connect: { ca: readFileSync(plane.caFile) }, bodyTimeout: 0 });
    signal.addEventListener('abort', () => void this.#agent.destroy().catch(() => {}));
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
    const { body, statusCode } = await this.#agent.request({
      origin: this.#plane.server,
      path: `${path}?watch=1&resourceVersion=${version}`,
      method: 'GET',
      headers: { authorization: `Bearer ${this.#token}`, accept: 'application/json' },
      signal: this.#signal,
    });
    if (statusCode !== 200) throw new Error(`watch ${path}: ${statusCode}`);
    let rest = '';
    body.setEncoding('utf8');
    for await (const chunk of body as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter(Boolean)) {
        const { type, object } = JSON.parse(line) as Event;
        if (type === 'ERROR') return;
        if (type === 'DELETED') objects.delete(object.metadata.uid ?? '');
        else objects.set(object.metadata.uid ?? '', object as T);
        changed([...objects.values()]);
      }
    }
  }
}
