import { setImmediate } from 'node:timers/promises';

/** Waits for a condition, letting the event loop turn; the time limit is that of the test. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}

/** Lets everything happen that is already on its way through sockets of this process. */
export async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}
