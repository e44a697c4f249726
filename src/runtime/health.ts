import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from './address.ts';

/** What is asked when somebody asks how the process is. */
export type Vitals = {
  /**
   * Why the process should be restarted, if it should. An event loop that hangs answers nothing at all, which says the
   * same; so this is only for what can hang beside it.
   */
  readonly ill: () => string | undefined;
  /** Why the process is not ready yet: caches that have not been filled. Who does not lead is ready all the same. */
  readonly unready: () => string | undefined;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
};

/** The server that answers probes and scrapes, or why there is none. */
export type Listening =
  | { readonly ok: true; readonly port: number; readonly close: () => void }
  | { readonly ok: false; readonly problem: string };

type Page = { readonly code: number; readonly contentType: string; readonly body: string };

/** Serves /healthz, /readyz and /metrics. */
export function serveHealth(address: Address, vitals: Vitals): Promise<Listening> {
  const server = createServer((request, response) => answer(request, response, vitals));
  return new Promise((resolve) => {
    server.once('error', (error) =>
      resolve({ ok: false, problem: `cannot listen on ${address.host}:${address.port}: ${error.message}` }),
    );
    server.listen(address.port, address.host, () => {
      resolve({ ok: true, port: (server.address() as AddressInfo).port, close: () => end(server) });
    });
  });
}

function end(server: Server): void {
  server.close();
  server.closeAllConnections();
}

function answer(request: IncomingMessage, response: ServerResponse, vitals: Vitals): void {
  const send = ({ code, contentType, body }: Page) => {
    response.writeHead(code, { 'content-type': contentType, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  page(request, vitals).then(send, (error: unknown) => send(text(500, `the metrics cannot be computed: ${error}`)));
}

async function page({ method, url }: IncomingMessage, { ill, unready, metrics }: Vitals): Promise<Page> {
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD');
  switch (url?.split('?')[0]) {
    case '/healthz':
      return verdict(ill());
    case '/readyz':
      return verdict(unready());
    case '/metrics':
      return { code: 200, ...(await metrics()) };
    default:
      return text(404, 'there are /healthz, /readyz and /metrics');
  }
}

function verdict(problem: string | undefined): Page {
  return problem === undefined ? text(200, 'ok') : text(503, problem);
}

function text(code: number, body: string): Page {
  return { code, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}
