import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plane } from '../control-plane/cluster.ts';
import { until } from '../control-plane/until.ts';
import { applyByKubectl, installByKubectl, type Operator, SOURCE, startOperator, USER } from '../end-to-end/ground.ts';
import { allNodes } from '../end-to-end/seen.ts';
import { nodes } from '../end-to-end/shop.ts';
import { chooseGround, type Wish } from './grounds.ts';
import type { Budget, Pod } from './scene.ts';
import type { Terminal } from './terminal.ts';

const WORKERS = 5;
const SHOP_PODS = 15;
const INTRODUCTION =
  'Six nodes go from Kubernetes v1.35.7 to v1.36.4, two at a time, under three PodDisruptionBudgets, one of which blocks ' +
  'on purpose. It takes about a minute and a half.';
/** The payload of the demo: three seconds of work, in which the kubelet restarts. */
const PAYLOAD = { workSeconds: 2, notReadySeconds: 1 };

/** The demo cannot go on, in one sentence for the person before it. */
export class Sorry extends Error {}

/** A cluster on which the demo can be played. */
export type Stage = {
  readonly plane: Plane;
  readonly operator: Operator;
  /** What it is made of, in a sentence. */
  readonly ground: string;
  /** Whether rights are asked for on it. */
  readonly rights: boolean;
  /** A kubectl for it; undefined where this machine has none, and the plane does in its place what the demo asks. */
  readonly kubectl: string | undefined;
};

/** What is to be undone at the end, in the opposite order. */
export type AtEnd = (end: () => Promise<void>) => void;

/** Sets everything up to the moment in which somebody would apply a ClusterUpgrade, and says each step. */
export async function setStage(terminal: Terminal, atEnd: AtEnd, wish: Wish): Promise<Stage> {
  const ground = await chooseGround(wish);
  if (typeof ground === 'string') throw new Sorry(ground);
  terminal.say(`Drydock demo. Ground: ${ground.sentence}.`);
  terminal.say(INTRODUCTION);
  terminal.say();
  await ground.prepare(terminal);
  const step = steps(terminal);
  const { plane, kubectl, createNodes } = await step(ground.name, async () => {
    const started = await ground.start(PAYLOAD, atEnd);
    const { gitVersion } = await started.plane.admin.get<{ gitVersion: string }>('/version');
    const without = started.kubectl === undefined ? '; no kubectl here, so the demo applies and waits by itself' : '';
    return { said: `Kubernetes ${gitVersion}${without}`, value: started };
  });
  await step('Drydock', async () => {
    await installByKubectl(plane);
    return { said: 'kubectl apply -k deploy, but for its Deployment', value: undefined };
  });
  const fakes = nodes(WORKERS, 1);
  await step('nodes', async () => {
    await createNodes(fakes);
    return {
      said: `cp-1 and ${WORKERS} workers, kubelets ${(await allNodes(plane))[0]?.status.nodeInfo.kubeletVersion}`,
      value: undefined,
    };
  });
  await step('shop', async () => {
    await plane.createNamespace('shop');
    await applyByKubectl(plane, read('shop.yaml'));
    await until(() => isShopOpen(plane, fakes.length), { what: 'the shop runs', seconds: 60 });
    return { said: `${SHOP_PODS} pods that may move, 3 PodDisruptionBudgets`, value: undefined };
  });
  const operator = await step('operator', async () => {
    const started = await startOperator(plane, { main: SOURCE });
    atEnd(async () => {
      await started.end('TERM');
    });
    await started.ready();
    return { said: `as ${USER}`, value: started };
  });
  return { plane, operator, ground: ground.sentence, rights: ground.rights, kubectl };
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

/** Every pod runs, and the disruption controller has counted them all. */
async function isShopOpen(plane: Plane, daemons: number): Promise<boolean> {
  const pods = await plane.admin.list<Pod & { status: { phase: string } }>('/api/v1/namespaces/shop/pods');
  if (pods.length < SHOP_PODS + daemons || pods.some(({ status }) => status.phase !== 'Running')) return false;
  const budgets = await plane.admin.list<Budget>('/apis/policy/v1/namespaces/shop/poddisruptionbudgets');
  const counted = budgets.reduce((sum, { status }) => sum + (status?.currentHealthy ?? 0), 0);
  return counted === SHOP_PODS;
}
