import type { Clock } from '../../src/core/clock.ts';
import type { Timeline } from '../../src/simulation/timeline.ts';

/** The clock of one process among several that share a time: its wall clock may be off, and it can be paused or dead. */
export class ProcessClock implements Clock {
  readonly #timeline: Timeline;
  readonly #offMs: number;
  readonly #stirred: () => void;
  readonly #overdue: (() => void)[] = [];
  #state: 'runs' | 'paused' | 'dead' = 'runs';

  constructor(timeline: Timeline, offMs: number, stirred: () => void) {
    this.#timeline = timeline;
    this.#offMs = offMs;
    this.#stirred = stirred;
  }

  get state(): 'runs' | 'paused' | 'dead' {
    return this.#state;
  }

  now(): number {
    return Math.floor(this.#timeline.now()) + this.#offMs;
  }

  monotonic(): number {
    return this.#timeline.monotonic();
  }

  after(milliseconds: number, run: () => void): () => void {
    let cancelled = false;
    const cancel = this.#timeline.after(milliseconds, () => this.enter(() => (cancelled ? undefined : run())));
    return () => {
      cancelled = true;
      cancel();
    };
  }

  /** Something from outside reaches the process: at once, when it wakes, or never. */
  enter(run: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'paused') {
      this.#overdue.push(run);
      return;
    }
    this.#stirred();
    run();
  }

  /** SIGSTOP: nothing runs, and time goes on. */
  pause(): void {
    if (this.#state === 'runs') this.#state = 'paused';
  }

  /** SIGCONT: what has become due in the meantime runs now. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'runs';
    for (const run of this.#overdue.splice(0)) this.enter(run);
  }

  /** SIGKILL. */
  die(): void {
    this.#state = 'dead';
    this.#overdue.length = 0;
  }
}
