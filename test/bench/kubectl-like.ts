import type { Sent } from '../../src/cluster/effects.ts';
import { holds, type JobObject, type NodeObject, type PodObject } from '../../src/simulation/objects.ts';
import { Network } from '../simulation/network.ts';
import { ProcessClock } from '../simulation/process-clock.ts';
import type { Scene } from './scenes.ts';
import { type BenchWorld, CALM } from './world.ts';

/** Who the loop is in the books of the API server. */
export const KUBECTL = 'kubectl-like';
const AGAIN_MS = 5_000;
const LOOK_MS = 1_000;
const MERGE = 'application/merge-patch+json';

/**
 * What a script around `kubectl drain` does: the nodes in their order, so many at a time; cordon, evict what is there, ask
 * again after 5 s for what was refused, look at each pod every second until it is gone, run the job, uncordon.
 */
export async function kubectlLike(world: BenchWorld, scene: Scene): Promise<void> {
  const { server, timeline, dice } = world;
  const clock = new ProcessClock(timeline, 0, world.stirred);
  const network = new Network({
    server,
    timeline,
    dice: dice.fork(KUBECTL),
    clock,
    user: KUBECTL,
    mishaps: CALM,
    mayWrite: () => true,
    crash: () => {},
  });
  const pause = (milliseconds: number) => new Promise<void>((resolve) => clock.after(milliseconds, resolve));
  const ask = async (method: Sent['method'], path: string, body?: unknown): Promise<Said> => {
    const contentType = method === 'PATCH' ? MERGE : 'application/json';
    const sent = { method, path, resource: '', contentType, ...(body === undefined ? {} : { body }) };
    const answer = await network.call(sent);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.message}`);
    return { status: answer.value.status, body: JSON.parse(answer.value.body) as unknown };
  };
  const waiting = server.registry.list<NodeObject>('nodes').map(({ metadata }) => metadata.name);
  const lane = async () => {
    for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
      await through({ ask, pause }, node, scene.jobSeconds);
    }
  };
  await Promise.all(Array.from({ length: scene.most }, lane));
}

type Said = { readonly status: number; readonly body: unknown };
type Hands = {
  readonly ask: (method: Sent['method'], path: string, body?: unknown) => Promise<Said>;
  readonly pause: (milliseconds: number) => Promise<void>;
};

async function through(hands: Hands, node: string, jobSeconds: number): Promise<void> {
  const { ask } = hands;
  await ask('PATCH', `/api/v1/nodes/${node}`, { spec: { unschedulable: true } });
  await drain(hands, node);
  await work(hands, node, jobSeconds);
  await ask('PATCH', `/api/v1/nodes/${node}`, { spec: { unschedulable: null } });
}

async function drain({ ask, pause }: Hands, node: string): Promise<void> {
  const { body: found } = await ask('GET', `/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`);
  const pods = (found as { readonly items: readonly PodObject[] }).items;
  const pathOf = ({ metadata: { name, namespace } }: PodObject) => `/api/v1/namespaces/${namespace}/pods/${name}`;
  for (let left = pods; left.length > 0; ) {
    const refused: PodObject[] = [];
    for (const pod of left) {
      const { name, namespace } = pod.metadata;
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
      const { status } = await ask('POST', `${pathOf(pod)}/eviction`, eviction);
      if (status === 429) refused.push(pod);
    }
    left = refused;
    if (left.length > 0) await pause(AGAIN_MS);
  }
  for (const pod of pods) {
    const isThere = async () => {
      const { status, body } = await ask('GET', pathOf(pod));
      return status === 200 && (body as PodObject).metadata.uid === pod.metadata.uid;
    };
    while (await isThere()) await pause(LOOK_MS);
  }
}

async function work({ ask, pause }: Hands, node: string, jobSeconds: number): Promise<void> {
  const jobs = '/apis/batch/v1/namespaces/drydock-jobs/jobs';
  const annotations = { 'test.drydock.dev/complete-after': String(jobSeconds) };
  const template = {
    metadata: { annotations },
    spec: { nodeName: node, restartPolicy: 'Never', containers: [{ name: 'work', image: 'shop/work' }] },
  };
  const metadata = { name: node, namespace: 'drydock-jobs' };
  await ask('POST', jobs, { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template } });
  const isDone = async () => {
    const { body } = await ask('GET', `${jobs}/${node}`);
    return holds((body as JobObject).status.conditions, 'Complete');
  };
  while (!(await isDone())) await pause(LOOK_MS);
}
