import { nextTick } from 'node:process';
import { setImmediate } from 'node:timers/promises';

const TURNS_EACH = 1_000;
let waits = 0;

/**
 * Resolves when every promise that can go on has gone on. Node looks after what is due next only when no promise is left, so
 * that this costs no turn of the event loop; now and then it has one all the same, for whoever shares the thread.
 */
export async function drained(): Promise<void> {
  waits += 1;
  if (waits % TURNS_EACH === 0) {
    await setImmediate();
    return;
  }
  // Asked for outside of any promise it would come before them.
  await undefined;
  await new Promise<void>((resolve) => nextTick(resolve));
}
