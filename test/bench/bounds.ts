/** What one scenario takes at the least, piece by piece, in seconds. */
export type Times = {
  readonly cordon: number;
  readonly job: number;
  readonly uncordon: number;
  /** How long containers take to end. */
  readonly grace: number;
  /** From a replacement that is made until it is ready. */
  readonly ready: number;
  /** What the control plane itself adds to that. */
  readonly lag: number;
};

/** A budget, how many disruptions it allows at once, and how many evictions it must see. */
export type Load = {
  readonly owner: 'Deployment' | 'StatefulSet' | 'pinned';
  readonly allows: number;
  readonly evictions: number;
};

/** How many pods of each budget stand on one node. */
export type Standing = readonly { readonly load: Load; readonly pods: number }[];

const REQUESTS_PER_SECOND = 20;
const BINDINGS_PER_SECOND = 700;

/** For how long one disruption holds its budget. */
export function held(owner: Load['owner'], { grace, ready, lag, job }: Times): number {
  switch (owner) {
    case 'Deployment':
      return ready + lag;
    case 'StatefulSet':
      return grace + ready + lag;
    case 'pinned':
      return grace + job + ready + lag;
  }
}

/** The shortest drain of a node: its pods end, and those that share a budget leave one batch after another. */
export function drain(standing: Standing, times: Times): number {
  const batches = standing.map(
    ({ load, pods }) => (Math.ceil(pods / load.allows) - 1) * held(load.owner, times) + times.grace,
  );
  return Math.max(0, ...batches);
}

/** So many stretches of work, of which so many at most go on at once. */
export function through(each: readonly number[], most: number): number {
  return Math.max(each.reduce((sum, one) => sum + one, 0) / most, 0, ...each);
}

/** LB1: all nodes through so many slots, and no less than the longest of them. */
export function slots(nodes: readonly Standing[], most: number, times: Times): number {
  const { cordon, job, uncordon } = times;
  return through(
    nodes.map((standing) => cordon + drain(standing, times) + job + uncordon),
    most,
  );
}

/** LB2: the budget that needs the most batches, and the node of its last pod after them. */
export function budgets(loads: readonly Load[], times: Times): number {
  const { grace, job, uncordon } = times;
  const each = loads
    .filter(({ evictions }) => evictions > 0)
    .map(
      ({ owner, allows, evictions }) =>
        (Math.ceil(evictions / allows) - 1) * held(owner, times) + grace + job + uncordon,
    );
  return Math.max(0, ...each);
}

/** LB3: the disruption controller writes a budget twice an eviction, with one worker at 20 requests a second. */
export function budgetController(evictions: number): number {
  return (2 * evictions) / REQUESTS_PER_SECOND;
}

/** LB4: the churn that Kubernetes is measured with, three writes of a pod an eviction at 20 a second. */
export function churn(evictions: number): number {
  return (3 * evictions) / REQUESTS_PER_SECOND;
}

/** LB5: every replacement is bound by one scheduler. */
export function scheduler(evictions: number): number {
  return evictions / BINDINGS_PER_SECOND;
}

/** LB7: work is only done while the windows are open, for this share of the time. */
export function calendar(seconds: number, openShare: number): number {
  return seconds / openShare;
}

/** What is to be done in one scenario. */
export type Task = {
  readonly nodes: readonly Standing[];
  readonly loads: readonly Load[];
  readonly most: number;
  readonly times: Times;
  readonly openShare?: number;
};

/** The bound that holds in any cluster with these times, however fast its controllers are: LB1, LB2, LB7. */
export function bound({ nodes, loads, most, times, openShare = 1 }: Task): number {
  return calendar(Math.max(slots(nodes, most, times), budgets(loads, times)), openShare);
}

/** The bound with stock controllers at their default rates: LB3 to LB5 as well. */
export function stockBound(task: Task): number {
  const evictions = task.loads.reduce((sum, load) => sum + load.evictions, 0);
  const rates = Math.max(budgetController(evictions), churn(evictions), scheduler(evictions));
  return Math.max(bound(task), calendar(rates, task.openShare ?? 1));
}
