import type { Because } from './because.ts';

/** At least one. */
export type NonEmpty<T> = readonly [T, ...T[]];

/**
 * What to do about one object, once. A decision stores a new state or performs effects of the stored one, never both: a
 * crash between the two would leave an effect that no state remembers.
 */
export type Decision<State, Effect> =
  | { readonly kind: 'move'; readonly to: State; readonly because: Because }
  | {
      readonly kind: 'act';
      readonly effects: NonEmpty<Effect>;
      readonly because: Because;
      readonly recheckAfterSeconds: number;
    }
  | { readonly kind: 'wait'; readonly because: Because; readonly recheckAfterSeconds: number }
  | { readonly kind: 'rest' };

/** Why an effect did not happen, in the words that decisions need. */
export type Refusal = {
  readonly ok: false;
  /**
   * `gone`: there is no such object. `conflict`: somebody wrote it since, or it is another by that name. `blocked`: not
   * now, by a rule of the cluster. `refused`: not like this. `unavailable`: no answer, nothing is known.
   */
  readonly why: 'gone' | 'conflict' | 'blocked' | 'refused' | 'unavailable';
  /** What kind of block or refusal, where it can be told. */
  readonly cause:
    | 'DisruptionBudget'
    | 'BudgetNotObserved'
    | 'TooManyBudgets'
    | 'NamespaceTerminating'
    | 'RateLimited'
    | 'WebhookFailed'
    | 'Exists'
    | 'Other';
  readonly message: string;
  readonly code: number;
  readonly retryAfterSeconds?: number;
};

/** What the API server said about one effect. */
export type Outcome = { readonly ok: true } | Refusal;

/** An outcome and when it was had: a fact beside the caches, lost at a restart and asked again. */
export type Remembered = {
  readonly outcome: Outcome;
  readonly at: number;
  /** The resourceVersion that the effect was decided on, or empty. */
  readonly version?: string;
};

/** Says at compile time that every case was treated. */
export function never(value: never): never {
  throw new Error(`impossible: ${JSON.stringify(value)}`);
}
