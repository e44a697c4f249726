import type { Ticket } from '../api/maintenance-policy.ts';
import { iso } from './conditions.ts';
import type { Effect } from './effect.ts';
import { HELD_BY, LEFT_CORDONED, readMark } from './mark.ts';
import type { Instant, JobView, NodeView, PassageObject, PolicyObject, Read } from './world.ts';

/** The ledger as it was read: MaintenancePolicy `cluster`. */
export type Ledger = Read<PolicyObject>;
/** Keeps the ledger while it has tickets. */
export const LEDGER_FINALIZER = 'drydock.dev/ledger';
export const MOST_TICKETS = 2000;

type LedgerWrite = Extract<Effect, { kind: 'writeLedger' }>;
/** A ticket that has no number yet. */
export type Request = Omit<Ticket, 'ticket' | 'since' | 'passageUID'>;

/** Whether the ledger may be believed: one that was just made must first be rebuilt from what is in flight. */
export function isInOrder(ledger: Ledger | undefined): ledger is Ledger {
  return ledger !== undefined && ledger.status.observedGeneration !== undefined;
}

/** The ticket of a node, if it has one. */
export function ticketOf(ledger: Ledger, nodeName: string): Ticket | undefined {
  return ledger.status.tickets.find((ticket) => ticket.nodeName === nodeName);
}

/** The one ticket of a control plane, if there is one. */
export function controlPlaneTicket(ledger: Ledger): Ticket | undefined {
  return ledger.status.tickets.find((ticket) => ticket.controlPlane);
}

function write(ledger: Ledger, as: LedgerWrite['as'], tickets: readonly Ticket[], nextTicket: number): LedgerWrite {
  return {
    kind: 'writeLedger',
    as,
    uid: ledger.uid,
    resourceVersion: ledger.resourceVersion,
    status: { ...ledger.status, nextTicket, tickets: [...tickets] },
  };
}

function numbered(ledger: Ledger, requests: readonly Request[], now: Instant): Ticket[] {
  const { nextTicket } = ledger.status;
  return requests.map((request, index) => ({
    ...request,
    ticket: `${ledger.uid}-${nextTicket + index}`,
    since: iso(now),
  }));
}

/** Adds tickets, all in one write; a node whose old ticket is taken over by a retry gets the new one in its place. */
export function admit(ledger: Ledger, requests: readonly Request[], now: Instant): LedgerWrite {
  const added = numbered(ledger, requests, now);
  const names = new Set(added.map(({ nodeName }) => nodeName));
  const kept = ledger.status.tickets.filter(({ nodeName }) => !names.has(nodeName));
  return write(ledger, 'admit', [...kept, ...added], ledger.status.nextTicket + added.length);
}

/** Adds a hold's own ticket, stamped: a hold is its own holder. */
export function admitHold(ledger: Ledger, request: Request, passageUID: string, now: Instant): LedgerWrite {
  const added = numbered(ledger, [request], now).map((ticket) => ({ ...ticket, passageUID }));
  return write(ledger, 'stamp', [...ledger.status.tickets, ...added], ledger.status.nextTicket + 1);
}

/** Writes a passage's UID on its ticket: from here on the ticket is its right, and cannot be handed back. */
export function stamp(ledger: Ledger, ticket: Ticket, passageUID: string): LedgerWrite {
  const tickets = ledger.status.tickets.map((entry) =>
    entry.ticket === ticket.ticket ? { ...entry, passageUID } : entry,
  );
  return write(ledger, 'stamp', tickets, ledger.status.nextTicket);
}

/** Takes tickets off the ledger. */
export function without(ledger: Ledger, gone: readonly Ticket[], as: 'handBack' | 'remove'): LedgerWrite {
  const names = new Set(gone.map(({ ticket }) => ticket));
  return write(
    ledger,
    as,
    ledger.status.tickets.filter(({ ticket }) => !names.has(ticket)),
    ledger.status.nextTicket,
  );
}

const SETTLED: ReadonlySet<string> = new Set(['Succeeded', 'Skipped', 'Cancelled', 'Failed']);

/** Whether a passage has ended. What cannot be read has not. */
export function isSettled(passage: PassageObject): boolean {
  return passage.readable && SETTLED.has(passage.status.state.phase);
}

/** Whether a Job may be at work on a node: it was released and has not ended. */
export function isAtWork(job: JobView): boolean {
  return !job.suspended && job.finished === undefined;
}

/** What was read live before a ticket is taken off. */
export type Returns = {
  readonly passages: readonly PassageObject[];
  readonly nodes: readonly NodeView[];
  readonly jobs: readonly JobView[];
  /** The UIDs of the ClusterUpgrades there are; absent: not known, and then no holder is taken to be gone. */
  readonly holders?: ReadonlySet<string>;
};

/**
 * The tickets that have come back. A stamped one: its passage is settled or gone, no Job is at work on the node, and the
 * node is either without a mark of ours, or back in service, or gone; so a node left cordoned keeps its place in the count.
 * An unstamped one is handed back by its upgrade, and comes back here only if that is gone (a forced finalizer).
 */
