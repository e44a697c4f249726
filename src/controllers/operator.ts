import type { Change, Cluster } from '../cluster/cluster.ts';
import type { Clock } from '../core/clock.ts';
import { POLICY } from '../core/policy.ts';
import { type Ran, type Reconciler, runController } from '../runtime/controller.ts';
import { Queue } from '../runtime/queue.ts';
import { profiles, windows } from './calendar.ts';
import { upgrades } from './cluster-upgrade.ts';
import { interested, type QueueName } from './interest.ts';
import { type Happened, type Loop, reconciler, type Subject } from './loop.ts';
import { ledger } from './maintenance-policy.ts';
import { Memory } from './memory.ts';
import { passages } from './node-maintenance.ts';
import type { Place } from './see-drain.ts';
import { JOB_KEY, sweep } from './sweep.ts';
import { unreadable } from './unreadable.ts';

/** How often the API server is asked what it calls itself. */
const VERSION_MS = 30_000;
/** Even if every event were lost, everything is looked at again this often. */
const SWEEP_MS = 300_000;
const QUIET_STEP_MS = 20;

/** What an operator is made of. */
export type OperatorParts = {
  /** The port, writing only while this replica leads. */
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly random: () => number;
  readonly place: Place;
  readonly happened: (event: Happened) => void;
  readonly ran: (run: Ran) => void;
  /** Sees every change of the caches, for gauges and warnings. */
  readonly changed: (change: Change) => void;
};

/** The controllers of Drydock over one port. */
export type Operator = {
  readonly queues: { readonly [Q in QueueName]: Queue };
  /** Whether every cache has been filled once. */
  synced(): boolean;
  /** Fills the caches, then works whenever it leads; ends when the signal does, rejects with what is a bug. */
  run(signal: AbortSignal): Promise<void>;
  /** This replica leads: everything is looked at. */
  lead(): void;
  /** It does not lead any more: nothing is begun; caches stay warm. */
  follow(): void;
  /** Waits until nothing runs any more, not longer than this; says whether that is so. */
  quiet(withinMs: number): Promise<boolean>;
};

/** Wires the controllers: a queue each, fed by what the caches tell. */
export function operator(parts: OperatorParts): Operator {
  const { cluster, clock, random, place } = parts;
  const queue = () => new Queue({ clock, random });
  const queues = {
    passages: queue(),
    upgrades: queue(),
    ledger: queue(),
    sweep: queue(),
    windows: queue(),
    profiles: queue(),
  };
  const every = Object.values(queues);
  for (const each of every) each.pause();
  const server: { current: string | undefined } = { current: undefined };
  const memory = new Memory(clock);
  const work = reconcilers({ cluster, clock, memory, happened: parts.happened }, server, place);
  let synced = false;

  const changed = (change: Change) => {
    if (synced && isNewRelease(change)) void askVersion();
    for (const [name, key] of interested(change, cluster.caches, place.jobsNamespace)) queues[name].add(key);
    parts.changed(change);
  };
  let asking = false;
  const askVersion = async () => {
    if (asking) return;
    asking = true;
    const answer = await cluster.version();
    asking = false;
    if (!answer.ok || answer.value === server.current) return;
    server.current = answer.value;
    for (const { name } of cluster.caches.ClusterUpgrade.all()) queues.upgrades.add(name);
  };
  const everything = () => lookAtAll(queues, cluster.caches);

  return {
    queues,
    synced: () => synced,
    async run(signal) {
      const stop = () => {
        for (const each of every) each.stop();
      };
      signal.addEventListener('abort', stop, { once: true });
      await askVersion();
      await cluster.watch(changed, signal);
      if (signal.aborted) return;
      synced = true;
      everything();
      const cancels = [repeat(clock, VERSION_MS, askVersion), repeat(clock, SWEEP_MS, everything)];
      await Promise.all(
        Object.entries(work).map(([name, { reconciler: own, concurrency }]) =>
          runController({ reconciler: own, queue: queues[name as QueueName], concurrency, clock, ran: parts.ran }),
        ),
      );
      for (const cancel of cancels) cancel();
    },
    lead() {
      memory.begin();
      everything();
      for (const each of every) each.resume();
    },
    follow() {
      for (const each of every) each.pause();
    },
    quiet: (withinMs) => quiet(every, clock, withinMs),
  };
}

/** Names every key there is. */
function lookAtAll(queues: Operator['queues'], caches: Cluster['caches']): void {
  queues.ledger.add(POLICY);
  for (const { name } of caches.Node.all()) queues.sweep.add(name);
  for (const { name } of caches.Job.all()) queues.sweep.add(`${JOB_KEY}${name}`);
  for (const { name } of caches.ClusterUpgrade.all()) queues.upgrades.add(name);
  for (const { name } of caches.NodeMaintenance.all()) queues.passages.add(name);
  for (const { name } of caches.MaintenanceWindow.all()) queues.windows.add(name);
  for (const { name } of caches.MaintenanceProfile.all()) queues.profiles.add(name);
}

/** A new release of an API server shows in its static pod; of what it calls itself then, nothing else tells. */
function isNewRelease(change: Change): boolean {
  return change.kind === 'Pod' && change.before?.componentVersion !== change.after?.componentVersion;
}

/** Waits until no queue has a key that runs. */
function quiet(queues: readonly Queue[], clock: Clock, withinMs: number): Promise<boolean> {
  const until = clock.monotonic() + withinMs;
  return new Promise((resolve) => {
    const ask = () => {
      const still = queues.every(({ figures }) => figures.running === 0);
      if (still || clock.monotonic() >= until) resolve(still);
      else clock.after(QUIET_STEP_MS, ask);
    };
    ask();
  });
}

type Work = { readonly [Q in QueueName]: { readonly reconciler: Reconciler; readonly concurrency: number } };

function reconcilers(loop: Loop, server: { readonly current: string | undefined }, place: Place): Work {
  const made = <Facts, State>(subject: Subject<Facts, State>) => reconciler(subject, loop);
  return {
    passages: { reconciler: made(passages(loop, server, place)), concurrency: 16 },
    upgrades: {
      reconciler: either(made(upgrades(loop, server, place)), made(unreadable('ClusterUpgrade', loop))),
      concurrency: 2,
    },
    ledger: { reconciler: made(ledger(loop)), concurrency: 1 },
    sweep: { reconciler: made(sweep(loop)), concurrency: 4 },
    windows: { reconciler: either(made(windows(loop)), made(unreadable('MaintenanceWindow', loop))), concurrency: 1 },
    profiles: {
      reconciler: either(made(profiles(loop)), made(unreadable('MaintenanceProfile', loop))),
      concurrency: 1,
    },
  };
}

/** An object is either served or told why it cannot be read; each reconciler passes over what is not its own. */
function either(served: Reconciler, told: Reconciler): Reconciler {
  return {
    name: served.name,
    async reconcile(key) {
      const next = await served.reconcile(key);
      return 'again' in next || 'retry' in next ? next : told.reconcile(key);
    },
  };
}

function repeat(clock: Clock, milliseconds: number, run: () => Promise<void> | void): () => void {
  let cancel = () => {};
  let over = false;
  const wait = () => {
    // What runs when it is cancelled must not begin anew.
    if (!over) cancel = clock.after(milliseconds, () => void Promise.resolve(run()).then(wait));
  };
  wait();
  return () => {
    over = true;
    cancel();
  };
}
