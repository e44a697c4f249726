import { HELD_BY } from '../../src/core/mark.ts';
import type { NodeCluster } from './cluster.ts';
import { membersOf } from './etcd.ts';
import { looks, type Stall } from './looks.ts';
import { type Answer, ask, type Outage, outages } from './observer.ts';

/** What the API said at a time of who is out of service, who is worked on, and who has a ticket. */
export type Glimpse = {
  readonly at: number;
  /** Nodes that are cordoned or carry the mark of Drydock. */
  readonly out: readonly string[];
  /** Nodes on which a Job that changes them has begun and not ended. */
  readonly worked: readonly string[];
  readonly tickets: readonly string[];
  /** The release of kube-proxy, which kubeadm rolls when the last control plane is done. */
  readonly addons: string;
};

/** Which members of etcd were healthy at a time. */
export type Quorum = { readonly at: number; readonly healthy: readonly string[] };

/** Which API servers were ready at a time, each asked by itself. */
export type Readiness = { readonly at: number; readonly ready: readonly string[] };

/** A write of a client that asks twice at most: how often it had to, and why not once. */
export type Write = { readonly at: number; readonly tries: number; readonly written: boolean; readonly why: string };

/** Everything that was seen. */
export type Watched = {
  readonly glimpses: readonly Glimpse[];
  readonly quorums: readonly Quorum[];
  readonly servers: readonly Readiness[];
  readonly writes: readonly Write[];
  /** When whoever looks did not run. */
  readonly stalls: readonly Stall[];
};

/** Looks until it is told to stop. */
export type Vigil = { seen(): Watched; stop(): Promise<Watched> };

const GLIMPSE_MS = 500;
const QUORUM_MS = 500;
const SERVERS_MS = 500;
const WRITE_MS = 250;
/** Longer than an API server hesitates before it is out: the second time another is asked. */
const PATIENCE_MS = 2_000;
const COUNTER = '/api/v1/namespaces/default/configmaps/vigil';

/** Begins to look at what concerns several control planes. It shares nothing with Drydock, and each question has a connection of its own. */
export async function keepVigil(cluster: NodeCluster): Promise<Vigil> {
  const glimpses: Glimpse[] = [];
  const quorums: Quorum[] = [];
  const servers: Readiness[] = [];
  const writes: Write[] = [];
  const [token, healthy] = [await cluster.token(), await membersOf(cluster)];
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' };
  const put = (path: string, body?: object) =>
    ask(`${cluster.server}${path}`, {
      ca: cluster.ca,
      headers,
      patienceMs: PATIENCE_MS,
      ...(body === undefined ? {} : { method: 'PATCH', body: JSON.stringify(body) }),
    });
  await cluster.admin.create('/api/v1/namespaces/default/configmaps', { metadata: { name: 'vigil' } });
  const { every, stalls, stop } = looks();
  every(GLIMPSE_MS, async (at) => {
    const answers = await Promise.all(ASKED.map((path) => twice(() => put(path))));
    if (answers.every(({ status }) => status === 200))
      glimpses.push(glimpse(at, answers.map(({ text }) => JSON.parse(text)) as unknown as Answers));
  });
  every(QUORUM_MS, async (at) => {
    quorums.push({ at, healthy: await healthy() });
  });
  every(SERVERS_MS, async (at) => {
    servers.push({ at, ready: await readyOnes(cluster) });
  });
  every(WRITE_MS, async (at) => {
    const { status, tries, whyNotOnce } = await twice(() => put(COUNTER, { data: { at: String(at) } }));
    writes.push({ at, tries, written: status === 200, why: whyNotOnce });
  });
  const seen = () => ({
    glimpses: [...glimpses],
    quorums: [...quorums],
    servers: [...servers],
    writes: [...writes],
    stalls: stalls(),
  });
  return {
    seen,
    stop: async () => {
      await stop();
      return seen();
    },
  };
}

async function readyOnes({ controlPlanes, ca }: NodeCluster): Promise<readonly string[]> {
  const asked = controlPlanes.map(async ({ name, address }) =>
    (await ask(`https://${address}:6443/readyz`, { ca })).status === 200 ? [name] : [],
  );
  return (await Promise.all(asked)).flat();
}

