/** The objects of the model, as JSON has them. Instants are texts: RFC 3339, to the second, as the API server writes them. */

type Words = Readonly<Record<string, string>>;

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

/** The metadata of a stored object: what the API server fills in is there. */
export type Meta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Words;
  readonly annotations?: Words;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly generateName?: string;
};

/** Any stored object. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Meta;
  readonly spec?: unknown;
  readonly status?: unknown;
};

export type Condition = {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastHeartbeatTime?: string;
};

export type Taint = {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'NoExecute' | 'PreferNoSchedule';
};

export type Toleration = {
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
};

export type Requirement = { readonly key: string; readonly operator: string; readonly values?: readonly string[] };

export type LabelSelector = {
  readonly matchLabels?: Words;
  readonly matchExpressions?: readonly Requirement[];
};

export type NodeObject = KubeObject & {
  readonly spec: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[]; readonly providerID?: string };
  readonly status: {
    readonly conditions?: readonly Condition[];
    readonly allocatable?: Words;
    readonly capacity?: Words;
    readonly nodeInfo?: { readonly kubeletVersion: string; readonly bootID: string; readonly machineID: string };
  };
};

export type ContainerStatus = {
  readonly name: string;
  readonly image?: string;
  readonly ready?: boolean;
  readonly state?: {
    readonly running?: { readonly startedAt?: string };
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: {
      readonly exitCode: number;
      readonly reason?: string;
      readonly message?: string;
      readonly finishedAt?: string;
    };
  };
};

export type PodSpec = {
  readonly nodeName?: string;
  readonly containers: readonly {
    readonly name: string;
    readonly image?: string;
    readonly env?: readonly { readonly name: string; readonly value?: string }[];
    readonly resources?: { readonly requests?: Words };
  }[];
  readonly tolerations?: readonly Toleration[];
  readonly nodeSelector?: Words;
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms: readonly {
          readonly matchExpressions?: readonly Requirement[];
          readonly matchFields?: readonly Requirement[];
        }[];
      };
    };
  };
  readonly terminationGracePeriodSeconds?: number;
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly restartPolicy?: string;
  readonly priorityClassName?: string;
  readonly readinessGates?: readonly { readonly conditionType: string }[];
};

export type PodObject = KubeObject & {
  readonly spec: PodSpec;
  readonly status: {
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly startTime?: string;
    readonly reason?: string;
    readonly message?: string;
  };
};

export type PodTemplate = {
  readonly metadata?: { readonly labels?: Words; readonly annotations?: Words };
  readonly spec: PodSpec;
};

export type BudgetObject = KubeObject & {
  readonly spec: {
    readonly selector?: LabelSelector;
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
    readonly unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow';
  };
  readonly status: {
    readonly observedGeneration?: number;
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
    /** Pods whose eviction was granted and whose end the controller has not seen yet. */
    readonly disruptedPods?: Words;
    readonly conditions?: readonly Condition[];
  };
};

/** What ReplicaSet, Deployment, StatefulSet and DaemonSet have in common. */
export type WorkloadObject = KubeObject & {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly minReadySeconds?: number;
    readonly podManagementPolicy?: 'OrderedReady' | 'Parallel';
  };
  readonly status?: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly observedGeneration?: number;
  };
};

export type JobObject = KubeObject & {
  readonly spec: {
    readonly suspend?: boolean;
    readonly backoffLimit?: number;
    readonly activeDeadlineSeconds?: number;
    readonly ttlSecondsAfterFinished?: number;
    readonly completions?: number;
    readonly parallelism?: number;
    readonly selector?: LabelSelector;
    readonly template: PodTemplate;
    readonly podFailurePolicy?: unknown;
  };
  readonly status: {
    readonly active?: number;
    readonly ready?: number;
    readonly succeeded?: number;
    readonly failed?: number;
    readonly terminating?: number;
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly conditions?: readonly Condition[];
  };
};

/** An instant as the API server writes it. */
export function stamp(milliseconds: number): string {
  return `${new Date(Math.floor(milliseconds / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** The key under which an object is stored: its name, with its namespace before it where it has one. */
export function keyOf({
  metadata,
}: {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** Whether a condition of a type is True. */
export function holds(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((one) => one.type === type && one.status === 'True') ?? false;
}
