import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { type Child, startChild } from '../control-plane/child.ts';
import type { Plane } from '../control-plane/cluster.ts';
import type { ControlPlane, ControlPlaneOptions } from '../control-plane/control-plane.ts';
import { controlPlaneForTests } from '../control-plane/ladder.ts';
import { type NodeAgent, startNodeAgent } from '../control-plane/node-agent.ts';
import { freePort } from '../control-plane/ports.ts';
import { until } from '../control-plane/until.ts';
import { COMPILED, OPERATOR } from '../support/built.ts';

const ROOT = join(import.meta.dirname, '../..');
export const SYSTEM = 'drydock-system';
export const JOBS = 'drydock-jobs';
export const USER = `system:serviceaccount:${SYSTEM}:drydock`;

/** A real control plane on which Drydock is installed as a stranger would, but for its Deployment: tests start processes. */
export type Ground = { readonly plane: ControlPlane; readonly agent: NodeAgent; stop(): Promise<void> };

/** Starts a control plane and installs everything of deploy/ but the Deployment. */
export async function startGround(options: ControlPlaneOptions = {}): Promise<Ground> {
  const plane = await controlPlaneForTests(options);
  // Without kubectl, whose starts would take longer than the rest of it.
  await install(plane, (documents) => apply(plane, documents));
  const agent = startNodeAgent(plane);
  return {
    plane,
    agent,
    stop: async () => {
      await agent.stop();
      await plane.stop();
    },
  };
}

/** Applies what deploy/ ships, without the Deployment, as kubectl does it. */
export async function installByKubectl(plane: Plane): Promise<void> {
  await install(plane, async (documents) => {
    await applyByKubectl(plane, yaml(documents));
    const definitions = documents.filter(isDefinition).map(({ metadata }) => `crd/${metadata.name}`);
    if (definitions.length > 0)
      await must(plane, ['wait', '--for=condition=Established', ...definitions, '--timeout=30s']);
  });
}

type Shipped = { readonly kind: string; readonly metadata: { readonly name: string } };

/** The same for every file of tests that this process plays. */
let shipped: Promise<readonly Shipped[]> | undefined;

async function kustomized(plane: Plane): Promise<readonly Shipped[]> {
  const built = await must(plane, ['kustomize', join(ROOT, 'deploy')]);
  return parseAllDocuments(built).map((document) => document.toJS() as Shipped);
}

async function install(plane: Plane, applied: (documents: readonly Shipped[]) => Promise<unknown>): Promise<void> {
  shipped ??= kustomized(plane);
  const wanted = (await shipped).filter(({ kind }) => kind !== 'Deployment');
  const first = wanted.filter((each) => isDefinition(each) || each.kind === 'Namespace');
  await applied(first);
  await applied(wanted.filter((document) => !first.includes(document)));
}

function isDefinition({ kind }: Shipped): boolean {
  return kind === 'CustomResourceDefinition';
}

/** Applies objects and says what the API server said against it; without kubectl, whose start would take longer. */
export async function apply(plane: Plane, objects: readonly unknown[]): Promise<void> {
  await plane.admin.apply(yaml(objects));
}

/** Applies YAML as a person does. */
export async function applyByKubectl(plane: Plane, input: string): Promise<void> {
  await must(plane, ['apply', '--server-side', '--force-conflicts', '-f', '-'], input);
}

function yaml(objects: readonly unknown[]): string {
  return objects.map((object) => stringify(object)).join('---\n');
}

/** Runs kubectl; what it refuses is the test's failure. */
export async function must(plane: Plane, args: readonly string[], input?: string): Promise<string> {
  const said = await plane.kubectl(args, input === undefined ? {} : { input });
  if (said.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${said.stderr}`);
  return said.stdout;
}

/** The operator as `npm start` runs it. */
export const SOURCE = join(ROOT, 'src/main.ts');

/** One process of the operator. */
export type Operator = Child & {
  readonly metrics: string;
  log(): string;
  /** Waits until it has filled its caches. */
  ready(): Promise<void>;
};

/** How an operator is started. */
export type OperatorOptions = {
  readonly name?: string;
  /** What is run; the one file of the image, unless it is said otherwise. */
  readonly main?: string;
  /** Another API server address, such as that of a proxy. */
  readonly server?: string;
  readonly args?: readonly string[];
};

/** Starts the operator with its own service account and nothing else. */
export async function startOperator(plane: Plane, options: OperatorOptions = {}): Promise<Operator> {
  const server = options.server === undefined ? {} : { server: options.server };
  const kubeconfig = await plane.kubeconfigFor(SYSTEM, 'drydock', server);
  const port = await freePort();
  const logFile = join(plane.directory, `operator-${port}.log`);
  const args = [
    '--context',
    'drydock-test',
    '--metrics-address',
    `127.0.0.1:${port}`,
    '--log-level',
    'debug',
    ...(options.args ?? []),
  ];
  const env = { ...process.env, KUBECONFIG: kubeconfig, NODE_OPTIONS: '', NODE_COMPILE_CACHE: COMPILED };
  const child = startChild(options.name ?? 'drydock', process.execPath, [options.main ?? OPERATOR, ...args], {
    logFile,
    env,
  });
  const metrics = `http://127.0.0.1:${port}`;
  const log = () => readFileSync(logFile, 'utf8');
  return {
    ...child,
    metrics,
    log,
    ready: () =>
      until(
        async () => {
          if (!child.alive()) throw new Error(`the operator has ended:\n${log()}`);
          return (await fetch(`${metrics}/readyz`).catch(() => undefined))?.ok === true;
        },
        { what: 'the operator is ready', seconds: 60 },
      ).then(() => undefined),
  };
}
