import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheBase } from '../control-plane/binaries.ts';
import { type Child, startChild, tail } from '../control-plane/child.ts';
import type { Said } from '../control-plane/cluster.ts';
import { until } from '../control-plane/until.ts';
import { type RunOptions, run, tried } from './run.ts';

/** A machine as it is named, and where it is. */
export type Place = { readonly name: string; readonly address: string; readonly pods: string };

/** A machine that runs, or has run. */
export type Machine = Place & {
  /** Its disk, as it is seen from outside. */
  readonly disk: string;
  /** Runs a command in it; rejects unless that ends well. */
  exec(args: readonly string[], options: RunOptions): Promise<Said>;
  /** Runs a command in it and says how it ended. */
  tried(args: readonly string[], options: RunOptions): Promise<Said>;
  /** Which boot this is. */
  bootID(): Promise<string>;
  /** Power is lost: no process says goodbye, and neither do its connections. */
  losePower(): Promise<void>;
  /** Turns it on again. */
  boot(): Promise<void>;
};

/** All machines of a run. Nothing of them outlives this process, however it ends. */
export type Machines = {
  readonly directory: string;
  /** What every machine sees, read-only. */
  readonly share: string;
  readonly all: readonly Machine[];
  /** Gives the API servers of these an address together, which is of none of them and outlives each; returns it. */
  forwardTo(places: readonly Place[]): Promise<string>;
  stop(): Promise<void>;
};

const SCRIPT = join(import.meta.dirname, 'machine.sh');
const FORWARD = join(import.meta.dirname, 'forward.ts');
const ENDPOINT = '10.210.0.10';
const CLEAR_SECONDS = 60;
/** Holds the only lock there is, for the names of namespaces are the machine's; clears away at the end of this process. */
const CARETAKER = `exec 9> "$1"
flock -n 9 || { echo taken; exit 1; }
bash "$2" clear && echo mine
read -r _
exec bash "$2" clear`;

/** The place of a machine: control planes are called cp1 and so on, workers w1. */
export function placeOf(name: string): Place {
  const [, kind = '', number = ''] = /^(cp|w)([1-9])$/.exec(name) ?? [];
  if (kind === '') throw new Error(`${name} is no name of a machine`);
  const last = (kind === 'cp' ? 10 : 20) + Number(number);
  return { name, address: `10.210.0.${last}`, pods: `10.244.${last}.0/24` };
}

/** Makes the network and the disks, and gives the machines out without power. */
export async function layOutMachines(names: readonly string[]): Promise<Machines> {
  const directory = join(cacheBase(), 'machines');
  const caretaker = await hire(directory);
  const places = names.map(placeOf);
  const share = join(directory, 'share');
  await mkdir(share, { recursive: true });
  const lines = places.map(({ name, address, pods }) => `${name} ${address} ${pods}\n`);
  await writeFile(join(directory, 'machines'), lines.join(''));
  const env = { ...process.env, DIR: directory };
  let forwarder: Child | undefined;
  const stop = once(async () => {
    await forwarder?.end();
    caretaker.ref();
    const gone = new Promise<number>((resolve) => caretaker.once('exit', (code) => resolve(code ?? 1)));
    caretaker.stdin?.end('\n');
    if ((await gone) !== 0) throw new Error(`the machines in ${directory} could not be cleared away`);
  });
  try {
    await run('bash', [SCRIPT, 'switch'], { what: 'the network of the machines', env });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    directory,
    share,
    all: places.map((place) => machineIn(directory, place, env)),
    forwardTo: async (them) => {
      await run('bash', [SCRIPT, 'endpoint', ENDPOINT], { what: 'an address for the endpoint', env });
      forwarder = await startForwarder(join(directory, 'endpoint.log'), them);
      return ENDPOINT;
    },
    stop,
  };
}

