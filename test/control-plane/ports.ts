import { createServer } from 'node:net';

/**
 * Below the ports that the kernel gives to outgoing connections: while an API server is stopped, a client that tries again
 * and again would else, some day, be given that very port and connect to itself.
 */
const FIRST = 20_000;
const COUNT = 10_000;

/** A port of 127.0.0.1 that nobody has at this moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
