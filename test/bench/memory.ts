import { join } from 'node:path';
import { pause, until } from '../control-plane/until.ts';
import { bundle } from '../support/bundle.ts';
import { type Crowd, fill } from './crowd.ts';
import { type Figure, median, rowsOf, table } from './figures.ts';
import { measure } from './measured.ts';
import { startBundle } from './operator.ts';
import { type ServedModel, serveModel } from './served-model.ts';

const CROWD: Crowd = { nodes: 5_000, pods: 150_000, budgets: 10_000, allows: 1 };
const SETTLED_MS = 15_000;
const IDLE_MS = 60_000;
const SYNC_SECONDS = 300;
const MB = 1_000_000;

type Synced = {
  readonly seconds: number;
  readonly syncStallMs: number;
  readonly rss: number;
  readonly settledRss: number;
  readonly heapUsed: number;
  readonly laterStallMs: number;
};
type Idle = {
  readonly cpuShare: number;
  readonly handshakes: number;
  readonly requests: number;
  readonly rss: number;
};

/** What it costs to look at a large cluster: memory, time until it is known, stalls, and what idling takes. */
export async function memory(runs: number, say: (line?: string) => void, crowd: Crowd = CROWD): Promise<void> {
  const { nodes, pods, budgets } = crowd;
  const size = [nodes, pods, budgets].map((each) => each.toLocaleString('en'));
  say(`memory: ${size[0]} nodes, ${size[1]} pods, ${size[2]} budgets served over HTTPS by the process of the bench`);
  const model = await serveModel(() => {});
  const log = (name: string) => join(model.directory, `${name}.log`);
  fill(model, crowd);
  const podBytes = JSON.stringify(model.api.registry.list('pods')[0]).length;
  say(`  the model is filled; a pod has ${podBytes} bytes of JSON`);
  const empty = await emptyRss(log('empty'));
  say('  a naive client lists everything and keeps it');
  const naive = await runNaive(model, log('naive'));
  const file = await bundle(join(model.directory, 'drydock.mjs'));
  const found: Synced[] = [];
  let idle: Idle | undefined;
  for (let run = 1; run <= runs; run += 1) {
    const isLast = run === runs;
    say(`  the operator starts, run ${run} of ${runs}${isLast ? ', and idles for a minute at its end' : ''}`);
    const [synced, rested] = await runOperator(model, file, log(`operator-${run}`), isLast);
    found.push(synced);
    idle = rested;
  }
  await model.stop();
  say();
  say(pageOf(found, idle, { empty, naive }));
}

async function emptyRss(log: string): Promise<number> {
  const process = measure(['-e', 'setInterval(() => {}, 1_000_000)'], { log });
  await pause(2_000);
  const { rss } = await process.ask();
  await process.end();
  return rss;
}

type Naive = { readonly seconds: number; readonly rss: number };

async function runNaive({ url, token, caFile }: ServedModel, log: string): Promise<Naive> {
  const naive = measure([join(import.meta.dirname, 'naive.cjs'), url, token, caFile], { log });
  const said = () => /^listed \d+ ([\d.]+)$/.exec(naive.said());
  const [, seconds] = await until(() => said() ?? (naive.alive() ? undefined : [naive.said()]), {
    what: 'the naive client has listed everything',
    seconds: SYNC_SECONDS,
  });
  if (seconds === undefined) throw new Error(`the naive client has ended: ${naive.said()}`);
  await pause(SETTLED_MS);
  const { rss } = await naive.ask();
  await naive.end();
  return { seconds: Number(seconds), rss };
}

async function runOperator(
  model: ServedModel,
  file: string,
  log: string,
  idles: boolean,
): Promise<readonly [Synced, Idle | undefined]> {
  const from = performance.now();
  const operator = await startBundle(file, model.kubeconfig, log);
  const waiting = { seconds: SYNC_SECONDS, everyMs: 20 };
  await until(() => operator.answers('/healthz'), { what: 'the operator answers', ...waiting });
  // Loading the program is no stall of anything: the first answer is where the measuring of stalls begins.
  await operator.ask();
  await until(() => operator.answers('/readyz'), { what: 'the operator has filled its caches', ...waiting });
  const seconds = (performance.now() - from) / 1000;
  const { stallMs: syncStallMs, rss } = await operator.ask();
  await pause(SETTLED_MS);
  const { stallMs: laterStallMs, rss: settledRss, heapUsed } = await operator.ask('rest');
  const rested = idles ? await idleOf(model, operator.ask) : undefined;
  await operator.end();
  // The Lease of a process that was killed runs out by itself, and the next one would wait for it.
  model.api.registry.remove('leases.coordination.k8s.io', 'kube-system/drydock', {}, { by: 'bench' });
  return [{ seconds, syncStallMs, rss, settledRss, heapUsed, laterStallMs }, rested];
}

type Ask = Awaited<ReturnType<typeof startBundle>>['ask'];

async function idleOf({ counts }: ServedModel, ask: Ask): Promise<Idle> {
  const before = { ...counts, cpuMs: (await ask()).cpuMs };
  await pause(IDLE_MS);
  const { cpuMs, rss } = await ask();
  return {
    cpuShare: (cpuMs - before.cpuMs) / IDLE_MS,
    handshakes: counts.handshakes - before.handshakes,
    requests: counts.requests - before.requests,
    rss,
  };
}

const FIGURES: readonly Figure<Synced>[] = [
  ['start until /readyz', ({ seconds }) => seconds, 's', 1],
  ['longest stall of the event loop until then', ({ syncStallMs }) => syncStallMs, 'ms'],
  ['longest stall in the 15 s after', ({ laterStallMs }) => laterStallMs, 'ms'],
  ['RSS at /readyz', ({ rss }) => rss / MB, 'MB'],
  ['RSS 15 s later', ({ settledRss }) => settledRss / MB, 'MB'],
  ['  of that in use on the heap', ({ heapUsed }) => heapUsed / MB, 'MB'],
];

function pageOf(
  found: readonly Synced[],
  idle: Idle | undefined,
  { empty, naive }: { readonly empty: number; readonly naive: Naive },
): string {
  const settled = median(found.map(({ settledRss }) => settledRss));
  const beside = (name: string, rss: number) => [
    name,
    `${(rss / MB).toFixed(0)} MB`,
    `${(settled / rss).toFixed(2)} ×`,
  ];
  return [
    table(['the bundled operator', 'median', 'runs'], rowsOf(found, FIGURES)),
    '',
    table(
      ['beside it', 'RSS', 'operator is'],
      [
        beside('an empty Node process', empty),
        beside(`a client that keeps what it lists (in ${naive.seconds.toFixed(0)} s, the first to ask)`, naive.rss),
      ],
    ),
    ...(idle === undefined ? [] : ['', idled(idle)]),
  ].join('\n');
}

function idled({ cpuShare, handshakes, requests, rss }: Idle): string {
  const [cpu, memory] = [(100 * cpuShare).toFixed(2), (rss / MB).toFixed(0)];
  return `  Idle for a minute: ${cpu} % of one CPU, ${handshakes} TLS handshakes, ${requests} requests, then ${memory} MB.`;
}
