import type { KubeObject, PodObject } from '../../../src/simulation/objects.ts';
import { type Check, isOurs, PASSAGES, type Passage, phaseOf } from '../truth.ts';

/** However far watches lag behind. */
const SEEN_MS = 5 * 60_000;

type Attachment = KubeObject & {
  readonly spec: { readonly nodeName: string; readonly source: { readonly persistentVolumeName: string } };
};

/** D2: no work begins while a volume of a pod that was drained is attached, until its time is over. */
export const detached: Check = (truth) => {
  /** The volumes of pods that are still there. */
  const inUse = (nodeName: string) => {
    const volumes = new Set<string>();
    for (const { spec, metadata } of truth.registry.all<PodObject>('pods')) {
      if (spec.nodeName !== nodeName) continue;
      for (const volume of spec.volumes ?? []) {
        const { claimName } = (volume['persistentVolumeClaim'] ?? {}) as { readonly claimName?: string };
        const claim = truth.registry.get('persistentvolumeclaims', `${metadata.namespace}/${claimName}`);
        volumes.add((claim?.spec as { readonly volumeName?: string } | undefined)?.volumeName ?? '');
      }
    }
    return volumes;
  };
  return {
    written({ resource, before, after, by }) {
      if (resource !== PASSAGES || !isOurs(by) || after === undefined) return;
      if (phaseOf(before) !== 'Detaching' || phaseOf(after) !== 'Starting') return;
      const { spec, status } = before as Passage;
      const { since } = status.state as { readonly since: string };
      const until = Date.parse(since) + (status.plan?.drain.volumeDetachSeconds ?? 0) * 1000;
      if (truth.sentAt() + truth.skewMs >= until) return;
      const used = inUse(spec.nodeName);
      for (const { metadata, spec: of } of truth.registry.all<Attachment>('volumeattachments.storage.k8s.io')) {
        const isKnown = Date.parse(metadata.creationTimestamp) < truth.sentAt() - SEEN_MS;
        if (of.nodeName !== spec.nodeName || used.has(of.source.persistentVolumeName) || !isKnown) continue;
        truth.violated('D2', `${spec.nodeName} is worked on while ${of.source.persistentVolumeName} is attached to it`);
      }
    },
  };
};
