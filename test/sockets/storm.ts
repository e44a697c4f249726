import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/runtime/clock.ts';
import { type Dice, dice } from '../../src/simulation/dice.ts';
import type { AtDoor, Streamed } from './fates.ts';
import { type Ground, hurried, startGround, type Watched, watched } from './ground.ts';
import { Truth, type Violation } from './oracle.ts';
import { type Back, type Breaker, startProxy } from './proxy.ts';
import { Writer } from './writer.ts';

/** How much of a storm. */
export type StormOptions = {
  readonly seed: number;
  readonly disconnects: number;
  readonly events: number;
  readonly rounds: number;
  /** How many operators watch at once, every kind each. */
  readonly clusters: number;
  readonly pods: number;
  readonly nodes: number;
  /** How long a watch lives before something is done to it, in milliseconds. */
  readonly life: readonly [number, number];
  /** How many times faster the operator's own pauses are. */
  readonly hurry: number;
  /**
   * How long nobody may have been told anything while a cache is not the truth, once it is quiet: counted in looks,
   * so that a process that does not get to run does not count as a cache that does not become right.
   */
  readonly settleMs: number;
  /** Whether it ends with the first breach. */
  readonly untilBroken?: boolean;
  readonly heard?: (progress: Progress) => void;
};

/** How far it has come. */
export type Progress = {
  readonly round: number;
  readonly disconnects: number;
  readonly events: number;
  readonly settledMs: number;
  readonly violations: readonly Violation[];
};

/** What came of it. */
export type Stormed = {
  readonly violations: readonly Violation[];
  readonly broken: number;
  /** What had been done last to the operator of which the first breach tells. */
  readonly injuries: readonly string[];
  readonly events: number;
  readonly told: number;
  readonly lists: number;
  readonly disconnects: number;
  readonly counts: ReadonlyMap<Streamed | AtDoor, number>;
  readonly refusedConnections: number;
  readonly back: ReadonlyMap<Streamed | AtDoor, Back>;
  readonly compactions: number;
  readonly quietPoints: number;
  readonly settledMs: readonly number[];
  readonly milliseconds: number;
  /** How long the event loop of this one process was held up at most times, in milliseconds (99 %). */
  readonly loopMs: number;
  /** How much of the time in which this thread had something to do it was let run, from 0 to 1: the rest is the machine's. */
  readonly share: number;
};

const MOST_SHOWN = 20;
const TICK_MS = 5;
/** What this thread may have to do in a tick, in microseconds of its own: what others do on the machine is no reason to wait. */
const MOST_WORK_US = 20_000;
const MOST_A_TICK = 100;
const AFTER_STOP_WRITES = 200;
const AFTER_STOP_MS = 300;
const LOOK_MS = 50;
/** Whoever is told again and again is not about to become right either. */
const LONGEST_SETTLES = 3;
const LEAVING_MS = 5_000;

type Scene = {
  readonly options: StormOptions;
  readonly ground: Ground;
  readonly truth: Truth;
  readonly writer: Writer;
  readonly proxy: Breaker;
  readonly chance: Dice;
  readonly all: readonly Watched[];
  readonly start: (name: string) => Watched;
  readonly violations: Violation[];
  readonly visitors: Watched[];
  compactions: number;
  injuries: readonly string[];
};

/** Writes and breaks for a while, again and again, and asks at each quiet point whether every cache is the truth. */
export async function storm(options: StormOptions): Promise<Stormed> {
  const from = performance.now();
  const loop = monitorEventLoopDelay({ resolution: 10 });
  loop.enable();
  const [busyFrom, ranFrom] = [performance.eventLoopUtilization(), process.threadCpuUsage()];
  const scene = await begin(options);
  const { proxy, all, violations, truth } = scene;
  const settledMs: number[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    await rage(scene, round);
    settledMs.push(await quiet(scene));
    remember(scene);
    const progress = { round, disconnects: proxy.disconnects(), events: truth.events };
    options.heard?.({ ...progress, settledMs: settledMs.at(-1) ?? 0, violations: violations.slice(0, MOST_SHOWN) });
    if (options.untilBroken && violations.length > 0) break;
  }
  await end(scene);
  loop.disable();
  const { user, system } = process.threadCpuUsage(ranFrom);
  const share = (user + system) / 1000 / performance.eventLoopUtilization(busyFrom).active;
  const ears = [...all, ...scene.visitors].map(({ ear }) => ear);
  const sum = (of: 'told' | 'lists' | 'refusedConnections') => ears.reduce((total, ear) => total + ear[of], 0);
  const refusedConnections = sum('refusedConnections');
  return {
    violations: violations.slice(0, MOST_SHOWN),
    broken: violations.length,
    injuries: scene.injuries,
    events: truth.events,
    told: sum('told'),
    lists: sum('lists'),
    disconnects: proxy.disconnects() + refusedConnections,
    counts: proxy.counts,
    refusedConnections,
    back: proxy.back,
    compactions: scene.compactions,
    quietPoints: settledMs.length,
    settledMs,
    milliseconds: performance.now() - from,
    loopMs: loop.percentile(99) / 1e6,
    share,
  };
}

