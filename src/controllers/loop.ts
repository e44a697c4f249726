import type { Answer, Cluster } from '../cluster/cluster.ts';
import type { Because } from '../core/because.ts';
import type { Clock } from '../core/clock.ts';
import type { Decision, Outcome, Refusal, Remembered } from '../core/decision.ts';
import { type Effect, effectKey, type StatusWrite, type Telling } from '../core/effect.ts';
import type { Next, Reconciler } from '../runtime/controller.ts';
import { type Memory, versionOf } from './memory.ts';

/** A report that only changes words waits this long after the last write, so that passing reasons cost nothing. */
const SETTLE_MS = 1_000;
/** A report that only changes figures waits this long. */
const FIGURES_MS = 10_000;
/** An effect that was accepted is not sent again before a lagging cache has had time to show it. */
const ACCEPTED_MS = 3_000;
/** A cache that still shows what we wrote over is waited for so long. */
const LAG_MS = 1_000;

/** When an object was last written, and the version that was written over. */
type LastWrites = Map<string, { readonly at: number; readonly over: string }>;

/** One kind of object, as the loop drives it: how it is seen, judged and written. */
export type Subject<Facts, State> = {
  readonly name: string;
  /** The resourceVersion of the object that was seen. */
  version(facts: Facts): string;
  /** Reads the caches; undefined: there is nothing to do for this key. */
  observe(key: string): Facts | undefined;
  /** Reads the API server for what the decision rests on. */
  look(key: string, facts: Facts): Promise<Answer<Facts | undefined>>;
  decide(facts: Facts): Decision<State, Effect>;
  needsLook(facts: Facts, decision: Decision<State, Effect>): boolean;
  /** On what people are told that its look or its status was refused; nothing else would say so. */
  about?(facts: Facts): Telling['on'] | undefined;
  /** The whole status for a move. */
  status(facts: Facts, to: State, because: Because): StatusWrite;
  /** The whole status for anything but a move, where it says something new. */
  report(facts: Facts, because: Because): Report | undefined;
  /** What people are told of an effect that was accepted, where neither a status nor the object itself says it. */
  did?(facts: Facts, effect: Effect): Telling | undefined;
  /** Tells people, after the store succeeded. */
  tell(facts: Facts, decision: Decision<State, Effect>): void;
};

/** A status that says something new: `urgent` if in words, otherwise in figures only; `tell` runs once it is stored. */
export type Report = { readonly write: StatusWrite; readonly urgent: boolean; readonly tell?: () => void };

/** What the loop did, for logs and counters. */
export type Happened =
  | {
      readonly what: 'moved';
      readonly subject: string;
      readonly key: string;
      readonly because: Because;
      readonly outcome: Outcome;
    }
  | {
      readonly what: 'performed';
      readonly subject: string;
      readonly key: string;
      readonly effect: Effect;
      readonly because: Because;
      readonly outcome: Outcome;
    }
  | { readonly what: 'looked'; readonly subject: string; readonly key: string; readonly outcome: Outcome };

export type Loop = {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly memory: Memory;
  readonly happened: (event: Happened) => void;
};

/** Makes the reconciler of a subject: observe, decide, look, carry out, tell. */
export function reconciler<Facts, State>(subject: Subject<Facts, State>, loop: Loop): Reconciler {
  const lastWrite: LastWrites = new Map();
  const reconcile = async (key: string): Promise<Next> => {
    const seen = subject.observe(key);
    if (seen === undefined) {
      lastWrite.delete(key);
      return {};
    }
    // What we wrote ourselves has not come back yet: whatever would be decided now, the API server would refuse.
    const last = lastWrite.get(key);
    if (last !== undefined && last.over === subject.version(seen) && loop.clock.now() < last.at + LAG_MS) {
      return { again: LAG_MS / 1000 };
    }
    const decision = subject.decide(seen);
    if (!subject.needsLook(seen, decision)) return carryOut(subject, loop, key, seen, decision, lastWrite);
    const looked = () => lookAndCarryOut(subject, loop, key, seen, lastWrite);
    return writesLedger(decision) ? loop.memory.inTurn(looked) : looked();
  };
  return { name: subject.name, reconcile };
}

/** What is read live is decided on, whatever the caches made of it. */
async function lookAndCarryOut<Facts, State>(
  subject: Subject<Facts, State>,
  loop: Loop,
  key: string,
  seen: Facts,
  lastWrite: LastWrites,
): Promise<Next> {
  const looked = await subject.look(key, seen);
  if (!looked.ok) {
    loop.happened({ what: 'looked', subject: subject.name, key, outcome: looked });
    tellRefusal(subject, loop, seen, 'LookRefused', looked);
    return { retry: looked.message };
  }
  if (looked.value === undefined) return {};
  return carryOut(subject, loop, key, looked.value, subject.decide(looked.value), lastWrite);
}

function writesLedger<State>(decision: Decision<State, Effect>): boolean {
  return decision.kind === 'act' && decision.effects[0].kind === 'writeLedger';
}

