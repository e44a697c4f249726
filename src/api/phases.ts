/**
 * Every legal step of one node's passage. The CEL transition rule, the checkers and the diagram in the README all read
 * this table, and the types of `core` are derived from it, so none can disagree with another.
 */
export const edges = {
  Pending: ['Preparing', 'Cancelled'],
  Preparing: ['Cordoning', 'Starting', 'Uncordoning', 'Cancelled'],
  Cordoning: ['Draining', 'Starting', 'Held', 'Uncordoning', 'Cancelled'],
  Draining: ['Detaching', 'Uncordoning', 'Cancelled'],
  Detaching: ['Starting', 'Held', 'Uncordoning', 'Cancelled'],
  Held: ['Uncordoning', 'Cancelled'],
  Starting: ['Upgrading', 'Uncordoning', 'Quarantining', 'Cancelled'],
  Upgrading: ['Rebooting', 'Verifying', 'Starting', 'Quarantining', 'Lost'],
  Rebooting: ['Verifying', 'Quarantining', 'Lost'],
  Lost: ['Upgrading', 'Verifying', 'Quarantining'],
  Verifying: ['Uncordoning', 'Quarantining', 'Lost'],
  Uncordoning: ['Succeeded', 'Skipped', 'Cancelled', 'Failed'],
  Quarantining: ['Failed'],
  Succeeded: [],
  Skipped: [],
  Cancelled: [],
  Failed: [],
} as const;

/** A phase of one node's passage. */
export type Phase = keyof typeof edges;

/** The phases that may follow a phase. */
export type Next<P extends Phase> = (typeof edges)[P][number];

/** The phases in their order, for enums and columns. */
export const PHASES = Object.keys(edges) as [Phase, ...Phase[]];

/** The transition rule over `status.state`, as CEL. */
export function transitionRule(): string {
  const steps = Object.entries(edges)
    .filter(([, next]) => next.length > 0)
    .map(([from, next]) => `(oldSelf.phase == '${from}' && self.phase in [${next.map((to) => `'${to}'`).join(', ')}])`);
  return ['self.phase == oldSelf.phase', ...steps].join(' || ');
}

/** The same table as a Mermaid state diagram, for the README. */
export function diagram(): string {
  const lines = Object.entries(edges).flatMap(([from, next]) =>
    next.length === 0 ? [`    ${from} --> [*]`] : next.map((to) => `    ${from} --> ${to}`),
  );
  return ['stateDiagram-v2', '    [*] --> Pending', ...lines].join('\n');
}
