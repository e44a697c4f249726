import type { AddressInfo } from 'node:net';
import type { Clock } from '../../src/core/clock.ts';
import { ApiServer } from '../../src/simulation/api-server.ts';
import type { AuditLine } from '../../src/simulation/audit-lines.ts';
import { dice } from '../../src/simulation/dice.ts';
import { Etcd } from '../../src/simulation/etcd.ts';
import { RealTime } from '../../src/simulation/real-time.ts';
import { listen, served } from '../../src/simulation/served.ts';
import { Timeline } from '../../src/simulation/timeline.ts';

/** A model that is served over plain HTTP, in a time that the test moves. */
export type Serving = {
  readonly url: string;
  readonly api: ApiServer;
  readonly lines: readonly AuditLine[];
  /** Lets time pass; the next request, or a look at the model, finds it passed. */
  pass(milliseconds: number): void;
  /** A request of the administrator, or of nobody. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string; readonly json: Answer }>;
  stop(): Promise<void>;
};

/** Any answer, read freely. */
export type Answer = {
  readonly kind?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly [field: string]: unknown;
};

export const START = Date.parse('2026-11-10T12:00:00Z');

/** Starts it. */
export async function serving(): Promise<Serving> {
  let passed = 0;
  const clock: Clock = { now: () => START + passed, monotonic: () => passed, after: () => () => {} };
  const [etcd, timeline, chance] = [new Etcd(), new Timeline(START), dice(1)];
  const lines: AuditLine[] = [];
  const api = new ApiServer({ etcd, timeline, dice: chance, release: 'v1.36.4' });
  const time = new RealTime(timeline, clock);
  for (const name of ['default', 'kube-system', 'shop']) {
    api.registry.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { by: 'boot' });
  }
  const server = await listen(
    served({ api, time, dice: chance, users: { secret: 'admin' }, audit: (line) => lines.push(line) }),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    api,
    lines,
    pass: (milliseconds) => {
      passed += milliseconds;
      time.catchUp();
    },
    ask: async (method, path, body, headers = {}) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: 'Bearer secret',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const json = text.startsWith('{') ? (JSON.parse(text) as Answer) : {};
      return { status: response.status, headers: response.headers, text, json };
    },
    stop: () => {
      time.stop();
      api.watches.endAll();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