async function carryOut<Facts, State>(
  subject: Subject<Facts, State>,
  loop: Loop,
  key: string,
  facts: Facts,
  decision: Decision<State, Effect>,
  lastWrite: LastWrites,
): Promise<Next> {
  switch (decision.kind) {
    case 'move': {
      const outcome = await loop.cluster.store(subject.status(facts, decision.to, decision.because));
      loop.happened({ what: 'moved', subject: subject.name, key, because: decision.because, outcome });
      if (!outcome.ok) {
        tellRefusal(subject, loop, facts, 'StatusRefused', outcome);
        return notStored(outcome);
      }
      lastWrite.set(key, { at: loop.clock.now(), over: subject.version(facts) });
      subject.tell(facts, decision);
      return {};
    }
    case 'act': {
      const retry = await perform(subject, loop, key, facts, decision);
      const next = await report(subject, loop, key, facts, decision, lastWrite);
      return retry === undefined ? next : { retry };
    }
    case 'wait':
      return report(subject, loop, key, facts, decision, lastWrite);
    case 'rest':
      return {};
  }
}

/** Performs effects: those of one lane one after another, lanes side by side. Says why if the key should back off. */
async function perform<Facts, State>(
  subject: Subject<Facts, State>,
  { cluster, clock, memory, happened }: Loop,
  key: string,
  facts: Facts,
  { effects, because }: Extract<Decision<State, Effect>, { kind: 'act' }>,
): Promise<string | undefined> {
  const due = effects.filter((effect) => !wasAccepted(effect, memory.recall(effectKey(effect)), clock.now()));
  const lanes = Map.groupBy(due, (effect) => (effect.kind === 'evict' ? effect.lane : effectKey(effect)));
  // Before the first answer: what other passages decide meanwhile must leave these their room.
  for (const effect of due) memory.claim(effect);
  const outcomes = await Promise.all(
    [...lanes.values()].map(async (lane) => {
      let failed: string | undefined;
      for (const [place, effect] of lane.entries()) {
        const outcome = await memory.inLane(effect, () => cluster.perform(effect));
        memory.remember(effect, outcome);
        happened({ what: 'performed', subject: subject.name, key, effect, because, outcome });
        const telling = outcome.ok ? subject.did?.(facts, effect) : undefined;
        if (telling !== undefined) cluster.tell(telling);
        if (!outcome.ok && outcome.why === 'unavailable' && outcome.cause !== 'RateLimited') failed = outcome.message;
        // The next of this lane would be refused for the same reason, or wait for an answer just as long.
        if (outcome.ok || (outcome.why !== 'blocked' && outcome.why !== 'unavailable')) continue;
        for (const unsent of lane.slice(place + 1)) memory.unclaim(unsent);
        break;
      }
      return failed;
    }),
  );
  return outcomes.find((failed) => failed !== undefined);
}

/** The same effect would be sent once more for every event that comes before the cache shows what it did. */
function wasAccepted(effect: Effect, last: Remembered | undefined, now: number): boolean {
  if (last?.outcome.ok !== true || now >= last.at + ACCEPTED_MS) return false;
  // What an eviction was decided on is its budget: a pod that is on its way is so by whatever version of that.
  return effect.kind === 'evict' || last.version === versionOf(effect);
}

/** Writes what is said anew, not more often than people can read; comes back for what was put off, or when the decision says. */
async function report<Facts, State>(
  subject: Subject<Facts, State>,
  loop: Loop,
  key: string,
  facts: Facts,
  { because, recheckAfterSeconds }: Extract<Decision<State, Effect>, { kind: 'act' | 'wait' }>,
  lastWrite: LastWrites,
): Promise<Next> {
  const { cluster, clock, happened } = loop;
  const wanted = subject.report(facts, because);
  if (wanted === undefined) return { again: recheckAfterSeconds };
  // What is seen for the first time is about to move: its reasons of the first second are nobody's news.
  const last = lastWrite.get(key) ?? { at: clock.now(), over: '' };
  lastWrite.set(key, last);
  const due = last.at + (wanted.urgent ? SETTLE_MS : FIGURES_MS);
  if (clock.now() < due) return { again: Math.min(recheckAfterSeconds, (due - clock.now()) / 1000) };
  const outcome = await cluster.store(wanted.write);
  if (outcome.ok) {
    lastWrite.set(key, { at: clock.now(), over: subject.version(facts) });
    wanted.tell?.();
    return { again: recheckAfterSeconds };
  }
  happened({ what: 'moved', subject: subject.name, key, because, outcome });
  tellRefusal(subject, loop, facts, 'StatusRefused', outcome);
  return notStored(outcome);
}

/** What was refused leaves the last sentence standing in status, so an Event says it. */
function tellRefusal<Facts, State>(
  subject: Subject<Facts, State>,
  { cluster }: Loop,
  facts: Facts,
  reason: 'LookRefused' | 'StatusRefused',
  { why, message }: Refusal,
): void {
  const on = why === 'refused' ? subject.about?.(facts) : undefined;
  if (on === undefined) return;
  const what = reason === 'LookRefused' ? 'what must be read before going on' : 'what there is to say';
  cluster.tell({ on, type: 'Warning', reason, message: `The API server refused ${what}: ${message}`.slice(0, 1024) });
}

/** Who was overtaken looks again; who was refused, or got no answer, would only be so again. */
function notStored({ why, message }: Refusal): Next {
  return why === 'unavailable' || why === 'refused' ? { retry: message } : { again: 1 };
}
