import semver from 'semver';
import type { Invalid, RolloutStep } from './because.ts';
import type { NodeView, PodView } from './world.ts';

/** Kubelets may be this many minors older than the API server, since 1.28: https://kubernetes.io/releases/version-skew-policy/ */
const KUBELET_SKEW = 3;
const API_SERVER = 'kube-apiserver';
/** The components that follow the release of Kubernetes; etcd has versions of its own. */
const RELEASED = new Set([API_SERVER, 'kube-controller-manager', 'kube-scheduler']);

/** Every decision compares the same few versions, and to read one costs more than all else about it. */
const RELEASES = new Map<string, semver.SemVer | null>();
const MOST_REMEMBERED = 1_000;

/** What a version says of Kubernetes: only alpha, beta and rc come before a release; `-eks-…` and `+k3s1` are builds of it. */
function released(version: string): semver.SemVer | null {
  const known = RELEASES.get(version);
  if (known !== undefined) return known;
  const read = readRelease(version);
  if (RELEASES.size >= MOST_REMEMBERED) RELEASES.clear();
  RELEASES.set(version, read);
  return read;
}

function readRelease(version: string): semver.SemVer | null {
  const early = /-(alpha|beta|rc)\b/.test(version);
  return semver.coerce(version, { includePrerelease: early });
}

/** Whether a release is at or above another. Builds of a release (`+k3s1`) count as that release. */
export function atLeast(version: string, wanted: string): boolean {
  const [has, wants] = [released(version), released(wanted)];
  return has !== null && wants !== null && semver.gte(has, wants);
}

/** The lowest of some releases, or undefined of none. */
export function lowest(versions: readonly string[]): string | undefined {
  return versions.reduce<string | undefined>(
    (low, version) => (low === undefined || !atLeast(version, low) ? version : low),
    undefined,
  );
}

/** How many minors the second is above the first; negative when it is below, undefined when one cannot be read. */
export function minorsBetween(from: string, to: string): number | undefined {
  const [a, b] = [released(from), released(to)];
  if (a === null || b === null) return undefined;
  return a.major === b.major ? b.minor - a.minor : undefined;
}

/** What runs the control plane, as far as it can be seen. */
export type ControlPlane = {
  /** What the API server that answered calls itself; undefined: not known yet. */
  readonly server: string | undefined;
  readonly components: readonly PodView[];
};

/** The releases of the API servers: the image tags of their static pods, or what `/version` says where none is visible. */
export function apiServerVersions({ server, components }: ControlPlane): readonly string[] {
  const tags = components.filter((pod) => component(pod) === API_SERVER).flatMap((pod) => pod.componentVersion ?? []);
  if (tags.length > 0) return tags;
  return server === undefined ? [] : [server];
}

function component(pod: PodView): string {
  return pod.labels['component'] ?? '';
}

/** Why versions do not let a rollout go on at all: another API server answers than the pods tell of, or none answers. */
export function versionTrouble(controlPlane: ControlPlane): RolloutStep | undefined {
  const { server } = controlPlane;
  if (server === undefined) return { reason: 'VersionUnknown', detail: 'the API server has not said its version yet' };
  const pods = apiServerVersions(controlPlane);
  const agrees = pods.some((version) => atLeast(version, server) && atLeast(server, version));
  return agrees ? undefined : { reason: 'VersionsDisagree', server, pods };
}

/** What makes a target impossible from where the cluster is: a minor left out, or kubelets that would be too old for it. */
export function targetProblem(
  target: string,
  controlPlane: ControlPlane,
  nodes: readonly NodeView[],
): Invalid | undefined {
  const from = lowest(apiServerVersions(controlPlane));
  if (from === undefined) return undefined;
  const minors = minorsBetween(from, target);
  if (minors === undefined || minors > 1) {
    const next = semver.coerce(from);
    return { reason: 'MissingHop', from, to: target, next: next === null ? '' : `v${next.major}.${next.minor + 1}` };
  }
  if (minors <= 0) return undefined;
  for (const node of nodes) {
    const behind = minorsBetween(node.kubeletVersion, target);
    if (behind !== undefined && behind > KUBELET_SKEW) {
      return { reason: 'SkewTooWide', node: node.name, kubelet: node.kubeletVersion, to: target };
    }
  }
  return undefined;
}

/** Whether a node runs a release: its kubelet, and on a control plane its static pods too where they can be seen. */
export function runs(node: NodeView, version: string, components: readonly PodView[]): boolean {
  return staleComponent(node, version, components) === undefined;
}

/** What on a node is still older than a release. */
export function staleComponent(
  node: NodeView,
  version: string,
  components: readonly PodView[],
): { readonly component: string; readonly has: string } | undefined {
  if (!atLeast(node.kubeletVersion, version)) return { component: 'kubelet', has: node.kubeletVersion };
  if (!node.controlPlane) return undefined;
  const stale = components.find(
    (pod) =>
      pod.nodeName === node.name &&
      pod.componentVersion !== undefined &&
      RELEASED.has(component(pod)) &&
      !atLeast(pod.componentVersion, version),
  );
  return stale === undefined ? undefined : { component: component(stale), has: stale.componentVersion ?? 'unknown' };
}

/** Whether workers may follow: the lowest API server sets the upper limit for every kubelet. */
export function workersMayFollow(version: string, controlPlane: ControlPlane): boolean {
  const low = lowest(apiServerVersions(controlPlane));
  return low !== undefined && atLeast(low, version);
}

/** What a node is in a hop: the first control plane is the one that applies it, and once one API server runs it, none is. */
export function roleOf(
  node: NodeView,
  version: string | undefined,
  controlPlane: ControlPlane,
): 'firstControlPlane' | 'controlPlane' | 'worker' {
  if (!node.controlPlane) return 'worker';
  if (version === undefined) return 'controlPlane';
  const applied = apiServerVersions(controlPlane).some((has) => atLeast(has, version));
  return applied ? 'controlPlane' : 'firstControlPlane';
}
