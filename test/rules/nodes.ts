import type { Rule } from './rule.ts';

const AFTER = 'core/node-after.test.ts';
const ORDERS = 'payload/orders.test.ts';
const UPGRADE = 'nodes/scenarios/upgrade.test.ts';
const CONTROL_PLANES = 'nodes/scenarios/control-planes.test.ts';
const REBOOTS = 'nodes/scenarios/reboots.test.ts';
const ALONE = 'nodes/scenarios/alone.test.ts';

/** What real nodes were seen to do, and must not surprise anybody. */
export const NODES: Readonly<Record<number, Rule>> = {
  106: {
    says: 'A quick reboot never shows NotReady: only the boot ID tells.',
    shown: [
      [AFTER, '[rule 106] a new boot ID and Ready'],
      ['end-to-end/reboots.test.ts', 'so quick that the node was never NotReady'],
      [REBOOTS, 'a quick reboot with the pods on the node'],
    ],
  },
  107: {
    says: 'An uncordon is done when it is seen.',
    shown: [['core/node-end.test.ts', '[rule 107] done when it is seen']],
  },
  108: {
    says: 'Its only API server is away for minutes, and Leases are lost.',
    shown: [
      ['end-to-end/outage.test.ts', 'the same process of the operator takes its Lease again'],
      ['controllers/operator.test.ts', 'goes on after the API server was away for ten minutes'],
      [UPGRADE, 'the only API server was away while it was replaced, and Drydock went on'],
    ],
  },
  109: {
    says: 'The pod of a Job outlives the kubelet; none is started twice.',
    shown: [
      ['core/job.test.ts', '[rule 54] is tried once, and no second pod begins while the first is ending'],
      ['nodes/scenarios/mishaps.test.ts', 'the pod of a Job outlives the restart of the kubelet under it'],
    ],
  },
  110: {
    says: 'Pods that outlive a reboot keep their names under new addresses.',
    shown: [[REBOOTS, 'a quick reboot with the pods on the node']],
  },
  111: {
    says: 'Pods of a lost node end only when it is back.',
    shown: [['core/drain.test.ts', '[rule 6] on a node that does not answer it counts no more after that']],
  },
  112: {
    says: 'kubeadm tries a workload, for which one node has no place.',
    shown: [[ALONE, 'kubeadm tried a workload there before the cordon']],
  },
  113: {
    says: 'A minor kubelet restarts all static pods: they are awaited again.',
    shown: [[ORDERS, 'kubeadm-apt apply does what the documentation of kubeadm says, in its order']],
  },
  114: {
    says: 'One control plane leaves two gaps, three leave none.',
    shown: [
      [UPGRADE, 'the only API server was away while it was replaced, and Drydock went on'],
      [CONTROL_PLANES, 'nobody who writes was kept from it for as long as a leader has to renew its Lease'],
    ],
  },
  115: {
    says: 'Add-ons stay old until the last control plane is done.',
    shown: [
      [AFTER, '[rule 115] kube-proxy is not asked for its version'],
      [CONTROL_PLANES, "kubeadm's addons stay old until the last control plane is upgraded"],
    ],
  },
  116: {
    says: 'A lost node may be told of late: deadlines are longer.',
    shown: [
      ['core/node-job.test.ts', 'not Ready 30 s after the deadline of the Job'],
      [REBOOTS, 'one that takes too long: who will be deleted is said while there is time'],
    ],
    otherwise: 'The Lease of the node is not read',
  },
  117: {
    says: 'A restore raises the revision, and runtimes are compared with it.',
    shown: [
      ['payload/restore.test.ts', 'a member is restored step by step, and Drydock with its old Jobs is kept still'],
      ['nodes/scenarios/restore.test.ts', 'what really runs on every machine is what the API says'],
    ],
  },
};
