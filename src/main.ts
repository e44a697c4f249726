import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Command, Option } from 'commander';
import { connect } from './cluster/kubernetes.ts';
import type { Said } from './cluster/said.ts';
import type { Happened } from './controllers/loop.ts';
import type { Operator } from './controllers/operator.ts';
import { LEASE, type Replica, replica } from './controllers/replica.ts';
import { sentence } from './core/conditions.ts';
import { effectKey } from './core/effect.ts';
import { parseAddress } from './runtime/address.ts';
import { systemClock as clock } from './runtime/clock.ts';
import { serveHealth } from './runtime/health.ts';
import { onSignals, stopping } from './runtime/stop.ts';
import {
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFormat,
  type Logger,
  type LogLevel,
  logStep,
  openLog,
} from './telemetry/log.ts';
import { type Metrics, metrics } from './telemetry/metrics.ts';

/** The release, which the audit log of a cluster shows beside the identity of the replica. */
const VERSION = '0.1.0';
/** Of the five seconds in which a stopped operator is gone, those in which what was sent may still be answered. */
const ANSWERS_MS = 3_000;
const USAGE = 2;

type Options = {
  readonly namespace: string;
  readonly jobsNamespace: string;
  readonly context?: string;
  readonly leaderElect: string;
  readonly metricsAddress: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
};

function flags(): Options {
  const flag = (text: string, env: string, said: string) => new Option(text, said).env(env);
  return new Command('drydock')
    .description('Takes every node through cordon, drain, upgrade, verify and uncordon.')
    .version(VERSION)
    .addOption(flag('--namespace <name>', 'DRYDOCK_NAMESPACE', 'where Drydock runs').default('drydock-system'))
    .addOption(flag('--jobs-namespace <name>', 'DRYDOCK_JOBS_NAMESPACE', 'where its Jobs run').default('drydock-jobs'))
    .addOption(
      flag('--context <name>', 'DRYDOCK_CONTEXT', 'the context of the kubeconfig; must be named outside a pod'),
    )
    .addOption(
      flag('--leader-elect <yes>', 'DRYDOCK_LEADER_ELECT', 'work only while holding the Lease')
        .choices(['true', 'false'])
        .default('true'),
    )
    .addOption(
      flag('--metrics-address <host:port>', 'DRYDOCK_METRICS_ADDRESS', 'where health and metrics are served').default(
        '0.0.0.0:8080',
      ),
    )
    .addOption(
      flag('--log-level <level>', 'DRYDOCK_LOG_LEVEL', 'how much is logged').choices(LOG_LEVELS).default('info'),
    )
    .addOption(
      flag('--log-format <format>', 'DRYDOCK_LOG_FORMAT', 'for machines or for people')
        .choices(LOG_FORMATS)
        .default('json'),
    )
    .parse()
    .opts();
}

/** Ends before anything began, with the sentence that says what to write instead. */
function refuse(problem: string): never {
  process.stderr.write(`drydock: ${problem}\n`);
  process.exit(USAGE);
}

function logSaid(log: Logger, count: Metrics | undefined, said: Said): void {
  switch (said.what) {
    case 'called':
      count?.called(said.method, said.resource, said.code);
      break;
    case 'watchStopped': {
      const { kind, why, message, againAfterMs } = said;
      count?.watchRestarted(kind, why);
      log[why === 'watchEnded' ? 'debug' : 'info']({ kind, why, againAfterMs }, message || why);
      break;
    }
    case 'listed':
      log.debug({ kind: said.kind, objects: said.objects, changes: said.changes }, 'listed');
      break;
    default:
      log.warn({ ...said }, said.what);
  }
}

function logHappened(log: Logger, count: Metrics, event: Happened): void {
  const { what, subject, key, outcome } = event;
  const because = what === 'looked' ? {} : { reason: event.because.reason, message: sentence(event.because) };
  if (what !== 'performed') {
    logStep(log, { what, subject, key, outcome, ...because });
    return;
  }
  count.performed(event.effect, outcome);
  logStep(log, {
    what,
    subject,
    key,
    outcome,
    ...because,
    effect: { kind: event.effect.kind, name: effectKey(event.effect) },
  });
}

