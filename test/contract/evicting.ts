import type { Asker, Body } from './asker.ts';
import { budget, budgets, done, get, patch, pod, pods, post, put } from './words.ts';

type Counts = {
  readonly observedGeneration?: number;
  readonly disruptionsAllowed?: number;
  readonly currentHealthy?: number;
  readonly desiredHealthy?: number;
  readonly disruptedPods?: Readonly<Record<string, string>>;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
};

const COUNTS = { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 };
/** What every budget says that refuses. */
export const VIOLATION = "Cannot evict pod as it would violate the pod's disruption budget.";
/** What the budgets select by. */
export const LABELS = { labels: { app: 'a' } };

/** The status of a budget. */
export const countsOf = ({ status }: Body) => (status ?? {}) as Counts;

/** A pod on a node in a phase, with the label that budgets select. */
export async function placed(on: Asker, status: object, name = 'a'): Promise<string> {
  const path = `${pods(await on.namespace())}/${name}`;
  await done(post(on, pods(await on.namespace()), pod(name, { nodeName: `${on.name}-node` }, LABELS)));
  await done(patch(on, `${path}/status`, { status }));
  return path;
}

/** A pod that runs and is ready. */
export const ready = (on: Asker, name = 'a') =>
  placed(on, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }, name);
/** A pod that runs and is not ready. */
export const unready = (on: Asker) =>
  placed(on, { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] });

/** A budget whose status says what its controller would. */
export async function counted(
  on: Asker,
  counts: object = {},
  spec: Parameters<typeof budget>[1] = {},
  name = 'budget',
): Promise<string> {
  const path = `${budgets(await on.namespace())}/${name}`;
  const made = await done(post(on, budgets(await on.namespace()), budget(name, spec)));
  await done(put(on, `${path}/status`, { ...made, status: { ...COUNTS, ...counts } }));
  return path;
}

/** Asks for the eviction of a pod. */
export const evict = (on: Asker, path: string, deleteOptions?: object, query = '') => {
  const metadata = { name: path.slice(path.lastIndexOf('/') + 1), namespace: on.name };
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata,
    ...(deleteOptions === undefined ? {} : { deleteOptions }),
  };
  return post(on, `${path}/eviction${query}`, body);
};

/** Whether a pod has begun to leave. */
export const isLeaving = async (on: Asker, path: string) =>
  (await done(get(on, path))).metadata.deletionTimestamp !== undefined;
