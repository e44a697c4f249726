import type { Dice } from '../dice.ts';
import type { Timeline } from '../timeline.ts';

/** From how many milliseconds to how many. */
export type Lag = readonly [least: number, most: number];

/** Looks at one key; says after how many milliseconds it must be looked at again, if nothing happens before. */
export type Sync = (key: string) => number | undefined;

/** A work queue. */
export type Reactor = {
  /** Something happened to a key: it is looked at after a lag, once, however often this is said until then. */
  touch(key: string): void;
  /** Every key that waits, waits no longer. */
  stop(): void;
};

type Parts = {
  readonly timeline: Timeline;
  readonly dice: Dice;
  /** Asked at each draw, so that a fault may stretch it. */
  readonly lag: () => Lag;
  readonly sync: Sync;
};

/** A draw from a lag, in milliseconds. */
export function drawn(dice: Dice, [least, most]: Lag): number {
  return dice.between(least, most);
}

/**
 * What each controller waits with: keys are coalesced, never two syncs of one key at once, each some time after it was
 * touched. What a sync returns replaces the key's deadline, so a quiet cluster keeps nothing in its timeline but deadlines
 * that still mean something.
 */
export function reactor({ timeline, dice, lag, sync }: Parts): Reactor {
  const soon = new Map<string, () => void>();
  const later = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  const run = (key: string) => {
    soon.delete(key);
    const wait = sync(key);
    const old = later.get(key);
    const at = wait === undefined ? undefined : timeline.now() + Math.max(0, wait);
    if (old?.at === at) return;
    old?.cancel();
    later.delete(key);
    if (at === undefined) return;
    const cancel = timeline.after(at - timeline.now(), () => {
      later.delete(key);
      if (!soon.has(key)) run(key);
    });
    later.set(key, { at, cancel });
  };
  return {
    touch: (key) => {
      if (soon.has(key)) return;
      soon.set(
        key,
        timeline.after(drawn(dice, lag()), () => run(key)),
      );
    },
    stop: () => {
      for (const cancel of soon.values()) cancel();
      for (const { cancel } of later.values()) cancel();
      soon.clear();
      later.clear();
    },
  };
}
