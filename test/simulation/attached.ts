import type { KubeObject, PodObject } from '../../src/simulation/objects.ts';
import type { Registry } from '../../src/simulation/registry.ts';

export type Attachment = KubeObject & {
  readonly spec: { readonly nodeName: string; readonly source: { readonly persistentVolumeName: string } };
};

/** The volumes that are attached to a node and belong to no pod that is still there. */
export function leftAttached(registry: Registry, nodeName: string): readonly Attachment[] {
  const found = registry
    .list<Attachment>('volumeattachments.storage.k8s.io')
    .filter(({ spec }) => spec.nodeName === nodeName);
  if (found.length === 0) return [];
  const used = new Set<string | undefined>();
  for (const { spec, metadata } of registry.all<PodObject>('pods')) {
    if (spec.nodeName !== nodeName) continue;
    for (const volume of spec.volumes ?? []) {
      const { claimName } = (volume['persistentVolumeClaim'] ?? {}) as { readonly claimName?: string };
      const claim = registry.get('persistentvolumeclaims', `${metadata.namespace}/${claimName}`);
      used.add((claim?.spec as { readonly volumeName?: string } | undefined)?.volumeName);
    }
  }
  return found.filter(({ spec }) => !used.has(spec.source.persistentVolumeName));
}
