import { setImmediate } from 'node:timers/promises';
import { attempt } from '../core/attempt.ts';
import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/decision.ts';
import type { Kind, World } from '../core/world.ts';
import type { Answer } from './cluster.ts';
import type { Sent } from './effects.ts';
import { lines } from './lines.ts';
import { type Reply, refusalOf, unavailable } from './outcomes.ts';
import { list, type Raw, record, text } from './raw.ts';
import type { Said } from './said.ts';
import type { Difference, Store, StoreEvent } from './store.ts';
import { type Telling, telling } from './telling.ts';
import type { CallOptions, Opened } from './transport.ts';
import { IDLE, step, type WatchCommand, type WatchEvent, type WatchState } from './watch-step.ts';

/** What one watcher needs: where to ask, how to read what comes, where to put it and whom to tell. */
export type WatcherParts<K extends Kind> = {
  readonly kind: K;
  /** The request for a list or a watch, with this query. */
  readonly ask: (query: Readonly<Record<string, string>>) => Sent;
  readonly view: (raw: unknown) => World[K] | undefined;
  readonly store: Store<World[K]>;
  readonly changed: (difference: Difference<World[K]>) => void;
  readonly transport: {
    call(sent: Sent, options: CallOptions): Promise<Answer<Reply>>;
    open(sent: Sent, signal: AbortSignal): Promise<Answer<Opened>>;
  };
  readonly clock: Clock;
  readonly random: () => number;
  readonly said: (said: Said) => void;
};

const PAGE = 500;
const PAGE_MS = 60_000;

/** Runs what `step` commands for one kind: the only impure part of a list and watch. */
export class Watcher<K extends Kind> {
  readonly #parts: WatcherParts<K>;
  readonly #synced = Promise.withResolvers<void>();
  #state: WatchState = IDLE;
  #request: AbortController | undefined;
  #cancelWake = () => {};
  readonly #telling: Telling<Difference<World[K]>>;

  constructor(parts: WatcherParts<K>) {
    this.#parts = parts;
    this.#telling = telling(parts.changed);
  }

  /** Begins; resolves when the first list is whole and told, or when it is stopped before. */
  start(): Promise<void> {
    this.#feed({ is: 'start' });
    return this.#synced.promise;
  }

  /** Ends for good: nothing is asked, applied or told after it. */
  stop(): void {
    this.#feed({ is: 'stop' });
    this.#telling.stop();
    this.#synced.resolve();
  }

  #feed(event: WatchEvent<World[K]>): void {
    const { clock, random } = this.#parts;
    const [state, commands] = step(this.#state, event, { now: clock.monotonic(), dice: random() });
    this.#state = state;
    for (const command of commands) this.#run(command);
  }

  #run(command: WatchCommand<World[K]>): void {
    const { kind, clock, said } = this.#parts;
    switch (command.do) {
      case 'abandon':
        this.#cancelWake();
        this.#request?.abort();
        return;
      case 'wake':
        if (!this.#wanted(command.serial)) return;
        this.#cancelWake();
        this.#cancelWake = clock.after(command.afterMs, () => this.#feed({ is: 'woke', serial: command.serial }));
        return;
      case 'apply':
        this.#apply(command.event);
        return;
      case 'say':
        said({
          what: 'watchStopped',
          kind,
          why: command.why,
          message: command.message,
          againAfterMs: command.againAfterMs,
        });
        return;
      case 'list':
        void this.#list(command);
        return;
      case 'probe':
        void this.#probe(command.serial);
        return;
      case 'watch':
        void this.#watch(command);
        return;
    }
  }

