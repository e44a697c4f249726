import { fakeNode } from '../../src/simulation/controllers/fake-node.ts';
import type { Work } from '../../src/simulation/controllers/payload.ts';
import { createStaticPods } from '../../src/simulation/controllers/static-pods.ts';
import type { NodeObject } from '../../src/simulation/objects.ts';
import { holdAfterwards } from './afterwards.ts';
import { collectionOf } from './collections.ts';
import { paceOf, REBOOT_AFTER_SECONDS, STEADY } from './pace.ts';
import { deletePods, happenOddly, mend, releasePassage } from './people.ts';
import { SAVED, SAVES } from './saving.ts';
import { FROM, type Happening, type MachineHappening, type Scenario, SETTING_MS, START } from './scenario.ts';
import {
  isControlPlane,
  JOBS,
  markOf,
  PASSAGES,
  type Passage,
  phaseOf,
  SETTLED,
  ticketsIn,
  UPGRADES,
  type Upgrade,
} from './truth.ts';
import { type Violation, World, type WorldOptions } from './world.ts';

/** What came of a seed. */
export type Played = {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** How long it took, in virtual milliseconds, and from the end of the faults until everything was settled. */
  readonly virtualMs: number;
  readonly calmMs: number;
  readonly events: number;
  readonly requests: number;
  readonly crashes: number;
  readonly digest: string;
  readonly trace: readonly string[];
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const QUIET_MS = 10 * MINUTE;
/** Generous: what a world may take to come to rest after its last fault. Set-aside nodes wait an hour between two tries. */
const REST_MS = 48 * HOUR;
const PATIENCE_MS = 24 * HOUR;
const API = '/apis/drydock.dev/v1alpha1';

/** Plays a seed from its first node to its rest. */
export async function play(scene: Scenario, options: WorldOptions = {}): Promise<Played> {
  const world = new World(scene, options);
  const calmFrom = { at: 0 };
  await settle(world, () => {
    calmFrom.at = world.timeline.now();
  });
  return {
    seed: scene.seed,
    violations: world.violations,
    virtualMs: world.timeline.now() - START,
    calmMs: world.timeline.now() - calmFrom.at,
    ...world.counts,
    digest: world.trace.digest,
    trace: world.trace.lines,
  };
}

/** Lives through the scenario of a world until everything has come to rest; says whether it has. */
export async function settle(world: World, calmed: () => void = () => {}): Promise<boolean> {
  setUp(world);
  await world.run(SETTING_MS);
  for (let place = 0; place < world.scenario.replicas; place += 1) world.start(place);
  await live(world, world.timeline.now());
  calm(world);
  calmed();
  const settled = await untilSettled(world);
  if (settled) {
    await holdAfterwards(world, isSettled);
    await rest(world);
  } else if (world.violations.length === 0) world.violated('L1', `not settled: ${standing(world)}`);
  world.end();
  return settled;
}

function setUp(world: World): void {
  const { scenario } = world;
  for (const name of ['default', 'kube-system', 'drydock-system', 'drydock-jobs', 'shop']) {
    world.ask('POST', '/api/v1/namespaces', { metadata: { name } });
  }
  for (let index = 1; index <= scenario.controlPlanes; index += 1) addNode(world, `cp-${index}`, true);
  for (let index = 1; index <= scenario.workers; index += 1) addNode(world, `worker-${index}`, false);
  for (const object of scenario.objects) world.ask('POST', collectionOf(object), object);
  Object.assign(world.controllers.delays, scenario.delays);
  behave(world);
}

function behave(world: World): void {
  const { kubelets } = world.controllers;
  const { failures, workSeconds, reboot, refuses = 0, loses = 0 } = world.scenario.payload;
  const chance = world.dice.fork('payloads');
  const losses = world.dice.fork('losses');
  const silent = world.dice.fork('silent snapshots');
  const fails = (work: Work) => failures >= work.attempt && !world.luck.isOver() && chance.chance(0.3);
  kubelets.behave('*', (work) => ({
    workSeconds,
    ...(work.env[SAVES] === undefined || (!world.luck.isOver() && silent.chance(0.4)) ? {} : { message: SAVED }),
    ...(reboot === undefined || !mayReboot(world, work)
      ? {}
      : { reboot, rebootAfterSeconds: rebootAfter(world, chance.pick([0.5, 2, 10])) }),
    ...(fails(work) ? { result: 'fail' as const } : {}),
    ...(!world.luck.isOver() && losses.chance(loses) ? { neverBack: true } : {}),
  }));
  if (refuses === 0) return;
  const checks = world.dice.fork('checks');
  const check = () => (!world.luck.isOver() && checks.chance(refuses) ? ({ result: 'fail' } as const) : {});
  kubelets.behave('*', check, 'prepare');
}

/** A payload reboots its node only where its profile says so. */
function mayReboot({ server: { registry } }: World, { jobName }: Work): boolean {
  const labels = registry.get(JOBS, `drydock-jobs/${jobName}`)?.metadata.labels ?? {};
  for (const passage of registry.all<Passage>(PASSAGES)) {
    if (passage.metadata.uid === labels['drydock.dev/passage']) return passage.status.plan?.work?.reboot === 'Expected';
  }
  return true;
}

/** While faults last, payloads reboot their nodes when they like; afterwards as soon as the bound of the pace says. */
function rebootAfter({ luck }: World, drawn: number): number {
  return luck.isOver() ? REBOOT_AFTER_SECONDS : drawn;
}

function addNode(world: World, name: string, controlPlane: boolean): void {
  world.ask('POST', '/api/v1/nodes', fakeNode({ name, controlPlane, kubeletVersion: FROM }, world.dice), true);
  if (controlPlane) createStaticPods(world.server.registry, world.dice, name, world.scenario.servers);
}

/** The time of faults: whatever the scenario says happens at its time. */
async function live(world: World, from: number): Promise<void> {
  for (const { atMs, what } of world.scenario.happenings) {
    await world.run(Math.max(0, from + atMs - world.timeline.now()));
    world.trace.tell(world.timeline.now(), `it happens: ${JSON.stringify(what)}`);
    happen(world, what);
  }
  await world.run(Math.max(0, from + world.scenario.faultsMs - world.timeline.now()));
}

function happen(world: World, what: Happening): void {
  const { kubelets } = world.controllers;
  const patch = (path: string, body: unknown) => world.ask('PATCH', path, body, true);
  switch (what.do) {
    case 'cordon':
    case 'uncordon':
      patch(`/api/v1/nodes/${what.node}`, { spec: { unschedulable: what.do === 'cordon' ? true : null } });
      return;
    case 'deleteNode':
      world.ask('DELETE', `/api/v1/nodes/${what.node}`, {}, true);
      return;
    case 'addNode':
      addNode(world, what.node, false);
      return;
    case 'deleteJobs':
      deleteJobs(world, what.node);
      return;
    case 'powerOff':
      kubelets.powerOff(what.node);
      return;
    case 'powerOn':
      kubelets.powerOn(what.node);
      return;
    case 'reboot':
      kubelets.quickReboot(what.node);
      return;
    case 'pause':
    case 'unpause':
      patch(`${API}/clusterupgrades/${what.upgrade}`, { spec: { mode: what.do === 'pause' ? 'Paused' : 'Run' } });
      return;
    case 'retry':
      retry(world, what.upgrade);
      return;
    case 'deleteUpgrade':
      world.ask('DELETE', `${API}/clusterupgrades/${what.upgrade}`, {}, true);
      return;
    case 'hold': {
      const spec = { nodeName: what.node, hold: true, reason: 'replace a fan' };
      world.ask('POST', `${API}/nodemaintenances`, { metadata: { name: what.name }, spec }, true);
      return;
    }
    case 'unhold':
      world.ask('DELETE', `${API}/nodemaintenances/${what.name}`, {}, true);
      return;
    case 'scale':
      patch(`/apis/apps/v1/namespaces/shop/deployments/${what.app}`, { spec: { replicas: what.replicas } });
      return;
    case 'budget':
      setBudget(world, what.app, what.spec);
      return;
    case 'pauseProcess':
    case 'resumeProcess':
    case 'killProcess':
    case 'down':
    case 'up':
    case 'snapshot':
    case 'restore':
      happenToMachines(world, what);
      return;
    default:
      happenOddly(world, what);
  }
}

function happenToMachines(world: World, what: MachineHappening): void {
  switch (what.do) {
    case 'pauseProcess':
      world.processes[what.process]?.clock.pause();
      return;
    case 'resumeProcess':
      world.processes[what.process]?.clock.resume();
      return;
    case 'killProcess':
      world.processes[what.process]?.kill();
      return;
    case 'down':
      world.goDown();
      return;
    case 'up':
      world.goUp();
      return;
    case 'snapshot':
      world.takeSnapshot();
      return;
    case 'restore':
      world.restore(what.bump);
  }
}

/** A person takes away what runs on a node, without asking anybody. */
function deleteJobs(world: World, node: string): void {
  for (const { metadata } of world.server.registry.list('jobs.batch')) {
    if (metadata.annotations?.['drydock.dev/node'] !== node) continue;
    const path = `/apis/batch/v1/namespaces/drydock-jobs/jobs/${metadata.name}`;
    world.ask('DELETE', path, { propagationPolicy: 'Background' }, true);
  }
}

function retry(world: World, name: string): void {
  const found = world.server.registry.get<Upgrade>(UPGRADES, name);
  const path = `${API}/clusterupgrades/${name}`;
  world.ask('PATCH', path, { spec: { rollout: { retry: (found?.spec.rollout.retry ?? 0) + 1 } } }, true);
}

function setBudget(world: World, app: string, spec: Readonly<Record<string, unknown>>, namespace = 'shop'): void {
  const path = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/${app}`;
  world.ask('PATCH', path, { spec: { minAvailable: null, maxUnavailable: null, ...spec } }, true);
}

/** The faults cease: machines come back, people undo what keeps a rollout from its end. */
function calm(world: World): void {
  const { registry } = world.server;
  world.trace.tell(world.timeline.now(), 'faults cease');
  world.cease();
  Object.assign(world.controllers.delays, STEADY);
  world.goUp();
  for (const process of world.processes) process.clock.resume();
  for (const { metadata } of registry.list('nodes')) world.controllers.kubelets.powerOn(metadata.name);
  // Where all workers may be out at once no pod can be healthy elsewhere first: only a budget that lets all go can be kept.
  const workers = registry.list('nodes').filter((node) => !isControlPlane(node)).length;
  for (const { metadata } of registry.list('poddisruptionbudgets.policy')) {
    setBudget(world, metadata.name, mendedBudget(metadata.name, workers), metadata.namespace);
  }
  for (const hold of registry.list(PASSAGES)) {
    const { hold: held } = hold.spec as { readonly hold?: boolean };
    if (held) world.ask('DELETE', `${API}/nodemaintenances/${hold.metadata.name}`, {}, true);
  }
  mend(world);
  encourage(world);
}

function mendedBudget(name: string, workers: number): Readonly<Record<string, unknown>> {
  // Its pods have a controller without a scale, so that only a number of pods can be asked for.
  if (name === 'batch') return { minAvailable: 0 };
  const policy = name === 'crash' ? { unhealthyPodEvictionPolicy: 'AlwaysAllow' } : {};
  return { maxUnavailable: workers > 3 ? 1 : '100%', ...policy };
}

/** What a person does who wants a rollout to end: unpause it, raise retry, take windows and cordons of others away. */
function encourage(world: World): void {
  for (const { metadata, spec } of world.server.registry.list<Upgrade>(UPGRADES)) {
    const path = `${API}/clusterupgrades/${metadata.name}`;
    world.ask('PATCH', path, { spec: { mode: 'Run' } });
    const { failures = [] } = (world.server.registry.get(UPGRADES, metadata.name)?.status ?? {}) as {
      readonly failures?: readonly unknown[];
    };
    if (failures.length > 0) world.ask('PATCH', path, { spec: { rollout: { retry: spec.rollout.retry + 1 } } });
  }
  deletePods(world);
}

/** A machine that is gone for good is never back: a person says that it is not waited for. */
function release(world: World): void {
  const { registry } = world.server;
  for (const passage of registry.list<Passage>(PASSAGES)) {
    if (phaseOf(passage) !== 'Lost' || registry.get('nodes', passage.spec.nodeName) !== undefined) continue;
    releasePassage(world, passage);
  }
}

/** A cordon that a person forgot, or that a restore brought back, is his to lift. */
function uncordon(world: World): void {
  for (const node of world.server.registry.list<NodeObject>('nodes')) {
    if (!node.spec.unschedulable || markOf(node) !== undefined) continue;
    // While a failure is counted it is retried; of one before the target was changed only the cordon is left.
    if (markOf(node, 'left-cordoned') !== undefined && hasFailures(world)) continue;
    world.ask('PATCH', `/api/v1/nodes/${node.metadata.name}`, { spec: { unschedulable: null } });
  }
}

function hasFailures(world: World): boolean {
  return world.server.registry.list<Upgrade>(UPGRADES).some(({ status }) => {
    const { failures = [] } = (status ?? {}) as { readonly failures?: readonly unknown[] };
    return failures.length > 0;
  });
}

/** Who has waited for a day opens the windows: twenty minutes a night are too few for some clusters. */
function openWindows(world: World): void {
  world.openWindows();
  for (const { metadata } of world.server.registry.list('maintenancewindows.drydock.dev')) {
    const openings = [{ from: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' }];
    world.ask('PATCH', `${API}/maintenancewindows/${metadata.name}`, { spec: { openings } });
  }
}

function isSettled(world: World): boolean {
  const { registry } = world.server;
  for (const passage of registry.all(PASSAGES)) if (!SETTLED.includes(phaseOf(passage) ?? '')) return false;
  if (ticketsIn(registry.get('maintenancepolicies.drydock.dev', 'cluster')).length > 0) return false;
  return registry.list(UPGRADES).every((upgrade) => {
    const { phase, observedGeneration } = upgrade.status as { phase?: string; observedGeneration?: number };
    return phase === 'Complete' && observedGeneration === upgrade.metadata.generation;
  });
}

/** Waits for the end, as a person who looks every hour and helps where only a person can. */
async function untilSettled(world: World): Promise<boolean> {
  const pace = paceOf(world, isSettled);
  const over = () => {
    pace.look();
    return isSettled(world);
  };
  for (let waited = 0; waited < REST_MS; waited += HOUR) {
    if (await world.run(HOUR, over)) return true;
    if (world.violations.length > 0) return false;
    encourage(world);
    release(world);
    // What a payload armed while faults lasted may take a machine down after they have ceased.
    for (const { metadata } of world.server.registry.list('nodes')) world.controllers.kubelets.powerOn(metadata.name);
    uncordon(world);
    if (waited >= PATIENCE_MS) openWindows(world);
  }
  return false;
}

/** Nothing more may happen: what has settled stays settled, and nothing is left lying about. */
async function rest(world: World): Promise<void> {
  await world.run(QUIET_MS);
  const { revision } = world.etcd;
  await world.run(QUIET_MS);
  const written = world.etcd.revision - revision;
  // Leases are renewed for ever; everything else has come to rest.
  const leases = world.scenario.replicas > 1 ? (QUIET_MS / 4_000) * 2 : 0;
  if (written > leases + 20) world.violated('L1', `${written} writes in ten quiet minutes`);
  if (!isSettled(world)) world.violated('L1', `did not stay settled: ${standing(world)}`);
  world.atRest();
}

function standing(world: World): string {
  const { registry } = world.server;
  const upgrades = registry.list(UPGRADES).map(({ metadata, status }) => {
    const { phase, conditions = [] } = status as { phase?: string; conditions?: { type: string; message: string }[] };
    const said = conditions.find(({ type }) => type === 'Ready')?.message ?? '';
    return `${metadata.name} ${phase}: ${said}`;
  });
  const passages = registry
    .list(PASSAGES)
    .filter((passage) => !SETTLED.includes(phaseOf(passage) ?? ''))
    .map((passage) => `${passage.metadata.name} ${phaseOf(passage)}`);
  const held = ticketsIn(registry.get('maintenancepolicies.drydock.dev', 'cluster')).map(({ nodeName }) => nodeName);
  return `${upgrades.join('; ')}; passages: ${passages.join(', ') || 'none'}; tickets: ${held.join(', ') || 'none'}`;
}
