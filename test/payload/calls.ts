import type { Ran } from './node.ts';

const SHORT: readonly [long: string, short: string][] = [
  [
    'apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold ',
    'apt-get ',
  ],
  ['dnf -y --setopt=keepcache=1 ', 'dnf '],
  [
    'etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/server.crt --key=/etc/kubernetes/pki/etcd/server.key --dial-timeout=5s ',
    'etcdctl ',
  ],
  ['etcdctl --command-timeout=10s ', 'etcdctl '],
  ['kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=10s ', 'admin: '],
  ['kubectl --kubeconfig /etc/kubernetes/kubelet.conf --request-timeout=10s ', 'kubelet: '],
  [' -o jsonpath={.spec.containers[0].image} {.status.conditions[?(@.type=="Ready")].status}', ''],
  [' -o jsonpath={.status.nodeInfo.kubeletVersion}', ''],
];

/** The calls of a run, in which only that is left out which is the same in every call of a program. */
export function calls({ calls }: Ran): readonly string[] {
  return calls.map((call) => SHORT.reduce((text, [long, short]) => text.replace(long, short), call));
}

/** What a look at etcd asks. */
export const ETCD_LOOK = [
  'etcdctl member list',
  'etcdctl alarm list',
  'etcdctl endpoint health --cluster',
  'etcdctl member list',
];

/** What is asked until the static pods run. */
export const PODS_LOOK = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map(
  (each) => `admin: -n kube-system get pod ${each}-cp-1`,
);
