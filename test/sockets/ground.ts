import type { AddressInfo } from 'node:net';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { PLACES, SEEN_KINDS } from '../../src/cluster/kinds.ts';
import { remoteCluster } from '../../src/cluster/remote.ts';
import type { Said } from '../../src/cluster/said.ts';
import { Transport } from '../../src/cluster/transport.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Kind } from '../../src/core/world.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { ApiServer } from '../../src/simulation/api-server.ts';
import type { Dice } from '../../src/simulation/dice.ts';
import { Etcd } from '../../src/simulation/etcd.ts';
import { RealTime } from '../../src/simulation/real-time.ts';
import { listen, served } from '../../src/simulation/served.ts';
import { Timeline } from '../../src/simulation/timeline.ts';
import { Ear, JOBS_NAMESPACE, type Truth, type Violation } from './oracle.ts';
import type { Breaker } from './proxy.ts';
import { SHOP } from './writer.ts';

/** A model that is served over plain HTTP in real time. */
export type Ground = { readonly url: string; readonly api: ApiServer; stop(): Promise<void> };

const TOKEN = 'operator';

/** Starts it, with its namespaces and nothing in them. */
export async function startGround(chance: Dice): Promise<Ground> {
  const [etcd, timeline] = [new Etcd(), new Timeline(systemClock.now())];
  const api = new ApiServer({ etcd, timeline, dice: chance, release: 'v1.36.4' });
  const time = new RealTime(timeline, systemClock);
  for (const name of ['default', SHOP, JOBS_NAMESPACE]) {
    api.registry.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { by: 'boot' });
  }
  const server = await listen(served({ api, time, dice: chance, users: { [TOKEN]: 'drydock' } }));
  time.arm();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    api,
    stop: () => {
      time.stop();
      api.watches.endAll();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** The operator's own clock, so many times faster: its pauses and its patience shrink, nothing else does. */
export function hurried(times: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * times,
    after: (milliseconds, run) => systemClock.after(milliseconds / times, run),
  };
}

/** One operator's view of the cluster, with an ear at it. */
export type Watched = {
  readonly ear: Ear;
  readonly cluster: Cluster;
  /** Resolves when every kind has been listed once. */
  readonly synced: Promise<void>;
  stop(): Promise<void>;
};

export type WatchedParts = {
  readonly name: string;
  readonly proxy: Pick<Breaker, 'url' | 'ca'>;
  readonly truth: Truth;
  readonly clock: Clock;
  /** What the time limits of calls go by, if not by `clock`: hurried ones would never be kept on a busy machine. */
  readonly limits?: Clock;
  readonly dice: Dice;
  readonly violate: (violation: Violation) => void;
  readonly said?: (said: Said) => void;
};

const KIND_OF = new Map<string, Kind>(SEEN_KINDS.map((kind) => [PLACES[kind].plural, kind]));

/** Begins to watch every kind with the operator's own transport, watchers and stores. */
export function watched({ name, proxy, truth, clock, limits = clock, dice, violate, said }: WatchedParts): Watched {
  const ear = new Ear(name, truth, violate);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const who = { read: async () => ({ server: proxy.url, headers, tls: { ca: proxy.ca } }), renew: () => {} };
  const transport = new Transport({ who, userAgent: name, clock: limits, said: () => {} });
  const cluster = remoteCluster({
    transport: {
      call: async (sent, options) => {
        ear.asked(sent.path);
        const answer = await transport.call(sent, options);
        const kind = KIND_OF.get(sent.resource);
        const isList = kind !== undefined && /[?&]limit=500\b/.test(sent.path);
        if (isList && answer.ok && answer.value.status === 200) ear.answered(kind, answer.value.body);
        return answer;
      },
      open: (sent, signal) => {
        ear.asked(sent.path);
        return transport.open(sent, signal);
      },
    },
    jobsNamespace: JOBS_NAMESPACE,
    instance: name,
    clock,
    random: () => dice.roll(),
    said: (each) => {
      ear.said(each);
      said?.(each);
    },
  });
  ear.caches = cluster.caches;
  const end = new AbortController();
  return {
    ear,
    cluster,
    synced: cluster.watch((change) => ear.changed(change), end.signal),
    stop: () => {
      end.abort();
      ear.over();
      return transport.close();
    },
  };
}
