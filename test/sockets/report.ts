import { MEANINGS } from './fates.ts';
import { PROPERTIES } from './oracle.ts';
import type { Stormed } from './storm.ts';

/** The value below which this share of them lies; undefined where there is none. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** What came of a storm, in lines for people. */
export function report(stormed: Stormed): readonly string[] {
  const { violations, broken, settledMs, counts } = stormed;
  const count = (value: number) => value.toLocaleString('en');
  const struck = [...counts].sort(([, one], [, other]) => other - one);
  return [
    `${count(stormed.events)} events written, ${count(stormed.told)} changes told, ${count(stormed.lists)} lists, ` +
      `${stormed.compactions} compactions, ${count(stormed.disconnects)} forced disconnects in ${inSeconds(stormed.milliseconds)}:`,
    ...struck.map(([by, times]) => `  ${count(times).padStart(7)}  ${MEANINGS[by]}`),
    `  ${count(stormed.refusedConnections).padStart(7)}  connections refused`,
    'From the end of an open watch until its resumption (until the server was asked again):',
    ...[...stormed.back]
      .sort(([, one], [, other]) => other.resumed.length - one.resumed.length)
      .map(([by, { resumed, askedAgain }]) => `  ${spread(resumed)} (${spread(askedAgain)})  ${MEANINGS[by]}`),
    `At ${stormed.quietPoints} quiet points every cache was the truth after ${spread(settledMs)}; the event loop was late by ${Math.round(stormed.loopMs)} ms (99 %),` +
      ` and ran for ${Math.round(stormed.share * 100)} % of the time in which it had something to do.`,
    ...Object.entries(PROPERTIES).map(([name, sentence]) => `  ${name.padEnd(7)} ${sentence}`),
    ...violations.map(({ property, text }) => `  ${property}: ${text}`),
    ...stormed.injuries.map((injury) => `  ${injury}`),
    `${broken === 0 ? '0 violations' : `${broken} violations`}.`,
  ];
}

/** Half, nearly all, and the slowest. */
function spread(values: readonly number[]): string {
  if (values.length === 0) return 'never';
  const [half, most, slowest] = [percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)];
  return `p50 ${inSeconds(half)}, p99 ${inSeconds(most)}, max ${inSeconds(slowest)}, n ${values.length}`;
}

/** How long something may take at most, and how long it took, where that could be measured. */
export type Bound = { readonly what: string; readonly most: number; readonly was: number | undefined };

const RESUMED_MS = 1_000;
/** Below this share of a core it is the machine that is measured. */
const LEAST_SHARE = 0.8;

/** The bound on the resumption after a reset; it is none on a machine that is busy with something else. */
export function bounds({ back, share }: Stormed, hurry: number): readonly Bound[] {
  const isJudged = share >= LEAST_SHARE && hurry === 1;
  const was = isJudged ? percentile(back.get('reset')?.resumed ?? [], 0.99) : undefined;
  return [{ what: 'a watch is back after a reset (99 %)', most: RESUMED_MS, was }];
}

/** Whether it was kept, for people. */
export function judged({ what, most, was }: Bound): string {
  const kept = was === undefined ? 'not judged' : `${inSeconds(was)}, ${was <= most ? 'kept' : 'NOT KEPT'}`;
  return `  bound: ${what} within ${inSeconds(most)}: ${kept}`;
}

/** A time as people read it. */
export function inSeconds(milliseconds = 0): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 9_995 ? 2 : 1)} s`;
}
