import type { Clock } from '../core/clock.ts';

/** The longest that `setTimeout` can wait; it runs at once what it is asked to do later than that. */
const LONGEST_MS = 2 ** 31 - 1;

/** The real clock: the only place that asks what time it is, or waits. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (milliseconds, run) => {
    let timer: NodeJS.Timeout;
    const wait = (left: number) => {
      const part = Math.min(Math.max(left, 0), LONGEST_MS);
      timer = setTimeout(() => (left > part ? wait(left - part) : run()), part);
    };
    wait(milliseconds);
    return () => clearTimeout(timer);
  },
};
