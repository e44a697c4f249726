import type { Effect, StatusWrite } from '../../../src/core/effect.ts';
import type { World } from '../../../src/core/world.ts';
import { KINDS, type Modelled, spokenIn, type Table, type Tables, tableOf } from './tables.ts';

/** What a controller has asked of the API server, before it has an answer. */
export type Request =
  | { readonly asks: 'store'; readonly write: StatusWrite }
  | { readonly asks: 'perform'; readonly effect: Effect };

/** A request that is on its way. */
export type Flight = {
  readonly request: Request;
  /** Which key of which controller waits for the answer. */
  readonly worker: string;
  /** The passage that asks, if one does. */
  readonly passageUID: string;
  /** Requests of one lane go one after another, in this order. */
  readonly lane: string;
  readonly order: number;
  /** Sent by a process that is dead: nobody waits for the answer any more. */
  readonly late: boolean;
};

/** What a person may do in a world, once. */
export type Abandon = 'deleteUpgrade' | 'deletePassage' | 'closeWindow';

/** How much of what goes wrong there may be at once, and what is wrong from the start. */
export type Rules = {
  /** How many kinds of the cache may be behind at once. */
  readonly lag: number;
  /** How many requests of a live process may be on their way at once; beyond that they land as they are sent. */
  readonly flights: number;
  /** The most nodes that may be out. */
  readonly maxUnavailable: number;
  readonly abandons: readonly Abandon[];
  readonly reopens: boolean;
  readonly pods: readonly { readonly app: string; readonly replicas: number }[];
  readonly variant: Variant;
};

/** A rule of the loop that is taken away, to show what it is for. */
export type Variant =
  | 'none'
  | 'no precondition on status writes'
  | 'no look before'
  | 'move and act at once'
  | 'no ticket at the door'
  | 'no sweep'
  | 'pods are deleted'
  | 'a beginning is not remembered';

/** What may still go wrong. */
export type Left = {
  readonly crashes: number;
  readonly abandons: number;
  readonly failures: number;
  readonly uncordons: number;
  /** Pods that a scheduler which does not know of a cordon yet may bind to a node. */
  readonly bindings: number;
};

/** A cluster and the operator in it, at one moment. */
export type State = {
  readonly rules: Rules;
  readonly truth: Tables;
  /** What the caches of the operator show. */
  readonly seen: Tables;
  readonly flights: readonly Flight[];
  readonly left: Left;
  /** In memory of the process: nodes that it cordoned less than five seconds ago. */
  readonly remembered: readonly string[];
  /** Whether the process began less than five seconds ago. */
  readonly young: boolean;
  /** Nodes whose cordon of ours is not five seconds old: a scheduler may still bind a pod there. */
  readonly justCordoned: readonly string[];
  /** Nodes that a person has cordoned. */
  readonly ownCordons: readonly string[];
  /** Nodes on which a cordon of a dead process has landed late: it is swept, not prevented. */
  readonly lateOn: readonly string[];
  /** Nodes on which a Job has failed. */
  readonly failedOn: readonly string[];
  /** The Jobs that were released, as `passage UID/attempt/Job UID`. */
  readonly begun: readonly string[];
};

/** Puts the objects of a kind; its cache stays where it is, unless too many are behind already. */
export function put<K extends Modelled>(state: State, kind: K, views: Iterable<World[K]>): State {
  const table = tableOf(kind, views) as Table<World[Modelled]> as Tables[K];
  if (table === state.truth[kind]) return state;
  const truth = { ...state.truth, [kind]: table };
  const behind = KINDS.filter((each) => state.seen[each] !== state.truth[each]);
  const mayStay = behind.includes(kind) || behind.length < state.rules.lag;
  return { ...state, truth, seen: mayStay ? state.seen : { ...state.seen, [kind]: table } };
}

/** Adds an object, or puts it in the place of the one by its name. */
export function putOne<K extends Modelled>(state: State, kind: K, view: World[K]): State {
  const others = (state.truth[kind].views as readonly World[K][]).filter(({ name }) => name !== view.name);
  return put(state, kind, [...others, view]);
}

/** Writes an object that is there: it has another resourceVersion afterwards. */
export function change<K extends Modelled>(state: State, kind: K, view: World[K], over: Partial<World[K]>): State {
  const resourceVersion = String(Number(view.resourceVersion) + 1);
  return putOne(state, kind, { ...view, ...over, resourceVersion });
}

/** Takes an object away. */
export function drop<K extends Modelled>(state: State, kind: K, name: string): State {
  return put(
    state,
    kind,
    (state.truth[kind].views as readonly World[K][]).filter((view) => view.name !== name),
  );
}

/** Adds a word to a set of words, which stays sorted. */
export function adding(words: readonly string[], word: string): readonly string[] {
  return words.includes(word) ? words : [...words, word].sort();
}

/** Takes a word out of a set of words. */
export function lacking(words: readonly string[], word: string): readonly string[] {
  return words.includes(word) ? words.filter((each) => each !== word) : words;
}

/** The passages and Jobs of which anything in a state speaks. */
export function spoken(state: State): ReadonlySet<string> {
  const words = new Set<string>();
  for (const kind of KINDS) {
    for (const word of state.truth[kind].speaksOf) words.add(word);
    if (state.seen[kind] !== state.truth[kind]) for (const word of state.seen[kind].speaksOf) words.add(word);
  }
  for (const flight of state.flights) for (const word of spokenIn(flight)) words.add(word);
  return words;
}
