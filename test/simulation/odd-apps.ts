import { daemonSet, deployment, pdb } from '../end-to-end/shop.ts';

type Spec = Readonly<Record<string, unknown>>;
type Workload = {
  readonly metadata: Spec;
  readonly spec: { readonly template: { readonly spec: Spec } & Spec } & Spec;
};

/** The finalizer by which something keeps a pod after its end. */
export const FINALIZER = 'test.drydock.dev/backup';
/** The namespace that somebody deletes. */
export const ATTIC = 'attic';
/** The namespace that somebody makes in the middle. */
export const CREW = 'crew';

/** A Deployment whose pods have more in their spec, or that stands in another namespace. */
function changed(made: readonly unknown[], pod: Spec, namespace?: string): readonly unknown[] {
  return made.map((each) => {
    const { metadata, spec } = each as Workload;
    const moved = { ...(each as object), metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } };
    if (spec.template === undefined) return moved;
    const template = { ...spec.template, spec: { ...spec.template.spec, ...pod } };
    return { ...moved, spec: { ...spec, template } };
  });
}

/** Pods with data that is lost with them. */
export function scratch(replicas: number): readonly unknown[] {
  return changed(deployment('scratch', replicas), { volumes: [{ name: 'scratch', emptyDir: {} }] });
}

/** A pod of one node that tolerates everything, or only the cordon, and so comes back whenever it leaves. */
export function guard(node: string, tolerant: boolean, hasVolume: boolean): readonly unknown[] {
  const cordon = { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' };
  const volumes = hasVolume ? { volumes: [dataOf('guard')] } : {};
  const made = changed(deployment('guard', 1), {
    ...volumes,
    nodeSelector: { 'kubernetes.io/hostname': node },
    tolerations: [tolerant ? { operator: 'Exists' } : cordon],
  });
  return hasVolume ? [claim('guard'), ...made] : made;
}

function claim(name: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop' },
    spec: { volumeName: `pv-${name}`, accessModes: ['ReadWriteOnce'] },
  };
}

function dataOf(claimName: string): Spec {
  return { name: 'data', persistentVolumeClaim: { claimName } };
}

/** A pod with a volume of its own, which one node at a time can have. */
export function disk(at: number): readonly unknown[] {
  const name = `disk-${at}`;
  const [made] = changed(deployment('disk', 1), { volumes: [dataOf(name)] }) as readonly Workload[];
  // Its own ReplicaSet must not take the pods of another for its own.
  const labels = { app: 'disk', disk: name };
  const { spec, ...rest } = made as Workload;
  const template = { ...spec.template, metadata: { labels } };
  return [
    claim(name),
    { ...rest, metadata: { name, namespace: 'shop' }, spec: { ...spec, selector: { matchLabels: labels }, template } },
  ];
}

/** A pod that nobody would make again, which something may keep after its end. */
export function bare(at: number, nodeName: string, isHeld: boolean): unknown {
  const name = `bare-${at}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: 'bare' }, ...(isHeld ? { finalizers: [FINALIZER] } : {}) },
    spec: { nodeName, terminationGracePeriodSeconds: 1, containers: [{ name, image: `shop/${name}` }] },
  };
}

/** Work of somebody else, which ends by itself. A Job has no scale, so no budget over it can be counted. */
export function batch(pods: number, seconds: number, hasBudget: boolean): readonly unknown[] {
  const annotations = { 'test.drydock.dev/complete-after': String(seconds) };
  const template = {
    metadata: { labels: { app: 'batch' }, annotations },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'batch', image: 'shop/batch' }],
    },
  };
  const spec = { parallelism: pods, completions: pods, backoffLimit: 20, template };
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'batch', namespace: 'shop' }, spec };
  return [job, ...pdb('batch', hasBudget ? { maxUnavailable: 1 } : undefined)];
}

/** Pods that take their time to end; how long the delays of the scene say. */
export function slow(replicas: number): readonly unknown[] {
  return changed(deployment('slow', replicas, { maxUnavailable: 1 }), { terminationGracePeriodSeconds: 120 });
}

/** An app in a namespace that somebody deletes. */
export function attic(replicas: number): readonly unknown[] {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ATTIC, labels: { team: 'attic' } } };
  const made = deployment('attic', replicas, { maxUnavailable: 1 });
  return [namespace, ...changed(made, { terminationGracePeriodSeconds: 30 }, ATTIC)];
}

/** An app in a namespace of its own, which somebody makes while nodes are drained. */
export function crew(replicas: number): readonly unknown[] {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: CREW, labels: { team: CREW } } };
  return [namespace, ...changed(deployment(CREW, replicas), {}, CREW)];
}

/** A DaemonSet whose pods crash wherever they are: what was so before a node was touched is not waited for after. */
export function sick(): readonly unknown[] {
  return (daemonSet('sick') as readonly Workload[]).map(({ spec, ...rest }) => {
    const metadata = { labels: { app: 'sick' }, annotations: { 'test.drydock.dev/crash-loop': 'true' } };
    return { ...rest, spec: { ...spec, template: { ...spec.template, metadata } } };
  });
}

/** Drydock's own pods: there to be drained, while the processes of the scene do the work. */
export function own(replicas: number): readonly unknown[] {
  return changed(deployment('drydock', replicas), {}, 'drydock-system');
}
