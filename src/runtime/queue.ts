import type { Clock } from '../core/clock.ts';

/** What a queue is made of. */
export type QueueParts = { readonly clock: Clock; readonly random: () => number };

/** How a queue stands, for people who watch it. */
export type QueueFigures = {
  /** Keys that could be taken now. */
  readonly ready: number;
  readonly running: number;
  /** Keys that wait for their time. */
  readonly delayed: number;
  /** Keys whose last run failed. */
  readonly failing: number;
};

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 60_000;
/** News brings a failing key forward, but not further than this: neither deaf nor hot. */
const NEWS_MS = 1_000;

type Failing = { times: number; notBefore: number };
type Delayed = { readonly at: number; readonly cancel: () => void };

/**
 * The keys that are due. A key is there at most once and never given out twice at once; what is added while it runs, runs
 * again afterwards. All retrying of Drydock is the back-off of a failed key here, and nowhere else.
 */
export class Queue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #ready = new Set<string>();
  readonly #running = new Set<string>();
  readonly #addedWhileRunning = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failing = new Map<string, Failing>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #paused = false;
  #stopped = false;

  constructor({ clock, random }: QueueParts) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Something has happened that concerns this key. */
  add(key: string): void {
    const failing = this.#failing.get(key);
    this.addAfter(key, failing === undefined ? 0 : failing.notBefore - this.#clock.monotonic());
  }

  /** The key is due after a while; of two times the earlier wins. */
  addAfter(key: string, milliseconds: number): void {
    if (this.#stopped || this.#ready.has(key)) return;
    if (milliseconds <= 0) {
      this.#due(key);
      return;
    }
    const at = this.#clock.monotonic() + milliseconds;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined && earlier.at <= at) return;
    earlier?.cancel();
    this.#delayed.set(key, { at, cancel: this.#clock.after(milliseconds, () => this.#due(key)) });
  }

  /** The next key that is due, when there is one; undefined once the queue has stopped. Every key taken must end in `succeeded` or `failed`. */
  take(): Promise<string | undefined> {
    if (this.#stopped) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#give();
    });
  }

  /** Ends the run of a key that went well. */
  succeeded(key: string): void {
    this.#failing.delete(key);
    this.#ended(key);
  }

  /** Ends the run of a key that could not be served; it comes again later each time. */
  failed(key: string): void {
    const { times } = this.#failing.get(key) ?? { times: 0 };
    const longest = Math.min(FIRST_RETRY_MS * 2 ** times, LONGEST_RETRY_MS);
    const delay = longest * (0.5 + this.#random() / 2);
    // Capped so that the power above stays a number for a key that fails all its life.
    this.#failing.set(key, {
      times: Math.min(times + 1, 30),
      notBefore: this.#clock.monotonic() + Math.min(delay, NEWS_MS),
    });
    this.#ended(key);
    this.addAfter(key, delay);
  }

  /** Gives nothing out until `resume`; what is added is kept. For a replica that does not lead. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#give();
  }

  /** Gives nothing out any more, and lets every taker go. */
  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#ready.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  get figures(): QueueFigures {
    return {
      ready: this.#ready.size,
      running: this.#running.size,
      delayed: this.#delayed.size,
      failing: this.#failing.size,
    };
  }

  #due(key: string): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
    if (this.#running.has(key)) this.#addedWhileRunning.add(key);
    else this.#ready.add(key);
    this.#give();
  }

  #ended(key: string): void {
    this.#running.delete(key);
    if (this.#addedWhileRunning.delete(key)) this.add(key);
    this.#give();
  }

  #give(): void {
    while (!this.#paused && this.#takers.length > 0) {
      const [key] = this.#ready;
      if (key === undefined) return;
      this.#ready.delete(key);
      this.#running.add(key);
      this.#takers.shift()?.(key);
    }
  }
}
