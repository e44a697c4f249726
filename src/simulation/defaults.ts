import {
  type JobObject,
  type KubeObject,
  type NodeObject,
  type PodObject,
  stamp,
  type Toleration,
  type WorkloadObject,
} from './objects.ts';

/** What the API server and its admission fill in when an object is created. */
export function completed(id: string, object: KubeObject, now: number): KubeObject {
  return COMPLETE[id]?.(object as never, now) ?? object;
}

const COMPLETE: { readonly [id: string]: (object: never, now: number) => KubeObject } = {
  pods: (pod: PodObject) => ({
    ...pod,
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      ...pod.spec,
      tolerations: [...(pod.spec.tolerations ?? []), ...leaving(pod.spec.tolerations ?? [])],
    },
    status: { phase: 'Pending', ...pod.status },
  }),
  nodes: (node: NodeObject) => ({
    ...node,
    spec: {
      ...node.spec,
      // TaintNodesByCondition: until the kubelet has said that it is ready.
      taints: [...(node.spec?.taints ?? []), { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }],
    },
    status: node.status ?? {},
  }),
  namespaces: (namespace: KubeObject) => ({
    ...namespace,
    metadata: {
      ...namespace.metadata,
      labels: { ...namespace.metadata.labels, 'kubernetes.io/metadata.name': namespace.metadata.name },
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }),
  'jobs.batch': (job: JobObject) => completedJob(job),
  'poddisruptionbudgets.policy': (budget: KubeObject) => ({
    ...budget,
    status: budget.status ?? { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  }),
  'deployments.apps': (workload: WorkloadObject) => withReplicas(workload),
  'replicasets.apps': (workload: WorkloadObject) => withReplicas(workload),
  'statefulsets.apps': (workload: WorkloadObject) => {
    const { spec } = withReplicas(workload);
    return { ...workload, spec: { podManagementPolicy: 'OrderedReady', ...spec } };
  },
  'customresourcedefinitions.apiextensions.k8s.io': (definition: KubeObject, now: number) => ({
    ...definition,
    status: {
      conditions: ['NamesAccepted', 'Established'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: stamp(now),
        reason: type === 'Established' ? 'InitialNamesAccepted' : 'NoConflicts',
        message: 'served by the model, whether it is defined or not',
      })),
    },
  }),
};

function withReplicas(workload: WorkloadObject): WorkloadObject {
  return { ...workload, spec: { replicas: 1, ...workload.spec } };
}

/** Pods leave a node that is lost after five minutes, unless they say otherwise (plugin DefaultTolerationSeconds). */
function leaving(given: readonly Toleration[]): readonly Toleration[] {
  return ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
    .filter(
      (key) =>
        !given.some((one) => (one.key === key || one.key === undefined) && (one.effect === 'NoExecute' || !one.effect)),
    )
    .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }));
}

function completedJob(job: JobObject): JobObject {
  const own = {
    'batch.kubernetes.io/controller-uid': job.metadata.uid,
    'batch.kubernetes.io/job-name': job.metadata.name,
    'controller-uid': job.metadata.uid,
    'job-name': job.metadata.name,
  };
  const { template } = job.spec;
  return {
    ...job,
    spec: {
      backoffLimit: 6,
      completions: 1,
      parallelism: 1,
      suspend: false,
      ...job.spec,
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': job.metadata.uid } },
      template: {
        ...template,
        metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...own } },
      },
    },
    status: {},
  };
}
