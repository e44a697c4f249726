import type { AuditEvent, AuditLog } from '../control-plane/audit.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { until } from '../control-plane/until.ts';
import { type Operator, USER } from './ground.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/drydock';

type LeaseSpec = { readonly holderIdentity: string; readonly leaseDurationSeconds: number; readonly renewTime: string };
/** A write of the Lease that the API server took. */
export type Term = {
  readonly at: number;
  readonly userAgent: string;
  readonly holder: string;
  readonly endsAt: number;
};

/** Who a replica is, as it says in its first line. */
export function identityOf(operator: Operator): string {
  return /"identity":"([^"]+)"/.exec(operator.log())?.[1] ?? '';
}

/** When a replica says that it was asked to end, in milliseconds since 1970. */
export function heardAt(operator: Operator): number {
  return Date.parse(/"time":"([^"]+)"[^\n]*asked to end/.exec(operator.log())?.[1] ?? '');
}

/** The User-Agent of a replica, by which the audit log tells it from others. */
export function isOf(operator: Operator): (event: AuditEvent) => boolean {
  const identity = identityOf(operator);
  return ({ userAgent }) => userAgent.endsWith(`(${identity})`);
}

/** Waits until a replica has the Lease. */
export function leads(plane: ControlPlane, operator: Operator, seconds: number): Promise<unknown> {
  const holds = async () => {
    const lease = await plane.admin.find<{ spec: LeaseSpec }>(LEASE);
    return lease?.spec.holderIdentity !== '' && lease?.spec.holderIdentity === identityOf(operator);
  };
  return until(holds, { what: `${identityOf(operator)} leads`, seconds });
}

/** The terms of all leaders, in their order. */
export function terms(audit: AuditLog): readonly Term[] {
  const writes = audit.events({ user: USER, verb: ['create', 'update'], resource: 'leases', code: [200, 201] });
  return writes.map(({ stageTimestamp, userAgent, requestObject }) => {
    const { holderIdentity: holder, renewTime, leaseDurationSeconds } = (requestObject as { spec: LeaseSpec }).spec;
    return { at: stageTimestamp, userAgent, holder, endsAt: Date.parse(renewTime) + leaseDurationSeconds * 1000 };
  });
}

/** What changed the cluster, or tried to: Leases and Events apart. */
export function acts(audit: AuditLog, where: (event: AuditEvent) => boolean = () => true): readonly AuditEvent[] {
  return audit.writes({ user: USER, where });
}

/** Requests that changed something when the last term of their sender was over, or had never begun. */
export function withoutLease(audit: AuditLog, where: (event: AuditEvent) => boolean): readonly AuditEvent[] {
  const all = terms(audit);
  return acts(audit, where).filter(({ userAgent, time, stageTimestamp }) => {
    const last = all.filter((term) => term.userAgent === userAgent && term.at <= time).at(-1);
    return last === undefined || last.holder === '' || stageTimestamp > last.endsAt;
  });
}

/** Terms that began while another's was not over. */
export function overlapping(audit: AuditLog): readonly Term[] {
  const all = terms(audit);
  return all.filter((term, index) => {
    const before = all[index - 1];
    const another = before !== undefined && before.holder !== '' && before.holder !== term.holder;
    return another && term.holder !== '' && term.at < before.endsAt;
  });
}

/** One line of what a request was. */
export function line({ verb, uri, code }: AuditEvent): string {
  return `${verb} ${uri} ${code}`;
}
