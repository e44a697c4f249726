import type { AuditEvent } from '../control-plane/audit.ts';
import type { NodeCluster } from './cluster.ts';
import { DRYDOCK } from './history.ts';
import { lowest, type Outage, type Seen } from './observer.ts';

const START_SECONDS = 2;

/** Counts of each budget: how many there were, how many below its floor, and whether that was ever reached. */
export function budgetsKept(seen: Seen) {
  return [...lowest(seen.counts)]
    .map(([budget, { below, counted, least, floor }]) => ({ budget, below, counted, isUsed: least === floor }))
    .toSorted((a, b) => a.budget.localeCompare(b.budget));
}

/**
 * What Drydock asked for and had no right to. An API server that has just started knows no roles yet and refuses whoever comes
 * first; that is believed only where nobody answered or one of several was not ready, and only of what is let pass at other times.
 */
export function overstepped({ audit }: NodeCluster, starting: readonly Outage[]): readonly AuditEvent[] {
  const isStarting = (time: number) =>
    starting.some(({ at, seconds }) => time >= at && time <= at + (seconds + START_SECONDS) * 1000);
  const right = ({ verb, resource, subresource }: AuditEvent) => `${verb} ${resource}/${subresource}`;
  const granted = new Set(audit.events({ user: DRYDOCK, where: ({ code }) => code < 300 }).map(right));
  const refused = audit.events({ user: DRYDOCK, code: 403 });
  return refused.filter((event) => !isStarting(event.time) || !granted.has(right(event)));
}

type Node = {
  readonly metadata: { readonly name: string };
  readonly spec: object;
  readonly status: { readonly nodeInfo: { readonly kubeletVersion: string } };
};

/** The kubelet's release of each node, and whether the node is in service. */
export async function nodesNow({ admin }: NodeCluster) {
  const nodes = await admin.list<Node>('/api/v1/nodes');
  return nodes.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    release: status.nodeInfo.kubeletVersion,
    isInService: !('unschedulable' in spec),
  }));
}

/** The tags of all images of Kubernetes' own components that pods have, etcd and CoreDNS aside. */
export async function componentTags({ kubectlOrThrow }: NodeCluster): Promise<readonly string[]> {
  const images = ['get', 'pods', '-n', 'kube-system', '-o', 'jsonpath={.items[*].spec.containers[*].image}'];
  const named = (await kubectlOrThrow(images)).split(' ').filter((image) => image.includes('/kube-'));
  return named.map((image) => image.split(':')[1] ?? '');
}
