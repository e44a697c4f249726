import { Command } from 'commander';
import { pause } from '../control-plane/until.ts';
import type { Finding } from './evidence.ts';
import { rollOut } from './rollout.ts';
import { Sorry, type Stage, setStage } from './stage.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const INTERRUPTED = 130;
/** Processes and directories end with this one in any case; this only lets them do it in order. */
const CLEANING_MS = 10_000;

const terminal = openTerminal(process.stdout, process.env);
const ends: (() => Promise<void>)[] = [];
const stopped = new AbortController();
let over = false;
/** Before the end of the play a signal cuts it short, afterwards it is how `--keep` ends. */
let played = false;

/** Undoes everything, the last first, and leaves. */
async function leave(code: number): Promise<never> {
  over = true;
  stopped.abort();
  terminal.leave();
  const undone = (async () => {
    for (const end of ends.reverse()) await end().catch(() => {});
  })();
  await Promise.race([undone, pause(CLEANING_MS)]);
  process.exit(code);
}

function onSignal(code: number): void {
  if (over) process.exit(code);
  terminal.leave();
  terminal.say();
  terminal.say(`${played ? 'The end' : 'Stopped'}: everything that was started is being taken down.`);
  void leave(played ? 0 : code);
}

function tellEvidence({ say, paint }: Terminal, findings: readonly Finding[]): void {
  say();
  say(paint('bold', "Evidence, from the API server's audit log, not from Drydock"));
  for (const { subject, text, kept } of findings) {
    const mark = kept ? paint('green', '✓') : paint('red', '✗');
    say(text, `  ${mark} ${subject.padEnd(9)}  `);
  }
}

async function keep({ plane, ground, kubectl, operator }: Stage): Promise<void> {
  terminal.say();
  terminal.say('Kept running. In another terminal:');
  // Whole, so that they can be copied.
  terminal.say('', `export KUBECONFIG=${plane.kubeconfig}`);
  if (kubectl === undefined) terminal.say('This machine has no kubectl; with any one:');
  terminal.say('', `${kubectl ?? 'kubectl'} get nodes,clusterupgrades,nodemaintenances`);
  terminal.say('', `less ${operator.logFile}`);
  terminal.say(`Ground: ${ground}. Ctrl-C here takes it down.`);
  played = true;
  await new Promise(() => setInterval(() => {}, 60_000));
}

type Options = { readonly keep?: boolean; readonly simulated?: boolean; readonly real?: boolean };

async function play(options: Options): Promise<void> {
  if (options.real && options.simulated) throw new Sorry('--real and --simulated exclude each other.');
  const wish = options.real ? 'real' : options.simulated ? 'simulated' : undefined;
  const began = performance.now();
  const stage = await setStage(terminal, (end) => void ends.push(end), wish);
  const findings = await rollOut(stage, terminal, stopped.signal);
  tellEvidence(terminal, findings);
  const broken = findings.filter(({ kept }) => !kept);
  if (broken.length > 0) throw new Sorry(`The audit log does not bear out what was promised: ${broken[0]?.text}.`);
  if (options.keep) await keep(stage);
  terminal.say();
  terminal.say(`Done in ${Math.round((performance.now() - began) / 1000)} s. Ground: ${stage.ground}.`);
}

function wrong(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return error instanceof Sorry ? text : `Something went wrong: ${text}`;
}

process.on('exit', () => terminal.leave());
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.on(signal, () => onSignal(signal === 'SIGINT' ? INTERRUPTED : 128 + number));
}

const options = new Command('npm run demo --')
  .description('Shows Drydock upgrading six nodes of a Kubernetes cluster of its own.')
  .option('--real', 'on a real control plane, which Go builds the first time (the default where that is possible)')
  .option('--simulated', 'on a simulated cluster, which needs nothing but Node and starts in seconds')
  .option('--keep', 'leave everything running at the end, until Ctrl-C')
  .parse()
  .opts<Options>();

play(options).then(
  () => leave(0),
  (error: unknown) => {
    if (over) return;
    terminal.leave();
    process.stderr.write(`\ndrydock demo: ${wrong(error)}\n`);
    return leave(1);
  },
);
