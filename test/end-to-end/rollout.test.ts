import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countBy, WRITES } from '../control-plane/audit.ts';
import type { Metadata } from '../control-plane/client.ts';
import { createNodes } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, type Ground, type Operator, startGround, startOperator, USER } from './ground.ts';
import { outOfService } from './referee.ts';
import { allNodes, complete, isTrue } from './seen.ts';
import { daemonSet, deployment, nodes, policy, profile, statefulSet, upgrade } from './shop.ts';

const QUIET_MS = 60_000;
const MOST_WRITES_A_NODE = 25;

type Pod = { readonly metadata: Metadata & { readonly uid: string }; readonly status: { readonly phase: string } };

let ground: Ground;
let operator: Operator;
let mark = 0;
let before: readonly Pod[] = [];

function pods(): Promise<readonly Pod[]> {
  return ground.plane.admin.list<Pod>('/api/v1/namespaces/shop/pods');
}

function bound(name: string, annotations: Readonly<Record<string, string>> = {}): unknown {
  const containers = [{ name: 'only', image: 'shop/only' }];
  const metadata = { name, namespace: 'shop', labels: { app: name }, annotations };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { nodeName: 'worker-1', restartPolicy: 'Never', containers },
  };
}

beforeAll(async () => {
  ground = await startGround();
  const { plane } = ground;
  await createNodes(plane, nodes(6));
  await plane.createNamespace('shop');
  await apply(plane, [
    ...deployment('web', 12, { maxUnavailable: 1 }),
    ...statefulSet('orders', 3, { minAvailable: 2 }),
    ...daemonSet('log-agent'),
    bound('finished'),
  ]);
  await plane.kubelets.create(
    '/api/v1/namespaces/shop/pods',
    bound('mirror', { 'kubernetes.io/config.mirror': 'abc' }),
  );
  const run = async () => {
    const all = await pods();
    return all.length >= 23 && all.every(({ status }) => status.phase === 'Running');
  };
  await until(run, { what: 'the shop runs', seconds: 60 });
  await plane.kubelets.patch('/api/v1/namespaces/shop/pods/finished/status', { status: { phase: 'Succeeded' } });
  await apply(plane, [profile(), policy()]);
  operator = await startOperator(plane);
  await operator.ready();
  before = await pods();
  mark = plane.audit.mark();
  await apply(plane, [upgrade()]);
});

afterAll(async () => {
  await operator?.end();
  await ground?.stop();
});

function created(kind: 'upgrade' | 'prepare'): readonly string[] {
  const jobs = ground.plane.audit.events({ user: USER, verb: 'create', resource: 'jobs', code: 201, from: mark });
  return jobs.flatMap(({ requestObject }) => {
    const { labels, annotations } = (requestObject as { metadata: Metadata }).metadata;
    return labels?.['drydock.dev/job'] === kind ? [annotations?.['drydock.dev/node'] ?? ''] : [];
  });
}

function uids(of: readonly Pod[], prefix: string): readonly string[] {
  return of
    .filter(({ metadata }) => metadata.name.startsWith(prefix))
    .map(({ metadata }) => metadata.uid)
    .sort();
}

describe('an upgrade of six nodes, two at once, with budgets', () => {
  it('completes: Ready at the observed generation, every node at the target and schedulable', async () => {
    const done = await complete(ground.plane);
    expect(done.status.nodes).toEqual({ total: 6, done: 6, inFlight: 0, waiting: 0, setAside: 0, failed: 0 });
    expect(done.status.observedGeneration).toBe(done.metadata.generation);
    expect(isTrue(done.status, 'Reconciling') || isTrue(done.status, 'Stalled')).toBe(false);
    for (const node of await allNodes(ground.plane)) {
      expect(node.spec.unschedulable ?? false).toBe(false);
      expect(node.status.nodeInfo.kubeletVersion).toBe('v1.36.4');
      expect(Object.keys(node.metadata.annotations ?? {}).filter((key) => key.startsWith('drydock.dev/'))).toEqual([]);
    }
  });

  it('never had more than two nodes out, and had two out', () => {
    expect(Math.max(...outOfService(ground.plane.audit, mark, USER))).toBe(2);
  });

  it('made every pod leave by eviction: none was deleted, none with a grace period of 0', () => {
    const { audit } = ground.plane;
    const { asked, accepted, refused } = audit.evictions({ user: USER, from: mark });
    expect(accepted.length).toBeGreaterThanOrEqual(15);
    expect(audit.podDeletions({ user: USER, from: mark })).toEqual([]);
    const graces = asked.map(
      ({ requestObject }) =>
        (requestObject as { deleteOptions?: { gracePeriodSeconds?: number } }).deleteOptions?.gracePeriodSeconds,
    );
    expect(graces).not.toContain(0);
    process.stdout.write(
      `evictions: ${asked.length} asked, ${accepted.length} accepted, ${refused.length} refused by a budget\n`,
    );
  });

  it('left the DaemonSet, the mirror pod and the finished pod alone', async () => {
    const after = await pods();
    for (const kept of ['log-agent', 'mirror', 'finished']) expect(uids(after, kept)).toEqual(uids(before, kept));
  });

  it('ran one upgrade Job a node', () => {
    expect([...created('upgrade')].sort()).toEqual([
      'worker-1',
      'worker-2',
      'worker-3',
      'worker-4',
      'worker-5',
      'worker-6',
    ]);
  });

  it('writes nothing for a quiet minute afterwards but Lease renewals, and wrote at most 25 times a node', async () => {
    const { audit } = ground.plane;
    const idle = async () => {
      const settled = (await ground.plane.admin.list<Pod>('/api/v1/namespaces/drydock-jobs/pods')).length === 0;
      const writes = audit
        .events({ user: USER, verb: WRITES, from: mark })
        .filter(({ resource }) => resource !== 'leases');
      return settled && (writes.at(-1)?.stageTimestamp ?? 0) < Date.now() - 5_000;
    };
    await until(idle, { what: 'the last writes are over', seconds: 30 });
    const counted = audit.writes({
      user: USER,
      from: mark,
      where: ({ resource, subresource }) =>
        resource !== 'leases' && resource !== 'events' && subresource !== 'eviction',
    });
    const by = countBy(counted, ({ verb, resource, code }) => `${verb} ${resource} ${code}`);
    process.stdout.write(
      `writes a node: ${(counted.length / 6).toFixed(1)} ${JSON.stringify(Object.fromEntries(by))}\n`,
    );
    expect(counted.length / 6).toBeLessThanOrEqual(MOST_WRITES_A_NODE);

    const quiet = audit.mark();
    const end = performance.now() + QUIET_MS;
    await until(() => performance.now() > end, { what: 'a minute is over', seconds: 90, everyMs: 500 });
    const late = audit
      .events({ user: USER, verb: WRITES, from: quiet })
      .filter(({ resource }) => resource !== 'leases');
    expect(late.map(({ verb, uri }) => `${verb} ${uri}`)).toEqual([]);
    expect(audit.writes({ user: USER, resource: 'leases', from: quiet }).length).toBeGreaterThan(10);
  });
});
