import { createServer } from 'node:net';

/**
 * Below the ports that the kernel gives to outgoing connections: while an API server is stopped, a client that tries again
 * and again would else, some day, be given that very port and connect to itself.
 */
const FIRST = 20_000;
const COUNT = 5_000;
/** Whoever listens at a port so much higher may use the port, for as long as his process lives. */
const LOCK = COUNT;

/**
 * A port of 127.0.0.1 that is this process's from now on. That nobody has it is not enough: between the choice and the use
 * another process might choose the same, and while an API server is stopped nobody has its port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if ((await isFree(port)) && (await isLocked(port + LOCK))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isLocked(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const lock = createServer();
    lock.once('error', () => resolve(false));
    lock.listen(port, '127.0.0.1', () => resolve(true)).unref();
  });
}
