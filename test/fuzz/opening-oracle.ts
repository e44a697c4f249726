import type { NamedWindow } from '../../src/core/window.ts';
import { type Schedule, startsOf } from './cron-oracle.ts';
import { type Days, MINUTE } from './wall-clock.ts';

type Span = { readonly from: number; readonly until: number };

/** A window and what the oracle knows of it without reading any schedule. */
export type Told = {
  readonly window: NamedWindow;
  readonly legible: boolean;
  readonly schedules: readonly { readonly schedule: Schedule; readonly durationMinutes: number }[];
  readonly singles: readonly Span[];
  readonly freezes: readonly Span[];
};

/** Everything that can open or close work. */
export type Plan = {
  readonly told: readonly Told[];
  readonly policyFreezes: readonly Span[];
  readonly overrideUntil: number | undefined;
  readonly policyPaused: boolean;
  readonly upgradePaused: boolean;
};

/** Says of any instant of some days whether work may begin, and at which instants that can change at all. */
export type Oracle = {
  readonly open: (at: number) => boolean;
  readonly edges: readonly number[];
  /** How many times something starts between two instants. */
  readonly startsBetween: (from: number, until: number) => number;
};

const holds = (spans: readonly Span[], at: number) => spans.some(({ from, until }) => from <= at && at < until);

/** Reads a plan word by word as the description of windows says it. */
export function oracle(plan: Plan, days: Days): Oracle {
  const spans = new Map<Told, readonly Span[]>();
  for (const told of plan.told) {
    const scheduled = told.schedules.flatMap(({ schedule, durationMinutes }) =>
      startsOf(schedule, days).map((start) => ({
        from: days.from + start * MINUTE,
        until: days.from + (start + durationMinutes) * MINUTE,
      })),
    );
    spans.set(told, told.legible ? [...scheduled, ...told.singles] : []);
  }
  const freezes = [...plan.policyFreezes, ...plan.told.flatMap((told) => told.freezes)];
  const onlyFreezes = plan.told.every((told) => told.legible && told.window.spec.openings.length === 0);
  const allPaused = plan.told.length > 0 && plan.told.every(({ window }) => window.spec.paused);
  const ways = plan.told.filter(({ window }) => !window.spec.paused).flatMap((told) => spans.get(told) ?? []);
  const every = [...[...spans.values()].flat(), ...freezes];
  const override = plan.overrideUntil === undefined ? [] : [plan.overrideUntil];
  return {
    open: (at) => {
      if (plan.policyPaused || plan.upgradePaused) return false;
      if (plan.overrideUntil !== undefined && at < plan.overrideUntil) return !holds(plan.policyFreezes, at);
      if (allPaused || holds(freezes, at)) return false;
      return onlyFreezes || holds(ways, at);
    },
    edges: [...new Set([...every.flatMap(({ from, until }) => [from, until]), ...override])].sort((a, b) => a - b),
    startsBetween: (from, until) => ways.filter((span) => from <= span.from && span.from <= until).length,
  };
}
