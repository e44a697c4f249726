import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Caches } from '../cluster/cluster.ts';
import type { Outcome } from '../core/decision.ts';
import type { Effect } from '../core/effect.ts';
import { gaugesOfCaches } from './gauges.ts';

/** Where the gauges look when they are scraped. */
export type Sources = {
  readonly caches: Caches;
  readonly leads: () => boolean;
  /** How many keys of each controller could be worked on now. */
  readonly queueDepths: () => Readonly<Record<string, number>>;
};

/** Everything that is counted, and the page that shows it. */
export type Metrics = {
  page(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** An effect was sent and answered. */
  performed(effect: Effect, outcome: Outcome): void;
  /** A controller has worked on a key. `atMs` is milliseconds since 1970. */
  ran(controller: string, result: 'done' | 'retry' | 'threw', atMs: number): void;
  /** A watch was begun again. */
  watchRestarted(kind: string, reason: string): void;
  /** The API server was asked something; code 0: it did not answer. */
  called(method: string, resource: string, code: number): void;
};

/**
 * Makes the metrics. Whatever the caches know is computed from them when it is asked for, so a gauge can neither drift nor
 * outlive its object. No label has a value for each pod or node: a cluster has too many of them.
 */
export function metrics({ caches, leads, queueDepths }: Sources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  gaugesOfCaches(registry, caches);
  new Gauge({
    name: 'drydock_leader',
    help: 'Whether this replica leads; the sum over all replicas is 1 in a healthy installation.',
    registers,
    collect() {
      this.set(leads() ? 1 : 0);
    },
  });
  new Gauge({
    name: 'drydock_queue_depth',
    help: 'Keys of a controller that could be worked on now.',
    labelNames: ['controller'],
    registers,
    collect() {
      this.reset();
      for (const [controller, depth] of Object.entries(queueDepths())) this.set({ controller }, depth);
    },
  });
  const counters = countersIn(registers);
  return {
    page: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    performed: (effect, outcome) => {
      const said = outcome.ok ? 'ok' : outcome.why;
      counters.effects.inc({ effect: effect.kind, outcome: said });
      if (effect.kind === 'evict') counters.evictions.inc({ outcome: said });
    },
    ran: (controller, result, atMs) => {
      counters.reconciles.inc({ controller, result });
      counters.lastReconcile.set({ controller }, atMs / 1000);
    },
    watchRestarted: (kind, reason) => counters.watchRestarts.inc({ kind, reason }),
    called: (method, resource, code) => counters.calls.inc({ method, resource, code: String(code) }),
  };
}

function countersIn(registers: Registry[]) {
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  return {
    effects: counter('drydock_effects_total', 'Requests that change something, by what the API server answered.', [
      'effect',
      'outcome',
    ]),
    evictions: counter(
      'drydock_evictions_total',
      'Evictions asked for; blocked means that a PodDisruptionBudget refused.',
      ['outcome'],
    ),
    reconciles: counter('drydock_reconcile_total', 'Runs of a key by a controller, by how they ended.', [
      'controller',
      'result',
    ]),
    watchRestarts: counter('drydock_watch_restarts_total', 'Watches that were begun again, and why.', [
      'kind',
      'reason',
    ]),
    calls: counter('drydock_api_requests_total', 'Requests to the API server; code 0 means that none came back.', [
      'method',
      'resource',
      'code',
    ]),
    lastReconcile: new Gauge({
      name: 'drydock_last_reconcile_timestamp_seconds',
      help: 'When a controller last worked on a key, in seconds since 1970.',
      labelNames: ['controller'],
      registers,
    }),
  };
}
