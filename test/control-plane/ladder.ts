import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import {
  type Binaries,
  builtBinaries,
  type Component,
  cachedBinaries,
  goRelease,
  kubernetesVersion,
  type Say,
  sayToStderr,
} from './binaries.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';

/**
 * The ways to have a control plane. A given cluster and testcontainers are asked for as well, but neither gives everything that
 * the suite asks; they are passed over by name.
 */
export type Rung = 'kubebuilder' | 'go' | 'none';

/** What a machine has. */
export type Machine = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The contexts in a kubeconfig; throws when it cannot be read. */
  contextsOf(file: string): Promise<readonly string[]>;
  isExecutable(file: string): boolean;
  /** The version of a kube-apiserver, for example v1.36.4. */
  versionOf(apiServer: string): Promise<string | undefined>;
  dockerAnswers(): Promise<boolean>;
  /** The binaries of an earlier build. */
  cached(): Binaries | undefined;
  goRelease(): Promise<string | undefined>;
};

/** The rung that is taken, and a sentence for each that is not. */
export type Choice = {
  readonly rung: Rung;
  readonly why: string;
  readonly passedOver: readonly string[];
  /** Binaries that are used instead of built ones. */
  readonly assets: Partial<Record<Component, string>>;
};

/** Every rung but `none` gives all this: without one of them most of the suite would be skipped. */
const ASKED = 'an audit log, an API server that can be stopped, a controller manager, a scheduler and kwok';
const FROM_ASSETS = ['etcd', 'kube-apiserver', 'kubectl'] as const satisfies readonly Component[];
const HOW =
  'Install Go (https://go.dev/dl, 1.26 or newer) and run it again: it builds a control plane from the Go module proxy, once.';

/** Thrown when there is no control plane to be had, or a person pointed at a cluster without naming its context. */
export class NoControlPlane extends Error {}

/** Decides which rung is taken. */
export async function chooseRung(machine: Machine = thisMachine()): Promise<Choice> {
  const passedOver: string[] = [];
  const given = await whyNotGiven(machine);
  if (given !== undefined) passedOver.push(given);
  // The two below want what only the Go module gives: controller manager, scheduler and kwok.
  const go = machine.cached() === undefined ? await machine.goRelease() : 'an earlier build';
  const assets = await assetsOf(machine, go !== undefined);
  if (typeof assets !== 'string') {
    const why = `etcd, kube-apiserver and kubectl of KUBEBUILDER_ASSETS, the rest of ${go}`;
    return { rung: 'kubebuilder', why, passedOver, assets };
  }
  passedOver.push(assets);
  passedOver.push(
    (await machine.dockerAnswers())
      ? 'testcontainers: a Docker engine answers, but an image would need the binaries of the Go module all the same, and its audit log would be out of reach'
      : 'testcontainers: no Docker engine answers',
  );
  if (go !== undefined) return { rung: 'go', why: `the Go module, by ${go}`, passedOver, assets: {} };
  passedOver.push('the Go module: `go` is not on the path, and there is no earlier build');
  return { rung: 'none', why: HOW, passedOver, assets: {} };
}

/** What a run says about its rung. */
export function sentences({ rung, why, passedOver }: Choice): readonly string[] {
  const head =
    rung === 'none' ? `drydock: no control plane for tests. ${why}` : `drydock: control plane for tests: ${why}`;
  return [head, ...passedOver.map((line) => `drydock:   passed over: ${line}`)];
}

/** Whether there is any way; if there is none, says how to have one. CI does not accept that, so there it throws. */
export async function hasControlPlane(machine: Machine = thisMachine(), say: Say = sayToStderr): Promise<boolean> {
  const choice = await chooseRung(machine);
  if (choice.rung !== 'none') return true;
  const said = sentences(choice);
  if (machine.env['CI']) throw new NoControlPlane(said.join('\n'));
  for (const sentence of [...said, 'drydock: ALL CONTROL-PLANE TESTS ARE SKIPPED.']) say(sentence);
  return false;
}

