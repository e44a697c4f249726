import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';

const reference = z.object({
  resource: z.string().optional(),
  subresource: z.string().optional(),
  namespace: z.string().optional(),
  name: z.string().optional(),
  uid: z.string().optional(),
});

const preconditions = z.object({ uid: z.string().optional() });

/** The bodies that name the object they are meant for: evictions and deletions. */
const meant = z.object({
  preconditions: preconditions.optional(),
  deleteOptions: z.object({ preconditions: preconditions.optional() }).optional(),
});

const line = z.object({
  stage: z.string(),
  verb: z.string(),
  requestURI: z.string(),
  user: z.object({ username: z.string().optional() }),
  userAgent: z.string().optional(),
  objectRef: reference.optional(),
  responseStatus: z
    .object({ code: z.number().optional(), reason: z.string().optional(), message: z.string().optional() })
    .optional(),
  requestObject: z.unknown().optional(),
  requestReceivedTimestamp: z.string(),
  stageTimestamp: z.string(),
});

/** One request that was answered. */
export type AuditEvent = {
  /** When it came in, in milliseconds since 1970. */
  readonly time: number;
  /** When it was answered: evictions may wait long in the API server before they are judged. */
  readonly stageTimestamp: number;
  readonly user: string;
  readonly userAgent: string;
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly uri: string;
  /** Of the answer, where it was a refusal. */
  readonly reason?: string;
  readonly message?: string;
  readonly requestObject?: unknown;
  readonly objectUID?: string;
};

type Text = 'user' | 'verb' | 'resource' | 'subresource' | 'namespace' | 'name';

/** What an event must be: a value or one of several, for each field that is given. `from` is a mark. */
export type AuditFilter = { readonly [field in Text]?: string | readonly string[] } & {
  readonly code?: number | readonly number[];
  readonly from?: number;
  readonly where?: (event: AuditEvent) => boolean;
};

/** How the evictions of a user were answered. */
export type Evictions = {
  readonly asked: readonly AuditEvent[];
  readonly accepted: readonly AuditEvent[];
  readonly refused: readonly AuditEvent[];
  readonly other: readonly AuditEvent[];
};

/** The verbs that change something. */
export const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'] as const;

const CHUNK = 1 << 20;
const FOLLOW_MS = 100;

/** The event of a line, if it tells the end of a request. */
export function auditEvent(text: string): AuditEvent | undefined {
  const { data } = line.safeParse(JSON.parse(text));
  if (data === undefined || (data.stage !== 'ResponseComplete' && data.stage !== 'Panic')) return undefined;
  const { objectRef, responseStatus, requestObject } = data;
  const asked = meant.safeParse(requestObject).data;
  const uid = objectRef?.uid ?? asked?.deleteOptions?.preconditions?.uid ?? asked?.preconditions?.uid;
  return {
    time: Date.parse(data.requestReceivedTimestamp),
    stageTimestamp: Date.parse(data.stageTimestamp),
    user: data.user.username ?? '',
    userAgent: data.userAgent ?? '',
    verb: data.verb,
    resource: objectRef?.resource ?? '',
    subresource: objectRef?.subresource ?? '',
    namespace: objectRef?.namespace ?? '',
    name: objectRef?.name ?? '',
    code: responseStatus?.code ?? 0,
    uri: data.requestURI,
    ...(responseStatus?.reason === undefined ? {} : { reason: responseStatus.reason }),
    ...(responseStatus?.message === undefined ? {} : { message: responseStatus.message }),
    ...(requestObject === undefined ? {} : { requestObject }),
    ...(uid === undefined ? {} : { objectUID: uid }),
  };
}

/** The service account as the audit log calls it. */
export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** Whether the cluster itself did it: a component, a controller, or what plays the kubelets. */
export function isOfTheCluster(user: string): boolean {
  if (user === 'kwok' || user === 'node-agent') return true;
  return user.startsWith('system:') && (!user.startsWith('system:serviceaccount:') || user.includes(':kube-system:'));
}

/** Whether something was only asked for to see whether it would be let pass. */
export function isTrial({ uri }: AuditEvent): boolean {
  return uri.endsWith('?dryRun=All');
}

/** How far a file was read. */
type Reading = { readonly file: string; offset: number; rest: Buffer };

/**
 * Reads the audit log as it grows. An event is there as soon as its answer was seen, since the log is written first. Where there
 * are several API servers each writes down what it answered: all of it is one log, in the order of the answers.
 */
export class AuditLog {
  readonly #readings: readonly Reading[];
  readonly #events: AuditEvent[] = [];
  readonly #followers = new Set<NodeJS.Timeout>();

