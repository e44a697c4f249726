import { Command } from 'commander';
import { deadPeer } from './dead-peer.ts';
import { type Bound, bounds, inSeconds, judged, report } from './report.ts';
import { deadlines } from './silence.ts';
import { storm } from './storm.ts';

const say = (line = '') => process.stdout.write(`${line}\n`);

const whole = (name: string, text: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  process.stderr.write(`sockets: --${name} ${text} is no count: write a whole number of at least 1\n`);
  process.exit(2);
};

const options = new Command('npm run sockets --')
  .description('Runs the watchers of the operator against a served model, through a proxy that breaks connections.')
  .option('--disconnects <count>', 'how many connections are broken', '10000')
  .option('--events <count>', 'how many writes there are', '1000000')
  .option('--clusters <count>', 'how many operators watch at once', '10')
  .option('--rounds <count>', 'how often it becomes quiet', '8')
  .option('--hurry <times>', "how many times faster the operator's own pauses pass in the storm", '1')
  .option('--seed <seed>', 'what chance does', '1')
  .parse()
  .opts<{ disconnects: string; events: string; clusters: string; rounds: string; hurry: string; seed: string }>();

const hurry = whole('hurry', options.hurry);

const stormed = await storm({
  seed: whole('seed', options.seed),
  disconnects: whole('disconnects', options.disconnects),
  events: whole('events', options.events),
  rounds: whole('rounds', options.rounds),
  clusters: whole('clusters', options.clusters),
  pods: 1_200,
  nodes: 100,
  life: [Math.round(1_000 / hurry), Math.round(4_000 / hurry)],
  hurry,
  // Longer than the longest pause of an operator, and shorter than it is silent before it asks by itself.
  settleMs: Math.max(20_000, 60_000 / hurry),
  heard: ({ round, disconnects, events, settledMs, violations }) => {
    say(`  round ${round}: ${disconnects} disconnects, ${events} events, quiet after ${inSeconds(settledMs)}`);
    for (const { property, text } of violations) say(`    ${property}: ${text}`);
  },
});
if (hurry > 1) say(`The operator's own pauses passed ${hurry} times as fast: times below are those of the wall clock.`);
for (const line of report(stormed)) say(line);

say('Now a peer that dies, and servers that fall silent, each in real time (about 100 s):');
const [died, { silent, mute }] = await Promise.all([deadPeer(), deadlines(1)]);
if ('unmeasured' in died) say(`  a dead peer: not measured, ${died.unmeasured}`);
else say(`  a peer that acknowledges nothing any more: noticed after ${inSeconds(died.noticedMs)} (${died.message})`);
say(`  an open watch that falls silent: given up after ${inSeconds(silent.noticedMs)}`);
say(`  a watch that is never answered: given up after ${inSeconds(mute.noticedMs)}`);
const all: readonly Bound[] = [
  ...bounds(stormed, hurry),
  { what: 'a dead peer is noticed', most: 20_000, was: 'unmeasured' in died ? undefined : died.noticedMs },
  { what: 'a silent server is noticed', most: 90_000, was: silent.noticedMs },
  { what: 'an unanswered watch is given up', most: 90_000, was: mute.noticedMs },
];
for (const bound of all) say(judged(bound));
const within = all.every(({ most, was }) => was === undefined || was <= most);
if (stormed.broken > 0 || !within)
  say(`Again: npm run sockets -- ${process.argv.slice(2).join(' ')} --seed ${options.seed}`);
process.exitCode = stormed.broken === 0 && within ? 0 : 1;
