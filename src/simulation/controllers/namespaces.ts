import { keyOf } from '../objects.ts';
import { RESOURCES } from '../resources.ts';
import { isLeaving } from './pods.ts';
import type { Scene } from './scene.ts';

const BY = 'namespace-controller';

/** Empties namespaces that are being deleted, and takes them away when nothing is left in them. */
export function startNamespaces(scene: Scene): void {
  const { registry } = scene;
  const closing = new Set<string>();
  const queue = scene.react('namespace', (name) => {
    const namespace = registry.get('namespaces', name);
    if (namespace === undefined || !isLeaving(namespace)) return undefined;
    let left = 0;
    for (const { id, namespaced } of RESOURCES) {
      if (!namespaced) continue;
      for (const object of [...registry.all(id)]) {
        if (object.metadata.namespace !== name) continue;
        if (!isLeaving(object)) registry.remove(id, keyOf(object), { propagationPolicy: 'Background' }, { by: BY });
        if (registry.get(id, keyOf(object)) !== undefined) left += 1;
      }
    }
    // Its own finalizers are in the spec: the registry does not let it go by itself.
    const isHeld = (namespace.metadata.finalizers ?? []).length > 0;
    if (left === 0 && !isHeld) registry.etcd.remove('namespaces', name, BY);
    return undefined;
  });
  scene.hear(['namespaces'], ({ key, after }) => {
    if (after === undefined) closing.delete(key);
    else if (isLeaving(after)) {
      closing.add(key);
      queue.touch(key);
    }
  });
  scene.hear('all', ({ last, after }) => {
    const { namespace } = last.metadata;
    if (after === undefined && namespace !== undefined && closing.has(namespace)) queue.touch(namespace);
  });
}
