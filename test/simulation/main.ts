import { Command } from 'commander';
import { systemClock } from '../../src/runtime/clock.ts';
import { playPlans, playSeeds, type Summary } from './crew.ts';
import { tellWorlds } from './exhaustive/tell.ts';
import { plans, reference } from './matrix.ts';
import { MUTANTS } from './mutants.ts';
import { type Played, play } from './play.ts';
import { scenario } from './scenario.ts';
import { GUARANTEES } from './truth.ts';
import { parseSeed, version } from './version.ts';

const say = (line = '') => process.stdout.write(`${line}\n`);
const PLANTED_SEEDS = 1_000;
const EVERY = 500;

function refuse(problem: string): never {
  process.stderr.write(`simulate: ${problem}\n`);
  process.exit(2);
}

/** Many seeds: what was checked, how much of it, and what broke. */
async function swarm(count: number, first: number): Promise<number> {
  const from = systemClock.monotonic();
  const sum = { seeds: 0, virtualMs: 0, events: 0, requests: 0, crashes: 0, broken: 0 };
  const release = version();
  say(`Drydock against ${count} simulated clusters (seeds ${first} to ${first + count - 1}), faults included.`);
  const heard = (played: Summary) => {
    sum.seeds += 1;
    for (const key of ['virtualMs', 'events', 'requests', 'crashes'] as const) sum[key] += played[key];
    if (played.violations.length > 0) {
      sum.broken += 1;
      say(`seed ${played.seed}@${release}:`);
      for (const { guarantee, atMs, text } of played.violations) {
        say(`  ${guarantee} at ${(atMs / 1000).toFixed(1)} s: ${text}`);
      }
      say(`  replay it: npm run simulate -- --seed ${played.seed}@${release} --trace`);
    }
    if (sum.seeds % EVERY === 0) say(`  ${sum.seeds} seeds, ${sum.broken} with violations`);
    return true;
  };
  await playSeeds(
    Array.from({ length: count }, (_, at) => first + at),
    heard,
  );
  const ms = systemClock.monotonic() - from;
  say();
  for (const [name, sentence] of Object.entries(GUARANTEES)) say(`  ${name}  ${sentence}`);
  say();
  say(
    `${sum.seeds} seeds, ${hours(sum.virtualMs)} of cluster time in ${(ms / 1000).toFixed(1)} s (${Math.round(sum.virtualMs / ms).toLocaleString('en')} × real time), ` +
      `${sum.requests.toLocaleString('en')} requests, ${sum.events.toLocaleString('en')} events, ${sum.crashes.toLocaleString('en')} crashes.`,
  );
  say(`${sum.broken === 0 ? '0 violations' : `${sum.broken} seeds with violations`}.`);
  return sum.broken === 0 ? 0 : 1;
}

function hours(ms: number): string {
  return `${(ms / 3_600_000).toFixed(0)} hours`;
}

/** One seed, step by step if asked. */
async function replay(text: string, trace: boolean): Promise<number> {
  const read = parseSeed(text) ?? refuse(`--seed ${text} is no seed: write a number, as in 4711 or 4711@a1b2c3`);
  const release = version();
  if (read.of !== undefined && read.of !== release) {
    say(`This seed was printed by version ${read.of}; this is ${release}, in which it may go another way.`);
  }
  const played: Played = await play(scenario(read.seed), { trace });
  for (const line of played.trace) say(line);
  for (const { guarantee, atMs, text: what } of played.violations) {
    say(`${guarantee} at ${(atMs / 1000).toFixed(1)} s: ${what}`);
  }
  say(
    `seed ${read.seed}@${release}: ${played.violations.length} violations, ${hours(played.virtualMs)} of cluster time, story ${played.digest}`,
  );
  return played.violations.length === 0 ? 0 : 1;
}

/** Every planted bug, and the first seed whose checker caught it. */
async function mutants(): Promise<number> {
  let missed = 0;
  say(`Planted bugs, one at a time, and the first of ${PLANTED_SEEDS} seeds that catches each.`);
  for (const mutant of MUTANTS) {
    const catches: Summary[] = [];
    const seeds = Array.from({ length: PLANTED_SEEDS }, (_, at) => at + 1);
    const heard = (played: Summary) => {
      if (played.violations.some(({ guarantee }) => guarantee === mutant.guarantee)) catches.push(played);
      return catches.length === 0;
    };
    await playSeeds(seeds, heard, mutant);
    const [first] = catches.sort((a, b) => a.seed - b.seed);
    if (first === undefined) missed += 1;
    say(
      `  ${mutant.guarantee}  ${first === undefined ? 'NOT CAUGHT' : `seed ${String(first.seed).padStart(4)}`}  ${mutant.name}`,
    );
  }
  say(missed === 0 ? 'Every planted bug is caught.' : `${missed} planted bugs are not caught.`);
  return missed === 0 ? 0 : 1;
}

/** Every fault at every write of one run, and every stale view of the world from there on. */
async function matrix(): Promise<number> {
  const from = systemClock.monotonic();
  const { writes, end } = await reference();
  const all = plans(writes);
  say(`A reference run of ${writes} writes; ${all.length} plans, each one fault or one stale view at one of them.`);
  let broken = 0;
  let played = 0;
  await playPlans(all, end, ({ plan, broken: what }) => {
    played += 1;
    if (played % EVERY === 0) say(`  ${played} plans, ${broken} broken`);
    if (what.length === 0) return;
    broken += 1;
    say(`${JSON.stringify(plan)}: ${what.join('; ')}`);
  });
  const seconds = (systemClock.monotonic() - from) / 1000;
  say(
    `${played} plans in ${seconds.toFixed(0)} s: ${broken === 0 ? 'every one ends where the reference ends, no guarantee broken' : `${broken} broken`}.`,
  );
  return broken === 0 ? 0 : 1;
}

const options = new Command('npm run simulate --')
  .description('Runs Drydock against simulated clusters, with faults, and checks every guarantee after every step.')
  .option('--seeds <count>', 'how many clusters', '1000')
  .option('--from <seed>', 'the first of them', '1')
  .option('--seed <seed>', 'only this one')
  .option('--trace', 'tell the whole story of --seed')
  .option('--matrix', 'every fault and every stale view at every write of one run')
  .option('--mutants', 'plant each known bug and show that it is caught')
  .option('--exhaustive [all]', 'every interleaving of tiny worlds: those of a minute, or all')
  .parse()
  .opts<{
    seeds: string;
    from: string;
    seed?: string;
    trace?: boolean;
    mutants?: boolean;
    matrix?: boolean;
    exhaustive?: string | true;
  }>();

const whole = (name: string, text: string) =>
  /^[1-9]\d{0,8}$/.test(text)
    ? Number(text)
    : refuse(`--${name} ${text} is no count: write a whole number of at least 1`);

const worlds = (set: string | true) =>
  set === true || set === 'all'
    ? set
    : refuse(`--exhaustive ${set} is no set of worlds: write --exhaustive or --exhaustive=all`);

if (options.exhaustive !== undefined) {
  process.exitCode = await tellWorlds(worlds(options.exhaustive) === 'all' ? 'all' : 'usual', say);
} else if (options.mutants) process.exitCode = await mutants();
else if (options.matrix) process.exitCode = await matrix();
else if (options.seed !== undefined) process.exitCode = await replay(options.seed, options.trace ?? false);
else process.exitCode = await swarm(whole('seeds', options.seeds), whole('from', options.from));
