import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Clock } from '../core/clock.ts';
import type { Answer } from './cluster.ts';
import type { Sent } from './effects.ts';
import { type Reply, unavailable } from './outcomes.ts';
import type { Said } from './said.ts';

/** Who asks, and whom: read again and again, because tokens and certificates rotate. */
export type Identity = {
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Readonly<Record<string, unknown>>;
  readonly proxyUrl?: string;
};

/** Where the identity comes from. `renew` forgets whatever is remembered of it. */
export type Who = { read(): Promise<Identity>; renew(): void };

/** What the transport is made of. */
export type Ways = {
  readonly who: Who;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly said: (said: Said) => void;
  /** Asked at the last moment before anything that changes something is sent: a process may have slept since it decided. */
  readonly mayWrite?: () => boolean;
};

/** How one call differs from others. */
export type CallOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal };

/** The body of a watch, chunk by chunk; undefined at its end. */
export type Chunks = { next(): Promise<Answer<Uint8Array | undefined>> };

/** A watch that was opened, or the answer that was no watch. */
export type Opened = { readonly open: true; readonly chunks: Chunks } | { readonly open: false; readonly reply: Reply };

const CALL_MS = 8_000;
/** Until a watch is answered at all. Longer than a call: a busy server queues requests (API priority and fairness). */
const OPEN_MS = 20_000;
const IDENTITY_MS = 1_000;
const RENEW_MS = 10_000;
/** The kernel then probes each second and gives up after ten: a dead peer is known after 15 s (libuv, uv__tcp_keepalive). */
const FIRST_PROBE_MS = 5_000;
/** Below the 90 s after which the API server closes an idle connection, so that it never closes one under a request. */
const IDLE_MS = 60_000;
/** Watches have theirs for as long as they last. What finds none free waits, within its own time limit. */
const MOST_CONNECTIONS = 64;

type Connection = { readonly identity: Identity; readonly agent: Dispatcher; readonly material: string };
type Response = Dispatcher.ResponseData;
const unzip = promisify(gunzip);

/**
 * Requests over one keep-alive agent, HTTP/1.1: client-node opens a TLS connection for every request, and HTTP/2 would let
 * all watches share one fate. Nothing here rejects: what is thrown below comes back as a Refusal.
 */
