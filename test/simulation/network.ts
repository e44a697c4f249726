import type { Answer } from '../../src/cluster/cluster.ts';
import type { Sent } from '../../src/cluster/effects.ts';
import { type Reply, unavailable } from '../../src/cluster/outcomes.ts';
import type { CallOptions, Chunks, Opened, Transport } from '../../src/cluster/transport.ts';
import type { ApiServer } from '../../src/simulation/api-server.ts';
import type { Dice } from '../../src/simulation/dice.ts';
import type { Response, WatchEvent, Watching } from '../../src/simulation/request.ts';
import type { Timeline } from '../../src/simulation/timeline.ts';
import type { ProcessClock } from './process-clock.ts';

/** What befalls one request. Absent: it takes its few milliseconds and is answered. */
export type Mishap = {
  /** The process dies before it is sent, or after it was done and before the answer comes. */
  readonly crash?: 'before' | 'after';
  /** It never arrives, or its answer never does. */
  readonly lost?: 'request' | 'answer';
  /** It arrives so much later. */
  readonly lateMs?: number;
  /** The API server says this instead of doing it. */
  readonly instead?: { readonly code: number; readonly retryAfterSeconds?: number; readonly message?: string };
};

/** What befalls one watch. */
export type WatchMishap = {
  /** What happens is told so much later; asked for each event, so that a lag can end. */
  readonly lagMs?: () => number;
  /** Whether what happens now is never told: the watch breaks with 410, so that only a list shows what came of it. */
  readonly brokenNow?: () => boolean;
  /** The connection breaks after so long; half-open: nothing ever comes again and nobody is told. */
  readonly breaksAfterMs?: number;
  readonly how?: 'reset' | 'ended' | 'half-open' | 'expired' | 'truncated';
};

/** What can go wrong between a process and the API server; asked for each request and each watch. */
export type Mishaps = {
  request(sent: Sent): Mishap;
  watch(sent: Sent): WatchMishap;
  /** Whether the API server can be reached at all. */
  isDown(): boolean;
  /** Something that befell the network is still felt: a request on its way that is late, a dead connection that is trusted. */
  felt?(by: 1 | -1): void;
};

/** What one process needs to reach the API server. */
export type NetworkParts = {
  readonly server: ApiServer;
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly clock: ProcessClock;
  readonly user: string;
  readonly mishaps: Mishaps;
  /** Asked at the last moment, as the real transport does. */
  readonly mayWrite: () => boolean;
  readonly crash: () => void;
};

const CALL_MS = 8_000;
const LONGEST_CALL_MS = 8;
const NEVER = new Promise<never>(() => {});

