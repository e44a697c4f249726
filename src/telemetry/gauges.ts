import { Gauge, type Registry } from 'prom-client';
import { ROLLOUT_PHASES } from '../api/cluster-upgrade.ts';
import { PHASES } from '../api/phases.ts';
import type { Caches } from '../cluster/cluster.ts';
import { certificatesIn, snapshotIn } from '../core/evidence.ts';
import { isSettled } from '../core/ledger.ts';
import { LEFT_CORDONED } from '../core/mark.ts';
import type { OwnKind, Read } from '../core/world.ts';

type Labels = Readonly<Record<string, string>>;
/** One value of a gauge with its labels. */
type Sample = readonly [labels: Labels, value: number];
type Row = {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly samples: (caches: Caches) => Iterable<Sample>;
};

const OWN_KINDS = [
  'MaintenanceWindow',
  'MaintenanceProfile',
  'MaintenancePolicy',
  'ClusterUpgrade',
  'NodeMaintenance',
] as const satisfies readonly OwnKind[];

const ROWS: readonly Row[] = [
  {
    name: 'drydock_nodes',
    help: 'NodeMaintenances by phase; the upgrade is empty for nodes that a person holds.',
    labels: ['upgrade', 'phase'],
    samples: nodesByPhase,
  },
  {
    name: 'drydock_upgrade_progress_ratio',
    help: 'Nodes at the target of all that the upgrade selects, from 0 to 1.',
    labels: ['upgrade'],
    samples: (caches) =>
      upgrades(caches).flatMap(({ name, status: { nodes } }) =>
        nodes === undefined ? [] : [[{ upgrade: name }, nodes.total === 0 ? 1 : nodes.done / nodes.total]],
      ),
  },
  {
    name: 'drydock_upgrade_phase',
    help: 'Where a rollout stands: 1 for its phase, 0 for all others.',
    labels: ['upgrade', 'phase'],
    samples: (caches) =>
      upgrades(caches).flatMap(({ name, status }) =>
        ROLLOUT_PHASES.map((phase): Sample => [{ upgrade: name, phase }, status.phase === phase ? 1 : 0]),
      ),
  },
  {
    name: 'drydock_upgrade_nodes',
    help: 'Nodes that an upgrade selects, by state; total is the sum of the others.',
    labels: ['upgrade', 'state'],
    samples: (caches) =>
      upgrades(caches).flatMap(({ name, status }) =>
        Object.entries(status.nodes ?? {}).map(([state, count]): Sample => [{ upgrade: name, state }, count]),
      ),
  },
  {
    name: 'drydock_blocked_pods',
    help: 'Pods that keep a node from being drained, or are deleted if theirs is not back in time, by why; the upgrade is empty for nodes that a person holds.',
    labels: ['upgrade', 'reason'],
    samples: blockedPods,
  },
  {
    name: 'drydock_waiting',
    help: 'NodeMaintenances under way, by phase and by what they do or wait for there.',
    labels: ['phase', 'reason'],
    samples: waiting,
  },
  {
    name: 'drydock_window_open',
    help: 'Whether work may begin in a maintenance window now.',
    labels: ['window'],
    samples: (caches) =>
      windows(caches).flatMap(({ name, status: { open } }) =>
        open === undefined ? [] : [[{ window: name }, open ? 1 : 0]],
      ),
  },
  {
    name: 'drydock_window_next_opening_timestamp_seconds',
    help: 'When a closed maintenance window opens next, in seconds since 1970.',
    labels: ['window'],
    samples: (caches) =>
      windows(caches).flatMap(({ name, status: { opensAt } }) =>
        opensAt === undefined ? [] : [[{ window: name }, Date.parse(opensAt) / 1000]],
      ),
  },
  {
    name: 'drydock_tickets',
    help: 'Tickets in the ledger: nodes that are out of service, or have the right to be taken out.',
    labels: ['holder_kind'],
    samples: tickets,
  },
  {
    name: 'drydock_node_lost',
    help: 'Nodes that have not come back from an upgrade or a reboot and are waited for.',
    labels: [],
    samples: ({ NodeMaintenance }) => [
      [{}, readable(NodeMaintenance.all()).filter(({ status }) => status.state.phase === 'Lost').length],
    ],
  },
  {
    name: 'drydock_left_cordoned',
    help: 'Nodes that were left cordoned on purpose, and that a person must look at.',
    labels: [],
    samples: ({ Node }) => [
      [{}, [...Node.all()].filter(({ annotations }) => annotations[LEFT_CORDONED] !== undefined).length],
    ],
  },
  {
    name: 'drydock_certificate_expiry_timestamp_seconds',
    help: 'When the first of the certificates of that name expires on any node, by what the last run of the payload said; in seconds since 1970.',
    labels: ['certificate'],
    samples: certificates,
  },
  {
    name: 'drydock_etcd_snapshot_timestamp_seconds',
    help: 'When the newest snapshot of etcd that is known was taken, by what its payload said was in it; in seconds since 1970.',
    labels: [],
    samples: newestSnapshot,
  },
  {
    name: 'drydock_unreadable_objects',
    help: "Objects of Drydock's kinds that its schema cannot read, and that it therefore leaves alone.",
    labels: ['kind'],
    samples: (caches) =>
      OWN_KINDS.map((kind): Sample => {
        const objects: Iterable<{ readonly readable: boolean }> = caches[kind].all();
        return [{ kind }, [...objects].filter((object) => !object.readable).length];
      }),
  },
];

