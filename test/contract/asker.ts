/** What a claim asks of an API server. */
export type Question = {
  readonly method: string;
  /** With the query behind it. */
  readonly path: string;
  readonly body?: unknown;
  /** JSON, unless it is said otherwise. */
  readonly contentType?: string;
};

/** As much of the metadata of anything as claims look at. */
export type Meta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string | null;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly unknown[];
  readonly continue?: string;
  readonly remainingItemCount?: number;
};

/** Any answer: an object, a list, or a Status. */
export type Body = {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata: Meta;
  readonly items: readonly Body[];
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly data?: unknown;
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: unknown;
};

/** What came of a question. */
export type Answer = { readonly status: number; readonly body: Body };

/** One line of a watch. */
export type Line = { readonly type: string; readonly object: Body };

/** A watch that is open. */
export type Reader = {
  /** The next line, waited for; undefined when the watch has ended. */
  next(): Promise<Line | undefined>;
  stop(): void;
};

/** Who puts the questions of one claim to an API server, simulated or real. */
export type Asker = {
  /** A name that no other claim has, for objects outside of namespaces. */
  readonly name: string;
  /** A namespace that no other claim has; made when it is first wanted. */
  namespace(): Promise<string>;
  ask(question: Question): Promise<Answer>;
  /** Waits until something holds, in whatever time the API server lives. */
  settle(what: string, condition: () => Promise<boolean>): Promise<void>;
  /** Opens a watch; where it is refused, the answer says why. */
  watch(path: string): Promise<Reader | Answer>;
};

/** A sentence about an API server, and the questions that find out whether it is true; they throw where it is not. */
export type Claim = {
  readonly says: string;
  /** What the claim needs beside the registries of the API server. */
  readonly needs?: 'garbage collector' | 'field managers';
  readonly asks: (on: Asker) => Promise<void>;
};

/** Writes a claim in one breath. */
export function claim(says: string, asks: Claim['asks'], needs?: Claim['needs']): Claim {
  return { says, asks, ...(needs === undefined ? {} : { needs }) };
}
