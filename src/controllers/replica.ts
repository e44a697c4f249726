import type { Cluster } from '../cluster/cluster.ts';
import type { Leases } from '../cluster/leases.ts';
import { gated } from '../runtime/gate.ts';
import { Leader } from '../runtime/leader.ts';
import { type Operator, type OperatorParts, operator } from './operator.ts';

/** One name for every installation in a cluster: two of them must not both lead. */
export const LEASE = { name: 'drydock', namespace: 'kube-system' } as const;

/** What one process of the operator is made of. */
export type ReplicaParts = OperatorParts & {
  readonly leases: Leases;
  /** Never the same in two processes. */
  readonly identity: string;
  /** Whether it works only while it holds the Lease; otherwise it is the only one there is. */
  readonly elects: boolean;
  /** Told each time it begins or ceases to lead, with a sentence. */
  readonly leads: (leads: boolean, why: string) => void;
};

/** One process of the operator, put together but not yet started. */
export type Replica = {
  /** The port as its controllers see it: nothing is written through it while this replica may not. */
  readonly cluster: Cluster;
  readonly drydock: Operator;
  readonly leader: Leader | undefined;
  /** Whether a request that changes something may be sent at this very moment. */
  mayWrite(): boolean;
  /** Begins to compete for the Lease, or to work at once where there is none. */
  start(): void;
  /** Begins nothing more; what is on its way may still end. */
  cease(): void;
};

/** Puts the operator together behind the gate: nothing is written while it does not lead, or once it is told to cease. */
export function replica(parts: ReplicaParts): Replica {
  const { leases, identity, elects, clock, random } = parts;
  let ceased = false;
  const changed = (leads: boolean, why: string) => {
    parts.leads(leads, why);
    if (leads) drydock.lead();
    else drydock.follow();
  };
  const leader = elects ? new Leader({ leases, lease: LEASE, identity, clock, random, changed }) : undefined;
  const mayWrite = () => !ceased && (leader === undefined || leader.mayWrite());
  const cluster = gated(parts.cluster, mayWrite);
  const drydock = operator({ ...parts, cluster });
  return {
    cluster,
    drydock,
    leader,
    mayWrite,
    start: () => {
      if (leader === undefined) drydock.lead();
      else leader.start();
    },
    cease: () => {
      ceased = true;
      drydock.follow();
    },
  };
}
