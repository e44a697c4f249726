import type { Refusal } from '../core/decision.ts';
import { olderThan } from './resource-version.ts';
import type { Stopped } from './said.ts';
import type { StoreEvent } from './store.ts';

/** Where a watch was when it is begun again: nowhere, or behind the last resourceVersion that was heard. */
type From = { readonly resourceVersion?: string };

/** What lasts over states. `serial` counts requests and waits: what belongs to an earlier one is not listened to. */
type Lasting = { readonly serial: number; readonly failures: number; readonly failedAt: number };

/** The life of one list and watch. */
export type WatchState =
  | (Lasting & { readonly at: 'idle' | 'stopped' })
  | (Lasting & { readonly at: 'listing' })
  | (Lasting & {
      readonly at: 'watching';
      readonly resourceVersion: string;
      /** When the server began to answer; undefined until it does. */
      readonly openedAt: number | undefined;
      readonly heardAt: number;
    })
  /** Asking the server where it is, because nothing was heard from it. */
  | (Lasting & { readonly at: 'probing'; readonly resourceVersion: string })
  | (Lasting & { readonly at: 'waiting'; readonly from: From });

/** What may happen to it. */
export type WatchEvent<V> =
  | { readonly is: 'start' }
  | { readonly is: 'stop' }
  | {
      readonly is: 'page';
      readonly serial: number;
      readonly views: readonly V[];
      readonly resourceVersion: string;
      readonly continue?: string;
    }
  /** The server has begun to answer the watch. */
  | { readonly is: 'opened'; readonly serial: number }
  /** An event or a bookmark. */
  | { readonly is: 'heard'; readonly serial: number; readonly resourceVersion: string; readonly change?: StoreEvent<V> }
  | { readonly is: 'probed'; readonly serial: number; readonly resourceVersion: string }
  | { readonly is: 'ended' | 'woke'; readonly serial: number }
  | { readonly is: 'expired' | 'failed'; readonly serial: number; readonly refusal: Refusal };

/** What is to be done about it, in this order. */
export type WatchCommand<V> =
  | { readonly do: 'list'; readonly serial: number; readonly continue?: string }
  /** A list of one object, for the resourceVersion that comes with it. */
  | { readonly do: 'probe'; readonly serial: number }
  | { readonly do: 'watch'; readonly serial: number; readonly resourceVersion: string; readonly timeoutSeconds: number }
  /** Ends the request under way, whatever it is. */
  | { readonly do: 'abandon' }
  | { readonly do: 'wake'; readonly serial: number; readonly afterMs: number }
  | { readonly do: 'apply'; readonly event: StoreEvent<V> }
  | { readonly do: 'say'; readonly why: Stopped; readonly message: string; readonly againAfterMs: number };

/** Time and chance as parameters: `dice` is a number from 0 to 1, fresh for each step. */
export type Chance = { readonly now: number; readonly dice: number };

type Stepped<V> = readonly [WatchState, readonly WatchCommand<V>[]];

const FIRST_BACKOFF_MS = 800;
/** With the half that chance adds, 30 s. */
const LONGEST_BACKOFF_MS = 20_000;
const QUIET_MS = 120_000;
/** A server that says more than this is not taken at its word. */
const LONGEST_RETRY_AFTER_MS = 300_000;
/**
 * The API server sends a bookmark each minute (apiserver, cacher.go, defaultBookmarkFrequency), but none that is not newer
 * than where the watch began (cache_watcher.go, `process`): a quiet kind may be silent, and so is a dead server.
 */
const SILENT_MS = 90_000;
/** A watch that ends so soon was not opened in earnest: without a pause it would be opened again and again. */
const SHORT_MS = 1_000;
/** Enough that the watchers of a server which went away do not all come back at one instant. */
const RESUME_MS = 400;
const [SHORTEST_WATCH_S, LONGEST_WATCH_S] = [300, 600];

