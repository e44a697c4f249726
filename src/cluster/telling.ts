import { setImmediate } from 'node:timers/promises';

/** Gives out what it is given, in order and never too much at a stretch. */
export interface Telling<T> {
  /** Gives out these after all earlier ones; `then` runs when they are out. */
  say(items: readonly T[], then?: () => void): void;
  /** Forgets what is not out yet. */
  stop(): void;
}

/** After so many the event loop has its turn: a first list of 150,000 pods must stall nothing. */
const AT_A_STRETCH = 1_000;

/** Makes a telling. A handful goes out at once, while `say` runs, as most of what a watch brings. */
export function telling<T>(tell: (item: T) => void): Telling<T> {
  let untold: { readonly items: readonly T[]; readonly then: (() => void) | undefined }[] = [];
  let busy = false;
  let stopped = false;
  const run = async () => {
    busy = true;
    let told = 0;
    for (let next = untold.shift(); next !== undefined; next = untold.shift()) {
      for (const item of next.items) {
        if (stopped) return;
        tell(item);
        told += 1;
        if (told % AT_A_STRETCH === 0) await setImmediate();
      }
      next.then?.();
    }
    busy = false;
  };
  return {
    say: (items, then) => {
      if (stopped || (items.length === 0 && then === undefined)) return;
      untold.push({ items, then });
      if (!busy) void run();
    },
    stop: () => {
      stopped = true;
      untold = [];
    },
  };
}