/** Registers every gauge that is computed from the caches when it is scraped. */
export function gaugesOfCaches(registry: Registry, caches: Caches): void {
  for (const { name, help, labels, samples } of ROWS) {
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const [of, value] of samples(caches)) this.set(of, value);
      },
    });
  }
}

function nodesByPhase(caches: Caches): Iterable<Sample> {
  const passages = readable(caches.NodeMaintenance.all());
  const names = new Set(['', ...upgrades(caches).map(({ name }) => name)]);
  const counts = new Map<string, Map<string, number>>();
  for (const name of names) counts.set(name, new Map(PHASES.map((phase) => [phase, 0])));
  for (const { spec, status } of passages) {
    const of = counts.get(spec.upgradeName ?? '') ?? new Map<string, number>();
    counts.set(spec.upgradeName ?? '', of.set(status.state.phase, (of.get(status.state.phase) ?? 0) + 1));
  }
  return [...counts].flatMap(([upgrade, of]) => [...of].map(([phase, count]): Sample => [{ upgrade, phase }, count]));
}

function blockedPods(caches: Caches): Iterable<Sample> {
  const counts = new Map<string, Sample>();
  for (const passage of readable(caches.NodeMaintenance.all())) {
    if (isSettled(passage)) continue;
    const upgrade = passage.spec.upgradeName ?? '';
    for (const { reason } of passage.status.blockers) {
      const key = JSON.stringify([upgrade, reason]);
      counts.set(key, [{ upgrade, reason }, (counts.get(key)?.[1] ?? 0) + 1]);
    }
  }
  return counts.values();
}

/** The reasons are words of the program, so there are no more of them than it has. */
function waiting(caches: Caches): Iterable<Sample> {
  const counts = new Map<string, Sample>();
  for (const passage of readable(caches.NodeMaintenance.all())) {
    if (isSettled(passage)) continue;
    const { phase } = passage.status.state;
    const reason = passage.status.conditions.find(({ type }) => type === 'Ready')?.reason ?? 'Pending';
    const key = JSON.stringify([phase, reason]);
    counts.set(key, [{ phase, reason }, (counts.get(key)?.[1] ?? 0) + 1]);
  }
  return counts.values();
}

/** By the newest evidence of each node that is still there: of a node that was renewed since, the old one says nothing. */
function certificates(caches: Caches): Iterable<Sample> {
  const newest = new Map<string, { readonly at: number; readonly said: ReadonlyMap<string, number> }>();
  for (const { spec, status, createdAt } of readable(caches.NodeMaintenance.all())) {
    const said = certificatesIn(status.job?.message ?? '');
    const isNewer = createdAt >= (newest.get(spec.nodeName)?.at ?? 0);
    if (said.size > 0 && isNewer && caches.Node.get(spec.nodeName) !== undefined)
      newest.set(spec.nodeName, { at: createdAt, said });
  }
  const first = new Map<string, number>();
  for (const { said } of newest.values()) {
    for (const [name, at] of said) first.set(name, Math.min(at, first.get(name) ?? at));
  }
  return [...first].map(([certificate, at]): Sample => [{ certificate }, at / 1000]);
}

/** Of whichever upgrade took it; one that is remembered there outlives the passage that took it. */
function newestSnapshot(caches: Caches): Iterable<Sample> {
  const remembered = upgrades(caches).flatMap(({ status }) => status.etcdSnapshot?.time ?? []);
  const told = [...readable(caches.NodeMaintenance.all())].flatMap(({ status: { state, job } }) =>
    state.phase === 'Succeeded' && snapshotIn(job?.message ?? '') !== undefined ? [state.since] : [],
  );
  const times = [...remembered, ...told].map(Date.parse);
  return times.length === 0 ? [] : [[{}, Math.max(...times) / 1000]];
}

function tickets(caches: Caches): Iterable<Sample> {
  const all = readable(caches.MaintenancePolicy.all()).flatMap(({ status }) => status.tickets);
  return (['ClusterUpgrade', 'NodeMaintenance'] as const).map(
    (kind): Sample => [{ holder_kind: kind }, all.filter(({ holder }) => holder.kind === kind).length],
  );
}

function upgrades({ ClusterUpgrade }: Caches) {
  return readable(ClusterUpgrade.all());
}

function windows({ MaintenanceWindow }: Caches) {
  return readable(MaintenanceWindow.all());
}

function readable<T extends { readonly readable: boolean }>(objects: Iterable<T>): readonly Read<T>[] {
  return [...objects].filter((object): object is Read<T> => object.readable);
}