/** The state before anything. */
export const IDLE: WatchState = { at: 'idle', serial: 0, failures: 0, failedAt: Number.NEGATIVE_INFINITY };

/**
 * The watcher as a function. Every request and every wait has a serial, and events carry it, so that an answer which comes
 * after a stop, a relist or a silence changes nothing.
 */
export function step<V>(state: WatchState, event: WatchEvent<V>, chance: Chance): Stepped<V> {
  if (state.at === 'stopped') return [state, []];
  if (event.is === 'stop') return [{ ...lasting(state), at: 'stopped' }, [{ do: 'abandon' }]];
  if (event.is === 'start') return state.at === 'idle' ? list(state) : [state, []];
  if (event.serial !== state.serial) return [state, []];
  switch (event.is) {
    case 'page':
      return state.at === 'listing' ? page(state, event, chance) : [state, []];
    case 'opened':
      return [state.at === 'watching' ? { ...state, openedAt: chance.now } : state, []];
    case 'heard':
      return state.at === 'watching' ? heard(state, event, chance) : [state, []];
    case 'probed':
      return state.at === 'probing' ? probed(state, event.resourceVersion, chance) : [state, []];
    case 'ended':
      return state.at === 'watching' ? ended(state, chance) : [state, []];
    case 'woke':
      return woke(state, chance);
    case 'expired':
    case 'failed':
      return broken(state, event.is, event.refusal, chance);
  }
}

function lasting({ serial, failures, failedAt }: WatchState): Lasting {
  return { serial, failures, failedAt };
}

function list<V>(state: WatchState): Stepped<V> {
  const next: WatchState = { ...lasting(state), serial: state.serial + 1, at: 'listing' };
  return [
    next,
    [
      { do: 'apply', event: { type: 'relisting' } },
      { do: 'list', serial: next.serial },
    ],
  ];
}

function page<V>(state: WatchState, event: Extract<WatchEvent<V>, { is: 'page' }>, chance: Chance): Stepped<V> {
  const kept: WatchCommand<V> = { do: 'apply', event: { type: 'page', views: event.views } };
  if (event.continue !== undefined)
    return [state, [kept, { do: 'list', serial: state.serial, continue: event.continue }]];
  const [next, commands] = watch<V>(state, event.resourceVersion, chance);
  return [next, [kept, { do: 'apply', event: { type: 'relisted' } }, ...commands]];
}

function watch<V>(state: WatchState, resourceVersion: string, { now, dice }: Chance): Stepped<V> {
  const serial = state.serial + 1;
  const timeoutSeconds = Math.round(SHORTEST_WATCH_S + dice * (LONGEST_WATCH_S - SHORTEST_WATCH_S));
  return [
    { ...lasting(state), serial, at: 'watching', resourceVersion, openedAt: undefined, heardAt: now },
    [
      { do: 'watch', serial, resourceVersion, timeoutSeconds },
      { do: 'wake', serial, afterMs: SILENT_MS },
    ],
  ];
}

type Watching = Extract<WatchState, { at: 'watching' }>;

function heard<V>(state: Watching, event: Extract<WatchEvent<V>, { is: 'heard' }>, chance: Chance): Stepped<V> {
  if (olderThan(event.resourceVersion, state.resourceVersion)) return wentBack(state, event.resourceVersion, chance);
  const next: WatchState = { ...state, resourceVersion: event.resourceVersion, heardAt: chance.now };
  return [next, event.change === undefined ? [] : [{ do: 'apply', event: event.change }]];
}

function probed<V>(state: Extract<WatchState, { at: 'probing' }>, resourceVersion: string, chance: Chance): Stepped<V> {
  if (olderThan(resourceVersion, state.resourceVersion)) return wentBack(state, resourceVersion, chance);
  return watch(state, state.resourceVersion, chance);
}

/** An etcd restored from a snapshot may be behind what was seen: a watch from there would be silent, and wrong, for good. */
function wentBack<V>(state: WatchState, resourceVersion: string, chance: Chance): Stepped<V> {
  return again(state, {}, 'expired', `the server went back to resourceVersion ${resourceVersion}`, 0, chance);
}