/** The wire of one process: the transport of Drydock as far as time and luck are concerned, over the model instead of sockets. */
export class Network implements Pick<Transport, 'call' | 'open'> {
  readonly #parts: NetworkParts;
  /** When the request that the API server handles now was sent; for checkers, since what lands late was decided early. */
  static sentAt = 0;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  call(sent: Sent, options: CallOptions = {}): Promise<Answer<Reply>> {
    const { clock } = this.#parts;
    if (clock.state === 'dead') return NEVER;
    const { promise, resolve } = Promise.withResolvers<Answer<Reply>>();
    const { timeoutMs = CALL_MS, signal } = options;
    if (signal?.aborted) return Promise.resolve(unavailable('Drydock is stopping'));
    const cancel = clock.after(timeoutMs, () => resolve(unavailable(`no answer within ${timeoutMs} ms`)));
    signal?.addEventListener('abort', () => resolve(unavailable('stopped')), { once: true });
    this.#send(sent, timeoutMs, (answer) => {
      cancel();
      resolve(answer);
    });
    return promise;
  }

  open(sent: Sent, signal: AbortSignal): Promise<Answer<Opened>> {
    const { clock, timeline, dice, server, mishaps, user } = this.#parts;
    if (clock.state === 'dead') return NEVER;
    const { promise, resolve } = Promise.withResolvers<Answer<Opened>>();
    signal.addEventListener('abort', () => resolve(unavailable('stopped')), { once: true });
    timeline.after(dice.between(1, 10), () => {
      if (signal.aborted || clock.state === 'dead') return;
      if (mishaps.isDown()) {
        clock.enter(() => resolve(unavailable('connect ECONNREFUSED')));
        return;
      }
      const opened = server.watch({ method: 'GET', path: sent.path, user });
      if ('status' in opened) {
        clock.enter(() => resolve({ ok: true, value: { open: false, reply: replyOf(opened) } }));
        return;
      }
      const stream = new Stream(this.#parts, opened, mishaps.watch(sent), signal);
      clock.enter(() => resolve({ ok: true, value: { open: true, chunks: stream } }));
    });
    return promise;
  }

  /** Whoever waits for an answer that is lost, or is yet to be reached by what is late, is not idle. */
  #felt(forMs: number): void {
    const { mishaps, timeline } = this.#parts;
    mishaps.felt?.(1);
    timeline.after(forMs, () => mishaps.felt?.(-1));
  }

  #send(sent: Sent, timeoutMs: number, answered: (answer: Answer<Reply>) => void): void {
    const { timeline, dice, clock, server, mishaps, mayWrite, crash, user } = this.#parts;
    const isWrite = sent.method !== 'GET';
    if (isWrite && sent.resource !== 'leases' && !mayWrite()) {
      clock.enter(() => answered(unavailable('not the leader')));
      return;
    }
    const mishap = mishaps.request(sent);
    if (mishap.crash === 'before') {
      crash();
      return;
    }
    if (mishap.lost !== undefined) this.#felt(timeoutMs);
    if (mishap.lost === 'request') return;
    const body = sent.body === undefined ? {} : { body: JSON.parse(JSON.stringify(sent.body)) as unknown };
    const type = sent.contentType === undefined ? {} : { contentType: sent.contentType };
    const [sentAt, { starts }] = [timeline.now(), server];
    if (mishap.lateMs !== undefined) this.#felt(mishap.lateMs + LONGEST_CALL_MS);
    timeline.after(dice.between(1, LONGEST_CALL_MS) + (mishap.lateMs ?? 0), () => {
      if (mishaps.isDown() || server.starts !== starts) {
        clock.enter(() => answered(unavailable('connect ECONNREFUSED')));
        return;
      }
      Network.sentAt = sentAt;
      const response =
        mishap.instead === undefined
          ? server.handle({ method: sent.method, path: sent.path, user, ...type, ...body })
          : { status: mishap.instead.code, body: trouble(mishap.instead), ...retryAfter(mishap.instead) };
      if (mishap.crash === 'after') {
        crash();
        return;
      }
      if (mishap.lost === 'answer') return;
      const reply = replyOf(response);
      timeline.after(dice.between(1, 4), () => clock.enter(() => answered({ ok: true, value: reply })));
    });
  }
}

function trouble({ code, message = `trouble ${code}` }: { readonly code: number; readonly message?: string }) {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason: 'Trouble', message };
}

function retryAfter({ retryAfterSeconds }: { readonly retryAfterSeconds?: number }) {
  return retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
}

