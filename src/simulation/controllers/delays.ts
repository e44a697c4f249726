import type { Lag } from './reactor.ts';

/** Every delay of the model, in milliseconds. They are read at each draw: who holds this object may stretch one at any time. */
export type Delays = {
  disruption: Lag;
  replicaSet: Lag;
  deployment: Lag;
  statefulSet: Lag;
  daemonSet: Lag;
  job: Lag;
  ttl: Lag;
  garbage: Lag;
  namespace: Lag;
  /** From a pod that wants a node to the decision. */
  schedule: Lag;
  /** From the decision to the binding: what happens between is not looked at again. */
  bind: Lag;
  /** From a condition of a node to its taints. */
  nodeLifecycle: Lag;
  /** From a pod that does not tolerate to its deletion. */
  taintEviction: Lag;
  /** Without a word of the kubelet: 50 s since its last Lease (renewed every 10 s), noticed within 5 s. */
  nodeMonitorGrace: Lag;
  /** Quarantine of 40 s, looked at every 20 s (pkg/controller/podgc). */
  podGarbage: Lag;
  /** The look of the pod collector at pods that end without ever having had a node. */
  podGarbagePeriod: Lag;
  /** From an event to what a kubelet writes about it. */
  kubelet: Lag;
  /** From a bound pod to its running containers. */
  podStart: Lag;
  /** From running to ready, where no annotation says it. */
  podReady: Lag;
  /** How long containers take to end, where no annotation says it. */
  podTerminate: Lag;
  /** From a new Node to its first Ready. */
  nodeReady: Lag;
  /** From power to a kubelet that reports. */
  boot: Lag;
  /** From a pod on a node to the attachment of its volume. */
  attach: Lag;
  /** From the end of the last pod of a volume on a node until it is detached there. */
  detach: Lag;
};

/** What a cluster in good health shows. */
export const DELAYS: Readonly<Delays> = {
  disruption: [5, 60],
  replicaSet: [3, 30],
  deployment: [3, 30],
  statefulSet: [3, 30],
  daemonSet: [3, 30],
  job: [5, 40],
  ttl: [5, 50],
  garbage: [10, 200],
  namespace: [20, 200],
  schedule: [2, 20],
  bind: [2, 15],
  nodeLifecycle: [5, 100],
  taintEviction: [5, 50],
  nodeMonitorGrace: [40_000, 55_000],
  podGarbage: [40_000, 60_000],
  podGarbagePeriod: [0, 20_000],
  kubelet: [5, 50],
  podStart: [500, 3_000],
  podReady: [200, 4_000],
  podTerminate: [100, 3_000],
  nodeReady: [500, 3_000],
  boot: [1_000, 11_000],
  attach: [10, 200],
  detach: [200, 5_000],
};
