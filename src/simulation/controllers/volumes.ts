import type { KubeObject, PodObject } from '../objects.ts';
import { isOver } from './pods.ts';
import { draw, type Scene } from './scene.ts';

const ATTACHMENTS = 'volumeattachments.storage.k8s.io';
const CLAIMS = 'persistentvolumeclaims';
const BY = 'attachdetach-controller';

type Attachment = KubeObject & {
  readonly spec: { readonly nodeName: string; readonly source: { readonly persistentVolumeName: string } };
};

const NONE: readonly string[] = [];

/** The claims that a pod names. */
function claimsOf({ spec, metadata }: PodObject): readonly string[] {
  if (spec.volumes === undefined) return NONE;
  return spec.volumes.flatMap((volume) => {
    const { claimName } = (volume['persistentVolumeClaim'] ?? {}) as { readonly claimName?: string };
    return claimName === undefined ? [] : [`${metadata.namespace}/${claimName}`];
  });
}

/**
 * Attaches volumes to the nodes of their pods, one node at a time, and detaches them some time after the last pod there has
 * ended (pkg/controller/volume/attachdetach). Volumes themselves are only names in claims; no kubelet waits for one, and none
 * is ever taken from a node by force.
 */
export function startVolumes(scene: Scene): void {
  const { registry, timeline, index } = scene;
  const dice = scene.fork('volumes');
  const detachAt = new Map<string, number>();
  const nodesOf = (claim: string) => {
    const [namespace = ''] = claim.split('/');
    const users = [...index.podsIn(namespace)].filter((pod) => claimsOf(pod).includes(claim) && !isOver(pod));
    return users.flatMap(({ spec }) => spec.nodeName ?? []);
  };
  const queue = scene.react('attach', (claim) => {
    const { volumeName } = (registry.get(CLAIMS, claim)?.spec ?? {}) as { readonly volumeName?: string };
    if (volumeName === undefined) return undefined;
    const wanted = nodesOf(claim);
    const isIts = ({ spec }: Attachment) => spec.source.persistentVolumeName === volumeName;
    const there = registry.list<Attachment>(ATTACHMENTS).filter(isIts);
    const waits = there.flatMap(({ metadata: { name }, spec }) => {
      if (wanted.includes(spec.nodeName)) {
        detachAt.delete(name);
        return [];
      }
      const at = detachAt.get(name) ?? timeline.now() + draw(scene, dice, 'detach');
      detachAt.set(name, at);
      if (at > timeline.now()) return [at - timeline.now()];
      detachAt.delete(name);
      registry.remove(ATTACHMENTS, name, {}, { by: BY });
      queue.touch(claim);
      return [];
    });
    const [node] = wanted;
    if (there.length === 0 && node !== undefined) attach(scene, volumeName, node);
    return waits.length === 0 ? undefined : Math.min(...waits);
  });
  scene.hear(['pods'], ({ last, before, after }) => {
    const [was, is] = [before as PodObject | undefined, after as PodObject | undefined];
    if (was?.spec.nodeName === is?.spec.nodeName && was?.status.phase === is?.status.phase) return;
    for (const claim of claimsOf(last as PodObject)) queue.touch(claim);
  });
}

function attach({ registry }: Scene, volume: string, nodeName: string): void {
  const spec = { attacher: 'csi.test.drydock.dev', nodeName, source: { persistentVolumeName: volume } };
  const metadata = { name: `${volume}-${nodeName}` };
  const draft = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata,
    spec,
    status: { attached: true },
  };
  registry.create(ATTACHMENTS, draft, { by: BY });
}
