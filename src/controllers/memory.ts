import { CLAIM_MS, type Claim } from '../core/budget.ts';
import type { Clock } from '../core/clock.ts';
import type { Outcome, Remembered } from '../core/decision.ts';
import { type Effect, effectKey } from '../core/effect.ts';

const FORGET_MS = 600_000;

/** The last outcome of each effect: a fact beside the caches, lost at a restart and asked again. */
export class Memory {
  readonly #last = new Map<string, Remembered>();
  readonly #claims = new Map<string, Map<string, Claim>>();
  readonly #lanes = new Map<string, Promise<unknown>>();
  readonly #clock: Clock;
  #turn: Promise<unknown> = Promise.resolve();
  #actingSince: number;

  constructor(clock: Clock, actingSince = clock.now()) {
    this.#clock = clock;
    this.#actingSince = actingSince;
  }

  /** Since when this process acts: what another one did just before is in nobody's memory. */
  get actingSince(): number {
    return this.#actingSince;
  }

  /** It acts from now on. */
  begin(): void {
    this.#actingSince = this.#clock.now();
  }

  /** By age, whether or not anything was remembered since: what was refused long ago must not keep a quiet cluster for ever. */
  readonly recall = (key: string): Remembered | undefined => {
    const last = this.#last.get(key);
    return last === undefined || this.#clock.now() - last.at >= FORGET_MS ? undefined : last;
  };

  /**
   * Runs what reads and writes the ledger one after another. Safe it is without that, by the version it was decided on; but
   * of two of our own side by side one would be refused, and come again.
   */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run, run);
    this.#turn = turn;
    return turn;
  }

  /** Runs the evictions against one budget one after another, whichever passage they are of. */
  async inLane<T>(effect: Effect, run: () => Promise<T>): Promise<T> {
    if (effect.kind !== 'evict') return run();
    const { lane } = effect;
    const before = this.#lanes.get(lane);
    const turn = before === undefined ? run() : before.then(run, run);
    this.#lanes.set(lane, turn);
    const answer = await turn;
    if (this.#lanes.get(lane) === turn) this.#lanes.delete(lane);
    return answer;
  }

  /** An eviction is about to be sent that will use up one of what its budget allows. */
  claim(effect: Effect): void {
    if (effect.kind !== 'evict' || effect.spends === undefined) return;
    const { lane, namespace, pod, uid, spends } = effect;
    const own = this.#claims.get(lane) ?? new Map<string, Claim>();
    this.#claims.set(lane, own.set(uid, { uid, pod: `${namespace}/${pod}`, over: spends }));
  }

  /** It was not sent after all. */
  unclaim(effect: Effect): void {
    if (effect.kind !== 'evict') return;
    const own = this.#claims.get(effect.lane);
    if (own?.delete(effect.uid) && own.size === 0) this.#claims.delete(effect.lane);
  }

  /** What was sent against a budget, by any passage, and may not be seen in it yet. */
  claims(lane: string): readonly Claim[] {
    return [...(this.#claims.get(lane)?.values() ?? [])];
  }

  remember(effect: Effect, outcome: Outcome): void {
    const at = this.#clock.now();
    const key = effectKey(effect);
    this.#answerClaim(effect, outcome, at);
    this.#last.delete(key);
    this.#last.set(key, { outcome, at, version: versionOf(effect) });
    for (const [old, { at: then }] of this.#last) {
      if (at - then < FORGET_MS) break;
      this.#last.delete(old);
    }
  }

  /** What was refused used up nothing; of what got no answer nobody knows. */
  #answerClaim(effect: Effect, outcome: Outcome, at: number): void {
    if (effect.kind !== 'evict') return;
    const own = this.#claims.get(effect.lane);
    const claim = own?.get(effect.uid);
    if (own === undefined || claim === undefined) return;
    if (outcome.ok || outcome.why === 'unavailable') own.set(effect.uid, { ...claim, answeredAt: at });
    else this.unclaim(effect);
    for (const [uid, { answeredAt }] of own)
      if (answeredAt !== undefined && at > answeredAt + CLAIM_MS) own.delete(uid);
  }
}

/** The version that an effect was decided on, where it says one. */
export function versionOf(effect: Effect): string {
  if (effect.kind === 'evict') return effect.spends ?? '';
  return 'resourceVersion' in effect ? (effect.resourceVersion ?? '') : '';
}