function replyOf({ status, body, retryAfterSeconds }: Response): Reply {
  const text = textOf(body);
  return { status, body: text, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

const TEXTS = new WeakMap<object, string>();

/** JSON of what is stored is made once, however often it is told: nothing that is stored is ever changed in place. */
function stored(object: object): string {
  const known = TEXTS.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify(object);
  TEXTS.set(object, text);
  return text;
}

/** What an answer says, letter for letter as `JSON.stringify` would. */
function textOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return JSON.stringify(body);
  if (!('items' in body) || !Array.isArray(body.items)) return stored(body);
  const { items, ...others } = body;
  const head = JSON.stringify(others);
  return `${head.slice(0, -1)}${head === '{}' ? '' : ','}"items":[${items.map(stored).join(',')}]}`;
}

const ENCODER = new TextEncoder();
const LINES = new WeakMap<object, Map<string, Uint8Array>>();

/** The body of one watch on its way: in order, some milliseconds late, until something ends it. */
class Stream implements Chunks {
  readonly #arrived: Answer<Uint8Array | undefined>[] = [];
  readonly #parts: NetworkParts;
  readonly #watching: Watching;
  readonly #mishap: WatchMishap;
  readonly #signal: AbortSignal;
  #waiting: ((answer: Answer<Uint8Array | undefined>) => void) | undefined;
  #last = 0;
  #over = false;

  constructor(parts: NetworkParts, watching: Watching, mishap: WatchMishap, signal: AbortSignal) {
    this.#parts = parts;
    this.#watching = watching;
    this.#mishap = mishap;
    this.#signal = signal;
    const abort = () => this.#end(unavailable('stopped'));
    signal.addEventListener('abort', abort, { once: true });
    watching.begin(
      (event) => this.#tell(event),
      () => this.#later(() => this.#end({ ok: true, value: undefined })),
    );
    const { breaksAfterMs } = mishap;
    if (breaksAfterMs !== undefined) parts.timeline.after(breaksAfterMs, () => this.#break());
  }

  next(): Promise<Answer<Uint8Array | undefined>> {
    const first = this.#arrived.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #tell(event: WatchEvent): void {
    if (this.#mishap.brokenNow?.()) {
      this.#later(() => this.#expire());
      return;
    }
    const line = lineOf(event);
    this.#later(() => this.#arrive({ ok: true, value: line }));
  }

  /** What was told earlier arrives earlier, however long each takes. */
  #later(run: () => void): void {
    const { timeline, dice, clock } = this.#parts;
    const at = Math.max(this.#last, timeline.now() + dice.between(1, 20) + (this.#mishap.lagMs?.() ?? 0));
    this.#last = at;
    timeline.after(at - timeline.now(), () => {
      if (!this.#over) clock.enter(run);
    });
  }

  #arrive(answer: Answer<Uint8Array | undefined>): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#arrived.push(answer);
    else waiting(answer);
  }

  #break(): void {
    if (this.#over) return;
    const { clock } = this.#parts;
    switch (this.#mishap.how) {
      case 'half-open':
        this.#watching.stop();
        this.#over = true;
        this.#silent();
        return;
      case 'expired':
        clock.enter(() => this.#expire());
        return;
      case 'truncated':
        clock.enter(() => this.#arrive({ ok: true, value: ENCODER.encode('{"type":"MODIFIED","obj') }));
        clock.enter(() => this.#end(unavailable('other side closed')));
        return;
      case 'ended':
        clock.enter(() => this.#end({ ok: true, value: undefined }));
        return;
      default:
        clock.enter(() => this.#end(unavailable('read ECONNRESET')));
    }
  }

  /** Felt until whoever listens gives it up. */
  #silent(): void {
    const { mishaps } = this.#parts;
    if (this.#signal.aborted) return;
    mishaps.felt?.(1);
    this.#signal.addEventListener('abort', () => mishaps.felt?.(-1), { once: true });
  }

  #expire(): void {
    const gone = { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired', message: 'too old' };
    this.#arrive({ ok: true, value: lineOf({ type: 'ERROR', object: gone }) });
    this.#end({ ok: true, value: undefined });
  }

  #end(answer: Answer<undefined>): void {
    if (this.#over) return;
    this.#over = true;
    this.#watching.stop();
    this.#arrive(answer);
  }
}

function lineOf({ type, object: told }: WatchEvent): Uint8Array {
  const object = told as object;
  const known = LINES.get(object) ?? new Map<string, Uint8Array>();
  LINES.set(object, known);
  const line = known.get(type) ?? ENCODER.encode(`{"type":"${type}","object":${stored(object)}}\n`);
  known.set(type, line);
  return line;
}
