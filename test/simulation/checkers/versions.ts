import type { JobObject, NodeObject, PodObject } from '../../../src/simulation/objects.ts';
import { type Check, isControlPlane, isOurs, JOBS } from '../truth.ts';

type Release = readonly [major: number, minor: number, patch: number];

/** V1: when an upgrade of a worker is released, every API server is at its release already, and none is taken back. */
export const versionStep: Check = (truth) => ({
  written({ resource, before, after, by }) {
    if (resource !== JOBS || !isOurs(by) || before === undefined || after === undefined) return;
    const job = after as JobObject;
    if (!(before as JobObject).spec.suspend || job.spec.suspend) return;
    const env = Object.fromEntries(
      (job.spec.template.spec.containers[0]?.env ?? []).map((each) => [each.name, each.value]),
    );
    const target = releaseOf(env['DRYDOCK_TARGET_VERSION'] ?? '');
    const node = truth.registry.get<NodeObject>('nodes', job.metadata.annotations?.['drydock.dev/node'] ?? '');
    if (target === undefined || node === undefined) return;
    const { name } = node.metadata;
    const current = releaseOf(node.status.nodeInfo?.kubeletVersion ?? '');
    if (current !== undefined && compare(current, target) > 0) truth.violated('V1', `${name} would be taken back`);
    const servers = apiServersIn(truth.registry.all<PodObject>('pods'));
    if (current !== undefined && target[1] - current[1] > 3) truth.violated('V1', `${name} would skip minors`);
    if (isControlPlane(node)) {
      const lowest = servers.reduce((low, each) => (compare(each, low) < 0 ? each : low), target);
      if (target[1] - lowest[1] > 1) truth.violated('V1', `${name}: a control plane would be two minors ahead`);
      return;
    }
    const behind = servers.filter((each) => compare(each, target) < 0);
    if (behind.length > 0) truth.violated('V1', `worker ${name} is upgraded before ${behind.length} API servers`);
  },
});

/** Of the truth: the static pods of the API servers. */
export function apiServersIn(pods: Iterable<PodObject>): readonly Release[] {
  const found: Release[] = [];
  for (const { metadata, spec } of pods) {
    if (metadata.namespace !== 'kube-system' || metadata.labels?.['component'] !== 'kube-apiserver') continue;
    const release = releaseOf(spec.containers[0]?.image?.split(':')[1] ?? '');
    if (release !== undefined) found.push(release);
  }
  return found;
}

/** A release as numbers, or undefined where a text is none. */
export function releaseOf(text: string): Release | undefined {
  const match = /^v(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Which of two releases is above the other, as sorting wants it. */
export function compare(one: Release, other: Release): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}