/** What is left of machines on this one: names of namespaces, control groups, processes and network cards. */
export async function leftovers(): Promise<readonly string[]> {
  const script = `ip netns list | grep -o '^drydock-[a-z0-9]*'
ls -d /sys/fs/cgroup/drydock-* /sys/fs/cgroup/*/drydock-* 2> /dev/null
ip -o link | grep -o ' drydock0[@:]'
grep -l '/drydock/machines/' /proc/[0-9]*/mountinfo 2> /dev/null
grep -ls 'nodes/[f]orward\\.ts' /proc/[0-9]*/cmdline
true`;
  const { stdout } = await run('bash', ['-c', script], { what: 'a look for what is left' });
  return stdout.split('\n').filter((line) => line !== '');
}

/** Who stops what has been stopped waits for the same end. */
function once(stop: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => {
    stopped ??= stop();
    return stopped;
  };
}

/** In the network of the switch, so that neither the routes nor the firewall of this machine lie on the way. */
async function startForwarder(logFile: string, places: readonly Place[]): Promise<Child> {
  const addresses = [ENDPOINT, ...places.map(({ address }) => address)].map((address) => `${address}:6443`);
  const args = ['netns', 'exec', 'drydock-switch', process.execPath, FORWARD, ...addresses];
  const child = startChild('endpoint', 'ip', args, { logFile });
  const listens = () => {
    if (!child.alive()) throw new Error(`nobody forwards to the API servers:\n${tail(logFile)}`);
    return tail(logFile).includes('listening on');
  };
  await until(listens, { what: 'somebody forwards to the API servers', seconds: 30 });
  return child;
}

async function hire(directory: string): Promise<ChildProcess> {
  await mkdir(join(directory, '..'), { recursive: true });
  const lock = join(tmpdir(), 'drydock-machines.lock');
  const caretaker = spawn('/bin/bash', ['-c', CARETAKER, 'caretaker', lock, SCRIPT], {
    // A session of its own: Ctrl-C must not end the one who clears away.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, DIR: directory },
  });
  caretaker.stdin?.on('error', () => {});
  const word = await new Promise<string>((resolve) => {
    caretaker.stdout?.setEncoding('utf8').once('data', resolve);
    caretaker.once('exit', () => resolve('dead'));
  });
  if (word.trim() === 'taken') throw new Error(`other machines are on this one: somebody holds ${lock}`);
  if (word.trim() !== 'mine') throw new Error('what is left of earlier machines could not be cleared away');
  caretaker.unref();
  return caretaker;
}

function machineIn(directory: string, place: Place, env: NodeJS.ProcessEnv): Machine {
  const { name } = place;
  const disk = join(directory, name);
  const console = join(directory, `${name}.log`);
  let power: Child | undefined;
  const exec = (how: typeof run) => (args: readonly string[], options: RunOptions) =>
    how('bash', [SCRIPT, 'exec', name, ...args], { ...options, what: `${name}: ${options.what}`, env });
  const runs = async () => {
    if (power?.alive() !== true) throw new Error(`${name} did not boot:\n${tail(console)}`);
    const asked = ['systemctl', 'is-active', '-q', 'containerd'];
    return (await exec(tried)(asked, { what: 'is containerd there', seconds: 10 })).code === 0;
  };
  return {
    ...place,
    disk,
    exec: exec(run),
    tried: exec(tried),
    bootID: async () => (await readFile(join(disk, 'boot_id'), 'utf8')).trim(),
    boot: async () => {
      power = startChild(name, 'bash', [SCRIPT, 'supervise', name], { logFile: console, env });
      await until(runs, { what: `${name} has booted`, seconds: 90 });
    },
    losePower: async () => {
      await run('bash', [SCRIPT, 'cut', name], { what: `the cable of ${name}`, env });
      await power?.end();
      await rm(join(disk, 'supervisor.pid'), { force: true });
      await until(async () => (await tried('bash', [SCRIPT, 'init', name], { what: 'is it gone', env })).code !== 0, {
        what: `${name} is without power`,
        seconds: CLEAR_SECONDS,
      });
    },
  };
}
