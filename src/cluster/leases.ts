import { attempt } from '../core/attempt.ts';
import type { Answer } from './cluster.ts';
import type { Sent } from './effects.ts';
import { type Place, pathOf } from './kinds.ts';
import { type Reply, refusalOf, unavailable } from './outcomes.ts';
import type { Permission } from './permission.ts';
import { number, record, text } from './raw.ts';

/** A Lease as leader election needs it. Times are Kubernetes' MicroTime, as in 2026-11-21T12:00:00.000000Z. */
export type LeaseRecord = {
  readonly name: string;
  readonly namespace: string;
  /** Absent: it does not exist yet and is created. */
  readonly resourceVersion?: string;
  readonly holder: string;
  readonly durationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly transitions: number;
};

/** The second small port: what decides who leads. */
export interface Leases {
  read(name: string): Promise<Answer<LeaseRecord | undefined>>;
  /** Creates, or replaces what has the same resourceVersion. */
  write(record: LeaseRecord): Promise<Answer<LeaseRecord>>;
}

/** The rights that it needs. A create cannot be limited to a name. */
export const LEASE_PERMISSIONS: readonly Permission[] = [
  { ...right('create') },
  { ...right('get'), object: 'lease' },
  { ...right('update'), object: 'lease' },
];

function right(verb: Permission['verb']): Permission {
  return { apiGroup: 'coordination.k8s.io', resource: 'leases', verb, namespace: 'kube-system' };
}

const LEASES: Place = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

/** The Leases of one namespace. */
export function leasesOf(namespace: string, send: (sent: Sent) => Promise<Answer<Reply>>): Leases {
  return {
    read: async (name) => {
      const answer = await send({ method: 'GET', path: pathOf(LEASES, { namespace, name }), resource: 'leases' });
      const read = understood(answer, 'other');
      return !read.ok && read.why === 'gone' ? { ok: true, value: undefined } : read;
    },
    write: async (lease) =>
      understood(await send(written(lease)), lease.resourceVersion === undefined ? 'create' : 'other'),
  };
}

function written({ name, namespace, resourceVersion, ...lease }: LeaseRecord): Sent {
  const exists = resourceVersion !== undefined;
  return {
    method: exists ? 'PUT' : 'POST',
    path: pathOf(LEASES, { namespace, ...(exists ? { name } : {}) }),
    resource: 'leases',
    contentType: 'application/json',
    body: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace, ...(exists ? { resourceVersion } : {}) },
      spec: {
        holderIdentity: lease.holder,
        leaseDurationSeconds: lease.durationSeconds,
        acquireTime: lease.acquireTime,
        renewTime: lease.renewTime,
        leaseTransitions: lease.transitions,
      },
    },
  };
}

function understood(answer: Answer<Reply>, asked: 'create' | 'other'): Answer<LeaseRecord> {
  if (!answer.ok) return answer;
  const refusal = refusalOf(answer.value, asked);
  if (refusal !== undefined) return refusal;
  const read = attempt(() => JSON.parse(answer.value.body) as unknown);
  if (!read.ok) return unavailable(`the Lease is no JSON: ${read.problem}`);
  const [metadata, spec] = [record(record(read.value)['metadata']), record(record(read.value)['spec'])];
  return {
    ok: true,
    value: {
      name: text(metadata['name']),
      namespace: text(metadata['namespace']),
      resourceVersion: text(metadata['resourceVersion']),
      holder: text(spec['holderIdentity']),
      durationSeconds: number(spec['leaseDurationSeconds']),
      acquireTime: text(spec['acquireTime']),
      renewTime: text(spec['renewTime']),
      transitions: number(spec['leaseTransitions']),
    },
  };
}
