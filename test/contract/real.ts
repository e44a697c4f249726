import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { Agent } from 'undici';
import { parse } from 'yaml';
import { KINDS } from '../../src/api/crd.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { until } from '../control-plane/until.ts';
import type { Answer, Asker, Body, Line, Reader } from './asker.ts';

/** A real API server, ready for claims. */
export type Real = { asker(name: string): Asker; stop(): Promise<void> };

/**
 * Starts a control plane that serves our kinds and in which nobody writes but the claims, the garbage collector, and who
 * ends namespaces: the claims write the status of budgets themselves.
 */
export async function startReal(): Promise<Real> {
  const plane = await startControlPlane({
    controllers: ['garbage-collector-controller', 'namespace-controller', 'serviceaccount-controller'],
    // What is compacted away is asked for too, and cannot be waited for 5 minutes.
    apiServerFlags: ['--etcd-compaction-interval=8s'],
  });
  const file = (plural: string) => join(import.meta.dirname, `../../crds/${plural}.yaml`);
  await plane.admin.apply(KINDS.map(({ plural }) => readFileSync(file(plural), 'utf8')).join('---\n'));
  const streams = new Streams(plane);
  return {
    asker: (name) => askerOf(plane, streams, name),
    stop: async () => {
      await streams.close();
      await plane.stop();
    },
  };
}

function askerOf(plane: ControlPlane, streams: Streams, name: string): Asker {
  const ask: Asker['ask'] = async ({ method, path, body, contentType }) => {
    const reply = await plane.admin.request(method, path, body, contentType);
    return { status: reply.status, body: reply.body as Body };
  };
  let made: Promise<void> | undefined;
  return {
    name,
    ask,
    namespace: async () => {
      made ??= plane.createNamespace(name);
      await made;
      return name;
    },
    settle: async (what, condition) => {
      await until(condition, { what });
    },
    watch: (path) => streams.open(`${path}${path.includes('?') ? '&' : '?'}watch=true`),
  };
}

type Config = { readonly users: readonly { readonly user: { readonly token: string } }[] };

/** The watches of an administrator. */
class Streams {
  readonly #agent: Agent;
  readonly #server: string;
  readonly #token: string;

  constructor(plane: ControlPlane) {
    this.#agent = new Agent({ allowH2: false, connect: { ca: readFileSync(plane.caFile) } });
    this.#server = plane.server;
    this.#token = (parse(readFileSync(plane.kubeconfig, 'utf8')) as Config).users[0]?.user.token ?? '';
  }

  async open(path: string): Promise<Reader | Answer> {
    const ending = new AbortController();
    const headers = { authorization: `Bearer ${this.#token}`, accept: 'application/json' };
    const { signal } = ending;
    const response = await this.#agent.request({ origin: this.#server, path, method: 'GET', headers, signal });
    if (response.statusCode !== 200) {
      return { status: response.statusCode, body: (await response.body.json()) as Body };
    }
    response.body.on('error', () => {});
    const lines = createInterface({ input: Readable.from(response.body) })[Symbol.asyncIterator]();
    return {
      next: async () => {
        const { done, value } = await lines.next();
        return done ? undefined : (JSON.parse(value) as Line);
      },
      stop: () => ending.abort(),
    };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}