export class Transport {
  readonly #ways: Ways;
  readonly #running = new Set<AbortController>();
  #connection: Connection | undefined;
  #reading: Promise<Connection> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  /** One request and its whole answer. */
  async call(sent: Sent, options: CallOptions = {}): Promise<Answer<Reply>> {
    const { clock, said } = this.#ways;
    const from = clock.monotonic();
    const answer = await this.#within(options.timeoutMs ?? CALL_MS, options.signal, async (signal) => {
      const { statusCode, headers, body } = await this.#ask(sent, signal, { 'accept-encoding': 'gzip' });
      const bytes = Buffer.from(await body.arrayBuffer());
      return reply(statusCode, headers, headers['content-encoding'] === 'gzip' ? await unzip(bytes) : bytes);
    });
    const code = answer.ok ? answer.value.status : 0;
    said({
      what: 'called',
      method: sent.method,
      resource: sent.resource,
      code,
      milliseconds: clock.monotonic() - from,
    });
    return answer;
  }

  /** Opens a watch, which lasts until the signal, its end, or an error. */
  open(sent: Sent, signal: AbortSignal): Promise<Answer<Opened>> {
    return this.#within<Opened>(OPEN_MS, signal, async (linked, done) => {
      const { statusCode, headers, body } = await this.#ask(sent, linked, {});
      if (statusCode !== 200) {
        return { open: false, reply: reply(statusCode, headers, Buffer.from(await body.arrayBuffer())) };
      }
      // An abort that meets a body nobody reads at that moment would otherwise end the process.
      body.on('error', () => {});
      body.once('close', done());
      return { open: true, chunks: chunksOf(body) };
    });
  }

  /** Aborts what is on its way and lets go of every connection. Nothing starts after it. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const running of this.#running) running.abort(new Error('Drydock is stopping'));
    await this.#connection?.agent.destroy();
  }

  /** Runs one exchange under its signals; `done` hands its end over to a body that outlives the function and its time. */
  async #within<T>(
    timeoutMs: number,
    outer: AbortSignal | undefined,
    run: (signal: AbortSignal, done: () => () => void) => Promise<T>,
  ): Promise<Answer<T>> {
    if (this.#closed || outer?.aborted) return unavailable('Drydock is stopping');
    const running = new AbortController();
    const abort = () => running.abort(new Error('stopped'));
    const late = () => running.abort(new Error(`no answer within ${timeoutMs} ms`));
    const cancel = this.#ways.clock.after(timeoutMs, late);
    outer?.addEventListener('abort', abort, { once: true });
    this.#running.add(running);
    const end = () => {
      cancel();
      outer?.removeEventListener('abort', abort);
      this.#running.delete(running);
    };
    let handedOver = false;
    try {
      const done = () => {
        handedOver = true;
        cancel();
        return end;
      };
      return { ok: true, value: await unlessAborted(running.signal, run(running.signal, done)) };
    } catch (error) {
      return unavailable(sentence(running.signal.aborted ? running.signal.reason : error));
    } finally {
      if (!handedOver) end();
    }
  }

  /**
   * A 401 is answered before anything is done (kubernetes apiserver, filters/authentication.go), so any request may be sent
   * again with a newer identity. Once: all further trying is the queue's.
   */
  async #ask(sent: Sent, signal: AbortSignal, headers: Readonly<Record<string, string>>): Promise<Response> {
    const first = await this.#connect();
    const response = await this.#send(first, sent, signal, headers);
    if (response.statusCode !== 401) return response;
    const again = await this.#renew(first);
    if (again === undefined) return response;
    await response.body.dump();
    return this.#send(again, sent, signal, headers);
  }

  async #send(
    { agent, identity }: Connection,
    sent: Sent,
    signal: AbortSignal,
    extra: Readonly<Record<string, string>>,
  ): Promise<Response> {
    if (sent.method !== 'GET' && this.#ways.mayWrite?.() === false) throw new Error('not the leader');
    return agent.request({
      origin: new URL(identity.server).origin,
      path: `${new URL(identity.server).pathname.replace(/\/$/, '')}${sent.path}`,
      method: sent.method,
      headers: {
        ...identity.headers,
        ...extra,
        accept: 'application/json',
        'user-agent': this.#ways.userAgent,
        ...(sent.contentType === undefined ? {} : { 'content-type': sent.contentType }),
      },
      ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
      signal,
    });
  }

  /** The connection of the present identity, which is read at most once a second. */
  async #connect(): Promise<Connection> {
    const { clock } = this.#ways;
    if (this.#connection !== undefined && clock.monotonic() - this.#readAt < IDENTITY_MS) return this.#connection;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<Connection> {
    const { who, said, clock } = this.#ways;
    const earlier = this.#connection;
    try {
      const identity = await who.read();
      const material = fingerprint([identity.tls, identity.proxyUrl, new URL(identity.server).origin]);
      const changed = earlier?.material !== material;
      this.#connection = {
        identity,
        material,
        agent: changed || earlier === undefined ? agentOf(identity) : earlier.agent,
      };
      // Requests that run on the old agent end there.
      if (changed) void earlier?.agent.close().catch(() => {});
    } catch (error) {
      // A file that is being replaced, a plugin that fails: the last identity may still be good, and a 401 tells if not.
      said({ what: 'identityUnreadable', message: sentence(error) });
      if (earlier === undefined) throw error;
    }
    this.#readAt = clock.monotonic();
    return this.#connection as Connection;
  }

  /** A newer identity than the one that was refused, if there is one. Plugins may be slow: at most once in ten seconds. */
  async #renew(refused: Connection): Promise<Connection | undefined> {
    const { clock, who, said } = this.#ways;
    if (clock.monotonic() - this.#renewedAt >= RENEW_MS) {
      this.#renewedAt = clock.monotonic();
      this.#readAt = Number.NEGATIVE_INFINITY;
      who.renew();
    }
    const now = await this.#connect();
    const same =
      now.material === refused.material && fingerprint(now.identity.headers) === fingerprint(refused.identity.headers);
    if (!same) said({ what: 'identityRenewed' });
    return same ? undefined : now;
  }
}

/**
 * A plugin that gives credentials may hang, and undici takes notice of an abort only when it has a connection to send on
 * (then it does not send): the call ends at once all the same, since a leader counts on its time limit.
 */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

function agentOf({ tls, proxyUrl }: Identity): Dispatcher {
  const timing = {
    allowH2: false,
    connections: MOST_CONNECTIONS,
    keepAliveTimeout: IDLE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const probes = { keepAlive: true, keepAliveInitialDelay: FIRST_PROBE_MS, timeout: CALL_MS };
  if (proxyUrl === undefined) return new Agent({ ...timing, connect: { ...tls, ...probes } });
  return new ProxyAgent({ ...timing, uri: proxyUrl, requestTls: { ...tls, ...probes }, proxyTls: probes });
}

/** One text for one identity. Certificates come as buffers, which JSON would write out as numbers. */
function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    const bytes = part as { type?: unknown; data?: unknown } | null;
    return bytes?.type === 'Buffer' && Array.isArray(bytes.data) ? Buffer.from(bytes.data).toString('base64') : part;
  });
}

function reply(status: number, headers: Response['headers'], body: Buffer): Reply {
  const after = Number.parseInt(String(headers['retry-after'] ?? ''), 10);
  return { status, body: body.toString('utf8'), ...(after > 0 ? { retryAfterSeconds: after } : {}) };
}

function chunksOf(body: Response['body']): Chunks {
  const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return {
    next: async () => {
      try {
        const { done, value } = await iterator.next();
        return { ok: true, value: done ? undefined : value };
      } catch (error) {
        return unavailable(sentence(error));
      }
    },
  };
}

/** The sentence in what was thrown; undici hides the reason of a failed connection in its cause. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  const inner = error instanceof AggregateError ? `: ${error.errors.map(sentence).join('; ')}` : '';
  return `${error.message || error.name}${cause}${inner}`;
}
