/** Time as a parameter: what decides by it can be tried with any time, and nothing but its one real form waits. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that never go back, for durations within one process. */
  monotonic(): number;
  /** Runs something after a while; what comes back cancels it. */
  after(milliseconds: number, run: () => void): () => void;
}