  constructor(...files: readonly string[]) {
    this.#readings = files.map((file) => ({ file, offset: 0, rest: Buffer.alloc(0) }));
  }

  /** A place in the log, for `from`: what comes after it. */
  mark(): number {
    this.#read();
    return this.#events.length;
  }

  /** All events so far that fit. */
  events(filter: AuditFilter = {}): readonly AuditEvent[] {
    this.#read();
    const found = this.#events.slice(filter.from ?? 0).filter((event) => fits(event, filter));
    return this.#readings.length === 1 ? found : found.sort((a, b) => a.stageTimestamp - b.stageTimestamp);
  }

  /** Calls for each event from now on (or from a mark) that fits; returns what ends it. */
  follow(tell: (event: AuditEvent) => void, filter: AuditFilter = {}): () => void {
    let from = filter.from ?? this.mark();
    const timer = setInterval(() => {
      const next = this.mark();
      for (const event of this.#events.slice(from, next)) if (fits(event, filter)) tell(event);
      from = next;
    }, FOLLOW_MS);
    this.#followers.add(timer);
    return () => {
      clearInterval(timer);
      this.#followers.delete(timer);
    };
  }

  /** Evictions that were asked for, by how they were answered; trials are none. */
  evictions(filter: AuditFilter = {}): Evictions {
    const all = this.events({ ...filter, verb: 'create', resource: 'pods', subresource: 'eviction' });
    const asked = all.filter((event) => !isTrial(event));
    return {
      asked,
      accepted: asked.filter(({ code }) => code === 201),
      refused: asked.filter(({ code }) => code === 429),
      other: asked.filter(({ code }) => code !== 201 && code !== 429),
    };
  }

  /** Pods that somebody deleted without asking the budgets; the cluster's own doing is not counted unless a user is given. */
  podDeletions(filter: AuditFilter = {}): readonly AuditEvent[] {
    const deletions = { ...filter, resource: 'pods', subresource: '', verb: ['delete', 'deletecollection'] };
    return this.events(deletions).filter(({ user }) => filter.user !== undefined || !isOfTheCluster(user));
  }

  /** What changed something or tried to; Leases and Events only if they are asked for. */
  writes(filter: AuditFilter = {}): readonly AuditEvent[] {
    const noise = filter.resource === undefined ? ['leases', 'events'] : [];
    return this.events({ ...filter, verb: filter.verb ?? WRITES }).filter(
      (event) => !noise.includes(event.resource) && !isTrial(event),
    );
  }

  /** Ends all following. */
  stop(): void {
    for (const timer of this.#followers) clearInterval(timer);
    this.#followers.clear();
  }

  #read(): void {
    for (const reading of this.#readings) this.#readOn(reading);
  }

  #readOn(reading: Reading): void {
    let file: number;
    try {
      file = openSync(reading.file, 'r');
    } catch {
      return;
    }
    try {
      const end = fstatSync(file).size;
      while (reading.offset < end) {
        const chunk = Buffer.alloc(Math.min(CHUNK, end - reading.offset));
        const length = readSync(file, chunk, 0, chunk.length, reading.offset);
        if (length === 0) return;
        reading.offset += length;
        this.#take(reading, chunk.subarray(0, length));
      }
    } finally {
      closeSync(file);
    }
  }

  #take(reading: Reading, chunk: Buffer): void {
    const bytes = Buffer.concat([reading.rest, chunk]);
    const last = bytes.lastIndexOf(0x0a);
    reading.rest = bytes.subarray(last + 1);
    if (last < 0) return;
    for (const text of bytes.toString('utf8', 0, last).split('\n')) {
      const event = text === '' ? undefined : auditEvent(text);
      if (event !== undefined) this.#events.push(event);
    }
  }
}

/** How many events there are of each key, for example of each node or each user. */
export function countBy(
  events: readonly AuditEvent[],
  key: (event: AuditEvent) => string,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(key(event), (counts.get(key(event)) ?? 0) + 1);
  return counts;
}

function fits(event: AuditEvent, filter: AuditFilter): boolean {
  const texts: readonly Text[] = ['user', 'verb', 'resource', 'subresource', 'namespace', 'name'];
  return (
    texts.every((field) => among(event[field], filter[field])) &&
    among(event.code, filter.code) &&
    (filter.where?.(event) ?? true)
  );
}

function among<T>(value: T, wanted: T | readonly T[] | undefined): boolean {
  return wanted === undefined || (Array.isArray(wanted) ? wanted.includes(value) : wanted === value);
}
