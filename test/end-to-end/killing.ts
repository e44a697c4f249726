import { afterAll, beforeAll } from 'vitest';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import {
  type Hold,
  type HoldOptions,
  type HoldProxy,
  startHoldProxy,
  type Write,
} from '../control-plane/hold-proxy.ts';
import { createNodes } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { alone, atRest, begin, isAtRest } from './alone.ts';
import { apply, type Ground, type Operator, startGround, startOperator } from './ground.ts';
import { policy, profile } from './shop.ts';

/** An operator behind a proxy of its own. */
type Replica = { readonly operator: Operator; readonly proxy: HoldProxy };
type Killed = { readonly write: Write; readonly hold: Hold; readonly dead: Replica };

/** Where an operator is killed; told at which write the one before it was. */
export type LifeOf = (last: Write | undefined) => HoldOptions;

/** A control plane on which the operator is killed again and again, and another goes on each time. */
export type Killing = {
  readonly ground: Ground;
  /** The log of the one that works. */
  log(): string;
  /** Begins the upgrade of a fresh node and kills at a write; undefined if it was at rest before there was one. */
  killedAt(node: string, profileName: string, options: HoldOptions): Promise<Killed | undefined>;
  /**
   * Begins the upgrade of a fresh node and kills one operator after the other until it is at rest, each where `lifeOf` says,
   * which is told at which write the one before it was killed. That goes on when the next operator has listed the world.
   */
  killedAgain(node: string, profileName: string, lifeOf: LifeOf): Promise<readonly Write[]>;
};

/** More than any passage has, so that a loop that does not end is told. */
const MOST_WRITES = 40;

/** Sets up the kills of a file. */
export function killing(): Killing {
  let ground: Ground | undefined;
  let replicas: Replicas | undefined;
  beforeAll(async () => {
    ground = await startGround();
    await prepare(ground);
    replicas = await startReplicas(ground);
    await warmUp(ground);
  });
  afterAll(async () => {
    await replicas?.stop();
    await ground?.stop();
  });
  return {
    get ground() {
      return there(ground);
    },
    log: () => there(replicas).now().operator.log(),
    killedAt: (node, profileName, options) => killedAt(there(ground), there(replicas), node, profileName, options),
    killedAgain: (node, profileName, lifeOf) => killedAgain(there(ground), there(replicas), node, profileName, lifeOf),
  };
}

async function prepare({ plane, agent }: Ground): Promise<void> {
  agent.behave('*', { workSeconds: 0.1 });
  await plane.createNamespace('shop');
  await apply(plane, [
    policy(),
    profile({ prePull: false, drain: { mode: 'Cordon' } }, 'cordon'),
    profile({ prePull: true, drain: { mode: 'Drain', loadBalancer: { exclude: true, waitSeconds: 0 } } }, 'drain'),
  ]);
}

async function warmUp({ plane }: Ground): Promise<void> {
  await createNodes(plane, [alone('warm')]);
  await begin(plane, 'warm', 'cordon');
  await atRest(plane, 'warm');
}

/** The one that works, and one that has seen nothing yet: it is started before the kill, but nothing passes its proxy. */
type Replicas = {
  now(): Replica;
  next(): Replica;
  /** Kills the one that works with -9 and lets the next begin; returns the dead one. */
  kill(): Promise<Replica>;
  stop(): Promise<void>;
};

async function startReplicas({ plane }: Ground): Promise<Replicas> {
  const solo = async (silent: boolean): Promise<Replica> => {
    const proxy = await startHoldProxy(plane);
    proxy.silence(silent);
    return { operator: await startOperator(plane, { server: proxy.server, args: ['--leader-elect', 'false'] }), proxy };
  };
  let now = await solo(false);
  let next = await solo(true);
  await now.operator.ready();
  return {
    now: () => now,
    next: () => next,
    kill: async () => {
      const dead = now;
      await dead.operator.end('KILL');
      now = next;
      now.proxy.silence(false);
      next = await solo(true);
      await now.operator.ready();
      return dead;
    },
    stop: async () => {
      for (const { operator, proxy } of [now, next]) {
        await operator.end();
        await proxy.stop();
      }
    },
  };
}

async function killedAt(
  { plane }: Ground,
  replicas: Replicas,
  node: string,
  profileName: string,
  options: HoldOptions,
): Promise<Killed | undefined> {
  const hold = replicas.now().proxy.hold(options);
  await begin(plane, node, profileName);
  const write = await heldOn(plane, node, hold);
  return write === undefined ? undefined : { write, hold, dead: await replicas.kill() };
}

async function killedAgain(
  { plane }: Ground,
  replicas: Replicas,
  node: string,
  profileName: string,
  lifeOf: LifeOf,
): Promise<readonly Write[]> {
  const writes: Write[] = [];
  const dead: Replica[] = [];
  let hold = replicas.now().proxy.hold(lifeOf(undefined));
  await begin(plane, node, profileName);
  for (;;) {
    const write = await heldOn(plane, node, hold);
    if (write === undefined) break;
    writes.push(write);
    if (writes.length >= MOST_WRITES) throw new Error(`the passage of ${node} does not end: ${writes.length} kills`);
    const following = replicas.next().proxy.hold(lifeOf(write));
    dead.push(await replicas.kill());
    hold.release();
    hold = following;
  }
  for (const { proxy } of dead) await proxy.stop();
  return writes;
}

/** Waits until a write is held; undefined if the passage of a node is over before there is one. */
async function heldOn(plane: ControlPlane, node: string, hold: Hold): Promise<Write | undefined> {
  let write: Write | undefined;
  const reached = hold.reached.then((held) => {
    write = held;
  });
  const over = until(async () => write !== undefined || (await isAtRest(plane, node)), {
    what: `the write is held, or the passage of ${node} is over`,
    everyMs: 1_000,
  });
  await Promise.race([reached, over]);
  if (write === undefined) hold.drop();
  return write;
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing is set up yet');
  return value;
}
