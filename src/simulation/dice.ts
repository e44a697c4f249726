/** The one source of chance in a simulated world: what a seed does once it does always. */
export type Dice = {
  /** A number from 0 up to, and without, 1. */
  roll(): number;
  /** A whole number from `least` to `most`, both among them. */
  between(least: number, most: number): number;
  /** True so often. */
  chance(share: number): boolean;
  /** One of some. */
  pick<T>(from: readonly T[]): T;
  /** Other dice of the same seed: what they roll does not depend on how often these are rolled. */
  fork(name: string): Dice;
  /** A UUID that nothing else in this world has. */
  uuid(): string;
};

/** Dice of a seed (splitmix32: small, and good enough to draw scenes from). */
export function dice(seed: number): Dice {
  let state = mix(seed | 0);
  const roll = () => {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) >>> 0) / 0x1_0000_0000;
  };
  const hex = (digits: number) => {
    let text = '';
    for (let left = digits; left > 0; left -= 1) text += '0123456789abcdef'[Math.floor(roll() * 16)];
    return text;
  };
  return {
    roll,
    between: (least, most) => least + Math.floor(roll() * (most - least + 1)),
    chance: (share) => roll() < share,
    pick: <T>(from: readonly T[]) => {
      if (from.length === 0) throw new Error('impossible: nothing to pick from');
      return from[Math.floor(roll() * from.length)] as T;
    },
    fork: (name) => dice(hash(`${seed}/${name}`)),
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[Math.floor(roll() * 4)]}${hex(3)}-${hex(12)}`,
  };
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}

/** FNV-1a. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum;
}