async function begin(options: StormOptions): Promise<Scene> {
  const chance = dice(options.seed);
  const ground = await startGround(chance.fork('model'));
  const writer = new Writer(ground.api.registry, chance.fork('writer'), options);
  writer.begin();
  const truth = new Truth(ground.api.registry.etcd);
  const proxy = await startProxy({ upstream: ground.url, dice: chance.fork('proxy'), life: options.life });
  const violations: Violation[] = [];
  const clock = hurried(options.hurry);
  const start = (name: string) => {
    const violate = (violation: Violation) => violations.push(violation);
    return watched({ name, proxy, truth, clock, limits: systemClock, dice: chance.fork(name), violate });
  };
  const all = Array.from({ length: options.clusters }, (_, at) => start(`operator-${at}`));
  await Promise.all(all.map(({ synced }) => synced));
  const more = { visitors: [], compactions: 0, injuries: [] };
  return { options, ground, truth, writer, proxy, chance: chance.fork('storm'), all, start, violations, ...more };
}

function remember(scene: Scene): void {
  const name = scene.violations[0]?.text.split(':')[0];
  if (name !== undefined && scene.injuries.length === 0) scene.injuries = scene.proxy.told(name);
}

/**
 * Writes at the pace at which connections break, so that there is always something to miss; and no faster than this one
 * process serves, passes on and reads, or what is measured would be its own queues.
 */
async function rage(scene: Scene, round: number): Promise<void> {
  const { options, truth, writer, proxy, chance, ground } = scene;
  const share = (of: number) => Math.ceil((of * round) / options.rounds);
  const [events, disconnects] = [share(options.events), share(options.disconnects)];
  const [writtenBefore, brokenBefore] = [truth.events, proxy.disconnects()];
  proxy.storm();
  const refusing = chance.chance(0.5) ? proxy.refuse(chance.between(50, 300)) : undefined;
  const visiting = visit(scene, round);
  let compactAt = chance.chance(0.7) ? chance.roll() : Number.POSITIVE_INFINITY;
  let isLate = false;
  while (truth.events < events || proxy.disconnects() < disconnects) {
    const done = (proxy.disconnects() - brokenBefore + 1) / Math.max(1, disconnects - brokenBefore);
    const due = Math.min(events, writtenBefore + (events - writtenBefore) * Math.min(1, done));
    for (let count = 0; count < MOST_A_TICK && !isLate && truth.events < due; count += 1) writer.write();
    if (done > compactAt) {
      compactAt = Number.POSITIVE_INFINITY;
      scene.compactions += 1;
      ground.api.registry.etcd.compact(truth.etcd.revision);
    }
    const from = process.threadCpuUsage();
    await sleep(TICK_MS);
    const { user, system } = process.threadCpuUsage(from);
    isLate = user + system > MOST_WORK_US;
  }
  await refusing;
  await visiting;
}

/** Somebody who comes and goes in the middle of it, at the latest before the caches of all others are asked for. */
async function visit(scene: Scene, round: number): Promise<void> {
  const visitor = scene.start(`visitor-${round}`);
  scene.visitors.push(visitor);
  await sleep(scene.chance.between(0, 400));
  await visitor.stop();
}

/** Lets everything come through, and asks. What comes back is how long it took. */
async function quiet({ options, proxy, all, truth, violations, ground }: Scene): Promise<number> {
  const from = performance.now();
  proxy.calm();
  let [heard, idleLooks, looks, right] = [0, 0, 0, 0];
  const most = options.settleMs / LOOK_MS;
  for (;;) {
    // One after the other: to look at all each time would keep them from becoming right.
    while (right < all.length && all[right]?.ear.difference() === undefined) right += 1;
    const hears = all.reduce((sum, { ear }) => sum + ear.told, 0);
    idleLooks = hears === heard ? idleLooks + 1 : 0;
    heard = hears;
    looks += 1;
    const late = idleLooks > most || looks > LONGEST_SETTLES * most;
    const wrong = late || right === all.length ? all.flatMap(({ ear }) => ear.difference() ?? []) : undefined;
    if (late) violations.push(...(wrong ?? []));
    if (late || wrong?.length === 0) break;
    if (wrong !== undefined) right = 0;
    await sleep(LOOK_MS);
  }
  for (const { ear } of all) ear.compare();
  const unreadable = all.reduce((sum, { ear }) => sum + ear.unreadable, 0);
  if (unreadable > proxy.htmlWatches()) {
    violations.push({ property: 'line', text: `${unreadable} lines were not read, ${proxy.htmlWatches()} were HTML` });
  }
  truth.forget();
  // A kind that is quiet itself has no newer version to go on from, and lists again.
  ground.api.registry.etcd.compact(truth.etcd.revision - 1);
  return performance.now() - from;
}

/** Stops everybody while there is most to tell, and listens whether anything comes still. */
async function end({ proxy, all, writer, ground, violations }: Scene): Promise<void> {
  proxy.storm();
  for (let count = 0; count < AFTER_STOP_WRITES; count += 1) writer.write();
  await sleep(TICK_MS);
  for (let count = 0; count < AFTER_STOP_WRITES; count += 1) writer.write();
  await Promise.all(all.map((each) => each.stop()));
  for (let count = 0; count < AFTER_STOP_WRITES; count += 1) writer.write();
  await sleep(AFTER_STOP_MS);
  // That a watch was left goes over two connections, past whatever they carry still.
  for (let waited = 0; ground.api.watches.count > 0 && waited < LEAVING_MS; waited += TICK_MS) await sleep(TICK_MS);
  const { count } = ground.api.watches;
  if (count > 0) violations.push({ property: 'stop', text: `${count} watches are still open at the server` });
  await proxy.stop();
  await ground.stop();
}
