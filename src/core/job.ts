import { NODE_UID_LABEL, type Plan, UPGRADE_LABEL, type Work } from '../api/node-maintenance.ts';
import type { Manifest } from './effect.ts';
import { jobName, prepareJobName } from './name.ts';

/** The labels by which the Jobs of a passage are found again: a Job has no owner, see `manifest`. */
export const PASSAGE_LABEL = 'drydock.dev/passage';
export const JOB_LABEL = 'drydock.dev/job';
const PREPARE_DEADLINE_MARGIN_SECONDS = 60;

/** Whose Job it is. */
export type JobPassage = {
  readonly name: string;
  readonly uid: string;
  readonly spec: { readonly nodeName: string; readonly upgradeName?: string | undefined };
};

/**
 * Everything is tolerated, without a limit: a node may carry any taint and must be upgraded all the same, and with a limit
 * the taint manager would end the pod 300 s into a reboot (kairos#4362).
 */
const TOLERATIONS = [{ operator: 'Exists' }] as const;

/** The Job that works on a node, created suspended: it is recorded before it may run. */
export function upgradeJob(plan: Plan, work: Work, passage: JobPassage, namespace: string, attempt: number): Manifest {
  const { commands } = work;
  const command =
    plan.role === 'firstControlPlane'
      ? (commands.firstControlPlane ?? commands.worker)
      : plan.role === 'controlPlane'
        ? (commands.controlPlane ?? commands.worker)
        : commands.worker;
  const name = jobName(passage, attempt);
  return manifest(
    { name, namespace, kind: 'upgrade', suspend: true, attempt, command, deadline: work.activeDeadlineSeconds },
    plan,
    work,
    passage,
  );
}

/** The Job that brings the image to a node and runs the check there, before the node is touched. It may be deleted at any time. */
export function prepareJob(plan: Plan, work: Work, passage: JobPassage, namespace: string): Manifest {
  const command = work.commands.check.length > 0 ? work.commands.check : ['true'];
  const name = prepareJobName(passage);
  const deadline = work.prepareDeadlineSeconds + PREPARE_DEADLINE_MARGIN_SECONDS;
  return manifest(
    { name, namespace, kind: 'prepare', suspend: false, attempt: 1, command, deadline },
    plan,
    work,
    passage,
  );
}

type Shape = {
  readonly name: string;
  readonly namespace: string;
  readonly kind: 'upgrade' | 'prepare';
  readonly suspend: boolean;
  readonly attempt: number;
  readonly command: readonly string[];
  readonly deadline: number;
};

/**
 * A Job as it is sent. It has no ownerReference: a foreground deletion of the passage (the default of Argo CD) would end a
 * running `kubeadm upgrade` before any finalizer is asked. No TTL: a result that vanishes before it is recorded is lost.
 */
function manifest(shape: Shape, plan: Plan, work: Work, passage: JobPassage): Manifest {
  const labels = {
    'app.kubernetes.io/managed-by': 'drydock',
    [PASSAGE_LABEL]: passage.uid,
    [JOB_LABEL]: shape.kind,
    [NODE_UID_LABEL]: plan.nodeUID,
    ...(passage.spec.upgradeName === undefined ? {} : { [UPGRADE_LABEL]: passage.spec.upgradeName }),
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: shape.name,
      namespace: shape.namespace,
      labels,
      annotations: { 'drydock.dev/node': passage.spec.nodeName },
    },
    spec: {
      suspend: shape.suspend,
      parallelism: 1,
      completions: 1,
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: shape.deadline,
      template: { metadata: { labels }, spec: podSpec(shape, plan, work, passage) },
    },
  };
}

function podSpec(shape: Shape, plan: Plan, work: Work, passage: JobPassage): Manifest {
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    hostPID: work.hostPID,
    hostNetwork: work.hostNetwork,
    tolerations: TOLERATIONS,
    // By name rather than nodeName, so that the scheduler checks resources; matchFields, since a hostname label may differ.
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchFields: [{ key: 'metadata.name', operator: 'In', values: [passage.spec.nodeName] }] },
          ],
        },
      },
    },
    ...(work.imagePullSecrets.length > 0 ? { imagePullSecrets: work.imagePullSecrets } : {}),
    ...(work.volumes.length > 0 ? { volumes: work.volumes } : {}),
    containers: [
      {
        name: 'drydock',
        image: work.image,
        command: shape.command,
        env: [...environment(shape, plan, passage), ...work.env.map(envVar)],
        ...(work.volumeMounts.length > 0 ? { volumeMounts: work.volumeMounts } : {}),
        securityContext: work.securityContext,
        resources: shape.kind === 'prepare' || plan.drain.mode !== 'Drain' ? unasked(work.resources) : work.resources,
        terminationMessagePolicy: 'FallbackToLogsOnError',
      },
    ],
  };
}

/** What comes while the node is full of pods must fit all the same; a limit that stood alone would be its request. */
function unasked({ limits, requests }: Work['resources']): Manifest {
  const names = Object.keys({ ...limits, ...requests });
  if (names.length === 0) return {};
  return { ...(limits && { limits }), requests: Object.fromEntries(names.map((name) => [name, '0'])) };
}

function environment({ attempt }: Shape, plan: Plan, passage: JobPassage): readonly Manifest[] {
  const values = {
    DRYDOCK_NODE: passage.spec.nodeName,
    DRYDOCK_ROLE: plan.role,
    DRYDOCK_TARGET_VERSION: plan.version ?? '',
    DRYDOCK_CURRENT_VERSION: plan.currentVersion,
    // Of an age: when this pass began, another word at each.
    DRYDOCK_REVISION: plan.memory?.value ?? (plan.version === undefined ? plan.target : ''),
    DRYDOCK_ATTEMPT: String(attempt),
  };
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

function envVar({ name, value, valueFrom }: Work['env'][number]): Manifest {
  return valueFrom === undefined ? { name, value } : { name, valueFrom };
}
