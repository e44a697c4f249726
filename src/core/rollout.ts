import { NODE_UID_LABEL, UPGRADE_LABEL } from '../api/node-maintenance.ts';
import type { Because, Invalid } from './because.ts';
import { type ChoiceFacts, choose, selected, stillToDo } from './choice.ts';
import type { Effect } from './effect.ts';
import { admit, isInOrder, isSettled, without } from './ledger.ts';
import { passageName } from './name.ts';
import { enforce, NOTHING_AHEAD, trials } from './preflight.ts';
import { failedTickets, ownTickets, type Rollout, type RolloutDecision, type RolloutFacts } from './rollout-facts.ts';
import { forget, keep, letGo } from './rollout-keep.ts';
import { begun, failures, remember } from './rollout-memory.ts';
import { savedFirst, snapshotProblem } from './snapshot.ts';
import { steer } from './steer.ts';
import { type Target, targetOf } from './target.ts';
import { minorsBetween, targetProblem, versionTrouble } from './version.ts';
import { type NamedWindow, NEVER_OPEN, type Opening, opening, windowProblem } from './window.ts';
import type { Instant } from './world.ts';

const QUIET_SECONDS = 60;

/** The windows, pauses and freezes of an upgrade, as one answer. */
export function openingOf(facts: Pick<RolloutFacts, 'now' | 'upgrade' | 'ledger' | 'windows'>): Opening {
  const { now, upgrade, ledger, windows } = facts;
  const named = windows.flatMap(({ name, object }): NamedWindow[] =>
    object === undefined ? [] : [{ name, spec: object.readable ? object.spec : NEVER_OPEN }],
  );
  const { overrideWindows: override, mode } = upgrade.spec;
  const switches = {
    policyPaused: ledger?.spec.paused ?? false,
    upgradePaused: mode === 'Paused',
    ...(override === undefined ? {} : { override }),
  };
  return opening(named, ledger?.spec.freezes ?? [], switches, now);
}

/** What keeps an upgrade from being served at all, the first of a list. */
export function problemOf(facts: RolloutFacts): Invalid | undefined {
  const { upgrade, profile, windows, controlPlane, nodes } = facts;
  const { profileName, target } = upgrade.spec;
  if (profile === undefined) return { reason: 'ProfileNotFound', name: profileName };
  if (!profile.readable) return { reason: 'InvalidProfile', name: profileName, problem: profile.problem };
  const unsaved = snapshotProblem(upgrade.spec, facts.snapshotProfile);
  if (unsaved !== undefined) return unsaved;
  for (const { name, object } of windows) {
    if (object === undefined) return { reason: 'WindowNotFound', name };
    if (!object.readable) return { reason: 'InvalidWindow', name, problem: object.problem };
    const problem = windowProblem(object.spec);
    if (problem !== undefined) return { ...problem, window: name };
  }
  const version = target.kubernetesVersion;
  if (version === undefined) return undefined;
  const mine = selected(nodes, upgrade.spec);
  // Raising the API servers makes every kubelet older, those of nodes that are not selected too.
  const judged = mine.some((node) => node.controlPlane) ? nodes : mine;
  const bad = targetProblem(version, controlPlane, judged);
  if (bad !== undefined || profile.spec.drain.mode === 'Drain') return bad;
  const minor = mine.find((node) => (minorsBetween(node.kubeletVersion, version) ?? 0) > 0);
  return minor === undefined
    ? undefined
    : { reason: 'CordonForMinor', node: minor.name, from: minor.kubeletVersion, to: version };
}

/** What a pass finds out about an upgrade: what it is taken to, what is in the way, who could be next. */
export function survey(facts: RolloutFacts): Rollout {
  const target = targetOf(facts.upgrade.name, facts.upgrade.spec);
  const invalid = problemOf(facts);
  const open = openingOf(facts);
  const stop = stopped(facts, target, invalid, open);
  const could = stop !== undefined && ENDS.has(stop.reason) ? undefined : choosable(facts, target, invalid);
  const ahead = could === undefined ? NOTHING_AHEAD : facts.lookAhead(stillToDo(could));
  const chooses = stop === undefined ? could : undefined;
  const chosen = chooses === undefined ? { requests: [], because: stop ?? NO_LEDGER } : choose(chooses);
  const choice = savedFirst(enforce(chosen, ahead, facts.upgrade.spec), target, facts);
  return { facts, target, invalid, open, own: ownTickets(facts), choice, chooses, ahead };
}

const NO_LEDGER = { reason: 'LedgerAbsent' } as const;
/** What stops a rollout that will not go on by itself: nobody looks ahead for it. */
const ENDS: ReadonlySet<string> = new Set(['Finishing', 'Halted']);

/** What to do about one upgrade, once: the first that applies of remember, return, send, admit, forget and steer. */
export function decideRollout(facts: RolloutFacts): RolloutDecision {
  const rollout = survey(facts);
  const { target, open } = rollout;
  return (
    begun(facts, target) ??
    remember(facts) ??
    handBack(facts, target, open) ??
    send(facts) ??
    serve(facts, target, rollout)
  );
}

/** Tickets that no passage has stamped go back when nothing may begin, or when they are for something else by now. */
function handBack(facts: RolloutFacts, target: Target, open: Opening): RolloutDecision | undefined {
  const { ledger, upgrade, nodes, passages } = facts;
  if (ledger === undefined) return undefined;
  const names = new Set(selected(nodes, upgrade.spec).map(({ uid }) => uid));
  const back = ownTickets(facts).filter((ticket) => {
    if (ticket.passageUID !== undefined) return false;
    const child = passages.find(
      ({ name }) => name === passageName(ticket.nodeName, upgrade.uid, ticket.nodeUID, ticket.ticket),
    );
    const settled = child !== undefined && isSettled(child);
    return (
      settled ||
      !open.open ||
      upgrade.deletedAt !== undefined ||
      ticket.target !== target.text ||
      !names.has(ticket.nodeUID)
    );
  });
  if (back.length === 0) return undefined;
  return {
    kind: 'act',
    effects: [without(ledger, back, 'handBack')],
    because: { reason: 'HandingBack', nodes: back.map(({ nodeName }) => nodeName) },
    recheckAfterSeconds: 5,
  };
}

