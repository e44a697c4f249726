import { attempt } from '../core/attempt.ts';
import type { Clock } from '../core/clock.ts';
import type { Kind, World } from '../core/world.ts';
import type { Answer, Caches, Change, Cluster } from './cluster.ts';
import { requestOf, type Sent, STATUS } from './effects.ts';
import { recorder } from './events.ts';
import { INDEXES, narrowed, PLACES, type Place, pathOf, SEEN_KINDS } from './kinds.ts';
import { type Asked, refusalOf, unavailable } from './outcomes.ts';
import { pool } from './pool.ts';
import { list, record, text } from './raw.ts';
import type { Said } from './said.ts';
import { Store } from './store.ts';
import type { CallOptions, Transport } from './transport.ts';
import { view } from './views.ts';
import { Watcher } from './watcher.ts';

/** What a cluster behind an API server is made of. */
export type RemoteParts = {
  readonly transport: Pick<Transport, 'call' | 'open'>;
  readonly jobsNamespace: string;
  /** Which replica this is, for Events. */
  readonly instance: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly said: (said: Said) => void;
};

type Stores = { readonly [K in Kind]: Store<World[K]> };

const PAGE = 500;
const PAGE_MS = 30_000;

/** The port, over an API server. */
export function remoteCluster(parts: RemoteParts): Cluster {
  const { transport, jobsNamespace, clock, random, said } = parts;
  const door = { jobsNamespace, pool: pool() };
  const stores = Object.fromEntries(
    SEEN_KINDS.map((kind) => [kind, new Store(INDEXES[kind] as never)]),
  ) as unknown as Stores;
  const send = (sent: Sent) => transport.call(sent);
  const tell = recorder({ send, clock, random, instance: parts.instance, said });

  const watcher = <K extends Kind>(kind: K, changed: (change: Change) => void) =>
    new Watcher<K>({
      kind,
      ask: (query) => get(kind, { namespace: namespaceOf(PLACES[kind], jobsNamespace), query }),
      view: (raw) => view(kind, raw, door),
      store: stores[kind] as Store<World[K]>,
      changed: (difference) => changed({ kind, ...difference } as unknown as Change),
      transport,
      clock,
      random,
      said,
    });

  return {
    caches: stores as Caches,
    watch: async (changed, signal) => {
      const watchers = SEEN_KINDS.map((kind) => watcher(kind, changed));
      const stop = () => {
        for (const each of watchers) each.stop();
      };
      if (signal.aborted) return;
      signal.addEventListener('abort', stop, { once: true });
      await Promise.all(watchers.map((each) => each.start()));
    },
    read: async (kind, key) => {
      const [name = '', namespace] = key.split('/').reverse();
      const fixed = namespaceOf(PLACES[kind], jobsNamespace);
      const answer = await asked(parts, get(kind, { namespace: fixed ?? namespace, name }), 'other', {});
      if (!answer.ok) return answer.why === 'gone' ? { ok: true, value: undefined } : answer;
      const seen = view(kind, answer.value, door);
      return seen === undefined ? unavailable(`${kind} ${key} cannot be read`) : { ok: true, value: seen };
    },
    list: (kind, where) => listed(parts, kind, (raw) => view(kind, raw, door), where),
    version: async () => {
      const answer = await asked(parts, { method: 'GET', path: '/version', resource: 'version' }, 'other', {});
      return answer.ok ? { ok: true, value: text(record(answer.value)['gitVersion']) } : answer;
    },
    perform: async (effect) => {
      const { sent, asked: as } = requestOf(effect, { jobsNamespace });
      return done(parts, sent, as);
    },
    store: (write) => done(parts, STATUS.request(write, { jobsNamespace }), STATUS.asked),
    tell,
  };
}

type Where = { readonly index: string; readonly value: string };

/** A live list, page after page: consistent, because it names no resourceVersion. */
async function listed<K extends Kind>(
  parts: RemoteParts,
  kind: K,
  see: (raw: unknown) => World[K] | undefined,
  where: Where | undefined,
): Promise<Answer<readonly World[K][]>> {
  const index = where === undefined ? undefined : INDEXES[kind][where.index];
  if (where !== undefined && index === undefined) throw new Error(`impossible: ${kind} has no index ${where.index}`);
  const { namespace, query } = where === undefined ? {} : narrowed(kind, where.index, where.value);
  const fixed = namespaceOf(PLACES[kind], parts.jobsNamespace) ?? namespace;
  const found: World[K][] = [];
  for (let token = ''; ; ) {
    const sent = get(kind, {
      namespace: fixed,
      query: { ...query, limit: String(PAGE), ...(token === '' ? {} : { continue: token }) },
    });
    const answer = await asked(parts, sent, 'other', { timeoutMs: PAGE_MS });
    if (!answer.ok) return answer;
    for (const raw of list(record(answer.value)['items'])) {
      const seen = see(raw);
      if (seen === undefined) parts.said({ what: 'unreadable', kind });
      else if (where === undefined || index?.(seen) === where.value) found.push(seen);
    }
    token = text(record(record(answer.value)['metadata'])['continue']);
    if (token === '') return { ok: true, value: found };
  }
}

/** The answer to one request as JSON, or why there is none. */
async function asked(
  { transport }: RemoteParts,
  sent: Sent,
  as: Asked,
  options: CallOptions,
): Promise<Answer<unknown>> {
  const answer = await transport.call(sent, options);
  if (!answer.ok) return answer;
  const refusal = refusalOf(answer.value, as);
  if (refusal !== undefined) return refusal;
  const read = attempt(() => JSON.parse(answer.value.body) as unknown);
  return read.ok ? read : unavailable(`the answer is no JSON: ${read.problem}`);
}

async function done({ transport }: RemoteParts, sent: Sent, as: Asked) {
  const answer = await transport.call(sent);
  return answer.ok ? (refusalOf(answer.value, as) ?? ({ ok: true } as const)) : answer;
}

function get(kind: Kind, below: Parameters<typeof pathOf>[1]): Sent {
  return { method: 'GET', path: pathOf(PLACES[kind], below), resource: PLACES[kind].plural };
}

function namespaceOf({ namespaces }: Place, jobsNamespace: string): string | undefined {
  return namespaces === 'jobs' ? jobsNamespace : undefined;
}
