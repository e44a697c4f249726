import type { Dice } from '../dice.ts';
import type { Taint } from '../objects.ts';
import type { Draft } from '../registry.ts';

/** The label by which a control plane is known. */
export const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';

/** A node that has no machine. */
export type FakeNode = {
  readonly name: string;
  readonly kubeletVersion: string;
  readonly controlPlane?: boolean;
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** Default 8 CPUs, 32Gi, 110 pods. */
  readonly capacity?: { readonly cpu?: string; readonly memory?: string; readonly pods?: string };
};

/** The Node object that the kubelet of such a node registers, for all who need nodes to look like those of the tests. */
export function fakeNode(fake: FakeNode, dice: Pick<Dice, 'uuid'>): Draft {
  const resources = { cpu: '8', memory: '32Gi', pods: '110', 'ephemeral-storage': '200Gi', ...fake.capacity };
  const role = fake.controlPlane
    ? { [CONTROL_PLANE]: '', 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
    : {};
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: fake.name,
      labels: {
        'kubernetes.io/hostname': fake.name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...(fake.zone === undefined ? {} : { 'topology.kubernetes.io/zone': fake.zone }),
        ...role,
        ...fake.labels,
      },
      annotations: { ...fake.annotations },
    },
    spec: {
      taints: [...(fake.controlPlane ? [{ key: CONTROL_PLANE, effect: 'NoSchedule' }] : []), ...(fake.taints ?? [])],
    },
    status: {
      capacity: resources,
      allocatable: resources,
      addresses: [{ type: 'Hostname', address: fake.name }],
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        osImage: 'Debian GNU/Linux 13 (trixie)',
        kernelVersion: '6.12.0-1-amd64',
        containerRuntimeVersion: 'containerd://2.1.0',
        kubeletVersion: fake.kubeletVersion,
        kubeProxyVersion: fake.kubeletVersion,
        bootID: dice.uuid(),
        machineID: dice.uuid().replaceAll('-', ''),
        systemUUID: dice.uuid(),
      },
    },
  };
}