function ended<V>(state: Watching, chance: Chance): Stepped<V> {
  const { resourceVersion } = state;
  if (lasted(state, chance)) return watch(state, resourceVersion, chance);
  return again(state, { resourceVersion }, 'watchEnded', 'the watch ended as soon as it was open', 0, chance);
}

function lasted({ openedAt }: Watching, { now }: Chance): boolean {
  return openedAt !== undefined && now - openedAt >= SHORT_MS;
}

/** A connection that breaks under a watch which was open is no failure to count: the next one may be. */
function resumed<V>(state: Watching, message: string, chance: Chance): Stepped<V> {
  const { resourceVersion } = state;
  const afterMs = Math.round(RESUME_MS * chance.dice);
  const serial = state.serial + 1;
  return [
    { ...lasting(state), serial, at: 'waiting', from: { resourceVersion } },
    [
      { do: 'abandon' },
      { do: 'say', why: 'watchFailed', message, againAfterMs: afterMs },
      { do: 'wake', serial, afterMs },
    ],
  ];
}

function woke<V>(state: WatchState, chance: Chance): Stepped<V> {
  if (state.at === 'waiting') {
    return state.from.resourceVersion === undefined ? list(state) : watch(state, state.from.resourceVersion, chance);
  }
  if (state.at !== 'watching') return [state, []];
  const quiet = chance.now - state.heardAt;
  if (quiet < SILENT_MS) return [state, [{ do: 'wake', serial: state.serial, afterMs: SILENT_MS - quiet }]];
  const { resourceVersion } = state;
  const serial = state.serial + 1;
  return [{ ...lasting(state), serial, at: 'probing', resourceVersion }, [{ do: 'abandon' }, { do: 'probe', serial }]];
}

function broken<V>(state: WatchState, is: 'expired' | 'failed', refusal: Refusal, chance: Chance): Stepped<V> {
  const isCut = is === 'failed' && refusal.code === 0;
  if (isCut && state.at === 'watching' && lasted(state, chance)) return resumed(state, refusal.message, chance);
  const retryAfterMs = Math.min((refusal.retryAfterSeconds ?? 0) * 1000, LONGEST_RETRY_AFTER_MS);
  const goesOn = is === 'failed' && (state.at === 'watching' || state.at === 'probing');
  const from: From = goesOn ? { resourceVersion: state.resourceVersion } : {};
  const why = is === 'expired' ? 'expired' : FAILED[state.at];
  return again(state, from, why, refusal.message, retryAfterMs, chance);
}

const FAILED: { readonly [at in WatchState['at']]: Stopped } = {
  idle: 'listFailed',
  listing: 'listFailed',
  watching: 'watchFailed',
  probing: 'silent',
  waiting: 'watchFailed',
  stopped: 'watchFailed',
};

/** Begins again after a pause that doubles with each failure, is never the same for two watchers, and is forgotten after two quiet minutes. */
function again<V>(
  state: WatchState,
  from: From,
  why: Stopped,
  message: string,
  retryAfterMs: number,
  { now, dice }: Chance,
): Stepped<V> {
  const failures = now - state.failedAt >= QUIET_MS ? 1 : state.failures + 1;
  const backoff = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10));
  // An expired resourceVersion is no fault of the server: the first time the list follows at once.
  const least = why === 'expired' && failures === 1 ? 0 : Math.round(backoff * (1 + dice / 2));
  const afterMs = Math.max(least, retryAfterMs + Math.round(Math.min(retryAfterMs, 1000) * dice));
  const serial = state.serial + 1;
  return [
    { serial, failures, failedAt: now, at: 'waiting', from },
    [{ do: 'abandon' }, { do: 'say', why, message, againAfterMs: afterMs }, { do: 'wake', serial, afterMs }],
  ];
}
