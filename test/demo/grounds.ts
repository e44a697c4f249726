import { join } from 'node:path';
import type { Behaviour } from '../../src/simulation/controllers/payload.ts';
import { builtBinaries, cachedBinaries } from '../control-plane/binaries.ts';
import type { Plane } from '../control-plane/cluster.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import { type Choice, chooseRung } from '../control-plane/ladder.ts';
import { startNodeAgent } from '../control-plane/node-agent.ts';
import { createNodes, type FakeNode } from '../control-plane/nodes.ts';
import { startSimulatedPlane } from '../simulated-ground/plane.ts';
import { clock, wrap } from './screen.ts';
import type { Terminal } from './terminal.ts';

/** Which ground a person asked for; undefined: the real one if it can be had. */
export type Wish = 'real' | 'simulated' | undefined;

/** A cluster that was started. */
export type Started = {
  readonly plane: Plane;
  readonly kubectl: string | undefined;
  createNodes(nodes: readonly FakeNode[]): Promise<void>;
};

/** Something on which the demo can be played. */
export type Ground = {
  /** What its first step is called. */
  readonly name: string;
  /** What it is made of. */
  readonly sentence: string;
  /** Whether rights are asked for on it. */
  readonly rights: boolean;
  /** What may take long, once. */
  prepare(terminal: Terminal): Promise<void>;
  start(payload: Behaviour, atEnd: (end: () => Promise<void>) => void): Promise<Started>;
};

const BUILDING_FRAME_MS = 500;
const AUDIT_POLICY = join(import.meta.dirname, 'audit-policy.yaml');

/** The ground that is played on, or the sentence that says why there is none. */
export async function chooseGround(wish: Wish): Promise<Ground | string> {
  if (wish === 'simulated') return SIMULATED;
  const choice = await chooseRung();
  if (choice.rung !== 'none') return real(choice);
  return wish === 'real' ? `There is nothing to run a control plane with. ${choice.why}` : SIMULATED;
}

const SIMULATED: Ground = {
  name: 'simulation',
  sentence:
    'a simulated cluster in this process: API server, controllers, scheduler and kubelets are a model of Kubernetes, ' +
    'spoken to over HTTPS; the operator is the real one',
  rights: false,
  prepare: async () => {},
  start: async (payload, atEnd) => {
    const plane = await startSimulatedPlane();
    atEnd(() => plane.stop());
    plane.behave('*', payload);
    return { plane, kubectl: plane.kubectlFile, createNodes: plane.createNodes };
  },
};

function real(choice: Choice): Ground {
  return {
    name: 'control plane',
    sentence: `a Kubernetes control plane of its own on this machine, from ${choice.why}; kwok plays the nodes`,
    rights: true,
    prepare: build,
    start: async (payload, atEnd) => {
      const binaries = { ...(await builtBinaries(() => {})), ...choice.assets };
      const apiServerFlags = [`--audit-policy-file=${AUDIT_POLICY}`];
      const plane = await startControlPlane({ binaries, say: () => {}, apiServerFlags });
      atEnd(() => plane.stop());
      return {
        plane,
        kubectl: binaries.kubectl,
        createNodes: async (nodes) => {
          const agent = startNodeAgent(plane);
          agent.behave('*', payload);
          atEnd(() => agent.stop());
          await createNodes(plane, nodes);
        },
      };
    },
  };
}

async function build(terminal: Terminal): Promise<void> {
  if (cachedBinaries() !== undefined) return;
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
  await builtBinaries((line) => {
    text = line.replace(/^drydock: (building the control plane, \S+ minutes so far, )?/, '');
    if (terminal.live) draw();
    else terminal.say(line);
  }).finally(() => clearInterval(timer));
  terminal.show([]);
}
