import { request } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import type { Say } from '../control-plane/binaries.ts';

/** Where somebody listens. */
export type Address = { readonly host: string; readonly port: number };

/** What stands before several API servers, and how it tells which of them may be asked. */
export type Forwarding = {
  readonly listen: Address;
  readonly servers: readonly Address[];
  readonly say: Say;
  /** Whether a server is ready; the API server's own word unless told otherwise. */
  readonly isReady?: (server: Address) => Promise<boolean>;
  readonly everyMs?: number;
};

/** It listens until it is closed. */
export type Forwarder = { readonly port: number; close(): Promise<void> };

/** A server with what is known of it, and both ends of every connection that goes to it. */
type Server = {
  readonly address: Address;
  failures: number;
  isAsked: boolean;
  isLate: boolean;
  readonly sockets: Set<Socket>;
};

/** So many failed questions in a row, and a server is out. At first all are. */
const OUT = 2;
const EVERY_MS = 1_000;
const ANSWER_MS = 2_000;
const DIAL_MS = 1_000;
/** A server that owes its answer for so long gets new connections only where no other can have them. */
const LATE_MS = 250;

/**
 * Forwards connections to whichever API server is ready. One that is not any more loses those that it has: a machine without
 * power says goodbye to nobody, and its clients would wait for minutes.
 */
export async function forward(forwarding: Forwarding): Promise<Forwarder> {
  const { listen, say, isReady = saysReady, everyMs = EVERY_MS } = forwarding;
  const servers = forwarding.servers.map(
    (address): Server => ({ address, failures: OUT, isAsked: false, isLate: false, sockets: new Set() }),
  );
  let turn = 0;
  const door = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const { sure = [], doubtful = [] } = Object.groupBy(servers, standing);
    void pass(client, [...rotated(sure, turn), ...rotated(doubtful, turn)]);
    turn++;
  });
  const timers = servers.map((server) => setInterval(() => void look(server, { isReady, say }), everyMs));
  await Promise.all(servers.map((server) => look(server, { isReady, say })));
  await new Promise<void>((resolve, reject) => {
    door.once('error', reject).listen(listen.port, listen.host, resolve);
  });
  const { port } = door.address() as { port: number };
  say(`listening on ${listen.host}:${port}`);
  return {
    port,
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      for (const server of servers) cut(server);
      await new Promise((resolve) => door.close(resolve));
    },
  };
}

function standing({ failures, isLate }: Server): 'sure' | 'doubtful' | 'out' {
  if (failures >= OUT) return 'out';
  return failures === 0 && !isLate ? 'sure' : 'doubtful';
}

function rotated<T>(all: readonly T[], by: number): readonly T[] {
  const first = all.length === 0 ? 0 : by % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

async function look(server: Server, { isReady, say }: Required<Pick<Forwarding, 'isReady' | 'say'>>): Promise<void> {
  if (server.isAsked) return;
  server.isAsked = true;
  const late = setTimeout(() => {
    server.isLate = true;
  }, LATE_MS);
  const ready = await isReady(server.address);
  clearTimeout(late);
  server.isAsked = false;
  server.isLate = false;
  const was = server.failures < OUT;
  server.failures = ready ? 0 : server.failures + 1;
  const is = server.failures < OUT;
  if (was === is) return;
  say(`${server.address.host} is ${is ? 'in' : `out, ${server.sockets.size / 2} connections are cut`}`);
  if (!is) cut(server);
}

function cut(server: Server): void {
  for (const socket of server.sockets) socket.resetAndDestroy();
  server.sockets.clear();
}

/** Gives a client to the first server that takes it; where none does it is reset, so that it knows at once. */
async function pass(client: Socket, servers: readonly Server[]): Promise<void> {
  client.on('error', () => client.destroy());
  for (const server of servers) {
    const upstream = await dial(server.address);
    if (upstream === undefined) continue;
    if (client.destroyed) {
      upstream.destroy();
      return;
    }
    join(client, upstream, server.sockets);
    return;
  }
  client.resetAndDestroy();
}

function join(client: Socket, upstream: Socket, sockets: Set<Socket>): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(from);
    from.on('error', () => to.destroy());
    from.once('close', (failed) => {
      sockets.delete(from);
      if (failed) to.destroy();
    });
    from.pipe(to);
  }
}

function dial({ host, port }: Address): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const timer = setTimeout(() => socket.destroy(), DIAL_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once('error', () => {});
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}

/** On a connection of its own, so that it is asked what a new client would be asked for. */
function saysReady({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const how = { host, port, path: '/readyz', agent: false, rejectUnauthorized: false } as const;
    const asked = request({ ...how, signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
