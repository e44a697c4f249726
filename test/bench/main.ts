import { Command, Option } from 'commander';
import { eviction } from './eviction.ts';
import { surroundings } from './figures.ts';
import { makespanPage, type Pair, playScene } from './makespan-figures.ts';
import { memory } from './memory.ts';
import { SCENES, scene } from './scenes.ts';
import { throughput } from './throughput.ts';

const say = (line = '') => process.stdout.write(`${line}\n`);
const SMALL_NODES = 100;
const FULL_NODES = 1_000;

type Options = {
  readonly only?: Part;
  readonly full?: boolean;
  readonly runs: number;
  readonly scenario: readonly string[];
};
const PARTS = ['makespan', 'throughput', 'memory', 'eviction'] as const;
type Part = (typeof PARTS)[number];

function options(): Options {
  return new Command('npm run bench --')
    .description(
      'Measures Drydock, most of it against the simulated cluster. Nothing is asserted; figures depend on the machine.',
    )
    .addOption(new Option('--only <part>', 'one part instead of all').choices(PARTS))
    .addOption(new Option('--scenario <names...>', 'of the makespan').choices(SCENES).default(SCENES))
    .addOption(new Option('--runs <count>', 'how often each is measured').default(3).argParser(count))
    .option('--full', `the makespan of ${FULL_NODES} nodes instead of ${SMALL_NODES}`)
    .parse()
    .opts();
}

function count(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  process.stderr.write(`bench: --runs ${text} is no count: write a whole number from 1 to 999\n`);
  process.exit(2);
}

/** Virtual time: neither the machine nor what runs beside it changes these figures. */
async function makespan({ full = false, runs, scenario }: Options): Promise<void> {
  const nodes = full ? FULL_NODES : SMALL_NODES;
  say(`makespan: rollouts of ${nodes} nodes in virtual time, ${runs} seeds each`);
  const pairs: Pair[] = [];
  const seeds = Array.from({ length: runs }, (_, at) => at + 1);
  for (const name of scenario) pairs.push(await playScene(scene(name, nodes), seeds, say));
  say();
  say(makespanPage(pairs));
  say();
  say(
    '  Medians of the seeds, in brackets the least and the most. bound: no rollout of this task can be shorter, whoever',
  );
  say(
    '  drains (slots, budgets). bound, stock rates: the same with the rate limits of a stock controller-manager, which the',
  );
  say(
    '  model does not have. Only Drydock steers pods; its scheduler prefers the node with the fewest pods, mostly one that is done.',
  );
}

/** The command that measures one part again. */
function commandOf(part: Part, { full, runs, scenario }: Options): string {
  const scenarios = scenario.length === SCENES.length ? [] : ['--scenario', ...scenario];
  const own = part === 'makespan' ? [...(full ? ['--full'] : []), ...scenarios] : [];
  return ['npm run bench --', '--only', part, '--runs', runs, ...own].join(' ');
}

const given = options();
const parts: { readonly [P in Part]: () => Promise<void> } = {
  makespan: () => makespan(given),
  throughput: () => throughput(given.runs, say),
  memory: () => memory(given.runs, say),
  eviction: () => eviction(given.runs, say),
};
for (const part of PARTS.filter((each) => given.only === undefined || each === given.only)) {
  say(commandOf(part, given));
  say(`Before: ${surroundings()}.`);
  await parts[part]();
  say(`  After: ${surroundings()}.`);
  say();
}
