import type { AuditEvent, AuditLog } from '../control-plane/audit.ts';
import { outOfService } from '../end-to-end/referee.ts';

/** One thing that the audit log shows, and whether it is as promised. */
export type Finding = { readonly subject: string; readonly text: string; readonly kept: boolean };

/** What was promised. */
export type Promised = {
  readonly user: string;
  readonly maxUnavailable: number;
  readonly nodes: readonly string[];
  /** False where everybody may do everything, so that nothing can be shown of rights. */
  readonly rights?: boolean;
};

/** What a controller counted for a budget. */
type Reading = { readonly name: string; readonly healthy: number; readonly needed: number };

/** What the audit log of the API server says of a rollout; nothing of it comes from the operator. */
export function evidence(audit: AuditLog, from: number, promised: Promised): readonly Finding[] {
  return [
    ofEvictions(audit, from, promised),
    ofNodes(audit, from, promised),
    ...ofBudgets(readings(audit.events({ resource: 'poddisruptionbudgets', subresource: 'status', code: 200, from }))),
    ofJobs(audit.events({ user: promised.user, verb: 'create', resource: 'jobs', code: 201, from }), promised.nodes),
    promised.rights === false ? NO_RIGHTS : ofRights(audit.events({ user: promised.user, code: 403, from: 0 }).length),
  ];
}

function ofEvictions(audit: AuditLog, from: number, { user }: Promised): Finding {
  const { asked, accepted, refused, other } = audit.evictions({ user, from });
  const deleted = audit.podDeletions({ user, from }).length;
  const rest = other.length === 0 ? '' : `, ${other.length} answered otherwise`;
  return {
    subject: 'evictions',
    text: `${asked.length} asked, ${accepted.length} accepted, ${refused.length} refused${rest}; ${deleted} pods deleted without asking`,
    kept: deleted === 0 && asked.length > 0,
  };
}

function ofNodes(audit: AuditLog, from: number, { user, maxUnavailable }: Promised): Finding {
  const out = outOfService(audit, from, user);
  const most = Math.max(0, ...out);
  const left = out.at(-1) ?? 0;
  return {
    subject: 'nodes out',
    text: `${most} at once at most, ${maxUnavailable} allowed; ${left} left out at the end`,
    kept: most <= maxUnavailable && left === 0,
  };
}

/** What the disruption controller wrote into budgets, one reading a write. */
export function readings(events: readonly AuditEvent[]): readonly Reading[] {
  return events.flatMap(({ namespace, name, requestObject }) => {
    const { status } = (requestObject ?? {}) as {
      status?: { readonly currentHealthy?: number; readonly desiredHealthy?: number };
    };
    if (status?.currentHealthy === undefined || status.desiredHealthy === undefined) return [];
    return [{ name: `${namespace}/${name}`, healthy: status.currentHealthy, needed: status.desiredHealthy }];
  });
}

/** The lowest count of each budget, and what was needed then. */
export function ofBudgets(all: readonly Reading[]): readonly Finding[] {
  const names = [...new Set(all.map(({ name }) => name))].sort();
  return names.map((name) => {
    const own = all.filter((reading) => reading.name === name);
    const lowest = own.reduce((low, reading) => (reading.healthy < low.healthy ? reading : low));
    const below = own.filter(({ healthy, needed }) => healthy < needed).length;
    return {
      subject: 'budget',
      text: `${name}: lowest count ${lowest.healthy}, ${lowest.needed} needed; ${below} of ${own.length} counts below`,
      kept: below === 0,
    };
  });
}

/** How many Jobs there were on each node. */
export function ofJobs(created: readonly AuditEvent[], nodes: readonly string[]): Finding {
  const jobs = created.map(({ requestObject }) => {
    const { metadata } = requestObject as {
      metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
    };
    return { kind: metadata.labels?.['drydock.dev/job'], node: metadata.annotations?.['drydock.dev/node'] };
  });
  const count = (node: string, kind: string) => jobs.filter((job) => job.node === node && job.kind === kind).length;
  const once = nodes.every((node) => count(node, 'upgrade') === 1);
  const each = nodes.map((node) => `${count(node, 'upgrade')} on ${node}`).join(', ');
  const before = jobs.filter(({ kind }) => kind === 'prepare').length;
  return {
    subject: 'Jobs',
    text: `${once ? `1 upgrade on each of ${nodes.join(', ')}` : `upgrades: ${each}`}; ${before} before them to fetch the image`,
    kept: once,
  };
}

const NO_RIGHTS: Finding = {
  subject: 'rights',
  text: 'not modelled on this ground, so nothing is shown of them',
  kept: true,
};

function ofRights(forbidden: number): Finding {
  return {
    subject: 'rights',
    text: `${forbidden} requests of the service account were forbidden (403)`,
    kept: forbidden === 0,
  };
}
