import type { Clock } from '../../src/core/clock.ts';

type Timer = { readonly at: number; readonly run: () => void };

/** Lets every promise that can settle now settle. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that stands still until it is told otherwise, so that a test of an hour takes no time and never flickers. */
export class FakeClock implements Clock {
  #monotonic = 0;
  #wall: number;
  readonly #timers = new Set<Timer>();

  constructor(start = '2026-11-21T12:00:00Z') {
    this.#wall = Date.parse(start);
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#monotonic + Math.max(0, milliseconds), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass: every timer runs at its own instant, and what it sets off goes as far as it can before the next. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#monotonic + milliseconds;
    await settle();
    for (let next = this.#first(until); next !== undefined; next = this.#first(until)) {
      this.#pass(next.at);
      this.#timers.delete(next);
      next.run();
      await settle();
    }
    this.#pass(until);
  }

  /** Sets the wall clock, as an administrator or a time server does; no timer notices. */
  set(byMilliseconds: number): void {
    this.#wall += byMilliseconds;
  }

  get timers(): number {
    return this.#timers.size;
  }

  #first(until: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  }

  #pass(to: number): void {
    if (to <= this.#monotonic) return;
    this.#wall += to - this.#monotonic;
    this.#monotonic = to;
  }
}

/** The clock of one machine or process among several that share a time: its wall clock is off, and it can be paused. */
export class OwnClock implements Clock {
  readonly #shared: FakeClock;
  readonly #offMs: number;
  #paused = false;
  #overdue: (() => void)[] = [];

  constructor(shared: FakeClock, offMs = 0) {
    this.#shared = shared;
    this.#offMs = offMs;
  }

  now(): number {
    return this.#shared.now() + this.#offMs;
  }

  monotonic(): number {
    return this.#shared.monotonic();
  }

  after(milliseconds: number, run: () => void): () => void {
    let cancelled = false;
    const cancel = this.#shared.after(milliseconds, () => {
      const guarded = () => {
        if (!cancelled) run();
      };
      if (this.#paused) this.#overdue.push(guarded);
      else guarded();
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }

  /** SIGSTOP: nothing runs, and time goes on. */
  pause(): void {
    this.#paused = true;
  }

  /** SIGCONT: what has become due in the meantime runs now. */
  resume(): void {
    this.#paused = false;
    for (const run of this.#overdue.splice(0)) run();
  }
}
