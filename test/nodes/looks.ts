import { pause } from '../control-plane/until.ts';

/** A time in which this process did not run: what was not answered then says nothing of who was asked. */
export type Stall = { readonly at: number; readonly ms: number };

/** Looks that are had again and again, each at its own pace and all at once, until they are told to end. */
export type Looks = {
  every(ms: number, look: (at: number) => Promise<void>): void;
  /** When nobody could look, so far. */
  stalls(): readonly Stall[];
  /** Ends them when each has ended the look that it is at; rejects if one of them has failed. */
  stop(): Promise<void>;
};

const TICK_MS = 50;
const LATE_MS = 400;

/** Nobody looks yet. */
export function looks(): Looks {
  const loops: Promise<void>[] = [];
  const stalls: Stall[] = [];
  let stopped = false;
  const witness = async () => {
    while (!stopped) {
      const due = Date.now() + TICK_MS;
      await pause(TICK_MS);
      const ms = Date.now() - due;
      if (ms > LATE_MS) stalls.push({ at: due, ms });
    }
  };
  const loop = async (ms: number, look: (at: number) => Promise<void>) => {
    while (!stopped) await Promise.all([look(Date.now()), pause(ms)]);
  };
  loops.push(witness());
  return {
    every: (ms, look) => {
      loops.push(loop(ms, look));
    },
    stalls: () => [...stalls],
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

/** What was asked, and in vain, while this process ran all the time until it gave up. */
export function unstalled<T extends { readonly at: number }>(
  all: readonly T[],
  stalls: readonly Stall[],
  patienceMs: number,
): readonly T[] {
  return all.filter(({ at }) => !stalls.some((stall) => at <= stall.at + stall.ms && at + patienceMs >= stall.at));
}
