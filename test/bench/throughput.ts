import { join } from 'node:path';
import { startControllers } from '../../src/simulation/controllers/controllers.ts';
import { fakeNode } from '../../src/simulation/controllers/fake-node.ts';
import { type BudgetObject, holds, type NodeObject, type PodObject } from '../../src/simulation/objects.ts';
import { pause, until } from '../control-plane/until.ts';
import { FROM } from '../simulation/scenario.ts';
import { bundle } from '../support/bundle.ts';
import { fill } from './crowd.ts';
import { type Figure, quantile, rowsOf, table } from './figures.ts';
import { watchFreed } from './freed.ts';
import { measure } from './measured.ts';
import { startBundle } from './operator.ts';
import { appsOf, namespacesOf, type Posted, rules, type Scene, upgradeOf } from './scenes.ts';
import { OPERATOR, type ServedModel, serveModel } from './served-model.ts';
import { tallyOf } from './tally.ts';

const EVICTED = { nodes: 50, pods: 5_000, budgets: 250, allows: 20 };
const CORDONED = { nodes: 3_000, pods: 100, budgets: 10, allows: 10 };
const DRAINED = { nodes: 100, pods: 3_000, budgets: 150, allows: 20, version: FROM };
const TIGHT: Scene = {
  name: 'tight',
  nodes: 20,
  podsPerNode: 15,
  apps: 20,
  most: 5,
  maxUnavailable: 1,
  readySeconds: 2,
  jobSeconds: 2,
};
const LIMIT_SECONDS = 600;
const WARM_MS = 3_000;

type Pushed = { readonly perSecond: number; readonly cpuMs: number };
type Whole = { readonly evictions: number; readonly cordons: number; readonly seconds: number };
type Tight = { readonly freed: readonly number[]; readonly calls: number; readonly refused: number };

/** How many evictions and cordons one process sends in a second, and how soon it uses a budget that is free again. */
export async function throughput(runs: number, say: (line?: string) => void): Promise<void> {
  say(
    'throughput: against the model served over HTTPS by the process of the bench; the operator is a process of its own',
  );
  const [evictions, cordons, wholes, tights]: [Pushed[], Pushed[], Whole[], Tight[]] = [[], [], [], []];
  for (let run = 1; run <= runs; run += 1) {
    say(`  run ${run} of ${runs}: evictions and cordons through effects and transport`);
    evictions.push(await push('evictions'));
    cordons.push(await push('cordons'));
    say(`  run ${run} of ${runs}: the whole operator, ${DRAINED.nodes} nodes at once, nothing in its way`);
    wholes.push(await drainAll());
    say(`  run ${run} of ${runs}: the whole operator, ${TIGHT.nodes} nodes, budgets that allow 1`);
    tights.push(await drainTight());
  }
  say();
  say(pageOf(evictions, cordons, wholes, tights));
}

/** The effects alone: what the operator's own requests cost, 64 at once, without anything that decides. */
async function push(what: 'evictions' | 'cordons'): Promise<Pushed> {
  const model = await serveModel(() => {});
  fill(model, what === 'evictions' ? EVICTED : CORDONED);
  const env = { KUBECONFIG: model.kubeconfig };
  const pusher = measure([join(import.meta.dirname, 'pusher.ts'), what], { log: join(model.directory, what), env });
  const said = () => /^pushed (\d+) ([\d.]+) ([\d.]+)$/.exec(pusher.said());
  const found = await until(() => said() ?? (pusher.alive() ? undefined : []), {
    what: `all ${what} are sent`,
    seconds: LIMIT_SECONDS,
  });
  const [count, seconds, cpu] = found.slice(1).map(Number);
  const problem = pusher.said();
  await pusher.end();
  await model.stop();
  if (count === undefined || seconds === undefined || cpu === undefined) throw new Error(`${what}: ${problem}`);
  return { perSecond: count / seconds, cpuMs: (1000 * cpu) / count };
}

/** Every node at once, every budget willing, no controller in the model: how fast the whole loop can go. */
async function drainAll(): Promise<Whole> {
  const [evictedAt, cordonedAt]: [number[], number[]] = [[], []];
  const model = await serveModel(({ method, path, user }, { status }) => {
    if (user !== OPERATOR || status >= 300) return;
    if (path.endsWith('/eviction')) evictedAt.push(performance.now());
    if (method === 'PATCH' && path.startsWith('/api/v1/nodes/')) cordonedAt.push(performance.now());
  });
  fill(model, DRAINED);
  const operator = await startReady(model);
  const from = performance.now();
  post(model, [upgradeOf({ most: DRAINED.nodes })]);
  const isOver = () => evictedAt.length >= DRAINED.pods;
  await until(isOver, { what: 'all pods are evicted', seconds: LIMIT_SECONDS });
  const seconds = ((evictedAt.at(-1) ?? 0) - from) / 1000;
  await operator.end();
  await model.stop();
  return { evictions: rate(evictedAt), cordons: rate(cordonedAt.slice(0, DRAINED.nodes)), seconds };
}

function rate(instants: readonly number[]): number {
  return (1000 * (instants.length - 1)) / ((instants.at(-1) ?? 0) - (instants[0] ?? 0));
}