/** Every unstamped ticket of ours without a child gets one, by the only name it can have. */
function send(facts: RolloutFacts): RolloutDecision | undefined {
  const { upgrade, passages, recall, now } = facts;
  const effects = ownTickets(facts).flatMap((ticket): Extract<Effect, { kind: 'createPassage' }>[] => {
    if (ticket.passageUID !== undefined) return [];
    const name = passageName(ticket.nodeName, upgrade.uid, ticket.nodeUID, ticket.ticket);
    if (passages.some((passage) => passage.name === name)) return [];
    const last = recall(`createPassage/${name}`);
    if (last !== undefined && !last.outcome.ok && now < last.at + 5_000) return [];
    return [
      {
        kind: 'createPassage',
        name,
        labels: { [UPGRADE_LABEL]: upgrade.name, [NODE_UID_LABEL]: ticket.nodeUID },
        owner: { kind: 'ClusterUpgrade', name: upgrade.name, uid: upgrade.uid },
        spec: {
          nodeName: ticket.nodeName,
          hold: false,
          upgradeName: upgrade.name,
          nodeUID: ticket.nodeUID,
          ticket: ticket.ticket,
        },
      },
    ];
  });
  const [first, ...rest] = effects;
  if (first === undefined) return undefined;
  const nodes = effects.map(({ spec }) => spec.nodeName);
  return { kind: 'act', effects: [first, ...rest], because: { reason: 'Sending', nodes }, recheckAfterSeconds: 5 };
}

function serve(facts: RolloutFacts, target: Target, rollout: Rollout): RolloutDecision {
  const { now, ledger } = facts;
  const { choice, open } = rollout;
  const { requests, because } = choice;
  if (requests.length > 0 && isInOrder(ledger)) {
    const kept = keep(facts, ledger);
    if (kept !== undefined) return kept;
    return { kind: 'act', effects: [admit(ledger, requests, now)], because, recheckAfterSeconds: 5 };
  }
  const recheckAfterSeconds = Math.min(recheckAfter(open, because, now), rollout.ahead.againSeconds);
  const resting: RolloutDecision = { kind: 'wait', because, recheckAfterSeconds };
  return (
    forget(facts) ?? letGo(facts, target) ?? steer(facts, rollout, recheckAfterSeconds) ?? tryOut(rollout) ?? resting
  );
}

/** When nothing else is to be done, the API server is asked what can only be asked. */
function tryOut({ ahead }: Rollout): RolloutDecision | undefined {
  const effects = trials(ahead);
  if (effects === undefined) return undefined;
  return { kind: 'act', effects, because: { reason: 'LookingAhead', pods: effects.length }, recheckAfterSeconds: 1 };
}

/** When time alone may change the answer: an opening, a closing, the end of a back-off. */
function recheckAfter(open: Opening, because: Because, now: Instant): number {
  const times = [open.changesAt, because.reason === 'SetAside' ? because.until : undefined].flatMap(
    (time) => time ?? [],
  );
  return Math.max(0.1, (Math.min(...times, now + QUIET_SECONDS * 1000) - now) / 1000);
}

/** The first reason why no node is chosen, whichever there are. */
function stopped(
  facts: RolloutFacts,
  target: Target,
  invalid: Invalid | undefined,
  open: Opening,
): Because | undefined {
  const { upgrade, ledger, profile, controlPlane } = facts;
  if (upgrade.deletedAt !== undefined) return { reason: 'Finishing' };
  if (invalid !== undefined) return invalid;
  const counted = failures(facts);
  const { failureThreshold } = upgrade.spec.rollout;
  if (counted.length >= failureThreshold) return { reason: 'Halted', failures: counted, threshold: failureThreshold };
  if (!open.open) return open.because ?? { reason: 'WindowClosed' };
  if (!isInOrder(ledger) || profile === undefined || !profile.readable) return NO_LEDGER;
  if (ledger.deletedAt !== undefined) return { reason: 'LedgerClosing' };
  return target.kind === 'version' ? versionTrouble(controlPlane) : undefined;
}

/** What nodes are chosen by, if everything is there. */
function choosable(facts: RolloutFacts, target: Target, invalid: Invalid | undefined): ChoiceFacts | undefined {
  const { now, upgrade, ledger, profile, nodes, controlPlane } = facts;
  if (invalid !== undefined || !isInOrder(ledger) || profile === undefined || !profile.readable) return undefined;
  return {
    now,
    upgrade,
    target,
    nodes,
    controlPlane,
    ledger,
    policyMaxUnavailable: ledger.spec.maxUnavailable,
    drain: profile.spec.drain,
    failed: new Set([...failures(facts).map(({ nodeName }) => nodeName), ...underWay(facts)]),
    setAside: new Map(upgrade.status.setAside.map(({ nodeName, notBefore }) => [nodeName, Date.parse(notBefore)])),
    hindered: facts.hindered,
    takeOver: failedTickets(facts),
  };
}

/** The nodes of children that have not ended as far as this cache knows: their ticket may be gone before their failure is seen. */
function underWay({ passages }: RolloutFacts): readonly string[] {
  return passages.flatMap((passage) => (passage.readable && !isSettled(passage) ? [passage.spec.nodeName] : []));
}
