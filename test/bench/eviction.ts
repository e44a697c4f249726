import { join } from 'node:path';
import type { Metadata } from '../control-plane/client.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { createNodes, nodePath } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, type Ground, must, startGround, USER } from '../end-to-end/ground.ts';
import { deployment, hold, policy, statefulSet } from '../end-to-end/shop.ts';
import { bundle } from '../support/bundle.ts';
import { type Told, toldBy } from './eviction-log.ts';
import { type Figure, quantile, rowsOf, table } from './figures.ts';
import { startBundle } from './operator.ts';

const DRAINED = ['worker-1', 'worker-2', 'worker-3'];
const SPARE = ['spare-1', 'spare-2', 'spare-3'];
const DEPLOYMENTS = ['cart', 'search', 'web'];
const STATEFUL_SETS = ['orders', 'payments', 'stock'];
const APPS = [...DEPLOYMENTS, ...STATEFUL_SETS];
const REPLICAS = 6;
const BUDGET = { maxUnavailable: 1 };
const READY_AFTER = { 'test.drydock.dev/ready-after': '1' };
/** The disruption controller takes a successor of the same name that comes at once for the pod that should have left. */
const SLOW_END = { ...READY_AFTER, 'test.drydock.dev/terminate-after': '1' };
const LIMIT_SECONDS = 600;
const AUDIT_POLICY = `--audit-policy-file=${join(import.meta.dirname, 'audit-policy.yaml')}`;
const ADMIN = 'drydock-test-admin';
const APPS_PATH = '/apis/apps/v1/namespaces/shop';
const PODS = '/api/v1/namespaces/shop/pods';

