import type { WindowSpec } from '../api/maintenance-window.ts';
import { attempt } from './attempt.ts';
import type { Closed, Invalid } from './because.ts';
import { readSchedule, type Schedule } from './schedule.ts';
import type { Instant } from './world.ts';

const MINUTE_MS = 60_000;
/** Openings that touch one another are followed so many times and so far, so that "every minute" ends somewhere. */
const MOST_OPENINGS = 400;
const HORIZON_MS = 400 * 24 * 60 * MINUTE_MS;

/** Whether work may begin, when that changes next, and what closing does to nodes in flight. */
export type Opening = {
  readonly open: boolean;
  /** When it changes next; absent: not as far as can be seen. */
  readonly changesAt?: Instant;
  readonly onClose: 'TurnBack' | 'Finish';
  /** Why it is closed. */
  readonly because?: Closed;
  /** Set while a person has said that windows do not count. */
  readonly override?: { readonly until: Instant; readonly reason: string };
};

type Span = { readonly from: Instant; readonly until: Instant };
type Freeze = Span & { readonly name: string };

/** A window as its users wrote it. */
export type NamedWindow = { readonly name: string; readonly spec: WindowSpec };

/** Stands for a window whose object cannot be read: it never opens. */
export const NEVER_OPEN: WindowSpec = {
  timeZone: 'Etc/UTC',
  openings: [{ from: '1970-01-01T00:00:00Z', until: '1970-01-01T00:00:01Z' }],
  freezes: [],
  onClose: 'TurnBack',
  paused: false,
};

type Frozen = { readonly name: string; readonly from: string; readonly until: string };

/** What is wrong with a window that cannot be read. */
export type Unreadable = Extract<Invalid, { reason: 'InvalidTimeZone' | 'InvalidSchedule' }>;

/** What cannot be read in a window: an unreadable window is closed, never open (Karpenter's budgets with a bad zone were open). */
export function windowProblem(spec: WindowSpec): Unreadable | undefined {
  const known = PROBLEMS.get(spec);
  if (known !== undefined) return known.problem;
  const problem = readProblem(spec);
  PROBLEMS.set(spec, { problem });
  return problem;
}

function readProblem(spec: WindowSpec): Unreadable | undefined {
  if (!attempt(() => new Intl.DateTimeFormat('en', { timeZone: spec.timeZone })).ok) {
    return { reason: 'InvalidTimeZone', zone: spec.timeZone };
  }
  for (const { schedule } of spec.openings) {
    if (schedule === undefined) continue;
    const fields = schedule.trim().split(/\s+/).length;
    if (fields !== 5) return { reason: 'InvalidSchedule', schedule, problem: `it has ${fields} fields, not five` };
    const read = attempt(() => scheduleOf(schedule, spec));
    if (!read.ok) return { reason: 'InvalidSchedule', schedule, problem: read.problem.replace(/^CronPattern: /, '') };
  }
  return undefined;
}

/** Remembered by the very object they were read from, which never changes: zones and schedules cost milliseconds to read. */
const PROBLEMS = new WeakMap<WindowSpec, { readonly problem: Unreadable | undefined }>();
const SCHEDULES = new WeakMap<WindowSpec, Map<string, Schedule>>();

function scheduleOf(text: string, spec: WindowSpec): Schedule {
  const known = SCHEDULES.get(spec) ?? new Map<string, Schedule>();
  SCHEDULES.set(spec, known);
  const read = known.get(text) ?? readSchedule(text, spec.timeZone);
  known.set(text, read);
  return read;
}

/** One window alone, for its own status. */
export function windowOpening(window: NamedWindow, now: Instant): Opening {
  return combined([window], [], now);
}

/** What closes everything at once, whatever the calendar says. */
export type Switches = {
  readonly policyPaused: boolean;
  readonly upgradePaused: boolean;
  readonly override?: { readonly until: string; readonly reason: string };
};

/**
 * Whether work may begin for one upgrade: the union of the openings of its windows minus the union of all freezes, theirs
 * and the policy's. A person's override beats windows and their freezes, never a pause and never the policy's freezes.
 */
export function opening(
  windows: readonly NamedWindow[],
  policyFreezes: readonly Frozen[],
  switches: Switches,
  now: Instant,
): Opening {
  const onClose = strictest(windows);
  if (switches.policyPaused) return { open: false, onClose, because: { reason: 'PolicyPaused' } };
  if (switches.upgradePaused) return { open: false, onClose, because: { reason: 'UpgradePaused' } };
  const { override } = switches;
  if (override === undefined || Date.parse(override.until) <= now) return combined(windows, policyFreezes, now);
  const until = Date.parse(override.until);
  const without = combined([], policyFreezes, now);
  return {
    ...without,
    onClose,
    changesAt: Math.min(until, without.changesAt ?? until),
    override: { ...override, until },
  };
}

function strictest(windows: readonly NamedWindow[]): 'TurnBack' | 'Finish' {
  return windows.length > 0 && windows.every(({ spec }) => spec.onClose === 'Finish') ? 'Finish' : 'TurnBack';
}

