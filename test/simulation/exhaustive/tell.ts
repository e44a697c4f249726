import { type Explored, explore } from './explore.ts';
import type { Variant } from './state.ts';
import { begin, LARGE, PLANTED, USUAL, type World } from './worlds.ts';

type Say = (line?: string) => void;

const count = (number: number) => number.toLocaleString('en');

/** Explores worlds whole, says what was found, and gives the exit code. */
export async function tellWorlds(which: 'usual' | 'all', say: Say): Promise<number> {
  const worlds = which === 'all' ? [...USUAL, ...LARGE] : USUAL;
  say(`Every interleaving of ${worlds.length} tiny worlds: each cache and each request by itself, faults included.`);
  const sum = { states: 0, transitions: 0, milliseconds: 0, broken: 0 };
  for (const world of worlds) {
    const found = await explore(begin(world));
    sum.states += found.states;
    sum.transitions += found.transitions;
    sum.milliseconds += found.milliseconds;
    if (found.violation !== undefined) sum.broken += 1;
    tellOne(world, found, say);
  }
  say(
    `${count(sum.states)} states, ${count(sum.transitions)} transitions in ${(sum.milliseconds / 1000).toFixed(1)} s: ` +
      `${sum.broken === 0 ? '0 violations' : `${sum.broken} worlds with violations`}.`,
  );
  const missed = await tellPlanted(say);
  return sum.broken + missed === 0 ? 0 : 1;
}

function tellOne({ name }: World, found: Explored, say: Say): void {
  const { states, transitions, terminals, depth, milliseconds } = found;
  say(
    `  ${name}: ${count(states)} states, ${count(transitions)} transitions, ${terminals} ends, ` +
      `${depth} steps deep, ${(milliseconds / 1000).toFixed(1)} s`,
  );
  tellPath(found, say);
}

function tellPath({ violation }: Explored, say: Say): void {
  if (violation === undefined) return;
  say(`    ${violation.guarantee}: ${violation.text}, after ${violation.path.length} steps:`);
  for (const [at, label] of violation.path.entries()) say(`    ${String(at + 1).padStart(3)}  ${label}`);
}

/** Takes each of the rules away and says how soon something breaks; gives how many show nothing. */
async function tellPlanted(say: Say): Promise<number> {
  say();
  say('Rules of the loop, each taken away, and the shortest way to what breaks then:');
  let missed = 0;
  for (const { variant, guarantee, world } of PLANTED) {
    const { violation } = await exploreWithout(variant, world);
    if (violation?.guarantee !== guarantee) missed += 1;
    const found =
      violation === undefined ? 'NOTHING BREAKS' : `${violation.guarantee} after ${violation.path.length} steps`;
    say(`  ${variant.padEnd(34)} ${found}${violation === undefined ? '' : `: ${violation.text}`}`);
  }
  return missed;
}

/** Explores a world in which a rule of the loop is taken away. */
export function exploreWithout(variant: Variant, world: World): Promise<Explored> {
  return explore(begin(world, variant));
}
