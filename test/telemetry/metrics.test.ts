import { expect, test } from 'vitest';
import type { z } from 'zod';
import { clusterUpgrade } from '../../src/api/cluster-upgrade.ts';
import { maintenancePolicy } from '../../src/api/maintenance-policy.ts';
import { maintenanceWindow } from '../../src/api/maintenance-window.ts';
import { nodeMaintenance } from '../../src/api/node-maintenance.ts';
import { type ResourceDefinition, readResource } from '../../src/api/resource.ts';
import type { Cache, Caches } from '../../src/cluster/cluster.ts';
import type { Kind, World } from '../../src/core/world.ts';
import { metrics } from '../../src/telemetry/metrics.ts';

type Objects = { [K in Kind]?: World[K][] };

function cachesOf(objects: Objects): Caches {
  const cache = <K extends Kind>(kind: K): Cache<World[K]> => ({
    get: (key) => objects[kind]?.find(({ name }) => name === key),
    all: () => (objects[kind] ?? []) as World[K][],
    by: () => [],
    size: objects[kind]?.length ?? 0,
  });
  return new Proxy({} as Caches, { get: (_, kind) => cache(kind as Kind) });
}

function object<Spec extends z.ZodType, Status extends z.ZodType>(
  definition: ResourceDefinition<Spec, Status>,
  name: string,
  spec: unknown,
  status?: unknown,
) {
  const metadata = { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-11-21T12:00:00Z' };
  return readResource(definition, { metadata, spec, status });
}

const upgrade = (status: unknown) =>
  object(
    clusterUpgrade,
    'to-1-36',
    {
      profileName: 'kubeadm-apt',
      target: { kubernetesVersion: 'v1.36.4' },
      nodes: { selector: {} },
      windowNames: [],
    },
    status,
  );

const passage = (name: string, state: unknown, blockers: string[] = [], hold = false) =>
  object(
    nodeMaintenance,
    name,
    hold
      ? { nodeName: name, hold, reason: 'a fan' }
      : { nodeName: name, upgradeName: 'to-1-36', nodeUID: name, ticket: name },
    {
      state,
      blockers: blockers.map((reason) => ({
        nodeName: name,
        pod: `shop/${reason}`,
        reason,
        since: '2026-11-21T12:00:00Z',
        selfClearing: true,
      })),
    },
  );

function setUp(objects: Objects) {
  return metrics({ caches: cachesOf(objects), leads: () => true, queueDepths: () => ({ NodeMaintenance: 3 }) });
}

/** The lines of a scrape that begin with a name, without zeros and comments. */
async function lines(of: ReturnType<typeof metrics>, name: string): Promise<string[]> {
  const { body } = await of.page();
  return body.split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line) && !line.endsWith(' 0'));
}

const since = '2026-11-21T12:00:00Z';
const begun = { since, attempt: 1, jobUID: 'j', bootIDBefore: 'b', machineID: 'm' };

test('nodes are counted by phase, for each upgrade and for holds', async () => {
  const shown = setUp({
    ClusterUpgrade: [upgrade({})],
    NodeMaintenance: [
      passage('worker-1', { phase: 'Draining', since }),
      passage('worker-2', { phase: 'Draining', since }),
      passage('worker-3', { phase: 'Lost', ...begun, from: 'Rebooting' }),
      passage('worker-4', { phase: 'Held', since }, [], true),
    ],
  });
  expect(await lines(shown, 'drydock_nodes')).toEqual([
    'drydock_nodes{upgrade="",phase="Held"} 1',
    'drydock_nodes{upgrade="to-1-36",phase="Draining"} 2',
    'drydock_nodes{upgrade="to-1-36",phase="Lost"} 1',
  ]);
  expect(await lines(shown, 'drydock_node_lost')).toEqual(['drydock_node_lost 1']);
});

test('a rollout shows its phase, its nodes and its progress', async () => {
  const nodes = { total: 8, done: 2, inFlight: 1, waiting: 4, setAside: 0, failed: 1 };
  const shown = setUp({ ClusterUpgrade: [upgrade({ phase: 'Halted', nodes })] });
  expect(await lines(shown, 'drydock_upgrade_phase')).toEqual([
    'drydock_upgrade_phase{upgrade="to-1-36",phase="Halted"} 1',
  ]);
  expect(await lines(shown, 'drydock_upgrade_progress_ratio')).toEqual([
    'drydock_upgrade_progress_ratio{upgrade="to-1-36"} 0.25',
  ]);
  expect(await lines(shown, 'drydock_upgrade_nodes')).toEqual([
    'drydock_upgrade_nodes{upgrade="to-1-36",state="total"} 8',
    'drydock_upgrade_nodes{upgrade="to-1-36",state="done"} 2',
    'drydock_upgrade_nodes{upgrade="to-1-36",state="inFlight"} 1',
    'drydock_upgrade_nodes{upgrade="to-1-36",state="waiting"} 4',
    'drydock_upgrade_nodes{upgrade="to-1-36",state="failed"} 1',
  ]);
});

