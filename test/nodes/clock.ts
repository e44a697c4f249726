import { type Say, sayToStderr } from '../control-plane/binaries.ts';

/** Says lines with the seconds since this was called: who waits sees what it waits for, and a figure comes of it. */
export function clock(say: Say = sayToStderr): Say {
  const from = performance.now();
  return (line) => say(`drydock: ${((performance.now() - from) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}