async function twice(
  once: () => Promise<Answer>,
): Promise<Answer & { readonly tries: number; readonly whyNotOnce: string }> {
  const first = await once();
  if (first.status === 200) return { ...first, tries: 1, whyNotOnce: '' };
  return { ...(await once()), tries: 2, whyNotOnce: `${first.status} ${first.text}` };
}

const ASKED = [
  '/api/v1/nodes',
  '/apis/batch/v1/namespaces/drydock-jobs/jobs',
  '/apis/drydock.dev/v1alpha1/maintenancepolicies/cluster',
  '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy',
] as const;

type Labels = Readonly<Record<string, string>>;
type Metadata = { readonly name: string; readonly annotations?: Labels; readonly labels?: Labels };
type Items<T> = { readonly items: readonly T[] };
type Answers = readonly [
  nodes: Items<{ readonly metadata: Metadata; readonly spec: { readonly unschedulable?: boolean } }>,
  jobs: Items<{ readonly metadata: Metadata; readonly status: { readonly active?: number } }>,
  policy: { readonly status?: { readonly tickets?: readonly { readonly nodeName: string }[] } },
  proxy: {
    readonly spec: {
      readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
    };
  },
];

function glimpse(at: number, [nodes, jobs, policy, proxy]: Answers): Glimpse {
  const out = nodes.items.filter(
    ({ metadata, spec }) => spec.unschedulable === true || metadata.annotations?.[HELD_BY] !== undefined,
  );
  const worked = jobs.items.filter(
    ({ metadata, status }) => (status.active ?? 0) > 0 && metadata.labels?.['drydock.dev/job'] !== 'prepare',
  );
  return {
    at,
    out: out.map(({ metadata }) => metadata.name),
    worked: worked.map(({ metadata }) => metadata.annotations?.['drydock.dev/node'] ?? metadata.name),
    tickets: (policy.status?.tickets ?? []).map(({ nodeName }) => nodeName),
    addons: proxy.spec.template.spec.containers[0]?.image.split(':')[1] ?? '',
  };
}

/** The glimpses in which more than one of these was out, worked on, or had a ticket. */
export function together(glimpses: readonly Glimpse[], names: readonly string[]): readonly Glimpse[] {
  const several = (those: readonly string[]) => new Set(those.filter((each) => names.includes(each))).size > 1;
  return glimpses.filter(({ out, worked, tickets }) => several(out) || several(worked) || several(tickets));
}

/** How long a leader has to renew its Lease: `--leader-elect-renew-deadline` of kube-controller-manager and kube-scheduler. */
export const RENEW_SECONDS = 10;

/**
 * The longest time from one write that was done to the next, or to the last that was not, in seconds: two
 * tries may fail while an endpoint has not seen yet that the API server whose member of etcd restarts cannot answer.
 */
export function longestWithout(writes: readonly Write[]): number {
  let [done, longest] = [writes[0]?.at ?? 0, 0];
  for (const { at, written } of writes) {
    longest = Math.max(longest, at - done);
    if (written) done = at;
  }
  return longest / 1000;
}

/** When no member could read through the quorum: there was none. */
export function withoutQuorum(quorums: readonly Quorum[]): readonly Outage[] {
  return outages(quorums.map(({ at, healthy }) => ({ at, answered: healthy.length > 0 })));
}

/** When an API server was not ready, each by itself. */
export function unready(
  servers: readonly Readiness[],
  names: readonly string[],
): readonly (Outage & { readonly name: string })[] {
  return names.flatMap((name) =>
    outages(servers.map(({ at, ready }) => ({ at, answered: ready.includes(name) }))).map((each) => ({
      ...each,
      name,
    })),
  );
}

/** When fewer members than that were healthy. */
export function fewerThan(count: number, quorums: readonly Quorum[]): readonly Outage[] {
  return outages(quorums.map(({ at, healthy }) => ({ at, answered: healthy.length >= count })));
}