test('an upgrade that selects no node is complete, not a division by zero', async () => {
  const nodes = { total: 0, done: 0, inFlight: 0, waiting: 0, setAside: 0, failed: 0 };
  const shown = setUp({ ClusterUpgrade: [upgrade({ nodes })] });
  expect(await lines(shown, 'drydock_upgrade_progress_ratio')).toEqual([
    'drydock_upgrade_progress_ratio{upgrade="to-1-36"} 1',
  ]);
});

test('blocked pods are counted by reason, and never named', async () => {
  const shown = setUp({
    NodeMaintenance: [
      passage('worker-1', { phase: 'Draining', since }, ['BudgetExhausted', 'Unmanaged']),
      passage('worker-2', { phase: 'Draining', since }, ['BudgetExhausted']),
      passage('worker-3', { phase: 'Failed', since, reason: 'x' }, ['BudgetExhausted']),
    ],
  });
  expect(await lines(shown, 'drydock_blocked_pods')).toEqual([
    'drydock_blocked_pods{upgrade="to-1-36",reason="BudgetExhausted"} 2',
    'drydock_blocked_pods{upgrade="to-1-36",reason="Unmanaged"} 1',
  ]);
  expect((await shown.page()).body).not.toMatch(/shop|worker/);
});

test('passages under way are counted by phase and by what they wait for, and never named', async () => {
  const shown = setUp({
    NodeMaintenance: [
      passage('worker-1', { phase: 'Draining', since }),
      passage('worker-2', { phase: 'Draining', since }),
      passage('worker-3', {
        phase: 'Lost',
        since,
        attempt: 1,
        jobUID: 'j',
        bootIDBefore: '',
        machineID: '',
        from: 'Upgrading',
      }),
      passage('worker-4', { phase: 'Failed', since, reason: 'x' }),
    ],
  });
  expect(await lines(shown, 'drydock_waiting')).toEqual([
    'drydock_waiting{phase="Draining",reason="Pending"} 2',
    'drydock_waiting{phase="Lost",reason="Pending"} 1',
  ]);
});

test('windows, tickets, left nodes and unreadable objects are shown', async () => {
  const window = (name: string, status: unknown) =>
    object(
      maintenanceWindow,
      name,
      { timeZone: 'Etc/UTC', openings: [{ schedule: '0 2 * * *', durationMinutes: 1 }] },
      status,
    );
  const ticket = { nodeUID: 'u', mode: 'Drain', since, controlPlane: false };
  const shown = setUp({
    MaintenanceWindow: [
      window('open', { open: true }),
      window('closed', { open: false, opensAt: '1970-01-01T00:00:09Z' }),
    ],
    MaintenancePolicy: [
      object(
        maintenancePolicy,
        'cluster',
        {},
        {
          tickets: [
            {
              ...ticket,
              nodeName: 'worker-1',
              ticket: 't-1',
              holder: { kind: 'ClusterUpgrade', name: 'to-1-36', uid: 'u' },
            },
            {
              ...ticket,
              nodeName: 'worker-2',
              ticket: 't-2',
              holder: { kind: 'NodeMaintenance', name: 'fan', uid: 'h' },
            },
          ],
        },
      ),
    ],
    Node: [{ name: 'worker-9', annotations: { 'drydock.dev/left-cordoned': '{}' } } as never],
    NodeMaintenance: [object(nodeMaintenance, 'old', { nodeName: 5 })],
  });
  expect(await lines(shown, 'drydock_window_open')).toEqual(['drydock_window_open{window="open"} 1']);
  expect(await lines(shown, 'drydock_window_next_opening_timestamp_seconds')).toEqual([
    'drydock_window_next_opening_timestamp_seconds{window="closed"} 9',
  ]);
  expect(await lines(shown, 'drydock_tickets')).toEqual([
    'drydock_tickets{holder_kind="ClusterUpgrade"} 1',
    'drydock_tickets{holder_kind="NodeMaintenance"} 1',
  ]);
  expect(await lines(shown, 'drydock_left_cordoned')).toEqual(['drydock_left_cordoned 1']);
  expect(await lines(shown, 'drydock_unreadable_objects')).toEqual([
    'drydock_unreadable_objects{kind="NodeMaintenance"} 1',
  ]);
});

const DONE = { phase: 'Succeeded', since: '2026-11-21T12:00:00Z', reason: 'Succeeded', message: '' };

test('caught: the first certificate to expire, by the newest evidence of each node that is there', async () => {
  const said = (name: string, at: string, year: number, on = name) => {
    const passages = passage(name, { ...DONE });
    const message = `Renewed.\n{"after":{"apiserver":"${year}-01-01T00:00:00Z"}}`;
    if (!passages.readable) throw new Error('impossible: it is written here');
    const { status, spec } = passages;
    const job = { name: 'x', attempt: 1, message };
    return { ...passages, createdAt: Date.parse(at), spec: { ...spec, nodeName: on }, status: { ...status, job } };
  };
  const shown = setUp({
    Node: ['cp-1', 'cp-2'].map((name) => ({ name, annotations: {} }) as never),
    NodeMaintenance: [
      said('cp-1', '2026-11-20T00:00:00Z', 2029),
      said('old', '2026-01-01T00:00:00Z', 2026, 'cp-1'),
      said('cp-2', '2026-11-20T00:00:00Z', 2028),
      said('gone', '2026-11-20T00:00:00Z', 2025),
    ] as never,
  });
  expect(await lines(shown, 'drydock_certificate_expiry_timestamp_seconds')).toEqual([
    `drydock_certificate_expiry_timestamp_seconds{certificate="apiserver"} ${Date.parse('2028-01-01T00:00:00Z') / 1000}`,
  ]);
});