function combined(windows: readonly NamedWindow[], policyFreezes: readonly Frozen[], now: Instant): Opening {
  const onClose = strictest(windows);
  const active = windows.filter(({ spec }) => !spec.paused);
  const paused = windows.find(({ spec }) => spec.paused);
  if (paused !== undefined && active.length === 0) {
    return { open: false, onClose, because: { reason: 'WindowPaused', window: paused.name } };
  }
  const freezes = [...policyFreezes, ...windows.flatMap(({ spec }) => spec.freezes)].map(toFreeze);
  // What cannot be read opens nothing, and its schedules are never run: they would throw.
  const legible = windows.filter(({ spec }) => windowProblem(spec) === undefined);
  const scheduled = windows.filter((window) => window.spec.openings.length > 0 || !legible.includes(window));
  const always = scheduled.length === 0;
  const openers = scheduled.filter((window) => !window.spec.paused && legible.includes(window));

  const freeze = freezes.find((span) => contains(span, now));
  if (freeze !== undefined) {
    const opensAt = always ? thaw(freezes, freeze.until) : firstOpening(openers, freezes, freeze.until);
    return {
      open: false,
      onClose,
      because: { reason: 'Frozen', freeze: freeze.name, until: freeze.until },
      ...(opensAt === undefined ? {} : { changesAt: opensAt }),
    };
  }
  const nextFreeze = earliest(freezes.map(({ from }) => from).filter((from) => from > now));
  const until = always ? Number.POSITIVE_INFINITY : closing(openers, now);
  if (until !== undefined) {
    const changesAt = Math.min(until, nextFreeze ?? Number.POSITIVE_INFINITY);
    return { open: true, onClose, ...(Number.isFinite(changesAt) ? { changesAt } : {}) };
  }
  const opensAt = firstOpening(openers, freezes, now);
  return {
    open: false,
    onClose,
    because: { reason: 'WindowClosed', ...(opensAt === undefined ? {} : { opensAt }) },
    ...(opensAt === undefined ? {} : { changesAt: opensAt }),
  };
}

function toFreeze({ name, from, until }: Frozen): Freeze {
  return { name, from: Date.parse(from), until: Date.parse(until) };
}

function contains(span: Span, at: Instant): boolean {
  return span.from <= at && at < span.until;
}

function earliest(instants: readonly Instant[]): Instant | undefined {
  return instants.length === 0 ? undefined : Math.min(...instants);
}

/** The first instant at or after `at` that no freeze holds. */
function thaw(freezes: readonly Freeze[], at: Instant): Instant {
  const holding = freezes.find((span) => contains(span, at));
  return holding === undefined ? at : thaw(freezes, holding.until);
}

/** When what is open now closes: openings that touch or overlap are one. Undefined: nothing is open now. */
function closing(windows: readonly NamedWindow[], now: Instant): Instant | undefined {
  let until: Instant | undefined;
  for (let round = 0; round < MOST_OPENINGS; round++) {
    const at = until ?? now;
    const further = Math.max(...windows.flatMap(({ spec }) => spans(spec, at)).map((span) => span.until), at);
    if (further <= at) return until;
    if (further > now + HORIZON_MS) return Number.POSITIVE_INFINITY;
    until = further;
  }
  return Number.POSITIVE_INFINITY;
}

/** The spans of one window that hold an instant. A span belongs to the moment it starts and lasts elapsed minutes from there. */
function spans(spec: WindowSpec, at: Instant): Span[] {
  return spec.openings.flatMap(({ schedule, durationMinutes, from, until }) => {
    if (schedule === undefined || durationMinutes === undefined) {
      const span = { from: Date.parse(from ?? ''), until: Date.parse(until ?? '') };
      return contains(span, at) ? [span] : [];
    }
    const length = durationMinutes * MINUTE_MS;
    // Of starts that all last as long, the latest is the one that lasts longest.
    const start = scheduleOf(schedule, spec).atOrBefore(at);
    return start === undefined || start <= at - length ? [] : [{ from: start, until: start + length }];
  });
}

/** When something opens next at or after an instant, with every freeze taken away. */
function firstOpening(windows: readonly NamedWindow[], freezes: readonly Freeze[], at: Instant): Instant | undefined {
  let from = at;
  for (let round = 0; round < MOST_OPENINGS; round++) {
    if (windows.some(({ spec }) => spans(spec, from).length > 0)) {
      const thawed = thaw(freezes, from);
      if (thawed === from) return from;
      from = thawed;
      continue;
    }
    const next = earliest(windows.flatMap(({ spec }) => starts(spec, from)));
    if (next === undefined) return undefined;
    from = next;
  }
  return undefined;
}

function starts(spec: WindowSpec, after: Instant): Instant[] {
  return spec.openings.flatMap(({ schedule, from }) => {
    const next = schedule === undefined ? Date.parse(from ?? '') : scheduleOf(schedule, spec).after(after);
    return next === undefined || next <= after ? [] : [next];
  });
}
