import { Writable } from 'node:stream';
import pino, { type Logger } from 'pino';
import type { Outcome } from '../core/decision.ts';

/** How much is logged. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** For machines or for people. */
export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** What a log is opened with. */
export type LogOptions = {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Where the lines go. */
  readonly to: { write(line: string): unknown };
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export type { Logger } from 'pino';

/** Opens the log. Every line says when, how serious, and what, in one sentence. */
export function openLog({ level, format, to, now }: LogOptions): Logger {
  const timestamp = () => `,"time":"${new Date(now()).toISOString()}"`;
  const formatters = { level: (label: string) => ({ level: label }) };
  const serializers = { error: pino.stdSerializers.err };
  const options = { level, timestamp, formatters, serializers, messageKey: 'message', base: null };
  return pino(options, format === 'json' ? to : pretty(to));
}

/** Lines for people: the time of day, the level, the sentence, then what is left as key=value. */
export function pretty(to: { write(line: string): unknown }): Writable {
  return new Writable({
    decodeStrings: false,
    write(line: string, _, done) {
      const { time, level, message, error, ...rest } = JSON.parse(line) as Record<string, unknown>;
      const fields = Object.entries(rest).map(([key, value]) => ` ${key}=${shown(value)}`);
      const stack = error === undefined ? '' : `\n${(error as { stack?: string }).stack ?? shown(error)}`;
      to.write(
        `${String(time).slice(11, 19)} ${String(level).toUpperCase().padEnd(5)} ${message}${fields.join('')}${stack}\n`,
      );
      done();
    },
  });
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** One step of the loop, as it is logged. */
export type Step = {
  readonly what: 'moved' | 'performed' | 'looked' | 'reported';
  /** The kind and the name of the object that it was about. */
  readonly subject: string;
  readonly key: string;
  readonly outcome: Outcome;
  /** A stable word and the sentence for people. */
  readonly reason?: string;
  readonly message?: string;
  /** Which effect it was, and on what. */
  readonly effect?: { readonly kind: string; readonly name: string };
};

/** Logs one step in one line. What is refused for good is a warning; what will clear, or was tried on an old view, is not. */
export function logStep(log: Logger, { what, subject, key, outcome, reason, message, effect }: Step): void {
  const about = { subject, key, reason, effect: effect?.kind, on: effect?.name };
  if (outcome.ok) {
    log[what === 'moved' || what === 'performed' ? 'info' : 'debug'](about, message ?? what);
    return;
  }
  const { why, cause, code } = outcome;
  const level = why === 'refused' ? 'warn' : why === 'unavailable' ? 'info' : 'debug';
  log[level]({ ...about, why, cause: cause === 'Other' ? undefined : cause, code }, outcome.message);
}
