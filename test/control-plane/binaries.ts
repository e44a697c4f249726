import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChild, tail } from './child.ts';

/** Everything a control plane is made of. */
export const COMPONENTS = [
  'etcd',
  'etcdctl',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kwok',
] as const;

/** One of them. */
export type Component = (typeof COMPONENTS)[number];

/** Where each of them is. */
export type Binaries = Readonly<Record<Component, string>>;

/** Takes a line for the person who waits. */
export type Say = (line: string) => void;

const MODULE = import.meta.dirname;
/** Lines that `go build -v` prints when nothing is cached; only for the share that is done. */
const PACKAGES = 2_800;
const PROGRESS_MS = 15_000;

/** Writes a line to the standard error, where vitest shows it at once. */
export const sayToStderr: Say = (line) => void process.stderr.write(`${line}\n`);

/** The Kubernetes version that go.mod pins, for example v1.36.4. */
export function kubernetesVersion(goMod: string = read('go.mod')): string {
  const version = /^\s*(?:require )?k8s\.io\/kubernetes (v\d+\.\d+\.\d+)/m.exec(goMod)?.[1];
  if (version === undefined) throw new Error('go.mod requires no k8s.io/kubernetes');
  return version;
}

/** The flags of `go build`: without the stamps the API server calls itself v0.0.0-master. */
export function buildFlags(version: string): readonly string[] {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const stamps = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const stamped = Object.entries(stamps).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...stamped].join(' ')];
}

/** What the binaries depend on; the Go release is not in it, since a warm start must not run Go. */
export function cacheKey(goMod: string, goSum: string, flags: readonly string[], platform: string): string {
  const hash = createHash('sha256');
  for (const part of [goMod, goSum, flags.join('\n'), platform]) hash.update(`${part.length}\n`).update(part);
  return hash.digest('hex').slice(0, 16);
}

/** The directory in which the binaries are, or will be. */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const goMod = read('go.mod');
  const key = cacheKey(
    goMod,
    read('go.sum'),
    buildFlags(kubernetesVersion(goMod)),
    `${process.platform}-${process.arch}`,
  );
  return join(cacheBase(env), 'control-plane', key);
}

/** Where everything is kept that is made once. */
export function cacheBase(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['DRYDOCK_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'drydock');
}

/** The binaries of an earlier build, if there was one. */
export function cachedBinaries(directory: string = cacheDirectory()): Binaries | undefined {
  // The directory is renamed into its place when it is complete.
  return existsSync(directory) ? binariesIn(directory) : undefined;
}

/** The binaries, built now if they never were. */
export async function builtBinaries(say: Say = sayToStderr): Promise<Binaries> {
  const directory = cacheDirectory();
  const cached = cachedBinaries(directory);
  if (cached !== undefined) return cached;
  const version = kubernetesVersion();
  say(
    `drydock: building etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl and kwok (Kubernetes ${version}) ` +
      'with Go. Once only: about 10 minutes on two cores, half a minute when Go has most of it compiled already.',
  );
  const from = performance.now();
  await madeOnce(directory, async (building) => {
    const what = 'the control plane';
    await goBuild({ module: MODULE, packages: ['tool'], flags: buildFlags(version), directory: building, what, say });
    await rename(join(building, 'server'), join(building, 'etcd'));
  });
  say(
    `drydock: the control plane was built in ${minutes(performance.now() - from)} and is kept in ${join(directory, '..')}`,
  );
  return binariesIn(directory);
}

/** Makes a directory of the cache, whole or not at all; another process may make the same at the same time. */
export async function madeOnce(directory: string, make: (building: string) => Promise<void>): Promise<void> {
  const parent = join(directory, '..');
  await mkdir(parent, { recursive: true });
  await sweep(parent);
  const building = join(parent, `building-${process.pid}`);
  await mkdir(building, { recursive: true });
  await make(building);
  await rename(building, directory).catch(async (error: NodeJS.ErrnoException) => {
    // Another process built the same in the meantime; its directory is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(building, { recursive: true, force: true });
  });
}

/** The release of Go on the path, for example go1.26.8. */
export async function goRelease(): Promise<string | undefined> {
  try {
    return (await promisify(execFile)('go', ['env', 'GOVERSION'], { cwd: MODULE })).stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** What Go is to build: packages of a module, into a directory. */
export type GoBuild = {
  readonly module: string;
  readonly packages: readonly string[];
  readonly flags: readonly string[];
  readonly directory: string;
  /** What it is called while a person waits for it. */
  readonly what: string;
  readonly say: Say;
};

/** Builds static programs, and says now and then how far it is. */
export async function goBuild({ module, packages, flags, directory, what, say }: GoBuild): Promise<void> {
  const { GOFLAGS: _, ...env } = process.env;
  const args = ['build', '-C', module, '-v', ...flags, '-o', `${directory}/`, ...packages];
  const logFile = join(directory, '..', `build-${process.pid}.log`);
  const child = startChild('go', 'go', args, { logFile, env: { ...env, CGO_ENABLED: '0', GOWORK: 'off' } });
  const from = performance.now();
  const timer = setInterval(() => say(progress(what, logFile, performance.now() - from)), PROGRESS_MS);
  const code = await child.exited.finally(() => clearInterval(timer));
  if (code !== 0) throw new Error(`go build failed with exit code ${code}:\n${tail(logFile)}`);
  await rm(logFile, { force: true });
}

function progress(what: string, logFile: string, ms: number): string {
  const compiled = tail(logFile, Number.POSITIVE_INFINITY).split('\n').filter(Boolean);
  const share =
    compiled.length === 0
      ? 'nothing to compile, linking'
      : `${compiled.length} of about ${PACKAGES} packages, now ${compiled.at(-1)}`;
  return `drydock: building ${what}, ${minutes(ms)} so far, ${share}`;
}

/** A duration for the person who waits. */
export function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} minutes`;
}

/** Removes what builds left behind that were killed. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = /^(?:building|build)-(\d+)(?:\.log)?$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function binariesIn(directory: string): Binaries {
  return Object.fromEntries(COMPONENTS.map((component) => [component, join(directory, component)])) as Binaries;
}

function read(name: string): string {
  return readFileSync(join(MODULE, name), 'utf8');
}
