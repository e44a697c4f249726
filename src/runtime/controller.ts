import type { Clock } from '../core/clock.ts';
import type { Queue } from './queue.ts';

/** When to look at a key again: after so many seconds, when something happens (neither), or after a back-off, with the reason. */
export type Next = { readonly again?: number } | { readonly retry: string };

/** Brings what a key names one step further. Whatever can go wrong out there comes back as a value: what it throws is a bug. */
export type Reconciler = { readonly name: string; reconcile(key: string): Promise<Next> };

/** One run of a key, for logs and counters. */
export type Ran = { readonly controller: string; readonly key: string; readonly milliseconds: number } & (
  | { readonly result: 'done' }
  | { readonly result: 'retry'; readonly reason: string }
  | { readonly result: 'threw'; readonly error: unknown }
);

/** What a controller is made of. */
export type ControllerParts = {
  readonly reconciler: Reconciler;
  readonly queue: Queue;
  /** How many keys may be worked on at once. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly ran: (run: Ran) => void;
};

/**
 * Works on the keys of a queue until it stops. It resolves when the last run has ended, and rejects with what a reconciler
 * threw: that is a bug, after which nothing in memory can be trusted, so the process is meant to die of it.
 */
export async function runController(parts: ControllerParts): Promise<void> {
  await Promise.all(Array.from({ length: parts.concurrency }, () => work(parts)));
}

async function work({ reconciler, queue, clock, ran }: ControllerParts): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    const from = clock.monotonic();
    const about = () => ({ controller: reconciler.name, key: key as string, milliseconds: clock.monotonic() - from });
    try {
      const next = await reconciler.reconcile(key);
      if ('retry' in next) {
        ran({ ...about(), result: 'retry', reason: next.retry });
        queue.failed(key);
        continue;
      }
      ran({ ...about(), result: 'done' });
      queue.succeeded(key);
      if (next.again !== undefined) queue.addAfter(key, next.again * 1000);
    } catch (error) {
      queue.failed(key);
      queue.stop();
      ran({ ...about(), result: 'threw', error });
      throw error;
    }
  }
}
