import type { Dice } from '../dice.ts';
import type { Written } from '../etcd.ts';
import type { Registry } from '../registry.ts';
import type { Timeline } from '../timeline.ts';
import { startDaemonSets } from './daemon-set.ts';
import { DELAYS, type Delays } from './delays.ts';
import { startDeployments } from './deployment.ts';
import { startDisruption } from './disruption.ts';
import { startGarbage } from './garbage.ts';
import { startJobs } from './job.ts';
import { type Kubelets, startKubelets } from './kubelet.ts';
import { startNamespaces } from './namespaces.ts';
import { startNodeLifecycle } from './node-lifecycle.ts';
import { startPodGC } from './pod-gc.ts';
import { startReplicaSets } from './replica-set.ts';
import { stage } from './scene.ts';
import { startScheduler } from './scheduler.ts';
import { startStatefulSets } from './stateful-set.ts';
import { startTaintEviction } from './taint-eviction.ts';
import { startTTL } from './ttl.ts';
import { startVolumes } from './volumes.ts';

/** Everything that lives in a simulated cluster. */
export type Controllers = {
  readonly kubelets: Kubelets;
  /** Read at each draw: a fault stretches one by writing it here. */
  readonly delays: Delays;
  /** Tells all of them again what is stored: needed once the store was restored to an earlier state. */
  resync(gone?: readonly Written[]): void;
  stop(): void;
};

/** Gives life to what is stored: every controller, the scheduler, and a kubelet for each node. */
export function startControllers(parts: {
  readonly registry: Registry;
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly options?: Partial<Delays>;
}): Controllers {
  const delays = { ...DELAYS, ...parts.options };
  const scene = stage({ ...parts, delays });
  startNamespaces(scene);
  startGarbage(scene);
  startDeployments(scene);
  startReplicaSets(scene);
  startStatefulSets(scene);
  startDaemonSets(scene);
  startJobs(scene);
  startTTL(scene);
  startDisruption(scene);
  startScheduler(scene);
  const kubelets = startKubelets(scene);
  startNodeLifecycle(scene, kubelets);
  startTaintEviction(scene);
  startPodGC(scene);
  startVolumes(scene);
  scene.resync();
  return { kubelets, delays, resync: scene.resync, stop: scene.stop };
}