/** A rollout whose budgets allow one at a time, with the model's controllers in real time. */
async function drainTight(): Promise<Tight> {
  const tally = tallyOf((user) => user === OPERATOR);
  let freed: ReturnType<typeof watchFreed> | undefined;
  const model = await serveModel((request, response) => {
    tally.answered(request, response);
    freed?.answered(request);
  });
  const { registry } = model.api;
  const controllers = startControllers({ registry, timeline: model.timeline, dice: model.dice.fork('controllers') });
  controllers.kubelets.behave('*', { workSeconds: TIGHT.jobSeconds });
  post(
    model,
    namespacesOf(TIGHT).map((name) => ({ path: '/api/v1/namespaces', object: { metadata: { name } } })),
  );
  const nodes = Array.from({ length: TIGHT.nodes }, (_, at) => `worker-${String(at).padStart(2, '0')}`);
  for (const name of nodes)
    registry.create('nodes', fakeNode({ name, kubeletVersion: FROM }, model.dice), { by: 'bench' });
  model.wake();
  await pause(WARM_MS);
  post(model, appsOf(TIGHT));
  await until(() => isAtEase(model), { what: 'every pod is ready', seconds: LIMIT_SECONDS });
  const operator = await startReady(model);
  freed = watchFreed(registry, () => performance.now());
  post(model, [upgradeOf(TIGHT)]);
  const isDone = ({ spec, status }: NodeObject) => status.nodeInfo?.kubeletVersion !== FROM && !spec.unschedulable;
  const isOver = () => registry.list<NodeObject>('nodes').every(isDone);
  await until(isOver, { what: 'the rollout is over', seconds: LIMIT_SECONDS });
  freed.stop();
  await operator.end();
  controllers.stop();
  await model.stop();
  const { evictionCalls, granted, refused } = tally.sums;
  return { freed: freed.milliseconds, calls: evictionCalls / granted, refused: refused / evictionCalls };
}

function isAtEase({ api: { registry } }: ServedModel): boolean {
  const pods = registry.list<PodObject>('pods');
  const ready = pods.filter(({ status }) => holds(status.conditions, 'Ready')).length;
  const budgets = registry.list<BudgetObject>('poddisruptionbudgets.policy');
  return (
    ready === TIGHT.nodes * TIGHT.podsPerNode &&
    budgets.every(({ status }) => status.currentHealthy === status.expectedPods && (status.disruptionsAllowed ?? 0) > 0)
  );
}

async function startReady(model: ServedModel) {
  // Without a policy the operator would make its own.
  post(model, rules());
  const file = await bundle(join(model.directory, 'drydock.mjs'));
  const operator = await startBundle(file, model.kubeconfig, join(model.directory, 'operator.log'));
  await until(() => operator.answers('/readyz'), { what: 'the operator is ready', seconds: LIMIT_SECONDS });
  await pause(WARM_MS);
  return operator;
}

function post({ api, wake }: ServedModel, all: readonly Posted[]): void {
  for (const { path, object } of all) {
    const asked = { method: 'POST', path, user: 'person', contentType: 'application/json', body: object };
    const { status, body } = api.handle(asked);
    if (status >= 400) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
  }
  wake();
}

/** The share of calls that cannot have been caused by what they met: they were sent before the budget was free. */
function early({ freed }: Tight): number {
  return (100 * freed.filter((each) => each < 1).length) / freed.length;
}

const alone = (what: string): readonly Figure<Pushed>[] => [
  [`${what} a second, effects alone`, ({ perSecond }) => perSecond],
  ['  CPU of the client for each', ({ cpuMs }) => cpuMs, 'ms', 2],
];
const WHOLE: readonly Figure<Whole>[] = [
  ['evictions a second, whole operator', ({ evictions }) => evictions],
  ['cordons a second, whole operator', ({ cordons }) => cordons],
  [`  ${DRAINED.pods} pods of ${DRAINED.nodes} nodes asked to go after`, ({ seconds }) => seconds, 's', 1],
];
const ONE_AT_A_TIME: readonly Figure<Tight>[] = [
  ['budget free → next eviction call, p50', ({ freed }) => quantile(freed, 0.5), 'ms'],
  ['budget free → next eviction call, p99', ({ freed }) => quantile(freed, 0.99), 'ms'],
  ['  within 1 ms, so on its way before', early, '%'],
  ['  eviction calls an evicted pod', ({ calls }) => calls, '', 3],
  ['  of which refused (429)', ({ refused }) => 100 * refused, '%', 1],
];

function pageOf(
  evictions: readonly Pushed[],
  cordons: readonly Pushed[],
  wholes: readonly Whole[],
  tights: readonly Tight[],
): string {
  const rows = [
    ...rowsOf(evictions, alone('evictions')),
    ...rowsOf(cordons, alone('cordons')),
    ...rowsOf(wholes, WHOLE),
    ...rowsOf(tights, ONE_AT_A_TIME),
  ];
  const waits = tights.map((tight) => tight.freed.length).join(' · ');
  return [
    table(['one process of the operator', 'median', 'runs'], rows),
    `  ${waits} times a budget became free while a pod waited.`,
  ].join('\n');
}
