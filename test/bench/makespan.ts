import type { NodeObject, PodObject } from '../../src/simulation/objects.ts';
import { DRYDOCK, startProcess } from '../simulation/process.ts';
import { TO } from '../simulation/scenario.ts';
import { bound, type Load, type Standing, stockBound, type Task } from './bounds.ts';
import { KUBECTL, kubectlLike } from './kubectl-like.ts';
import { allowed, GRACE_SECONDS, replicasOf, rules, type Scene, START_SECONDS, upgradeOf } from './scenes.ts';
import { type Tally, tallyOf } from './tally.ts';
import { type BenchWorld, CALM, openWorld } from './world.ts';

/** What came of one rollout, in virtual seconds. */
export type Rollout = {
  readonly seconds: number;
  readonly bound: number;
  /** With stock controllers at their default rates, which the model does not have. */
  readonly stockBound: number;
  readonly nodes: number;
  readonly pods: number;
  readonly tally: Tally;
};

/** Who drains. */
export type Drainer = 'drydock' | 'kubectl-like';

const MOST_MS = 7 * 24 * 3_600_000;
/** The least that the model's own parts take between an eviction and a budget that is free again. */
const LAG_SECONDS = 0.017;

/** Rolls one scenario out, from the first request until the last node is done and schedulable. */
export async function rollOut(scene: Scene, drainer: Drainer, seed: number): Promise<Rollout> {
  const tally = tallyOf((user) => (drainer === 'drydock' ? user.startsWith(DRYDOCK) : user === KUBECTL));
  const world = await openWorld(scene, seed, tally.answered);
  const task = taskOf(world, scene);
  const from = world.timeline.now();
  const done = drainer === 'drydock' ? startDrydock(world, scene, seed) : startKubectl(world, scene);
  const finished = await world.run(MOST_MS, done.isOver);
  const seconds = (world.timeline.now() - from) / 1000;
  done.stop();
  world.stop();
  if (!finished) throw new Error(`${drainer} did not end scenario ${scene.name} in ${MOST_MS / 3_600_000} hours`);
  return {
    seconds,
    bound: bound(task),
    stockBound: stockBound(task),
    nodes: scene.nodes,
    pods: scene.nodes * scene.podsPerNode,
    tally: tally.sums,
  };
}

type Running = { readonly isOver: () => boolean; readonly stop: () => void };

/** The operator as it is shipped, on its wire of virtual time. */
function startDrydock(world: BenchWorld, scene: Scene, seed: number): Running {
  const { server, timeline, dice, controllers, etcd } = world;
  const open = new Set(server.registry.list('nodes').map(({ metadata }) => metadata.name));
  const died: { error: unknown } = { error: undefined };
  etcd.subscribe(({ resource, key, after }) => {
    if (resource !== 'nodes') return;
    const { spec, status } = after as NodeObject;
    if (status.nodeInfo?.kubeletVersion === TO && !spec.unschedulable) open.delete(key);
  });
  controllers.kubelets.behave('*', { workSeconds: scene.jobSeconds });
  const process = startProcess({
    identity: `drydock-${seed}`,
    server,
    timeline,
    dice: dice.fork('drydock'),
    elects: true,
    skewMs: 0,
    mishaps: CALM,
    stirred: world.stirred,
    died: (error) => {
      died.error = error;
    },
    said: () => {},
  });
  for (const posted of [...rules(), upgradeOf(scene)]) world.post(posted);
  return {
    isOver: () => {
      if (died.error !== undefined) throw died.error;
      return open.size === 0;
    },
    stop: () => process.kill(),
  };
}

function startKubectl(world: BenchWorld, scene: Scene): Running {
  const end: { is: 'running' | 'over'; error: unknown } = { is: 'running', error: undefined };
  kubectlLike(world, scene).then(
    () => {
      end.is = 'over';
    },
    (error: unknown) => {
      end.error = error;
    },
  );
  return {
    isOver: () => {
      if (end.error !== undefined) throw end.error;
      return end.is === 'over';
    },
    stop: () => {},
  };
}

/** What is to be done, from where the pods stand before anything is: each of them must leave at least once. */
function taskOf({ server }: BenchWorld, scene: Scene): Task {
  const loads = new Map<string, Load>(
    replicasOf(scene).map((replicas, index) => [
      `app-${index}`,
      { owner: 'Deployment', allows: allowed(scene.maxUnavailable, replicas), evictions: replicas },
    ]),
  );
  const standing = new Map<string, Map<Load, number>>();
  for (const { metadata, spec } of server.registry.all<PodObject>('pods')) {
    const load = loads.get(metadata.labels?.['app'] ?? '');
    if (load === undefined) throw new Error(`impossible: ${metadata.name} is of no app`);
    const here = standing.get(spec.nodeName ?? '') ?? new Map<Load, number>();
    standing.set(spec.nodeName ?? '', here.set(load, (here.get(load) ?? 0) + 1));
  }
  const nodes = [...standing.values()].map((here): Standing => [...here].map(([load, pods]) => ({ load, pods })));
  return {
    nodes,
    loads: [...loads.values()],
    most: scene.most,
    times: {
      cordon: 0,
      uncordon: 0,
      job: START_SECONDS + scene.jobSeconds,
      grace: GRACE_SECONDS,
      ready: scene.readySeconds,
      lag: LAG_SECONDS,
    },
  };
}
