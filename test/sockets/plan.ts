import type { Dice } from '../../src/simulation/dice.ts';
import { type AtDoor, type Fate, listFate, type Streamed, watchFate } from './fates.ts';

/** So many passages of each watcher are remembered. */
const REMEMBERED = 6;

/** One request on its way through the proxy; times in milliseconds since the proxy began. */
export type Passage = {
  readonly number: number;
  readonly port: number | undefined;
  readonly query: string;
  readonly fate: Fate;
  readonly askedAt: number;
  answeredAt?: number;
  struck?: { readonly at: number; readonly by: Streamed | AtDoor };
  closedAt?: number;
  bytes: number;
  lastAt?: number;
};

/**
 * What is done to whom. The n-th injury of one watcher depends on the seed alone, however the requests of all of them come
 * to lie between each other; only the instant at which it comes is the machine's.
 */
export class Plan {
  readonly #dice: Dice;
  readonly #life: readonly [number, number];
  readonly #of = new Map<string, Dice>();
  readonly #passages = new Map<string, Passage[]>();
  readonly #from = performance.now();
  #count = 0;

  constructor(dice: Dice, life: readonly [number, number]) {
    this.#dice = dice;
    this.#life = life;
  }

  /** The chance of one watcher. */
  dice(who: string): Dice {
    const known = this.#of.get(who) ?? this.#dice.fork(who);
    this.#of.set(who, known);
    return known;
  }

  fate(who: string, isWatch: boolean): Fate {
    return isWatch ? watchFate(this.dice(who), this.#life) : listFate(this.dice(`${who} list`));
  }

  now(): number {
    return performance.now() - this.#from;
  }

  /** A request sets out. */
  passage(who: string, fate: Fate, url: string, port: number | undefined): Passage {
    this.#count += 1;
    const passage = { number: this.#count, port, query: url.split('?')[1] ?? '', fate, askedAt: this.now(), bytes: 0 };
    const all = this.#passages.get(who) ?? [];
    this.#passages.set(who, [...all.slice(1 - REMEMBERED), passage]);
    return passage;
  }

  /** What was last done to whoever goes by this name, in lines for people. */
  told(name: string): readonly string[] {
    return [...this.#passages]
      .filter(([who]) => who.startsWith(`${name} `))
      .flatMap(([who, passages]) => passages.map((passage) => `${who} ${inWords(passage)}`));
  }
}

function inWords({ number, port, query, fate, ...rest }: Passage): string {
  const { askedAt, answeredAt, struck, closedAt, bytes, lastAt } = rest;
  const at = (time: number | undefined) => (time === undefined ? 'never' : `${Math.round(time)}`);
  const meant = fate.is === 'streamed' ? `${fate.by} after ${fate.afterMs} ms` : fate.is === 'door' ? fate.by : 'pass';
  const from = /resourceVersion=(\d+)/.exec(query)?.[1];
  return (
    `#${number} from port ${port}${from === undefined ? '' : ` since ${from}`}: planned ${meant}; asked at ${at(askedAt)}, ` +
    `answered ${at(answeredAt)}, ${bytes} bytes, last ${at(lastAt)}, ` +
    `struck ${struck === undefined ? 'never' : `by ${struck.by} at ${at(struck.at)}`}, closed ${at(closedAt)}`
  );
}
