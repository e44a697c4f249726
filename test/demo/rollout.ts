import type { Blocker } from '../../src/api/blocker.ts';
import type { Node } from '../control-plane/nodes.ts';
import { pause } from '../control-plane/until.ts';
import { applyByKubectl, must, USER } from '../end-to-end/ground.ts';
import type { SeenPassage } from '../end-to-end/seen.ts';
import { changes } from './changes.ts';
import { evidence, type Finding } from './evidence.ts';
import { type Budget, type Pod, type Scene, sceneOf, type Upgrade, type Window, type World } from './scene.ts';
import { clock, screen } from './screen.ts';
import { read, Sorry, type Stage } from './stage.ts';
import type { Terminal } from './terminal.ts';
import { Watches, type Watching } from './watch.ts';

const UPGRADE = 'to-1-36';
const TARGET = 'v1.36.4';
const MAX_UNAVAILABLE = 2;
const DEADLINE_SECONDS = 300;
/** How long the blocker can be read before the demo does what a person would do. */
const READING_MS = 8_000;
const FRAME_MS = 200;
const RELAX = ['-n', 'shop', 'patch', 'poddisruptionbudget', 'payments', '--type=merge', '-p'];
const RELAXED = '{"spec":{"minAvailable":null,"maxUnavailable":1}}';
const DRYDOCK = '/apis/drydock.dev/v1alpha1';

/** Applies the upgrade, shows it until kubectl wait returns, and gives back what the audit log says of it. */
export async function rollOut(stage: Stage, terminal: Terminal, stopped: AbortSignal): Promise<readonly Finding[]> {
  const { plane, operator, kubectl } = stage;
  const mark = plane.audit.mark();
  await applyByKubectl(plane, read('upgrade.yaml'));
  const from = performance.now();
  const seconds = () => (performance.now() - from) / 1000;
  const applied = `window, profile, policy and ClusterUpgrade ${UPGRADE}`;
  terminal.say(applied, `  ${terminal.paint('green', '✓')} ${'applied'.padEnd(13)}  `);
  terminal.say();
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, stopped]);
  const tell = (text: string) => terminal.say(text, `  ${terminal.paint('cyan', clock(seconds()).padStart(5))}  `);
  const show = await present(stage, terminal, { seconds, tell, signal });
  const command = ['wait', '--for=condition=Ready', `clusterupgrade/${UPGRADE}`, `--timeout=${DEADLINE_SECONDS}s`];
  tell(`${promptOf(stage)} ${command.join(' ')}`);
  const timer = terminal.live ? setInterval(() => show.draw(), FRAME_MS) : undefined;
  const ended = operator.exited.then((code) => {
    throw new Sorry(`The operator ended with code ${code}: ${operator.log().trim().split('\n').at(-1)}`);
  });
  const relaxed = relaxWhenBlocked(stage, show, tell, signal);
  try {
    const said = await Promise.race([plane.kubectl(command), ended, relaxed.then(() => new Promise<never>(() => {}))]);
    if (said.code !== 0) {
      plane.assertAlive();
      throw new Sorry(`The upgrade did not become Ready (${said.stderr.trim()}). ${show.scene().upgrade.message}`);
    }
    await pause(FRAME_MS);
    show.draw();
    terminal.leave();
    if (terminal.live) terminal.say();
    tell(`${said.stdout.trim()}, and ${kubectl === undefined ? 'the wait is over' : 'kubectl wait has returned'}.`);
  } finally {
    clearInterval(timer);
    over.abort();
    ended.catch(() => {});
    relaxed.catch(() => {});
  }
  const nodes = show.scene().nodes.map(({ name }) => name);
  return evidence(plane.audit, mark, { user: USER, maxUnavailable: MAX_UNAVAILABLE, nodes, rights: stage.rights });
}

/** What is on the screen, and what happens to be told as it changes. */
type Show = { scene(): Scene; draw(): void; onChange(tell: (scene: Scene) => void): void };
type Telling = {
  readonly seconds: () => number;
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
};

/** Watches the cluster as anybody with kubectl could, and shows each change. */
async function present({ plane }: Stage, terminal: Terminal, { seconds, tell, signal }: Telling): Promise<Show> {
  let world: World = { nodes: [], passages: [], upgrades: [], windows: [], budgets: [], pods: [] };
  let scene: Scene | undefined;
  let begun = false;
  const listeners: ((scene: Scene) => void)[] = [];
  const sceneNow = () => sceneOf(world, TARGET, MAX_UNAVAILABLE);
  const changed = () => {
    if (!begun) return;
    const next = sceneNow();
    if (!terminal.live) for (const line of changes(scene, next)) tell(line);
    scene = next;
    for (const listener of listeners) listener(next);
  };
  const watches = new Watches(plane, signal);
  const set = <T>(path: string, put: (objects: readonly T[]) => Partial<World>): Watching<T & Pod> => ({
    path,
    changed: (objects) => {
      world = { ...world, ...put(objects) };
      changed();
    },
  });
  await Promise.all([
    watches.begin(set<Node>('/api/v1/nodes', (nodes) => ({ nodes }))),
    watches.begin(set<SeenPassage>(`${DRYDOCK}/nodemaintenances`, (passages) => ({ passages }))),
    watches.begin(set<Upgrade>(`${DRYDOCK}/clusterupgrades`, (upgrades) => ({ upgrades }))),
    watches.begin(set<Window>(`${DRYDOCK}/maintenancewindows`, (windows) => ({ windows }))),
    watches.begin(set<Budget>('/apis/policy/v1/namespaces/shop/poddisruptionbudgets', (budgets) => ({ budgets }))),
    watches.begin(set<Pod>('/api/v1/namespaces/shop/pods', (pods) => ({ pods }))),
  ]);
  begun = true;
  changed();
  return {
    scene: () => scene ?? sceneNow(),
    draw: () => terminal.show(screen(sceneNow(), seconds(), terminal.size(), terminal.paint)),
    onChange: (listener) => void listeners.push(listener),
  };
}

/** Plays the person who reads the advice and follows it. */
async function relaxWhenBlocked(
  stage: Stage,
  show: Show,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const found = await new Promise<Blocker>((resolve) => {
    const look = ({ nodes }: Scene) => {
      const all = nodes.flatMap(({ blockers }) => blockers);
      const stuck = all.find(
        ({ reason, budgets }) => reason === 'BudgetNeverAllows' && budgets.includes('shop/payments'),
      );
      if (stuck !== undefined) resolve(stuck);
    };
    show.onChange(look);
    look(show.scene());
  });
  const { nodeName, pod, owner, budgets, reason, message, advice } = found;
  tell(
    `${nodeName} is blocked, on purpose: pod ${pod}, owner ${owner}, budget ${budgets.join(', ')}, reason ${reason}.`,
  );
  tell(`${message} ${advice}`);
  await pause(READING_MS);
  if (signal.aborted) return;
  tell('The demo now does what the owner of the budget would do. Nobody touches Drydock: it goes on by itself.');
  tell(`${promptOf(stage)} ${RELAX.join(' ')} '${RELAXED}'`);
  await must(stage.plane, [...RELAX, RELAXED]);
}

/** What stands before a command: without a kubectl on this machine it is the demo that does what kubectl would. */
function promptOf({ kubectl }: Stage): string {
  return kubectl === undefined ? 'in place of kubectl:' : '$ kubectl';
}