test('caught: the newest snapshot of etcd, by evidence alone, also where its passage is gone', async () => {
  const said = (name: string, since: string, message: string, phase = 'Succeeded') => {
    const told = passage(name, { ...DONE, phase, since });
    if (!told.readable) throw new Error('impossible: it is written here');
    return { ...told, status: { ...told.status, job: { name: 'x', attempt: 1, message } } };
  };
  const evidence = '{"name":"etcd-cp-1.db","revision":812,"sizeBytes":4096,"hash":77}';
  const objects: Objects = {
    NodeMaintenance: [
      said('older', '2026-11-19T00:00:00Z', evidence),
      said('newer', '2026-11-20T00:00:00Z', evidence),
      said('failed', '2026-11-21T00:00:00Z', evidence, 'Failed'),
      said('silent', '2026-11-22T00:00:00Z', 'done'),
    ] as never,
  };
  const shown = setUp(objects);
  const seconds = (at: string) => `drydock_etcd_snapshot_timestamp_seconds ${Date.parse(at) / 1000}`;
  expect(await lines(shown, 'drydock_etcd_snapshot_timestamp_seconds')).toEqual([seconds('2026-11-20T00:00:00Z')]);
  objects.NodeMaintenance = [];
  expect(await lines(shown, 'drydock_etcd_snapshot_timestamp_seconds')).toEqual([]);
  const taken = { ...JSON.parse(evidence), time: '2026-11-18T00:00:00Z' };
  objects.ClusterUpgrade = [upgrade({ etcdSnapshot: taken })];
  expect(await lines(shown, 'drydock_etcd_snapshot_timestamp_seconds')).toEqual([seconds('2026-11-18T00:00:00Z')]);
});

test('a gauge ends with its object', async () => {
  const objects: Objects = { ClusterUpgrade: [upgrade({ phase: 'Rolling' })] };
  const shown = setUp(objects);
  expect(await lines(shown, 'drydock_upgrade_phase')).toHaveLength(1);
  objects.ClusterUpgrade = [];
  expect((await shown.page()).body).not.toContain('to-1-36');
});

test('what was done is counted, evictions apart', async () => {
  const shown = setUp({});
  const evict = { kind: 'evict', namespace: 'shop', pod: 'cart-0', uid: '1', lane: '' } as const;
  const blocked = { ok: false, why: 'blocked', cause: 'DisruptionBudget', message: '', code: 429 } as const;
  shown.performed(evict, { ok: true });
  shown.performed(evict, blocked);
  shown.performed({ kind: 'createPolicy', name: 'cluster' }, { ok: true });
  shown.ran('NodeMaintenance', 'done', 9_000);
  shown.watchRestarted('Pod', 'expired');
  shown.called('GET', 'pods', 200);
  expect(await lines(shown, 'drydock_evictions_total')).toEqual([
    'drydock_evictions_total{outcome="ok"} 1',
    'drydock_evictions_total{outcome="blocked"} 1',
  ]);
  expect(await lines(shown, 'drydock_effects_total')).toHaveLength(3);
  expect(await lines(shown, 'drydock_reconcile_total')).toEqual([
    'drydock_reconcile_total{controller="NodeMaintenance",result="done"} 1',
  ]);
  expect(await lines(shown, 'drydock_last_reconcile_timestamp_seconds')).toEqual([
    'drydock_last_reconcile_timestamp_seconds{controller="NodeMaintenance"} 9',
  ]);
  expect(await lines(shown, 'drydock_watch_restarts_total')).toHaveLength(1);
  expect(await lines(shown, 'drydock_api_requests_total')).toHaveLength(1);
  expect(await lines(shown, 'drydock_leader')).toEqual(['drydock_leader 1']);
  expect(await lines(shown, 'drydock_queue_depth')).toEqual(['drydock_queue_depth{controller="NodeMaintenance"} 3']);
});

/** The metrics of a page whose help is not a sentence. */
function speechless(body: string): string[] {
  return body
    .split('\n')
    .filter((line) => line.startsWith('# HELP drydock_') && !/^# HELP \S+ [A-Z].{20,}\.$/.test(line));
}

test('every metric of Drydock has a sentence that says what it is', async () => {
  const { body } = await setUp({}).page();
  expect(body).toContain('# HELP drydock_leader ');
  expect(speechless(body)).toEqual([]);
});

test('planted bug: a metric without a sentence is found', () => {
  expect(speechless('# HELP drydock_x the x')).toEqual(['# HELP drydock_x the x']);
});
