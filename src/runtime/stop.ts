import type { Clock } from '../core/clock.ts';

/** One thing to do before the process ends. */
export type LastStep = { readonly name: string; readonly run: () => Promise<void> | void };

/** What ending in good order is made of. */
export type StopParts = {
  readonly clock: Clock;
  /** In this order: begin nothing more, abort what is on its way, let the workers end, give the Lease back, close. */
  readonly steps: readonly LastStep[];
  /** Ends the process. `late` names the step that had not ended when the time was over. */
  readonly ended: (code: number, late?: string) => void;
  /** A Pod is killed some time after it was asked to end; a step that hangs must not take all of that. */
  readonly withinMs?: number;
};

const WITHIN_MS = 5_000;

/**
 * Makes the function that ends the process in good order: with code 0 when asked to, with another when something is
 * wrong. Asked a second time it ends at once, since people press Ctrl-C twice for that.
 */
export function stopping({ clock, steps, ended, withinMs = WITHIN_MS }: StopParts): (code: number) => void {
  let current: string | undefined;
  let over = false;
  const end = (code: number, late?: string) => {
    if (over) return;
    over = true;
    ended(code, late);
  };
  const run = async (code: number) => {
    for (const { name, run: step } of steps) {
      if (over) return;
      current = name;
      await step();
    }
    end(code);
  };
  return (code) => {
    if (current !== undefined) return end(code === 0 ? 1 : code, current);
    current = '';
    clock.after(withinMs, () => end(1, current));
    run(code).then(undefined, () => end(1, current));
  };
}

/** Calls back on the signals by which a process is asked to end. */
export function onSignals(
  process: { on(signal: 'SIGTERM' | 'SIGINT', run: () => void): unknown },
  run: () => void,
): void {
  process.on('SIGTERM', run);
  process.on('SIGINT', run);
}
