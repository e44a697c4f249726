import { afterAll, beforeAll } from 'vitest';
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

/** A control plane on which the operator is killed again and again, and another goes on each time. */
export type Killing = {
  readonly ground: Ground;
  /** The log of the one that works. */
  log(): string;
  /** Begins the upgrade of a fresh node and kills at a write; undefined if it was at rest before there was one. */
  killedAt(node: string, profileName: string, options: HoldOptions): Promise<Killed | undefined>;
};

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
  let write: Write | undefined;
  const reached = hold.reached.then((held) => {
    write = held;
  });
  await begin(plane, node, profileName);
  const over = until(async () => write !== undefined || (await isAtRest(plane, node)), {
    what: `the write is held, or the passage of ${node} is over`,
  });
  await Promise.race([reached, over]);
  if (write === undefined) {
    hold.drop();
    return undefined;
  }
  return { write, hold, dead: await replicas.kill() };
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing is set up yet');
  return value;
}
