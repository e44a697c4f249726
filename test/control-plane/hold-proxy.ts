import { readFileSync } from 'node:fs';
import {
  Agent,
  createServer as createPlainServer,
  type IncomingMessage,
  request as plainRequest,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { pause } from './until.ts';

/** A write as it came by. */
export type Write = {
  /** 1 for the first that the proxy saw. */
  readonly n: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly userAgent: string;
  readonly body: unknown;
};

/** Which write is held, and where. */
export type HoldOptions = {
  readonly match?: (write: Write) => boolean;
  /** The how manyth that matches, counted from now; default 1. */
  readonly nth?: number;
  /** `before`: the API server has not seen it. `after`: it has answered, and nobody knows. */
  readonly at: 'before' | 'after';
};

/** A write that is waited for, and then held. */
export type Hold = {
  /** Resolves when it is held. */
  readonly reached: Promise<Write>;
  /**
   * Lets it go on. A write held before the API server is then sent even if its sender is dead: that is the request that lands
   * late.
   */
  release(): void;
  /** Throws it away: its sender sees a connection that breaks. */
  drop(): void;
};

/** Stands before the API server, so that a test decides what passes when. */
export type HoldProxy = {
  /** For a kubeconfig: `cluster.kubeconfigFor(namespace, name, { server: proxy.server })`. */
  readonly server: string;
  /** All writes so far, those that are held included. */
  readonly writes: readonly Write[];
  hold(options: HoldOptions): Hold;
  /** Breaks all connections, watches too; new ones are served. */
  cut(): void;
  /** From now on every request waits so long before it is passed on. */
  delay(ms: number): void;
  /** True: nothing passes in either direction while all connections stay open. */
  silence(on: boolean): void;
  stop(): Promise<void>;
};

/**
 * Where the proxy leads, and with which certificate it serves: the API server's own, which is good for 127.0.0.1. A
 * `ControlPlane` is all of this. Without files it serves plain HTTP.
 */
export type HoldProxyOptions = { readonly server: string; readonly caFile?: string; readonly keyFile?: string };

type Verdict = 'go' | 'drop';
type Waiting = HoldOptions & { left: number; reach(write: Write): void; readonly verdict: Promise<Verdict> };

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startHoldProxy(options: HoldProxyOptions): Promise<HoldProxy> {
  const proxy = new Gate(options);
  await proxy.listen();
  return proxy;
}

class Gate implements HoldProxy {
  readonly writes: Write[] = [];
  readonly #upstream: URL;
  readonly #agent: Agent;
  readonly #server: ReturnType<typeof createPlainServer>;
  readonly #scheme: 'http' | 'https';
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Map<IncomingMessage, ServerResponse>();
  readonly #holds = new Set<Waiting>();
  #delayMs = 0;
  #silent: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor({ server, caFile, keyFile }: HoldProxyOptions) {
    this.#upstream = new URL(server);
    const ca = caFile === undefined ? undefined : readFileSync(caFile);
    const isTls = this.#upstream.protocol === 'https:';
    this.#agent = isTls ? new TlsAgent({ keepAlive: true, ca }) : new Agent({ keepAlive: true });
    const serve = (request: IncomingMessage, response: ServerResponse) =>
      void this.#serve(request, response).catch(() => response.destroy());
    const key = keyFile === undefined ? undefined : readFileSync(keyFile);
    this.#scheme = key === undefined ? 'http' : 'https';
    this.#server = key === undefined ? createPlainServer(serve) : createTlsServer({ cert: ca, key }, serve);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // A connection that breaks while it is made is the client's matter.
    this.#server.on('tlsClientError', () => {});
  }

  get server(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  hold(options: HoldOptions): Hold {
    const reached = Promise.withResolvers<Write>();
    const verdict = Promise.withResolvers<Verdict>();
    const waiting = { ...options, left: options.nth ?? 1, reach: reached.resolve, verdict: verdict.promise };
    this.#holds.add(waiting);
    const decide = (what: Verdict) => () => {
      this.#holds.delete(waiting);
      verdict.resolve(what);
    };
    return { reached: reached.promise, release: decide('go'), drop: decide('drop') };
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  silence(on: boolean): void {
    if (on === (this.#silent !== undefined)) return;
    if (on) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#silent = { over: promise, end: resolve };
      for (const [answer, response] of this.#answers) answer.unpipe(response).pause();
    } else {
      this.#silent?.end();
      this.#silent = undefined;
      for (const [answer, response] of this.#answers) answer.pipe(response);
    }
  }

  async stop(): Promise<void> {
    this.silence(false);
    this.cut();
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isWrite = request.method !== 'GET' && request.method !== 'HEAD';
    const body = await bodyOf(request);
    if (this.#delayMs > 0) await pause(this.#delayMs);
    await this.#silent?.over;
    if (!isWrite) return this.#pass(request, body, response);
    const write = this.#write(request, body);
    const held = this.#heldBy(write);
    if (held?.at === 'before' && (await this.#verdict(held, write)) === 'drop') return void response.destroy();
    await this.#pass(request, body, response, async () => {
      if (held?.at === 'after' && (await this.#verdict(held, write)) === 'drop') response.destroy();
    });
  }

  #write(request: IncomingMessage, body: Buffer): Write {
    const { method = '', url: path = '', headers } = request;
    const write = {
      n: this.writes.length + 1,
      method,
      path,
      userAgent: headers['user-agent'] ?? '',
      body: parsed(body),
    };
    this.writes.push(write);
    return write;
  }

  #heldBy(write: Write): Waiting | undefined {
    const matching = [...this.#holds].filter(({ left, match }) => left > 0 && (match?.(write) ?? true));
    for (const waiting of matching) waiting.left -= 1;
    return matching.find(({ left }) => left === 0);
  }

  #verdict(held: Waiting, write: Write): Promise<Verdict> {
    held.reach(write);
    return held.verdict;
  }

  /** Sends a request on and its answer back; resolves when the answer has begun. */
  #pass(request: IncomingMessage, body: Buffer, response: ServerResponse, before?: () => Promise<void>): Promise<void> {
    const { protocol, hostname, port } = this.#upstream;
    const options = {
      agent: this.#agent,
      hostname,
      port,
      method: request.method,
      path: request.url,
      headers: { ...request.headers, host: this.#upstream.host },
    };
    return new Promise((resolve, reject) => {
      const onward = (protocol === 'https:' ? tlsRequest : plainRequest)(options, (answer) => {
        // Once it is known to the API server, an answer that nobody takes must not end this process.
        answer.on('error', () => response.destroy());
        void this.#answer(answer, response, before).then(resolve, reject);
      });
      onward.on('error', reject);
      // A watch must not outlive its reader; a write that was sent goes on.
      if (request.method === 'GET') response.once('close', () => onward.destroy());
      onward.end(body);
    });
  }

  async #answer(answer: IncomingMessage, response: ServerResponse, before?: () => Promise<void>): Promise<void> {
    await before?.();
    await this.#silent?.over;
    if (response.destroyed) return void answer.resume();
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    this.#answers.set(answer, response);
    answer.once('close', () => this.#answers.delete(answer));
    answer.pipe(response);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return body.length === 0 ? undefined : body.toString();
  }
}