type Drained = Told & { readonly seconds: number };
type Drainer = {
  readonly user: string;
  drain(plane: ControlPlane): Promise<unknown>;
  giveBack(plane: ControlPlane): Promise<unknown>;
};
type Pod = {
  readonly metadata: Metadata;
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/** As people do it with several nodes: a kubectl for each, side by side. */
const KUBECTL: Drainer = {
  user: ADMIN,
  drain: (plane) =>
    Promise.all(
      DRAINED.map((node) => must(plane, ['drain', node, '--ignore-daemonsets', `--timeout=${LIMIT_SECONDS}s`])),
    ),
  giveBack: () => Promise.resolve(),
};

const DRYDOCK: Drainer = {
  user: USER,
  drain: (plane) =>
    apply(
      plane,
      DRAINED.map((node) => hold(node, node)),
    ),
  giveBack: (plane) => must(plane, ['delete', 'dnm', '--all', `--timeout=${LIMIT_SECONDS}s`]),
};

/** The same three nodes drained by kubectl and by Drydock on a real control plane, judged by the audit log. */
export async function eviction(runs: number, say: (line?: string) => void): Promise<void> {
  const count = `${APPS.length} budgets of one over ${APPS.length * REPLICAS} pods that are ready after a second`;
  say(`eviction: on a real control plane, whose kubelets kwok plays, ${DRAINED.length} nodes at once, ${count}`);
  const ground = await startGround({ apiServerFlags: [AUDIT_POLICY] });
  const ends: (() => Promise<void>)[] = [ground.stop];
  try {
    const operator = await started(ground);
    ends.unshift(operator.end);
    const [kubectl, drydock]: [Drained[], Drained[]] = [[], []];
    for (let run = 1; run <= runs; run += 1) {
      say(`  run ${run} of ${runs}: kubectl drain, then Drydock`);
      kubectl.push(await drained(ground.plane, KUBECTL));
      drydock.push(await drained(ground.plane, DRYDOCK));
    }
    say();
    for (const [name, all] of [
      ['kubectl drain', kubectl],
      ['Drydock', drydock],
    ] as const)
      say(table([name, 'median', 'runs'], rowsOf(all, FIGURES)));
    say(
      `  The budget's write is the end of the disruption controller's request, the call the beginning of the drainer's.`,
    );
  } finally {
    for (const end of ends) await end();
  }
}

async function started({ plane }: Ground) {
  await createNodes(
    plane,
    [...DRAINED, ...SPARE].map((name) => ({ name })),
  );
  await plane.createNamespace('shop');
  await apply(plane, [policy({ maxUnavailable: DRAINED.length })]);
  const kubeconfig = await plane.kubeconfigFor('drydock-system', 'drydock');
  const file = await bundle(join(plane.directory, 'drydock.mjs'));
  const operator = await startBundle(file, kubeconfig, join(plane.directory, 'operator.log'));
  await until(() => operator.answers('/readyz'), { what: 'the operator is ready', seconds: LIMIT_SECONDS });
  return operator;
}

/** Fills the nodes anew, drains them, and gives them back. */
async function drained(plane: ControlPlane, { user, drain, giveBack }: Drainer): Promise<Drained> {
  await Promise.all([cordon(plane, DRAINED, false), cordon(plane, SPARE, true)]);
  await apply(plane, [
    ...DEPLOYMENTS.flatMap((app) => deployment(app, REPLICAS, BUDGET, READY_AFTER)),
    ...STATEFUL_SETS.flatMap((app) => statefulSet(app, REPLICAS, BUDGET, SLOW_END)),
  ]);
  const before = await until(() => atEase(plane), { what: 'every pod is ready', seconds: LIMIT_SECONDS });
  await cordon(plane, SPARE, false);
  const pods = new Map(before.map(({ metadata }) => [metadata.name, metadata.labels?.['app'] ?? '']));
  const [mark, from] = [plane.audit.mark(), Date.now()];
  await drain(plane);
  const isEmpty = async () =>
    (await plane.admin.list<Pod>(PODS)).every(({ spec }) => !DRAINED.includes(spec.nodeName ?? ''));
  await until(isEmpty, { what: 'the nodes are empty', seconds: LIMIT_SECONDS });
  const told = toldBy(plane.audit.events({ from: mark }), user, pods);
  await giveBack(plane);
  for (const kind of ['deployments', 'statefulsets'])
    await plane.admin.delete(`${APPS_PATH}/${kind}`, { propagationPolicy: 'Background' });
  const isGone = async () => (await plane.admin.list(PODS)).length === 0;
  await until(isGone, { what: 'the shop is gone', seconds: LIMIT_SECONDS });
  return { ...told, seconds: (told.emptyAt - from) / 1000 };
}

async function cordon({ admin }: ControlPlane, names: readonly string[], unschedulable: boolean): Promise<void> {
  await Promise.all(names.map((name) => admin.patch(nodePath(name), { spec: { unschedulable } })));
}

/** All pods, if they are ready, on the nodes that will be drained, and every budget allows one. */
async function atEase({ admin }: ControlPlane): Promise<readonly Pod[] | undefined> {
  const pods = await admin.list<Pod>(PODS);
  const ready = pods.filter(({ status }) =>
    status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  );
  type Budget = { readonly status?: { readonly disruptionsAllowed?: number } };
  const budgets = await admin.list<Budget>('/apis/policy/v1/namespaces/shop/poddisruptionbudgets');
  const isFree = budgets.length === APPS.length && budgets.every(({ status }) => status?.disruptionsAllowed === 1);
  return isFree && ready.length === APPS.length * REPLICAS ? pods : undefined;
}

const FIGURES: readonly Figure<Drained>[] = [
  ['time to empty', ({ seconds }) => seconds, 's', 1],
  ['eviction calls an evicted pod', ({ calls, evicted }) => calls / evicted, '', 3],
  ['  refused (429)', ({ refused }) => refused],
  ['  evicted pods', ({ evicted }) => evicted],
  ['budget free → next eviction call, p50', ({ freedMs }) => quantile(freedMs, 0.5), 'ms'],
  ['budget free → next eviction call, p99', ({ freedMs }) => quantile(freedMs, 0.99), 'ms'],
  ['  times a budget became free while a pod waited', ({ freedMs }) => freedMs.length],
];
