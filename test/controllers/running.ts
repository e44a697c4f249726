import { operator } from '../../src/controllers/operator.ts';
import type { Kind, NodeView } from '../../src/core/world.ts';
import type { Ran } from '../../src/runtime/controller.ts';
import { COMPLETE, node, pod } from '../support/build.ts';
import { profile, upgrade } from '../support/build-own.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { SmallCluster } from './small-cluster.ts';

/** Two workers to upgrade, one after the other. */
export function two(): ConstructorParameters<typeof SmallCluster>[0] {
  return {
    Node: [node('worker-1'), node('worker-2')],
    MaintenanceProfile: [profile()],
    ClusterUpgrade: [upgrade({}, { finalizers: [], status: { target: undefined, observedRetry: undefined } })],
  };
}

/** The operator over a small cluster, whose Jobs end well as soon as they may run. */
export function running(views: ConstructorParameters<typeof SmallCluster>[0] = two()) {
  const clock = new FakeClock('2026-11-21T12:00:00Z');
  const cluster = new SmallCluster(views);
  const runs: Ran[] = [];
  const ended = new AbortController();
  const drydock = operator({
    cluster,
    clock,
    random: () => 0.5,
    place: { namespace: 'drydock-system', jobsNamespace: 'drydock-jobs' },
    happened: () => {},
    ran: (run) => void runs.push(run),
    changed: () => {},
  });
  const over = drydock.run(ended.signal);

  /** Lets so many seconds pass, in which kubelets do their part once a second. */
  const pass = async (seconds: number, everySecond: () => void = () => {}) => {
    for (let second = 0; second < seconds; second += 1) {
      await clock.advance(1_000);
      work(cluster);
      everySecond();
    }
  };
  const writes = () => cluster.asked.filter((line) => !/^(read|list|version)/.test(line));
  return { clock, cluster, runs, drydock, ended, over, pass, writes };
}

/** Ends the Jobs that run: the upgrade brings the new release, and what a lagging cache hides is done all the same. */
function work(cluster: SmallCluster): void {
  for (const job of cluster.all('Job')) {
    if (job.suspended || job.finished !== undefined) continue;
    const found = cluster.all('Node').find(({ uid }) => uid === job.labels['drydock.dev/node-uid']);
    if (found !== undefined && job.labels['drydock.dev/job'] === 'upgrade')
      cluster.change('Node', found.name, { kubeletVersion: 'v1.36.4' } satisfies Partial<NodeView>);
    cluster.change('Job', job.name, { finished: COMPLETE, started: true });
  }
}

/** Where an upgrade stands. */
export function stand(cluster: SmallCluster) {
  const found = cluster.live('ClusterUpgrade', 'to-1-36');
  const policy = cluster.live('MaintenancePolicy', 'cluster');
  return {
    phase: found?.readable ? found.status.phase : undefined,
    done: found?.readable ? found.status.nodes?.done : undefined,
    tickets: policy?.readable ? policy.status.tickets.length : undefined,
    passages: cluster.all('NodeMaintenance').map((p) => (p.readable ? p.status.state.phase : 'unreadable')),
    out: cluster.all('Node').filter(({ unschedulable }) => unschedulable).length,
    jobs: cluster.all('Job').length,
  };
}

/** A pod that has to leave `worker-1`. */
export const WEB = pod('web-1', { nodeName: 'worker-1' });

/** How often each key ran, most often first. */
export function counted(runs: readonly Ran[]): readonly (readonly [string, number])[] {
  const counts = Map.groupBy(runs, ({ controller, key }) => `${controller} ${key}`);
  return [...counts].map(([key, all]) => [key, all.length] as const).sort((a, b) => b[1] - a[1]);
}

/** Lets the caches of some kinds lag by so many seconds, again and again. */
export function lagging(cluster: SmallCluster, kinds: readonly Kind[], seconds: number): () => void {
  let second = 0;
  for (const kind of kinds) cluster.lag(kind);
  return () => {
    second += 1;
    if (second % seconds !== 0) return;
    for (const kind of kinds) {
      cluster.catchUp(kind);
      cluster.lag(kind);
    }
  };
}
