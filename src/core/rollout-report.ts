import type { Blocker } from '../api/blocker.ts';
import type { RolloutPhase, UpgradeStatus } from '../api/cluster-upgrade.ts';
import type { Because } from './because.ts';
import { inTheWayOfReturns, selected, wasLeft } from './choice.ts';
import { conditions, iso, type Said, sentence, unless } from './conditions.ts';
import { MOST_BLOCKERS, MOST_SAID, subjectOf } from './hindrance.ts';
import { isSettled } from './ledger.ts';
import { isNews } from './news.ts';
import { lasting } from './preflight.ts';
import { failedTickets, type Rollout, type RolloutFacts, refusedPassage } from './rollout-facts.ts';
import { failingBy, failures, missing } from './rollout-memory.ts';
import { inTheWay } from './rollout-sentences.ts';
import { same } from './same.ts';
import { isDone } from './target.ts';
import { roleOf } from './version.ts';

const MOST_LETTERS = 1024;

type Counts = NonNullable<UpgradeStatus['nodes']>;

/** The status as it should be, or undefined where it is so already. */
export function reported(rollout: Rollout): UpgradeStatus | undefined {
  const { facts, target, open } = rollout;
  const { upgrade, now } = facts;
  const before = upgrade.status;
  const counts = count(rollout);
  const blockers = blockersOf(facts);
  const returns = rollout.chooses === undefined ? [] : inTheWayOfReturns(rollout.chooses);
  const returning = new Set(returns.map(({ nodeName }) => nodeName));
  const ahead = rollout.ahead.blockers.filter(({ nodeName }) => !returning.has(nodeName));
  const named = [...blockers, ...returns, ...ahead].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  const { phase, because } = stand(rollout, counts, blockers);
  const complete = phase === 'Complete';
  const stalled = phase === 'Halted' || phase === 'Invalid';
  const newcomers = !complete && !stalled && wasComplete(rollout);
  const startTime = before.startTime ?? (counts.inFlight > 0 || counts.done < counts.total ? iso(now) : undefined);
  const hop = hopOf(rollout);
  const percent = counts.total === 0 ? 100 : Math.floor((counts.done * 100) / counts.total);
  const { notBefore: _, hop: __, startTime: ___, ...kept } = before;
  const next: UpgradeStatus = {
    ...kept,
    target: target.text,
    observedGeneration: upgrade.generation,
    phase,
    nodes: counts,
    progressPercent: percent,
    progress: `${percent}%`,
    ...(hop === undefined ? {} : { hop }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(open.open || open.changesAt === undefined || open.because === undefined
      ? {}
      : { notBefore: { time: iso(open.changesAt), reason: sentence(open.because) } }),
    setAside: explained(before.setAside, returns),
    blockers: named.slice(0, MOST_BLOCKERS),
    blockersTotal: named.length,
    conditions: conditions(
      said(
        phase,
        because,
        newcomers,
        counts,
        blockers.filter((blocker) => isNews(blocker, now)),
        rollout,
      ),
      before.conditions,
      upgrade.generation,
      now,
    ),
  };
  return same(next, before) ? undefined : next;
}

function count({ facts, target, own }: Rollout): Counts {
  const { upgrade, nodes, passages, controlPlane, now } = facts;
  const failed = new Set(failures(facts).map(({ nodeName }) => nodeName));
  const failing = new Set(passages.flatMap(failingBy).map(({ nodeName }) => nodeName));
  const settled = new Set(passages.filter((passage) => isSettled(passage)).map(({ uid }) => uid));
  const flying = new Set(
    own.flatMap((t) => (t.passageUID === undefined || !settled.has(t.passageUID) ? [t.nodeName] : [])),
  );
  const left = failedTickets(facts);
  const aside = new Set(upgrade.status.setAside.map(({ nodeName }) => nodeName));
  const counts = { total: 0, done: 0, inFlight: 0, waiting: 0, setAside: 0, failed: 0 };
  const mine = selected(nodes, upgrade.spec);
  const names = new Set(mine.map(({ name }) => name));
  // What has begun is under way until it has ended, also where its node is gone or no longer selected.
  const elsewhere = new Set([...flying, ...failing].filter((name) => !names.has(name)));
  counts.total += elsewhere.size;
  for (const name of elsewhere) counts[failing.has(name) ? 'failed' : 'inFlight'] += 1;
  for (const node of mine) {
    counts.total += 1;
    if (failing.has(node.name) || wasLeft(node, left)) counts.failed += 1;
    else if (flying.has(node.name)) counts.inFlight += 1;
    else if (isDone(node, target, controlPlane, now)) counts.done += 1;
    else if (failed.has(node.name)) counts.failed += 1;
    else if (aside.has(node.name)) counts.setAside += 1;
    else counts.waiting += 1;
  }
  return counts;
}

function blockersOf({ passages }: RolloutFacts): Blocker[] {
  return passages
    .flatMap((passage) => (passage.readable && !isSettled(passage) ? passage.status.blockers : []))
    .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

function placeOf(blocker: Blocker): string {
  return `${blocker.nodeName}/${subjectOf(blocker)}`;
}

/** A node that is not returned to when its time is over says why, in place of why it was put back. */
function explained(setAside: UpgradeStatus['setAside'], returns: readonly Blocker[]): UpgradeStatus['setAside'] {
  const by = Map.groupBy(returns, ({ nodeName }) => nodeName);
  return setAside.map((entry) => {
    const own = by.get(entry.nodeName);
    return own === undefined ? entry : { ...entry, reason: inTheWay(own).slice(0, MOST_LETTERS) };
  });
}

/** Where the rollout stands, and the reason that a person is told. */
function stand(
  rollout: Rollout,
  counts: Counts,
  blockers: readonly Blocker[],
): { phase: RolloutPhase; because: Because } {
  const { facts, invalid, choice, open } = rollout;
  const { because } = choice;
  if (invalid !== undefined) return { phase: 'Invalid', because: invalid };
  if (because.reason === 'Halted') return { phase: 'Halted', because };
  if (counts.done === counts.total) return { phase: 'Complete', because: { reason: 'Complete', nodes: counts.total } };
  const gone = missing(facts);
  if (counts.inFlight + gone.length > 0) {
    const refused = refusedPassage(facts);
    if (refused !== undefined) return { phase: 'Blocked', because: { reason: 'Refused', detail: refused } };
    if (allBlocked(facts, counts) && blockers.some((blocker) => isNews(blocker, facts.now)))
      return { phase: 'Blocked', because: { reason: 'RolloutBlocked', blockers: blockers.slice(0, MOST_SAID) } };
    const { inFlight, waiting } = counts;
    return { phase: 'Rolling', because: { reason: 'Rolling', inFlight, waiting, missing: gone } };
  }
  if (!open.open) return { phase: 'WaitingForWindow', because };
  if (because.reason === 'StillInTheWay' || because.reason === 'PreflightFailed') return { phase: 'Blocked', because };
  const stuck = onlyFailedLeft(rollout, counts);
  if (stuck !== undefined) return { phase: 'Halted', because: stuck };
  if (because.reason === 'WaitingForControlPlane') return { phase: 'WaitingForControlPlane', because };
  if (because.reason === 'LedgerAbsent' || because.reason === 'VersionUnknown') return { phase: 'Planning', because };
  return { phase: 'Queued', because };
}

/** Below the threshold no rollout halts, but where nobody can begin and none is out it has stopped all the same, until a retry. */
function onlyFailedLeft({ facts, choice: { because } }: Rollout, { failed, waiting }: Counts): Because | undefined {
  if (failed === 0 || !(because.reason === 'Rolling' || (because.reason === 'ControlPlaneTicket' && because.failed)))
    return undefined;
  const found = failures(facts);
  return found.length === 0 ? undefined : { reason: 'OnlyFailedLeft', failures: found, waiting };
}

function allBlocked({ passages }: RolloutFacts, counts: Counts): boolean {
  const blocked = passages.filter(
    (p) =>
      p.readable &&
      !isSettled(p) &&
      p.status.conditions.some(({ type, status }) => type === 'Blocked' && status === 'True'),
  );
  return blocked.length >= counts.inFlight;
}

/** Nodes that came after completion do not make a finished upgrade unfinished, as long as nobody changed what it asks. */
function wasComplete({ facts, target }: Rollout): boolean {
  const { status, generation } = facts.upgrade;
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === generation && status.target === target.text;
}

function said(
  phase: RolloutPhase,
  because: Because,
  newcomers: boolean,
  counts: Counts,
  blockers: readonly Blocker[],
  { facts, open, ahead, choice: { because: held } }: Rollout,
): readonly Said[] {
  const complete = phase === 'Complete';
  const stalled = phase === 'Halted' || phase === 'Invalid';
  const waits = phase !== 'Complete' && phase !== 'Rolling' && !stalled;
  const late: Because = { reason: 'CompleteWithNewcomers', nodes: counts.total - counts.done };
  // Nobody is on his way: what is out is waited for, and what keeps the others from beginning is told.
  const stands = phase === 'Rolling' && counts.inFlight === 0;
  const why = stands && held.reason !== 'Rolling' ? held : because;
  const blocked: Because =
    blockers.length > 0 ? { reason: 'RolloutBlocked', blockers: blockers.slice(0, MOST_SAID) } : why;
  const override: Because | undefined =
    open.override === undefined
      ? undefined
      : { reason: 'WindowOverridden', until: open.override.until, detail: open.override.reason };
  const hinders = waits || stands || blockers.length > 0;
  const reconciles = !(complete || newcomers || stalled);
  return [
    { type: 'Ready', status: complete || newcomers ? 'True' : 'False', because: newcomers ? late : because },
    {
      type: 'Reconciling',
      ...(reconciles ? { status: 'True', because: override ?? progress(facts, counts, held) } : unless(phase)),
    },
    { type: 'Stalled', ...(stalled ? { status: 'True', because } : unless('NotStalled')) },
    blockedBy(hinders ? blocked : undefined, stalled ? [] : lasting(ahead)),
  ];
}

/** What holds the rollout up now, and what will when the turn of those nodes comes. */
function blockedBy(now: Because | undefined, ahead: readonly Blocker[]): Said {
  const type = 'Blocked';
  const later: Because = { reason: 'BlockersAhead', blockers: ahead.slice(0, MOST_SAID) };
  if (now === undefined)
    return ahead.length === 0 ? { type, ...unless('NotBlocked') } : { type, status: 'False', because: later };
  if (ahead.length === 0 || now.reason === 'PreflightFailed') return { type, status: 'True', because: now };
  return { type, status: 'True', reason: now.reason, message: `${sentence(now)} ${sentence(later)}` };
}

/** What is under way; and where some are out and others wait, why none of these begins. */
function progress(facts: RolloutFacts, { inFlight, waiting, setAside }: Counts, held: Because): Because {
  const gone = missing(facts);
  const waits =
    inFlight + gone.length > 0 && waiting + setAside > 0 && held.reason !== 'Admitting' && held.reason !== 'Rolling';
  return { reason: 'Rolling', inFlight, waiting, missing: gone, ...(waits ? { held: sentence(held) } : {}) };
}

function hopOf({ facts, target }: Rollout): UpgradeStatus['hop'] {
  if (target.kind !== 'version') return undefined;
  const { nodes, controlPlane, upgrade } = facts;
  const first = selected(nodes, upgrade.spec).find(
    (node) => roleOf(node, target.version, controlPlane) === 'firstControlPlane',
  );
  return { index: 0, version: target.version, ...(first === undefined ? {} : { firstControlPlane: first.name }) };
}
