import type { Clock } from '../core/clock.ts';
import type { Timeline } from './timeline.ts';

/** The longest sleep: whatever was asked for meanwhile is found then at the latest. */
const LONGEST_MS = 250;

/** Lets virtual time pass as the wall clock does, or so many times faster, for a model that others talk to. */
export class RealTime {
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #virtual: number;
  readonly #real: number;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(timeline: Timeline, clock: Clock, speed = 1) {
    this.#timeline = timeline;
    this.#clock = clock;
    this.#speed = speed;
    this.#virtual = timeline.now();
    this.#real = clock.monotonic();
  }

  /** Does everything that is due by now; before each request, so that it meets the present. */
  catchUp(): void {
    if (this.#stopped) return;
    const until = this.#virtual + (this.#clock.monotonic() - this.#real) * this.#speed;
    for (let next = this.#timeline.next(); next !== undefined && next <= until; next = this.#timeline.next()) {
      this.#timeline.step();
    }
    // Under load a step may have been late; time never goes back.
    if (until > this.#timeline.now()) this.#timeline.pass(until);
  }

  /** Sleeps until the next thing is due; after each request too, which may have asked for something sooner. */
  arm(): void {
    this.#cancel?.();
    if (this.#stopped) return;
    const next = this.#timeline.next();
    const wait = next === undefined ? LONGEST_MS : (next - this.#timeline.now()) / this.#speed;
    this.#cancel = this.#clock.after(Math.max(0, Math.min(LONGEST_MS, Math.ceil(wait))), () => {
      this.catchUp();
      this.arm();
    });
  }

  /** Time stands still from now on. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }
}
