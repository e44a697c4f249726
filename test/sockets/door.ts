import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createDoor, type Socket } from 'node:net';
import { systemClock } from '../../src/runtime/clock.ts';
import { selfSigned } from '../simulated-ground/certificate.ts';

/** Where connections come in: TLS as in production, but with a door that can be shut while those inside go on. */
export type Door = {
  readonly url: string;
  readonly ca: string;
  readonly isOpen: () => boolean;
  /** From now on connections are refused. */
  shut(): void;
  reopen(): Promise<void>;
  stop(): void;
};

const KEEP_ALIVE_MS = 60_000;

/** The TCP connection below each that speaks TLS: only it can be reset. */
const wires = new WeakMap<Socket, Socket>();

/** Closes a connection as a machine does that knows nothing of it. */
export function reset({ socket }: ServerResponse): void {
  if (socket === null) return;
  const wire = wires.get(socket);
  // libuv refuses to reset what is being shut down (uv_tcp_close_reset), and then it would never be closed at all.
  if (wire?.writableEnded === false && !socket.writableEnded) wire.resetAndDestroy();
  else wire?.destroy();
  socket.destroy();
}

/** Ends a connection in order below TLS, which says nothing itself: so ends one whose process has died. */
export function leave({ socket }: ServerResponse): void {
  if (socket !== null) (wires.get(socket) ?? socket).destroySoon();
}

/** Opens a door on a port of its own. */
export async function openDoor(listener: RequestListener): Promise<Door> {
  const certificate = selfSigned(systemClock.now());
  const server = createServer({ ...certificate, keepAliveTimeout: KEEP_ALIVE_MS }, listener);
  const inside = new Map<number, Socket>();
  server.on('secureConnection', (socket) => {
    const wire = inside.get(socket.remotePort ?? 0);
    if (wire !== undefined) wires.set(socket, wire);
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  const door = createDoor({ noDelay: true }, (wire) => {
    const { remotePort = 0 } = wire;
    inside.set(remotePort, wire);
    wire.on('error', () => {});
    wire.on('close', () => {
      if (inside.get(remotePort) === wire) inside.delete(remotePort);
    });
    server.emit('connection', wire);
  });
  const listening = async (port: number) => {
    door.listen(port, '127.0.0.1');
    await once(door, 'listening');
  };
  await listening(0);
  const { port } = door.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    ca: certificate.cert,
    isOpen: () => door.listening,
    shut: () => void door.close(),
    reopen: () => listening(port),
    stop: () => {
      if (door.listening) door.close();
      for (const wire of inside.values()) wire.destroy();
    },
  };
}
