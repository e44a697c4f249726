import { setImmediate } from 'node:timers/promises';
import { ApiServer } from '../../src/simulation/api-server.ts';
import { type Controllers, startControllers } from '../../src/simulation/controllers/controllers.ts';
import { fakeNode } from '../../src/simulation/controllers/fake-node.ts';
import { type Dice, dice } from '../../src/simulation/dice.ts';
import { Etcd } from '../../src/simulation/etcd.ts';
import { type BudgetObject, holds, type PodObject } from '../../src/simulation/objects.ts';
import type { Request, Response } from '../../src/simulation/request.ts';
import { Timeline } from '../../src/simulation/timeline.ts';
import type { Mishaps } from '../simulation/network.ts';
import { FROM, START, TO } from '../simulation/scenario.ts';
import { appsOf, namespacesOf, type Posted, type Scene, START_SECONDS } from './scenes.ts';

const SETTLING_MS = 10_000;
const MOST_SETTLING_MS = 3_600_000;

/** Nothing goes wrong: the bench measures speed, the swarm measures faults. */
export const CALM: Mishaps = { request: () => ({}), watch: () => ({}), isDown: () => false };

/** A simulated cluster in virtual time, without checkers. */
export type BenchWorld = {
  readonly timeline: Timeline;
  readonly server: ApiServer;
  readonly controllers: Controllers;
  readonly etcd: Etcd;
  readonly dice: Dice;
  /** Somebody's promises may go on at this instant. */
  stirred(): void;
  /** Creates something as a person would, at once. */
  post(posted: Posted): void;
  /** Lets time pass until something holds, or so many milliseconds are over; says whether it holds. */
  run(milliseconds: number, until?: () => boolean): Promise<boolean>;
  stop(): void;
};

/** Makes the cluster of a scenario and waits until every pod is ready and every budget allows what it can. */
export async function openWorld(
  scene: Scene,
  seed: number,
  answered: (request: Request, response: Response) => void,
): Promise<BenchWorld> {
  const chance = dice(seed).fork('bench');
  const [timeline, etcd] = [new Timeline(START), new Etcd()];
  const server = new ApiServer({ etcd, timeline, dice: chance.fork('server'), release: TO, answered });
  const startMs = START_SECONDS * 1000;
  const controllers = startControllers({
    registry: server.registry,
    timeline,
    dice: chance.fork('controllers'),
    options: { podStart: [startMs, startMs] },
  });
  const world = worldOf({ timeline, etcd, server, controllers, dice: chance });
  for (const name of namespacesOf(scene)) world.post({ path: '/api/v1/namespaces', object: { metadata: { name } } });
  for (let index = 1; index <= scene.nodes; index += 1) {
    const name = `worker-${String(index).padStart(4, '0')}`;
    world.post({ path: '/api/v1/nodes', object: fakeNode({ name, kubeletVersion: FROM }, chance) });
  }
  // Nodes first: pods that find few of them Ready would crowd there.
  await world.run(SETTLING_MS);
  for (const posted of appsOf(scene)) world.post(posted);
  for (let waited = 0; !isAtEase(world, scene); waited += SETTLING_MS) {
    if (waited > MOST_SETTLING_MS) throw new Error(`scenario ${scene.name} never came to rest before its rollout`);
    await world.run(SETTLING_MS);
  }
  return world;
}

type Parts = Pick<BenchWorld, 'timeline' | 'etcd' | 'server' | 'controllers' | 'dice'>;

function worldOf(parts: Parts): BenchWorld {
  const { timeline, server, controllers } = parts;
  let stirred = false;
  return {
    ...parts,
    stirred: () => {
      stirred = true;
    },
    post: ({ path, object }) => {
      const asked = { method: 'POST', path, user: 'person', contentType: 'application/json', body: object };
      const { status, body } = server.handle(asked);
      if (status >= 400) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
    },
    run: async (milliseconds, until = () => false) => {
      const end = timeline.now() + milliseconds;
      for (let next = timeline.next(); next !== undefined && next <= end; next = timeline.next()) {
        timeline.step();
        if (stirred) {
          stirred = false;
          // Everything that the operator can do now it does now: its promises run, and none of them waits for anything real.
          await setImmediate();
        }
        if (until()) return true;
      }
      timeline.pass(end);
      return until();
    },
    stop: () => controllers.stop(),
  };
}

function isAtEase({ server: { registry } }: BenchWorld, { nodes, podsPerNode }: Scene): boolean {
  const pods = registry.list<PodObject>('pods');
  if (pods.length < nodes * podsPerNode || !pods.every(({ status }) => holds(status.conditions, 'Ready'))) return false;
  return registry
    .list<BudgetObject>('poddisruptionbudgets.policy')
    .every(({ status }) => status.currentHealthy === status.expectedPods && (status.disruptionsAllowed ?? 0) > 0);
}
