import type { Kind } from '../core/world.ts';

/** What the cluster room tells of itself, as data: who composes it makes log lines and counters of these. */
export type Said =
  | {
      readonly what: 'called';
      readonly method: string;
      readonly resource: string;
      readonly code: number;
      readonly milliseconds: number;
    }
  | { readonly what: 'listed'; readonly kind: Kind; readonly objects: number; readonly changes: number }
  | {
      readonly what: 'watchStopped';
      readonly kind: Kind;
      readonly why: Stopped;
      readonly message: string;
      readonly againAfterMs: number;
    }
  /** An object without name, UID or resourceVersion, or a line that is no JSON. */
  | { readonly what: 'unreadable'; readonly kind: Kind }
  | { readonly what: 'identityRenewed' }
  | { readonly what: 'identityUnreadable'; readonly message: string }
  | { readonly what: 'eventLost'; readonly reason: string; readonly message: string };

/** Why a list or a watch is begun again. */
export type Stopped = 'listFailed' | 'watchFailed' | 'watchEnded' | 'expired' | 'silent';
