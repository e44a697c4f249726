import type { UpgradeSpec, UpgradeStatus } from '../api/cluster-upgrade.ts';
import type { PolicySpec, PolicyStatus } from '../api/maintenance-policy.ts';
import type { ProfileSpec, ProfileStatus } from '../api/maintenance-profile.ts';
import type { WindowSpec, WindowStatus } from '../api/maintenance-window.ts';
import type { MaintenanceSpec, MaintenanceStatus } from '../api/node-maintenance.ts';
import type { Resource } from '../api/resource.ts';

/** An instant, in milliseconds since 1970. */
export type Instant = number;

type Words = Readonly<Record<string, string>>;

/** What Drydock keeps of any object of Kubernetes' own. */
export type Seen = { readonly name: string; readonly uid: string; readonly resourceVersion: string };

export type Taint = {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
  /** As it is written: taints can only be written all together. */
  readonly timeAdded?: string;
};

/** What Drydock keeps of a Node. */
export type NodeView = Seen & {
  readonly labels: Words;
  /** Only those under `drydock.dev/` and the few that Drydock writes: nodes carry kilobytes of others. */
  readonly annotations: Words;
  readonly unschedulable: boolean;
  readonly taints: readonly Taint[];
  readonly ready: boolean;
  /** Its kubelet has not been heard of: Ready is Unknown, where False would be its own word. */
  readonly unreachable: boolean;
  /** Since when the Ready condition has its present status. */
  readonly readySince: Instant;
  readonly bootID: string;
  readonly machineID: string;
  readonly kubeletVersion: string;
  readonly controlPlane: boolean;
  readonly deleting: boolean;
};

export type Controller = { readonly kind: string; readonly name: string; readonly uid: string };

/** What Drydock keeps of a Pod: 0.7 KB instead of 19. */
export type PodView = Seen & {
  readonly namespace: string;
  /** Empty while it is not bound. */
  readonly nodeName: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly createdAt: Instant;
  readonly deletedAt?: Instant;
  /**
   * After how many seconds on a node that is not ready or unreachable Kubernetes deletes it, asking no budget: 0 at once,
   * absent never.
   */
  readonly evictedAfterSeconds?: number;
  readonly labels: Words;
  /** It may be bound to a cordoned node. */
  readonly toleratesCordon: boolean;
  /** A static pod, shown by the kubelet as a mirror. */
  readonly mirror: boolean;
  readonly controller?: Controller;
  readonly emptyDir: boolean;
  readonly claims: readonly string[];
  readonly finalizers: readonly string[];
  /** Of Kubernetes' own components: the image tag of the first container, as in v1.36.4. */
  readonly componentVersion?: string;
  /** Of the Jobs of Drydock: how the first container ended. */
  readonly ended?: { readonly exitCode: number; readonly message: string };
  /** Of the Jobs of Drydock: why the first container does not run yet, as in ImagePullBackOff or Unschedulable. */
  readonly waiting?: { readonly reason: string; readonly message: string };
};

export type LabelRequirement = { readonly key: string; readonly operator: string; readonly values: readonly string[] };
export type LabelSelector = { readonly matchLabels: Words; readonly matchExpressions: readonly LabelRequirement[] };

/** What Drydock keeps of a PodDisruptionBudget. */
export type BudgetView = Seen & {
  readonly namespace: string;
  /** Absent: the budget selects nothing. `{}` selects every pod of its namespace. */
  readonly selector?: LabelSelector;
  readonly minAvailable?: number | string;
  readonly maxUnavailable?: number | string;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly disruptionsAllowed: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
  readonly alwaysAllowUnhealthy: boolean;
  /** Since when it allows nothing; absent: it does, or nobody says. */
  readonly deniedSince?: Instant;
  /** Why its controller could not count its pods. */
  readonly failed?: string;
  /** Names of pods whose eviction was accepted and that the disruption controller still counts. */
  readonly disruptedPods: readonly string[];
};

/** What Drydock keeps of a Job in its own namespace. */
export type JobView = Seen & {
  readonly labels: Words;
  readonly suspended: boolean;
  /** Whether Drydock let it go: one that is suspended all the same was stopped by somebody. */
  readonly released: boolean;
  readonly createdAt: Instant;
  readonly deleting: boolean;
  /** Why and how it finished; absent while it has not. */
  readonly finished?: { readonly as: 'Complete' | 'Failed'; readonly reason: string; readonly message: string };
  /** Whether a pod of it runs or has run; a Job that only waits has done nothing to the node. */
  readonly started: boolean;
};

/** What Drydock keeps of a DaemonSet: that it exists. */
export type DaemonSetView = Seen & { readonly namespace: string };

/** What Drydock keeps of a Namespace. */
export type NamespaceView = Seen & { readonly labels: Words };

/** What Drydock keeps of a VolumeAttachment. */
export type AttachmentView = Seen & {
  readonly nodeName: string;
  readonly volumeName: string;
  readonly attached: boolean;
};

/** What Drydock keeps of a PersistentVolumeClaim: which volume it has. */
export type ClaimView = Seen & { readonly namespace: string; readonly volumeName: string };

export type WindowObject = Resource<WindowSpec, WindowStatus>;
export type ProfileObject = Resource<ProfileSpec, ProfileStatus>;
export type PolicyObject = Resource<PolicySpec, PolicyStatus>;
export type UpgradeObject = Resource<UpgradeSpec, UpgradeStatus>;
export type PassageObject = Resource<MaintenanceSpec, MaintenanceStatus>;

/** A readable object of ours. */
export type Read<T extends { readonly readable: boolean }> = Extract<T, { readable: true }>;

/** Every kind that Drydock sees, and what it keeps of it. */
export type World = {
  Node: NodeView;
  Pod: PodView;
  PodDisruptionBudget: BudgetView;
  Job: JobView;
  DaemonSet: DaemonSetView;
  Namespace: NamespaceView;
  VolumeAttachment: AttachmentView;
  PersistentVolumeClaim: ClaimView;
  MaintenanceWindow: WindowObject;
  MaintenanceProfile: ProfileObject;
  MaintenancePolicy: PolicyObject;
  ClusterUpgrade: UpgradeObject;
  NodeMaintenance: PassageObject;
};

export type Kind = keyof World;
/** The kinds that carry a status of Drydock's. */
export type OwnKind =
  | 'MaintenanceWindow'
  | 'MaintenanceProfile'
  | 'MaintenancePolicy'
  | 'ClusterUpgrade'
  | 'NodeMaintenance';
