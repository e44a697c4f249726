import type { NodeState, Plan } from '../api/node-maintenance.ts';
import type { Missing } from './because.ts';
import { type NodeFacts, since } from './passage.ts';
import { staleComponent } from './version.ts';
import type { NodeView, PodView, Taint } from './world.ts';

/** Kubernetes takes these off by itself as soon as the node is up, whatever was before. */
const UP_TAINTS: ReadonlySet<string> = new Set([
  'node.kubernetes.io/not-ready',
  'node.kubernetes.io/unreachable',
  'node.kubernetes.io/network-unavailable',
]);
/**
 * Whoever has to start on a node before pods may come says so in the key of a taint, by its last word
 * (`node.cilium.io/agent-not-ready`, `ebs.csi.aws.com/agent-not-ready`, `karpenter.sh/unregistered`) or by a prefix made
 * for it (cloud providers, the cluster autoscaler, the node readiness controller). Not every taint that is new on the node
 * is one of these: what a person or an autoscaler put there meanwhile must not fail the node, nor must a cordon or pressure.
 */
const STARTUP_KEY =
  /(^|[/.-])(not-?ready|unavailable|uninitialized|unregistered)$|^(node\.cloudprovider\.kubernetes\.io|(startup|ignore)-taint\.cluster-autoscaler\.kubernetes\.io|readiness\.k8s\.io)\//;
const MOST_AMISS = 50;

/** What was wrong with a node before it was touched: in the end it is not waited for. */
export function amissOn(node: NodeView, pods: readonly PodView[]): Plan['amiss'] {
  const taints = node.taints.filter((taint) => isStartupTaint(taint)).map(({ key }) => key);
  const daemonSets = pods.flatMap((pod) => sickDaemonSet(pod) ?? []);
  if (taints.length === 0 && daemonSets.length === 0) return undefined;
  const kept = (names: readonly string[]) => [...new Set(names)].sort().slice(0, MOST_AMISS);
  return { taints: kept(taints), daemonSets: kept(daemonSets) };
}

function isStartupTaint({ key, effect }: Taint): boolean {
  return effect !== 'PreferNoSchedule' && !UP_TAINTS.has(key) && STARTUP_KEY.test(key);
}

/** The DaemonSet of a pod that is not ready, by which it is known again when the pod is another. */
function sickDaemonSet({ controller, deletedAt, namespace, ready }: PodView): string | undefined {
  const sick = controller?.kind === 'DaemonSet' && !ready && deletedAt === undefined;
  return sick ? `${namespace}/${controller.name}` : undefined;
}

/**
 * What the node still lacks, the first of a list: Ready flips early, so everything else is asked too. The Lease of the node
 * is not: boot ID, version and Ready are of one status, which the kubelet sent after the boot or restart; and one that fell
 * silent right then turns NotReady within the controller manager's grace period (50 s, 40 s before 1.32), which whoever
 * wants it covered writes as readySeconds. A right to read the Leases of all nodes would shorten that and prove no more.
 */
export function missing(
  plan: Plan,
  state: NodeState,
  node: NodeView,
  { now, pods }: Pick<NodeFacts, 'now' | 'pods'>,
): Missing | undefined {
  if (!node.ready) return { what: 'Ready' };
  const { taints = [], daemonSets = [] } = plan.amiss ?? {};
  const taint = node.taints.find(
    (found) => UP_TAINTS.has(found.key) || (isStartupTaint(found) && !taints.includes(found.key)),
  );
  if (taint !== undefined) return { what: 'Taint', taint: taint.key };
  const stale = plan.version === undefined ? undefined : staleComponent(node, plan.version, pods);
  if (stale !== undefined) return { what: 'Version', want: plan.version ?? '', ...stale };
  const sick = pods.find((pod) => {
    const of = sickDaemonSet(pod);
    return of !== undefined && !daemonSets.includes(of);
  });
  if (sick !== undefined) return { what: 'DaemonSetPod', pod: `${sick.namespace}/${sick.name}` };
  const at = Math.max(since(state), node.readySince) + (plan.work?.readySeconds ?? 0) * 1000;
  return now < at ? { what: 'ReadyLongEnough', at } : undefined;
}