export function returned(ledger: Ledger, { passages, nodes, jobs, holders }: Returns): readonly Ticket[] {
  if (ledger.status.tickets.length === 0) return [];
  const passagesByUID = new Map(passages.map((passage) => [passage.uid, passage]));
  const nodesByName = new Map(nodes.map((node) => [node.name, node]));
  const working = jobs.filter((job) => isAtWork(job) && isUpgradeJob(job));
  const busy = new Set(working.map(({ labels }) => labels['drydock.dev/node-uid']));
  return ledger.status.tickets.filter((ticket) => {
    if (ticket.passageUID === undefined) return isOrphaned(ticket, holders);
    const passage = passagesByUID.get(ticket.passageUID);
    if (passage !== undefined && !isSettled(passage)) return false;
    if (busy.has(ticket.nodeUID)) return false;
    const node = nodesByName.get(ticket.nodeName);
    if (node === undefined || node.uid !== ticket.nodeUID) return true;
    const marked = readMark(node, HELD_BY) !== undefined || readMark(node, LEFT_CORDONED) !== undefined;
    return !marked || (!node.unschedulable && node.ready);
  });
}

function isOrphaned({ holder }: Ticket, holders: Returns['holders']): boolean {
  return holders !== undefined && holder.kind === 'ClusterUpgrade' && !holders.has(holder.uid);
}

/** Whether a Job is one that changes a node, rather than one that prepares it. */
export function isUpgradeJob(job: JobView): boolean {
  return job.labels['drydock.dev/job'] === 'upgrade';
}

/**
 * Builds a lost ledger again from what is in flight, tickets unchanged: passages past Pending, and the marks and unfinished
 * Jobs of passages that are gone. A passage still Pending is not taken in and settles Cancelled.
 */
export function rebuilt(ledger: Ledger, { passages, nodes, jobs }: Returns, now: Instant): LedgerWrite {
  const alive = new Set(passages.map(({ uid }) => uid));
  const orphans = nodes.flatMap((node) => ticketFromOrphan(node, alive, jobs, now));
  const found = passages.flatMap((passage) => (passage.readable ? ticketFromPassage(passage, nodes, jobs, now) : []));
  const known = new Map([...ledger.status.tickets, ...orphans, ...found].map((ticket) => [ticket.nodeName, ticket]));
  const highest = Math.max(0, ...[...known.values()].map(({ ticket }) => numberOf(ledger, ticket)));
  const written = write(ledger, 'rebuild', [...known.values()], Math.max(ledger.status.nextTicket, highest + 1));
  return { ...written, status: { ...written.status, observedGeneration: ledger.generation } };
}

/** What a mark says can be forged from its node, so it is cut to what the schema takes: else nothing could be rebuilt. */
function numberOf(ledger: Ledger, ticket: string): number {
  const number = ticket.startsWith(`${ledger.uid}-`) ? ticket.slice(ledger.uid.length + 1) : '';
  return /^\d{1,12}$/.test(number) ? Number(number) : 0;
}

function ticketFromOrphan(
  node: NodeView,
  alive: ReadonlySet<string>,
  jobs: readonly JobView[],
  now: Instant,
): Ticket[] {
  const mark = readMark(node, HELD_BY) ?? readMark(node, LEFT_CORDONED);
  const job = jobs.find(
    (found) => isAtWork(found) && isUpgradeJob(found) && found.labels['drydock.dev/node-uid'] === node.uid,
  );
  const passageUID = (mark?.uid ?? job?.labels['drydock.dev/passage'] ?? '').slice(0, 64);
  if (passageUID === '' || alive.has(passageUID)) return [];
  return [
    {
      nodeName: node.name,
      nodeUID: node.uid,
      ticket: mark?.ticket.slice(0, 128) || `rebuilt-${passageUID}`,
      target: '',
      holder: { kind: 'NodeMaintenance', name: node.name, uid: passageUID },
      controlPlane: node.controlPlane,
      mode: 'Drain',
      passageUID,
      since: iso(now),
    },
  ];
}

function ticketFromPassage(
  passage: Read<PassageObject>,
  nodes: readonly NodeView[],
  jobs: readonly JobView[],
  now: Instant,
): Ticket[] {
  const { plan, state } = passage.status;
  const node = nodes.find(({ name }) => name === passage.spec.nodeName);
  if (plan === undefined || state.phase === 'Pending') return [];
  const marks = node === undefined ? [] : [readMark(node, HELD_BY), readMark(node, LEFT_CORDONED)];
  const mark = marks.find((found) => found?.uid === passage.uid);
  const job = jobs.find(({ labels }) => labels['drydock.dev/passage'] === passage.uid);
  const working = job !== undefined && isAtWork(job);
  if (isSettled(passage) && mark === undefined && !working) return [];
  const ticket = passage.spec.ticket ?? (mark?.ticket.slice(0, 128) || `rebuilt-${passage.uid}`);
  return [
    {
      nodeName: passage.spec.nodeName,
      nodeUID: plan.nodeUID,
      ticket,
      target: plan.target,
      ...(plan.profileName === undefined ? {} : { profileName: plan.profileName }),
      ...(plan.purpose === undefined ? {} : { purpose: plan.purpose }),
      holder: passage.spec.hold
        ? { kind: 'NodeMaintenance', name: passage.name, uid: passage.uid }
        : { kind: 'ClusterUpgrade', name: passage.spec.upgradeName ?? '', uid: plan.holderUID },
      controlPlane: plan.role !== 'worker',
      mode: plan.drain.mode,
      passageUID: passage.uid,
      since: state.phase === 'Succeeded' ? iso(now) : (state.since ?? iso(now)),
    },
  ];
}
