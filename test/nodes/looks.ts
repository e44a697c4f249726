import { pause } from '../control-plane/until.ts';

/** Looks that are had again and again, each at its own pace and all at once, until they are told to end. */
export type Looks = {
  every(ms: number, look: (at: number) => Promise<void>): void;
  /** Ends them when each has ended the look that it is at; rejects if one of them has failed. */
  stop(): Promise<void>;
};

/** Nobody looks yet. */
export function looks(): Looks {
  const loops: Promise<void>[] = [];
  let stopped = false;
  const loop = async (ms: number, look: (at: number) => Promise<void>) => {
    while (!stopped) await Promise.all([look(Date.now()), pause(ms)]);
  };
  return {
    every: (ms, look) => {
      loops.push(loop(ms, look));
    },
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
  };
}
