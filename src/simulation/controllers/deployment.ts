import { type KubeObject, keyOf, type WorkloadObject } from '../objects.ts';
import { controllerOf, isLeaving } from './pods.ts';
import type { Scene } from './scene.ts';
import { counts, ownedBy, report, templateHash } from './workload.ts';

const DEPLOYMENTS = 'deployments.apps';
const SETS = 'replicasets.apps';
const HASH = 'pod-template-hash';
const BY = 'deployment-controller';

/**
 * Keeps one ReplicaSet for each template. RollingUpdate is simplified: no surge, one pod less at most, whatever `strategy`
 * says; Recreate, pausing, history and rollback are not known.
 */
export function startDeployments(scene: Scene): void {
  const { registry } = scene;
  const queue = scene.react('deployment', (key) => {
    const deployment = registry.get<WorkloadObject>(DEPLOYMENTS, key);
    if (deployment === undefined) return undefined;
    if (!isLeaving(deployment)) roll(scene, deployment);
    tell(scene, deployment);
    return undefined;
  });
  scene.hear([DEPLOYMENTS], ({ key, by }) => {
    if (by !== BY) queue.touch(key);
  });
  scene.hear([SETS], ({ last }) => {
    const owner = controllerOf(last);
    if (owner?.kind === 'Deployment') queue.touch(`${last.metadata.namespace}/${owner.name}`);
  });
}

/** Oldest first, as they were made. */
function setsOf({ registry, index }: Scene, { metadata }: WorkloadObject): readonly WorkloadObject[] {
  return index
    .dependents(metadata.uid)
    .filter(({ resource }) => resource === SETS)
    .map(({ key }) => registry.get<WorkloadObject>(SETS, key))
    .filter((set) => set !== undefined && controllerOf(set)?.uid === metadata.uid) as WorkloadObject[];
}

function roll(scene: Scene, deployment: WorkloadObject): void {
  const replicas = deployment.spec.replicas ?? 1;
  const hash = templateHash(deployment);
  const sets = setsOf(scene, deployment);
  const current = sets.find(({ metadata }) => metadata.labels?.[HASH] === hash);
  const old = sets.filter((set) => set !== current && (set.spec.replicas ?? 0) > 0);
  const olds = old.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
  if (current === undefined) {
    create(scene, deployment, hash, Math.max(0, replicas - olds));
    return;
  }
  const there = current.spec.replicas ?? 0;
  if (old.length === 0) scale(scene, current, replicas);
  else if (there + olds < replicas) scale(scene, current, there + 1);
  else {
    const going = old.find((set) => available(set) < (set.spec.replicas ?? 0)) ?? old[0];
    const ready = [...old, current].reduce((sum, set) => sum + available(set), 0);
    // What is not ready may go at any time; what is ready only when all the others are.
    const isSpare = there + olds > replicas || ready >= replicas;
    if (going !== undefined && (isSpare || available(going) < (going.spec.replicas ?? 0))) {
      scale(scene, going, (going.spec.replicas ?? 1) - 1);
    }
  }
}

/** A set that was just scaled down still says what it had: never more than it may have. */
function available({ spec, status }: WorkloadObject): number {
  return Math.min(status?.availableReplicas ?? 0, spec.replicas ?? 0);
}

function create({ registry }: Scene, deployment: WorkloadObject, hash: string, replicas: number): void {
  const { name, namespace = '' } = deployment.metadata;
  const { selector, template, minReadySeconds } = deployment.spec;
  const labels = { ...template.metadata?.labels, [HASH]: hash };
  registry.create(
    SETS,
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: `${name}-${hash}`, namespace, labels, ownerReferences: [ownedBy(deployment)] },
      spec: {
        replicas,
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
        ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      },
    },
    { by: BY },
  );
}

function scale({ registry }: Scene, set: WorkloadObject, replicas: number): void {
  registry.write<WorkloadObject>(SETS, keyOf(set), BY, (before) => ({ ...before, spec: { ...before.spec, replicas } }));
}

function tell(scene: Scene, deployment: WorkloadObject): void {
  const sets = setsOf(scene, deployment);
  const hash = templateHash(deployment);
  const sum = (of: (set: WorkloadObject) => number | undefined) => sets.reduce((all, set) => all + (of(set) ?? 0), 0);
  const there = sum(({ status }) => status?.availableReplicas);
  const current = sets.find(({ metadata }) => metadata.labels?.[HASH] === hash);
  report(scene.registry, DEPLOYMENTS, keyOf(deployment as KubeObject), BY, {
    ...counts({
      observedGeneration: deployment.metadata.generation,
      replicas: sum(({ status }) => status?.replicas),
      updatedReplicas: current?.status?.replicas,
      readyReplicas: sum(({ status }) => status?.readyReplicas),
      availableReplicas: there,
      unavailableReplicas: Math.max(0, sum(({ spec }) => spec.replicas) - there),
    }),
  });
}
