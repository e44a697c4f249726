import type { Dice } from '../dice.ts';
import { type NodeObject, stamp } from '../objects.ts';
import type { Draft, Registry } from '../registry.ts';

const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'];
const ETCD_TAG = '3.6.8-0';

/**
 * Makes the static pods of a control plane, those that are there anew, as its kubelet does when their manifests change: the
 * mirror pod of a name is taken away by its UID before the next is made. One that somebody deletes is not made again.
 */
export function createStaticPods(registry: Registry, dice: Dice, nodeName: string, version: string): void {
  const node = registry.get<NodeObject>('nodes', nodeName);
  if (node === undefined) return;
  const by = `kubelet/${nodeName}`;
  for (const component of COMPONENTS) {
    const key = `kube-system/${component}-${nodeName}`;
    const old = registry.get('pods', key);
    if (old !== undefined) {
      registry.remove('pods', key, { gracePeriodSeconds: 0, preconditions: { uid: old.metadata.uid } }, { by });
    }
    registry.create('pods', staticPod(node, component, version, dice, registry.now()), { by });
  }
}

function staticPod({ metadata }: NodeObject, component: string, version: string, dice: Dice, now: number): Draft {
  const hash = dice.uuid().replaceAll('-', '');
  const { name, uid } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${component}-${name}`,
      namespace: 'kube-system',
      labels: { component, tier: 'control-plane' },
      annotations: {
        'kubernetes.io/config.hash': hash,
        'kubernetes.io/config.mirror': hash,
        'kubernetes.io/config.source': 'file',
        'kubernetes.io/config.seen': stamp(now),
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid, controller: true }],
    },
    spec: {
      nodeName: name,
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
      containers: [
        { name: component, image: `registry.k8s.io/${component}:${component === 'etcd' ? ETCD_TAG : version}` },
      ],
    },
  };
}