/** Puts one process together from its options, with its log and its counters. */
function compose(
  options: Options,
  identity: string,
  log: Logger,
  signal: AbortSignal,
): Replica & { readonly count: Metrics } {
  let counted: Metrics | undefined;
  const connection = connect({
    ...(options.context === undefined ? {} : { context: options.context }),
    userAgent: `drydock/${VERSION} (${identity})`,
    instance: identity,
    jobsNamespace: options.jobsNamespace,
    leaseNamespace: LEASE.namespace,
    clock,
    random: Math.random,
    signal,
    said: (said) => logSaid(log, counted, said),
    mayWrite: () => own.mayWrite(),
  });
  if (!connection.ok) refuse(connection.problem);
  log.info(
    { version: VERSION, identity, server: connection.server, leaderElect: options.leaderElect },
    'Drydock starts.',
  );
  const own: Replica = replica({
    cluster: connection.cluster,
    leases: connection.leases,
    identity,
    elects: options.leaderElect === 'true',
    clock,
    random: Math.random,
    place: { namespace: options.namespace, jobsNamespace: options.jobsNamespace },
    leads: (leads, why) =>
      log.info({ leads }, leads ? `This replica leads: ${why}.` : `This replica does not lead any more: ${why}.`),
    happened: (event) => {
      if (counted !== undefined) logHappened(log, counted, event);
    },
    ran: (run) => {
      counted?.ran(run.controller, run.result, clock.now());
      if (run.result === 'retry') log.debug({ controller: run.controller, key: run.key }, run.reason);
      if (run.result === 'threw')
        log.fatal({ controller: run.controller, key: run.key, error: run.error }, 'A bug: the process ends.');
    },
    changed: ({ kind, key, after }) => {
      if (after !== undefined && 'readable' in after && !after.readable)
        log.warn({ kind, key }, `cannot be read: ${after.problem}`);
    },
  });
  const count = metrics({
    caches: own.cluster.caches,
    leads: own.mayWrite,
    queueDepths: () => depths(own.drydock),
  });
  counted = count;
  return { ...own, count };
}

function depths({ queues }: Operator): Record<string, number> {
  return Object.fromEntries(Object.entries(queues).map(([name, queue]) => [name, queue.figures.ready]));
}

async function main(): Promise<void> {
  const options = flags();
  const address =
    parseAddress(options.metricsAddress) ??
    refuse(`--metrics-address ${options.metricsAddress} is no address: write host:port, as in 0.0.0.0:8080`);
  const log = openLog({ level: options.logLevel, format: options.logFormat, to: process.stdout, now: clock.now });
  const ended = new AbortController();
  const identity = `${hostname()}_${randomUUID().slice(0, 8)}`;
  const { drydock, leader, count, cease, start } = compose(options, identity, log, ended.signal);
  const listening = await serveHealth(address, {
    ill: () => undefined,
    unready: () => (drydock.synced() ? undefined : 'the caches are not filled yet'),
    metrics: () => count.page(),
  });
  if (!listening.ok) refuse(listening.problem);

  let quiet = false;
  const stop = stopping({
    clock,
    ended: (code, late) => {
      log.info({ code }, late === undefined ? 'Drydock has ended.' : `Drydock ends before this has: ${late}.`);
      process.exit(code);
    },
    steps: [
      { name: 'the work', run: cease },
      {
        name: 'what is on its way',
        run: async () => {
          quiet = await drydock.quiet(ANSWERS_MS);
        },
      },
      // With a request still on its way the Lease runs out by itself: whoever leads next must not meet an old write.
      { name: 'the Lease', run: () => (quiet ? leader?.stop() : undefined) },
      {
        name: 'the connections',
        run: () => {
          ended.abort();
          listening.close();
        },
      },
    ],
  });
  onSignals(process, () => {
    log.info(
      'Drydock is asked to end: it begins nothing more, waits for what is on its way, and gives its Lease back.',
    );
    stop(0);
  });
  const running = drydock.run(ended.signal);
  start();
  await running;
}

await main();
