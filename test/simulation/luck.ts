import type { Sent } from '../../src/cluster/effects.ts';
import type { Dice } from '../../src/simulation/dice.ts';
import type { Mishap, Mishaps, WatchMishap } from './network.ts';
import type { Scenario } from './scenario.ts';

/** The luck of all wires of a world; it turns good when faults cease. */
export type Luck = Mishaps & { cease(): void; isOver(): boolean; isFelt(): boolean };

const MINUTE = 60_000;
const CODES = [
  { code: 409 },
  { code: 429, retryAfterSeconds: 1 },
  { code: 500 },
  { code: 503, retryAfterSeconds: 2 },
  { code: 504 },
] as const;
const BREAKS = ['reset', 'ended', 'half-open', 'expired', 'truncated'] as const;

/** Luck as bad as a scenario wants it. */
export function luckOf({ rates }: Scenario, dice: Dice, isDown: () => boolean): Luck {
  let [over, felt] = [false, 0];
  return {
    isDown,
    isOver: () => over,
    isFelt: () => felt > 0,
    felt: (by) => {
      felt += by;
    },
    cease: () => {
      over = true;
    },
    request: (sent) => (over ? {} : mishapOf(sent)),
    watch: () => (over ? {} : watchMishap()),
  };

  function mishapOf({ method }: Sent): Mishap {
    if (method !== 'GET') {
      if (dice.chance(rates.crashBefore)) return { crash: 'before' };
      if (dice.chance(rates.crashAfter)) return { crash: 'after' };
    }
    if (dice.chance(rates.lostRequest)) return { lost: 'request' };
    if (dice.chance(rates.lostAnswer)) return { lost: 'answer' };
    if (dice.chance(rates.late)) return { lateMs: dice.between(100, dice.pick([2_000, 10_000, 5 * MINUTE])) };
    if (dice.chance(rates.refused)) return { instead: dice.pick(CODES) };
    return {};
  }

  function watchMishap(): WatchMishap {
    const most = dice.between(0, rates.watchLagMs);
    const lag = rates.watchLagMs === 0 ? {} : { lagMs: () => (over ? 0 : most) };
    if (!dice.chance(rates.watchBreaks)) return lag;
    return { ...lag, breaksAfterMs: dice.between(0, 5 * MINUTE), how: dice.pick(BREAKS) };
  }
}
