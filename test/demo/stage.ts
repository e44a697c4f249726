import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtBinaries, cachedBinaries } from '../control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { chooseRung } from '../control-plane/ladder.ts';
import { startNodeAgent } from '../control-plane/node-agent.ts';
import { createNodes } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, install, type Operator, startOperator, USER } from '../end-to-end/ground.ts';
import { allNodes } from '../end-to-end/seen.ts';
import { nodes } from '../end-to-end/shop.ts';
import type { Budget, Pod } from './scene.ts';
import { clock, wrap } from './screen.ts';
import type { Terminal } from './terminal.ts';

const WORKERS = 5;
const SHOP_PODS = 15;
const BUILDING_FRAME_MS = 500;
const AUDIT_POLICY = join(import.meta.dirname, 'audit-policy.yaml');
const INTRODUCTION =
  'Six nodes go from Kubernetes v1.35.7 to v1.36.4, two at a time, under three PodDisruptionBudgets, one of which blocks ' +
  'on purpose. It takes about a minute and a half.';
/** The payload of the demo: three seconds of work, in which the kubelet restarts. */
const PAYLOAD = { workSeconds: 2, notReadySeconds: 1 };

/** The demo cannot go on, in one sentence for the person before it. */
export class Sorry extends Error {}

/** A cluster on which the demo can be played. */
export type Stage = {
  readonly plane: ControlPlane;
  readonly operator: Operator;
  /** What it is made of, in a sentence. */
  readonly ground: string;
  /** kubectl, as it was built beside the control plane. */
  readonly kubectl: string;
};

/** What is to be undone at the end, in the opposite order. */
export type AtEnd = (end: () => Promise<void>) => void;

/** Sets everything up to the moment in which somebody would apply a ClusterUpgrade, and says each step. */
export async function setStage(terminal: Terminal, atEnd: AtEnd): Promise<Stage> {
  const choice = await chooseRung();
  if (choice.rung === 'none') throw new Sorry(`There is nothing to run a control plane with. ${choice.why}`);
  const ground = `a Kubernetes control plane of its own on this machine, from ${choice.why}; kwok plays the nodes`;
  terminal.say(`Drydock demo. Ground: ${ground}.`);
  terminal.say(INTRODUCTION);
  terminal.say();
  const binaries = { ...(await build(terminal)), ...choice.assets };
  const step = steps(terminal);
  const plane = await step('control plane', async () => {
    const started = await startControlPlane({
      binaries,
      say: () => {},
      apiServerFlags: [`--audit-policy-file=${AUDIT_POLICY}`],
    });
    atEnd(() => started.stop());
    const { gitVersion } = await started.admin.get<{ gitVersion: string }>('/version');
    return { said: `Kubernetes ${gitVersion}`, value: started };
  });
  await step('Drydock', async () => {
    await install(plane);
    return { said: 'kubectl apply -k deploy, but for its Deployment', value: undefined };
  });
  const fakes = nodes(WORKERS, 1);
  await step('nodes', async () => {
    const agent = startNodeAgent(plane);
    agent.behave('*', PAYLOAD);
    atEnd(() => agent.stop());
    await createNodes(plane, fakes);
    return {
      said: `cp-1 and ${WORKERS} workers, kubelets ${(await allNodes(plane))[0]?.status.nodeInfo.kubeletVersion}`,
      value: undefined,
    };
  });
  await step('shop', async () => {
    await plane.createNamespace('shop');
    await apply(plane, read('shop.yaml'));
    await until(() => isShopOpen(plane, fakes.length), { what: 'the shop runs', seconds: 60 });
    return { said: `${SHOP_PODS} pods that may move, 3 PodDisruptionBudgets`, value: undefined };
  });
  const operator = await step('operator', async () => {
    const started = await startOperator(plane);
    atEnd(async () => {
      await started.end('TERM');
    });
    await started.ready();
    return { said: `as ${USER}`, value: started };
  });
  return { plane, operator, ground, kubectl: binaries.kubectl };
}

/** A file of the demo. */
export function read(name: string): string {
  return readFileSync(join(import.meta.dirname, name), 'utf8');
}

type Done<T> = { readonly said: string; readonly value: T };

/** Says what is being done, and when it is done, what came of it. */
function steps(terminal: Terminal) {
  const width = 'control plane'.length;
  return async <T>(name: string, run: () => Promise<Done<T>>): Promise<T> => {
    terminal.show([`  ${terminal.paint('cyan', '▸')} ${name} …`]);
    const from = performance.now();
    const { said, value } = await run();
    terminal.show([]);
    const seconds = `${((performance.now() - from) / 1000).toFixed(1)} s`;
    const mark = terminal.paint('green', '✓');
    terminal.say(`${said} ${terminal.paint('dim', `(${seconds})`)}`, `  ${mark} ${name.padEnd(width)}  `);
    return value;
  };
}

async function build(terminal: Terminal) {
  if (cachedBinaries() !== undefined) return builtBinaries();
  terminal.say(
    'The first time, Go builds the control plane from source: about 10 minutes on two cores, half a minute when Go has ' +
      'compiled most of it before. It is kept, so this happens once.',
  );
  terminal.say();
  const from = performance.now();
  let text = '';
  const draw = () => {
    const seconds = terminal.paint('cyan', clock((performance.now() - from) / 1000));
    const lines = wrap(text, terminal.size().columns - 6).map((line) => `    ${line}`);
    terminal.show([`  ▸ building the control plane, ${seconds} minutes so far`, ...lines]);
  };
  const timer = terminal.live ? setInterval(draw, BUILDING_FRAME_MS) : undefined;
  const binaries = await builtBinaries((line) => {
    text = line.replace(/^drydock: (building the control plane, \S+ minutes so far, )?/, '');
    if (terminal.live) draw();
    else terminal.say(line);
  }).finally(() => clearInterval(timer));
  terminal.show([]);
  return binaries;
}

/** Every pod runs, and the disruption controller has counted them all. */
async function isShopOpen(plane: ControlPlane, daemons: number): Promise<boolean> {
  const pods = await plane.admin.list<Pod & { status: { phase: string } }>('/api/v1/namespaces/shop/pods');
  if (pods.length < SHOP_PODS + daemons || pods.some(({ status }) => status.phase !== 'Running')) return false;
  const budgets = await plane.admin.list<Budget>('/apis/policy/v1/namespaces/shop/poddisruptionbudgets');
  const counted = budgets.reduce((sum, { status }) => sum + (status?.currentHealthy ?? 0), 0);
  return counted === SHOP_PODS;
}
