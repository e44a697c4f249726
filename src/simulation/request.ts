/** A request to the model, as HTTP would carry it. */
export type Request = {
  readonly method: string;
  /** With the query behind it. */
  readonly path: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** Parsed already. */
  readonly body?: unknown;
  /** Who asks; stands in the trace and in the audit log. */
  readonly user: string;
  readonly userAgent?: string;
};

/** The answer: JSON, but for the few plain texts such as /readyz. */
export type Response = {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterSeconds?: number;
};

/** One line of a watch. */
export type WatchEvent = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
};

/** A watch that was opened. Nothing comes before it is begun; what comes then comes in order. */
export type Watching = {
  /** Tells everything from the start of the watch on: what already happened at once, the rest as it happens. */
  begin(tell: (event: WatchEvent) => void, ended: () => void): void;
  stop(): void;
};