  /** Whether a request is still wanted: whoever is told of a change may have stopped everything meanwhile. */
  #wanted(serial: number): boolean {
    return this.#state.serial === serial && this.#state.at !== 'stopped';
  }

  async #list({ serial, continue: token }: Extract<WatchCommand<World[K]>, { do: 'list' }>): Promise<void> {
    if (token !== undefined) await setImmediate();
    if (!this.#wanted(serial)) return;
    const { signal } = this.#begin();
    const sent = this.#parts.ask({ limit: String(PAGE), ...(token === undefined ? {} : { continue: token }) });
    const answer = await this.#parts.transport.call(sent, { timeoutMs: PAGE_MS, signal });
    if (this.#wanted(serial)) this.#feed(this.#page(serial, answer));
  }

  async #probe(serial: number): Promise<void> {
    if (!this.#wanted(serial)) return;
    const answer = await this.#parts.transport.call(this.#parts.ask({ limit: '1' }), { signal: this.#begin().signal });
    if (!this.#wanted(serial)) return;
    const event = this.#page(serial, answer);
    this.#feed(event.is === 'page' ? { is: 'probed', serial, resourceVersion: event.resourceVersion } : event);
  }

  #page(serial: number, answer: Answer<Reply>): WatchEvent<World[K]> {
    if (!answer.ok) return failed(serial, answer);
    const refusal = refusalOf(answer.value, 'other');
    if (refusal !== undefined) return stopped(serial, refusal);
    const read = attempt(() => JSON.parse(answer.value.body) as unknown);
    if (!read.ok) return failed(serial, unavailable(`the list is no JSON: ${read.problem}`));
    const metadata = record(record(read.value)['metadata']);
    const token = text(metadata['continue']);
    const views = list(record(read.value)['items']).flatMap((item) => this.#view(item) ?? []);
    const resourceVersion = text(metadata['resourceVersion']);
    // What answers in place of the server may well speak JSON: taken for a list, it would empty the cache.
    if (resourceVersion === '') return failed(serial, unavailable('the answer to a list was no list'));
    return { is: 'page', serial, views, resourceVersion, ...(token === '' ? {} : { continue: token }) };
  }

  async #watch({
    serial,
    resourceVersion,
    timeoutSeconds,
  }: Extract<WatchCommand<World[K]>, { do: 'watch' }>): Promise<void> {
    if (!this.#wanted(serial)) return;
    const { signal } = this.#begin();
    const query = { watch: '1', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds: String(timeoutSeconds) };
    const opened = await this.#parts.transport.open(this.#parts.ask(query), signal);
    if (this.#wanted(serial)) this.#feed(opened.ok ? await this.#follow(serial, opened.value) : failed(serial, opened));
  }

  /** Listens until the watch is over; what comes back is how it ended. */
  async #follow(serial: number, opened: Opened): Promise<WatchEvent<World[K]>> {
    if (!opened.open) {
      return stopped(serial, refusalOf(opened.reply, 'other') ?? unavailable('the answer to a watch was no watch'));
    }
    this.#feed({ is: 'opened', serial });
    const cut = lines();
    for (;;) {
      const chunk = await opened.chunks.next();
      if (!chunk.ok) return failed(serial, chunk);
      if (chunk.value === undefined) return { is: 'ended', serial };
      for (const line of cut.push(chunk.value)) {
        const event = this.#wanted(serial) && line !== '' ? this.#understand(serial, line) : undefined;
        if (event !== undefined) this.#feed(event);
      }
    }
  }

  #understand(serial: number, line: string): WatchEvent<World[K]> | undefined {
    const read = attempt(() => record(JSON.parse(line) as unknown));
    if (!read.ok) {
      this.#parts.said({ what: 'unreadable', kind: this.#parts.kind });
      // Nobody knows which object it was about: only a list can tell.
      return { is: 'expired', serial, refusal: unavailable(`a line of the watch is no JSON: ${read.problem}`) };
    }
    const { type, object } = read.value;
    if (type === 'ERROR') return stopped(serial, errorOf(record(object)));
    const resourceVersion = text(record(record(object)['metadata'])['resourceVersion']);
    if (resourceVersion === '') return undefined;
    const as = STORE_EVENTS[text(type)];
    const seen = as === undefined ? undefined : this.#view(object);
    const change = as === undefined || seen === undefined ? undefined : { type: as, view: seen };
    return { is: 'heard', serial, resourceVersion, ...(change === undefined ? {} : { change }) };
  }

  #view(raw: unknown): World[K] | undefined {
    const { kind, view, said } = this.#parts;
    const seen = view(raw);
    if (seen === undefined) said({ what: 'unreadable', kind });
    return seen;
  }

  #begin(): AbortController {
    this.#request = new AbortController();
    return this.#request;
  }

  #apply(event: StoreEvent<World[K]>): void {
    const { kind, store, said } = this.#parts;
    const differences = store.apply(event);
    const whole = event.type === 'relisted';
    if (whole) said({ what: 'listed', kind, objects: store.size, changes: differences.length });
    this.#telling.say(differences, whole ? () => this.#synced.resolve() : undefined);
  }
}

const STORE_EVENTS: { readonly [type: string]: 'added' | 'modified' | 'deleted' | undefined } = {
  ADDED: 'added',
  MODIFIED: 'modified',
  DELETED: 'deleted',
};

/** The refusal in an ERROR event, whose object is a Status with the code that HTTP could not say any more. */
function errorOf(status: Raw): Refusal {
  const code = typeof status['code'] === 'number' ? status['code'] : 500;
  return (
    refusalOf({ status: Math.max(code, 400), body: JSON.stringify(status) }, 'other') ??
    unavailable('an error without a code')
  );
}

function failed<V>(serial: number, refusal: Refusal): WatchEvent<V> {
  return { is: 'failed', serial, refusal };
}

/** 410 says that the resourceVersion is too old; `Too large` that the server, restored, does not know it yet. */
function stopped<V>(serial: number, refusal: Refusal): WatchEvent<V> {
  const expired = refusal.code === 410 || refusal.message.includes('Too large resource version');
  return { is: expired ? 'expired' : 'failed', serial, refusal };
}
