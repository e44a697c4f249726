import type { AuditLog } from '../control-plane/audit.ts';

/** How many nodes a user had out after each cordon and uncordon of his, read from the audit log. */
export function outOfService(audit: AuditLog, from: number, user: string): readonly number[] {
  const out = new Set<string>();
  return audit.events({ user, verb: 'patch', resource: 'nodes', code: 200, from }).map(({ name, requestObject }) => {
    const { spec } = requestObject as { readonly spec?: { readonly unschedulable?: boolean | null } };
    if (spec?.unschedulable === true) out.add(name);
    if (spec?.unschedulable === false) out.delete(name);
    return out.size;
  });
}
