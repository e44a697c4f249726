import { type AuditLog, serviceAccountUser } from '../control-plane/audit.ts';

/** Drydock, as the audit log calls it. */
export const DRYDOCK = serviceAccountUser('drydock-system', 'drydock');
const JOBS = 'drydock-jobs';

type Written = {
  readonly status?: {
    readonly state: { readonly phase: string; readonly attempt?: number };
    readonly conditions?: readonly { readonly message: string }[];
  };
};

/** When the passage of a node was stored in a phase, and in which attempt. */
export type Stored = { readonly time: number; readonly phase: string; readonly attempt?: number };

/** The phases of the passages of a node as they were stored: nobody had to look at the right moment to have seen them. */
export function stored(audit: AuditLog, nodeName: string, from = 0): readonly Stored[] {
  const all = written(audit, nodeName, from).flatMap(({ time, status }): Stored[] => {
    const { phase, attempt } = status.state;
    return [{ time, phase, ...(attempt === undefined ? {} : { attempt }) }];
  });
  return all.filter(({ phase, attempt }, at) => phase !== all[at - 1]?.phase || attempt !== all[at - 1]?.attempt);
}

/** Phases with their attempts, to be read and compared. */
export function asWords(steps: readonly Stored[]): readonly string[] {
  return steps.map(({ phase, attempt }) => (attempt === undefined ? phase : `${phase} ${attempt}`));
}

/** Every sentence that a condition of a passage of a node has ever said, each once. */
export function sentences(audit: AuditLog, nodeName: string, from = 0): readonly string[] {
  const all = written(audit, nodeName, from).flatMap(({ status }) => status.conditions ?? []);
  return [...new Set(all.map(({ message }) => message))];
}

function written(audit: AuditLog, nodeName: string, from: number) {
  return audit
    .events({ user: DRYDOCK, verb: 'update', resource: 'nodemaintenances', subresource: 'status', code: 200, from })
    .filter(({ name }) => name.startsWith(`${nodeName}-`))
    .flatMap(({ requestObject, stageTimestamp: time }) => {
      const { status } = requestObject as Written;
      return status === undefined ? [] : [{ time, status }];
    });
}

/** The nodes that Drydock has taken out of service, each time. */
export function takings(audit: AuditLog, from = 0): readonly string[] {
  return audit
    .events({ user: DRYDOCK, verb: 'patch', resource: 'nodes', from })
    .filter(
      ({ requestObject }) => (requestObject as { spec?: { unschedulable?: unknown } }).spec?.unschedulable === true,
    )
    .map(({ name }) => name);
}

/** What the kubelet of a node told of the pod of a Job. */
export type JobPod = {
  readonly nodeName: string;
  readonly pod: string;
  /** Every container there was of it. */
  readonly containers: readonly string[];
  readonly restarts: number;
  readonly exitCode?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
};

type Patched = {
  readonly status?: {
    readonly containerStatuses?: readonly {
      readonly containerID?: string;
      readonly restartCount?: number;
      readonly state?: {
        readonly terminated?: { readonly exitCode: number; readonly startedAt?: string; readonly finishedAt?: string };
      };
    }[];
  };
};

/** The pods of the upgrade Jobs by their names: which containers each had, and how it ended, as the kubelets wrote it. */
export function jobPods(audit: AuditLog, from = 0): readonly JobPod[] {
  const pods = new Map<string, JobPod>();
  const patches = audit.events({ verb: 'patch', resource: 'pods', subresource: 'status', namespace: JOBS, from });
  for (const { user, name, requestObject } of patches) {
    if (!user.startsWith('system:node:') || name.includes('-prepare-')) continue;
    const of = pods.get(name) ?? {
      nodeName: user.slice('system:node:'.length),
      pod: name,
      containers: [],
      restarts: 0,
    };
    pods.set(name, of);
    for (const { containerID, restartCount, state } of (requestObject as Patched).status?.containerStatuses ?? []) {
      const before = pods.get(name) ?? of;
      const ended = state?.terminated;
      pods.set(name, {
        ...before,
        containers: [...new Set([...before.containers, ...(containerID ? [containerID] : [])])],
        restarts: Math.max(before.restarts, restartCount ?? 0),
        ...(ended === undefined ? {} : { exitCode: ended.exitCode }),
        ...(ended?.startedAt ? { startedAt: Date.parse(ended.startedAt) } : {}),
        ...(ended?.finishedAt ? { finishedAt: Date.parse(ended.finishedAt) } : {}),
      });
    }
  }
  return [...pods.values()];
}
