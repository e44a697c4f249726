import { afterAll, afterEach, beforeAll } from 'vitest';
import { type HoldProxy, startHoldProxy } from '../control-plane/hold-proxy.ts';
import { apply, type Ground, startGround, startOperator } from './ground.ts';
import { strikeScene } from './scene.ts';
import { policy } from './shop.ts';

/** What the tests of a file play on; there once the first of them begins. */
export type Stage = Pick<Ground, 'plane' | 'agent'> & {
  /** Between the operator and the API server, where the stage is set with one. */
  readonly proxy: HoldProxy;
};

/** How a stage is set. */
export type StageOptions = {
  /** Of the MaintenancePolicy. */
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly proxied?: boolean;
  /** What a test may have turned that striking its scene does not turn back. */
  readonly turnBack?: (stage: Stage) => Promise<void> | void;
};

/** One control plane and one operator for all tests of a file, each of which finds an empty stage. */
export function stage(options: StageOptions = {}): Stage {
  const atEnd: (() => Promise<void>)[] = [];
  let ground: Ground | undefined;
  let proxy: HoldProxy | undefined;
  const own: Stage = {
    get plane() {
      return there(ground).plane;
    },
    get agent() {
      return there(ground).agent;
    },
    get proxy() {
      return there(proxy);
    },
  };
  beforeAll(async () => {
    ground = await startGround();
    atEnd.unshift(ground.stop);
    const { plane } = ground;
    await apply(plane, [policy(options.policy)]);
    if (options.proxied) {
      const started = await startHoldProxy(plane);
      atEnd.unshift(() => started.stop());
      proxy = started;
    }
    const server = proxy === undefined ? {} : { server: proxy.server };
    const operator = await startOperator(plane, { ...server, args: ['--leader-elect', 'false'] });
    atEnd.unshift(() => operator.end());
    await operator.ready();
  });
  afterEach(async () => {
    await options.turnBack?.(own);
    await strikeScene(own.plane);
  });
  afterAll(async () => {
    for (const end of atEnd) await end();
  });
  return own;
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the stage is not set, or not with that');
  return value;
}