/** Starts a control plane in the first way there is, and says which; throws `NoControlPlane` when there is none. */
export async function controlPlaneForTests(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const say = options.say ?? sayToStderr;
  const choice = await chooseRung();
  const said = sentences(choice);
  if (choice.rung === 'none') throw new NoControlPlane(said.join('\n'));
  for (const sentence of said) say(sentence);
  return startControlPlane({ ...options, binaries: { ...(await builtBinaries(say)), ...choice.assets } });
}

/** This machine. */
export function thisMachine(env: Machine['env'] = process.env): Machine {
  return {
    env,
    contextsOf: async (file) => {
      type Config = { contexts?: { name: string }[] };
      return ((parse(await readFile(file, 'utf8')) as Config).contexts ?? []).map(({ name }) => name);
    },
    isExecutable,
    versionOf: async (apiServer) => {
      const said = await promisify(execFile)(apiServer, ['--version']).catch(() => undefined);
      return /v\d+\.\d+\.\d+/.exec(said?.stdout ?? '')?.[0];
    },
    dockerAnswers: () => dockerAnswers(env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'),
    cached: () => cachedBinaries(),
    goRelease,
  };
}

/** A cluster that somebody points at by mistake must not be used, so its context is named as well. */
async function whyNotGiven({ env, contextsOf }: Machine): Promise<string | undefined> {
  const file = env['DRYDOCK_TEST_KUBECONFIG'];
  if (!file) return 'DRYDOCK_TEST_KUBECONFIG is not set';
  const context = env['DRYDOCK_TEST_CONTEXT'];
  const contexts = await contextsOf(file);
  const known = contexts.length === 0 ? 'none' : contexts.join(', ');
  if (!context)
    throw new NoControlPlane(
      `DRYDOCK_TEST_KUBECONFIG is refused unless DRYDOCK_TEST_CONTEXT names its context (${known})`,
    );
  if (!contexts.includes(context)) {
    throw new NoControlPlane(`DRYDOCK_TEST_CONTEXT is ${context}, but DRYDOCK_TEST_KUBECONFIG has ${known}`);
  }
  return `DRYDOCK_TEST_KUBECONFIG: context ${context} is there, but these tests ask for ${ASKED}, which a cluster from elsewhere does not give`;
}

/** The binaries of KUBEBUILDER_ASSETS, or why they cannot be used. */
async function assetsOf(machine: Machine, rest: boolean): Promise<Partial<Record<Component, string>> | string> {
  const directory = machine.env['KUBEBUILDER_ASSETS'];
  if (!directory) return 'KUBEBUILDER_ASSETS is not set';
  const paths = Object.fromEntries(FROM_ASSETS.map((name) => [name, join(directory, name)]));
  const missing = FROM_ASSETS.filter((name) => !machine.isExecutable(join(directory, name)));
  if (missing.length > 0) return `KUBEBUILDER_ASSETS has no ${missing.join(', no ')}`;
  const version = await machine.versionOf(join(directory, 'kube-apiserver'));
  const pinned = kubernetesVersion();
  // A controller manager must not be newer than its API server, and at most one minor older.
  const ahead = version === undefined ? undefined : minorOf(version) - minorOf(pinned);
  if (ahead !== 0 && ahead !== 1) {
    return `KUBEBUILDER_ASSETS has kube-apiserver ${version ?? 'of no known version'}, with which a controller manager ${pinned} does not go`;
  }
  if (!rest)
    return 'KUBEBUILDER_ASSETS has no controller manager, scheduler and kwok, and there is no Go to build them';
  return paths;
}

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function dockerAnswers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { protocol, pathname, hostname, port } = new URL(host);
    const where = protocol === 'unix:' ? { socketPath: pathname } : { hostname, port };
    const asked = request({ ...where, path: '/_ping', timeout: 1000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
