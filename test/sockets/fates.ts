import type { Dice } from '../../src/simulation/dice.ts';

/** What becomes of a watch that the server has begun to answer. */
export type Streamed = 'reset' | 'cut' | 'short' | 'trickle' | 'delay' | 'silent' | 'expired' | 'error';

/** What is done to a request in place of an answer. */
export type AtDoor = 'refused' | 'mute' | '410' | '429' | '500' | '503' | 'html' | 'strange';

/** What becomes of one request. A watch that passes is struck by something after a while. */
export type Fate =
  | { readonly is: 'pass' }
  | { readonly is: 'streamed'; readonly by: Streamed; readonly afterMs: number }
  | { readonly is: 'door'; readonly by: AtDoor };

/** What each of them is, for who reads the figures. */
export const MEANINGS: { readonly [by in Streamed | AtDoor]: string } = {
  reset: 'RST in the middle of an answer',
  cut: 'FIN in the middle of a line, the answer not ended',
  short: 'the answer ended in order, in the middle of a line',
  trickle: 'byte by byte, then FIN in the middle of a line',
  delay: 'chunk after chunk held back, then RST',
  silent: 'half open: nothing more comes, bookmarks neither',
  expired: '410 as an ERROR in the stream',
  error: '500 as an ERROR in the stream',
  refused: 'RST in place of an answer',
  mute: 'half open: accepted and never answered',
  410: '410 in place of an answer',
  429: '429 with Retry-After: 1',
  500: '500 in place of an answer',
  503: '503 in place of an answer',
  html: 'HTML in place of JSON',
  strange: 'JSON that is no list',
};

type Shares<T extends string> = readonly (readonly [T, number])[];

const WATCH_STREAMED: Shares<Streamed> = [
  ['reset', 40],
  ['cut', 18],
  ['short', 14],
  ['trickle', 7],
  ['delay', 6],
  ['expired', 4],
  ['error', 2],
  ['silent', 2],
];
const WATCH_DOOR: Shares<AtDoor> = [
  ['refused', 30],
  ['410', 12],
  ['429', 12],
  ['500', 12],
  ['503', 12],
  ['html', 12],
  ['mute', 4],
];
const LIST_STREAMED: Shares<Streamed> = [
  ['reset', 30],
  ['cut', 30],
  ['short', 10],
  ['trickle', 15],
  ['delay', 15],
];
const LIST_DOOR: Shares<AtDoor> = [
  ['refused', 20],
  ['410', 15],
  ['429', 15],
  ['500', 15],
  ['503', 15],
  ['html', 15],
  ['strange', 15],
  ['mute', 2],
];
const WATCH_AT_DOOR = 0.07;
const LIST_STRUCK = 0.3;

/** What becomes of a watch that is asked for, and when. */
export function watchFate(dice: Dice, [least, most]: readonly [number, number]): Fate {
  if (dice.chance(WATCH_AT_DOOR)) return { is: 'door', by: drawn(dice, WATCH_DOOR) };
  return { is: 'streamed', by: drawn(dice, WATCH_STREAMED), afterMs: dice.between(least, most) };
}

/** What becomes of a list that is asked for: most of them pass. */
export function listFate(dice: Dice): Fate {
  if (!dice.chance(LIST_STRUCK)) return { is: 'pass' };
  if (dice.chance(0.5)) return { is: 'door', by: drawn(dice, LIST_DOOR) };
  return { is: 'streamed', by: drawn(dice, LIST_STREAMED), afterMs: 0 };
}

function drawn<T extends string>(dice: Dice, shares: Shares<T>): T {
  let left = dice.roll() * shares.reduce((sum, [, share]) => sum + share, 0);
  for (const [each, share] of shares) {
    left -= share;
    if (left < 0) return each;
  }
  return dice.pick(shares)[0];
}
