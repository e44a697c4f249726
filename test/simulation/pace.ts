import type { ProfileSpec } from '../../src/api/maintenance-profile.ts';
import type { BudgetObject, KubeObject, NodeObject, PodObject } from '../../src/simulation/objects.ts';
import type { Registry } from '../../src/simulation/registry.ts';
import type { Load, Standing, Times } from '../bench/bounds.ts';
import { podHindrance } from './pod-hindrance.ts';
import type { Left, NodeLeft, RolloutLeft } from './remaining.ts';
import { least, oneByOne } from './remaining.ts';
import {
  isControlPlane,
  isReady,
  markOf,
  mustLeave,
  PASSAGES,
  type Passage,
  POLICIES,
  phaseOf,
  SETTLED,
  UPGRADES,
  type Upgrade,
} from './truth.ts';
import type { World } from './world.ts';

/** Watches how fast a world comes to rest once nothing is in the way any more. */
export type Pace = { look(): void };

const OVER_BOUND = 1.25;
const SLACK_SECONDS = 60;
const LOOK_MS = 5_000;
/** What a payload that reboots its node waits with it. */
export const REBOOT_AFTER_SECONDS = 2;
const OFF_SECONDS = 2;
const PREPARE_SECONDS = 0.2;
/** A pod may be bound so long after a cordon was seen: nobody may be sure of an empty node earlier. */
const LOOK_SECONDS = 5;
/** Once faults are over, machines and containers take a time that can be reckoned with, in milliseconds. */
export const STEADY = {
  podStart: [1_000, 1_000],
  podReady: [1_000, 1_000],
  podTerminate: [500, 500],
  boot: [2_000, 2_000],
  attach: [100, 100],
  detach: [500, 500],
} as const;
const START = STEADY.podStart[0] / 1000;
const TIMES: Times = {
  cordon: 0,
  uncordon: 0,
  job: 0,
  grace: STEADY.podTerminate[0] / 1000,
  ready: START + STEADY.podReady[0] / 1000,
  lag: 0,
};

type Profile = KubeObject & { readonly spec: ProfileSpec };
type Status = {
  readonly failures?: readonly unknown[];
  readonly setAside?: readonly { readonly nodeName: string; readonly notBefore: string }[];
};

/** Judges L1 by time: from each instant from which nothing is in the way, all must settle within 1.25 of the bound and 60 s. */
export function paceOf(world: World, isSettled: (world: World) => boolean): Pace {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let due: { readonly at: number; readonly from: number; readonly bound: number } | undefined;
  let hindered: string | undefined;
  let judged = false;
  const calmFrom = world.timeline.now();
  const say = (text: string) => world.trace.tell(world.timeline.now(), `pace: ${text}`);
  const look = () => {
    const now = world.timeline.now();
    if (judged || now < lookedAt + LOOK_MS) return;
    lookedAt = now;
    const why = hindrance(world, calmFrom) ?? podHindrance(world, calmFrom);
    if (why !== undefined) {
      if (why !== hindered) say(`not judged: ${why}`);
      hindered = why;
      due = undefined;
      return;
    }
    hindered = undefined;
    if (due === undefined) {
      const left = leftOf(world);
      const [bound, limit] = [least(left), OVER_BOUND * oneByOne(left) + SLACK_SECONDS];
      due = { from: now, bound, at: now + limit * 1000 };
      say(`nothing is in the way; the bound is ${bound.toFixed(1)} s, judged after ${limit.toFixed(1)} s`);
    }
    if (now <= due.at || isSettled(world)) return;
    judged = true;
    const took = ((now - due.from) / 1000).toFixed(0);
    world.violated(
      'L1',
      `not settled after ${took} s without any hindrance, with a bound of ${due.bound.toFixed(1)} s`,
    );
  };
  return { look };
}

/** What is in the way of an end and is not Drydock's doing: what people must mend, windows, and back-offs that it owes. */
function hindrance(world: World, calmFrom: number): string | undefined {
  const { registry } = world.server;
  if (world.luck.isFelt()) return 'a fault is still felt';
  const passages = registry.list<Passage>(PASSAGES).filter((passage) => !SETTLED.includes(phaseOf(passage) ?? ''));
  for (const passage of passages) {
    const phase = phaseOf(passage);
    if (phase === 'Lost' || phase === 'Quarantining') return `${passage.spec.nodeName} is ${phase}`;
    const { since } = passage.status.state;
    // Only payloads that begin when faults are over are sure to do well.
    if (phase === 'Upgrading' && Date.parse(since ?? '') < calmFrom + skewOf(world))
      return `the Job of ${passage.spec.nodeName} began while faults lasted`;
  }
  const committed = new Set(
    passages.filter((passage) => COMMITTED.has(phaseOf(passage) ?? '')).map(({ spec }) => spec.nodeName),
  );
  for (const node of registry.list<NodeObject>('nodes')) {
    const { name } = node.metadata;
    if (markOf(node, 'left-cordoned') !== undefined) return `${name} was left cordoned`;
    if (node.spec.unschedulable && markOf(node) === undefined) return `${name} is cordoned by others`;
    if (!isReady(node) && !committed.has(name)) return `${name} is not Ready`;
  }
  for (const { metadata, status } of registry.list<Upgrade>(UPGRADES)) {
    const { failures = [], setAside = [] } = (status ?? {}) as Status;
    if (failures.length > 0) return `${metadata.name} has failures`;
    const waiting = setAside.find(({ notBefore }) => Date.parse(notBefore) > world.timeline.now() - skewOf(world));
    if (waiting !== undefined) return `${waiting.nodeName} is set aside`;
  }
  return chargedInVain(registry) ?? windowHindrance(world);
}

/** An eviction that failed after it was charged to its budget (the pod had been replaced) is given back after two minutes. */
function chargedInVain(registry: Registry): string | undefined {
  const vain = registry.list<BudgetObject>('poddisruptionbudgets.policy').find(({ metadata, status }) =>
    Object.keys(status.disruptedPods ?? {}).some((name) => {
      const pod = registry.get<PodObject>('pods', `${metadata.namespace}/${name}`);
      return pod !== undefined && pod.metadata.deletionTimestamp === undefined;
    }),
  );
  return vain === undefined ? undefined : `${vain.metadata.name} was charged for a pod that was not evicted`;
}

const COMMITTED: ReadonlySet<string> = new Set(['Upgrading', 'Rebooting', 'Verifying', 'Uncordoning']);

function windowHindrance(world: World): string | undefined {
  if (world.windowsAreOpen) return undefined;
  const closed = world.scenario.windows.find(({ name }) => world.mayBeClosed(name));
  return closed === undefined ? undefined : `window ${closed.name} is closed`;
}

function skewOf({ scenario }: World): number {
  return Math.max(0, ...scenario.skewMs.map(Math.abs));
}

/** What is left to do in a world, from what is stored. */
export function leftOf(world: World): Left {
  const { registry } = world.server;
  const nodes = registry.list<NodeObject>('nodes');
  const budgets = loadsOf(registry);
  const passages = registry.list<Passage>(PASSAGES).filter((passage) => !SETTLED.includes(phaseOf(passage) ?? ''));
  const ofNode = (name: string, passage: Passage | undefined, profileName = 'quick') =>
    nodeLeft(world, name, passage, { loads: budgets, profileName });
  const upgrades = registry.list<Upgrade>(UPGRADES).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const parts = upgrades.map((upgrade) => partsOf(upgrade, nodes, passages, ofNode));
  const kept = new Set(upgrades.map(({ metadata }) => metadata.name));
  const orphans = passages.filter(({ spec }) => spec.upgradeName !== undefined && !kept.has(spec.upgradeName));
  const raising = parts.flatMap(({ isVersion, controlPlanes }) => (isVersion ? controlPlanes : []));
  const policy = registry.get(POLICIES, 'cluster')?.spec as { readonly maxUnavailable: number | string } | undefined;
  return {
    controlPlanes: parts.flatMap(({ controlPlanes }) => controlPlanes),
    rollouts: parts.map(
      ({ isVersion, controlPlanes, fresh, begun, most }): RolloutLeft => ({
        first: isVersion ? raising : controlPlanes,
        own: controlPlanes,
        fresh,
        begun,
        most,
      }),
    ),
    others: orphans
      .filter((passage) => COMMITTED.has(phaseOf(passage) ?? ''))
      .map((passage) => ofNode(passage.spec.nodeName, passage)),
    most: share(policy?.maxUnavailable ?? '100%', nodes.length),
    loads: toEvict(
      registry,
      parts.flatMap(({ names }) => names),
      budgets,
    ),
    times: TIMES,
  };
}

function partsOf(
  { metadata, spec }: Upgrade,
  nodes: readonly NodeObject[],
  passages: readonly Passage[],
  ofNode: (name: string, passage: Passage | undefined, profileName?: string) => NodeLeft,
) {
  const mine = nodes.filter((node) => selects(spec, node));
  const [saves, own] = split(passages.filter((each) => each.spec.upgradeName === metadata.name));
  const found = mine.flatMap((node) => {
    const { name } = node.metadata;
    const passage = own.find((each) => each.spec.nodeName === name);
    if (passage === undefined && isDone(metadata.name, spec, node)) return [];
    const isFresh = (phaseOf(passage) ?? 'Pending') === 'Pending';
    return [
      {
        name,
        isFresh,
        drained: DRAINED.has(phaseOf(passage) ?? ''),
        cp: isControlPlane(node),
        left: ofNode(name, passage, spec.profileName),
      },
    ];
  });
  const workers = found.filter(({ cp }) => !cp);
  const controlPlanes = found.filter(({ cp }) => cp);
  // Where it is wanted and nobody looks further into whether there is one: that only makes the bound longer.
  const saving = controlPlanes.slice(0, spec.etcdSnapshot === undefined ? 0 : 1);
  return {
    isVersion: spec.target.kubernetesVersion !== undefined,
    controlPlanes: [
      ...saving.map(({ name }) => ofNode(name, saves, spec.etcdSnapshot?.profileName)),
      ...controlPlanes.map(({ left }) => left),
    ],
    fresh: workers.filter(({ isFresh }) => isFresh).map(({ left }) => left),
    begun: workers.filter(({ isFresh }) => !isFresh).map(({ left }) => left),
    most: share(spec.rollout.maxUnavailable, mine.filter((node) => !isControlPlane(node)).length),
    names: found.filter(({ drained }) => !drained).map(({ name }) => name),
  };
}

/** The passage that saves etcd, if one does, and those that work on nodes. */
function split(passages: readonly Passage[]): readonly [saves: Passage | undefined, own: readonly Passage[]] {
  const saves = passages.find(({ status }) => status?.plan?.purpose === 'EtcdSnapshot');
  return [saves, passages.filter((each) => each !== saves)];
}

const DRAINED: ReadonlySet<string> = new Set([...COMMITTED, 'Detaching', 'Starting', 'Quarantining', 'Lost']);

/** The selectors that scenes draw: all nodes, control planes, or the others. */
function selects({ nodes }: Upgrade['spec'], node: KubeObject): boolean {
  const [half] = nodes.selector.matchExpressions ?? [];
  return half === undefined || (half.operator === 'Exists') === isControlPlane(node);
}

function isDone(name: string, { target }: Upgrade['spec'], { metadata, status }: NodeObject): boolean {
  if (target.kubernetesVersion !== undefined) return status.nodeInfo?.kubeletVersion === target.kubernetesVersion;
  const done = metadata.labels?.[`drydock.node-restriction.kubernetes.io/${name}`];
  return target.revision === undefined ? done !== undefined : done === target.revision;
}

function share(value: number | string, of: number): number {
  return Math.max(1, typeof value === 'number' ? value : Math.floor((of * Number.parseInt(value, 10)) / 100));
}

/** What one node needs, by the phase of its passage. */
function nodeLeft(
  world: World,
  name: string,
  passage: Passage | undefined,
  { loads, profileName }: { readonly loads: Loads; readonly profileName: string },
): NodeLeft {
  const { registry } = world.server;
  const { spec } = registry.get<Profile>('maintenanceprofiles.drydock.dev', profileName) as Profile;
  const { prePull, readySeconds } = passage?.status.plan?.work ?? spec;
  const drain = passage?.status.plan?.drain ?? spec.drain;
  const { workSeconds } = world.scenario.payload;
  const reboot = (passage?.status.plan?.work ?? spec).reboot === 'Expected' ? world.scenario.payload.reboot : undefined;
  const state = passage?.status?.state as { readonly phase: string; readonly since?: string } | undefined;
  const now = world.timeline.now();
  // Written by a clock that may be off.
  const elapsed = (now + skewOf(world) - Date.parse(state?.since ?? new Date(now).toISOString())) / 1000;
  const left = (seconds: number) => Math.max(0, seconds - elapsed);
  const boot =
    reboot === undefined
      ? 0
      : reboot === 'quick'
        ? REBOOT_AFTER_SECONDS
        : REBOOT_AFTER_SECONDS + OFF_SECONDS + STEADY.boot[0] / 1000;
  const after = START + workSeconds + boot + readySeconds;
  const exclude = drain.loadBalancer.exclude ? drain.loadBalancer.waitSeconds : 0;
  const standing = drain.mode === 'Drain' ? standingOn(registry, name, loads) : [];
  const nothing = { before: 0, look: undefined, standing: [], after: 0 };
  switch (state?.phase ?? 'Pending') {
    case 'Pending':
      return { before: prePull ? START + PREPARE_SECONDS : 0, look: LOOK_SECONDS, standing, after };
    case 'Preparing':
    case 'Cordoning':
      return { before: 0, look: Math.max(LOOK_SECONDS, exclude), standing, after };
    case 'Draining':
      return { before: 0, look: left(LOOK_SECONDS), standing, after };
    case 'Detaching':
    case 'Starting':
      return { ...nothing, after };
    case 'Upgrading':
      return { ...nothing, after: left(START + workSeconds) + readySeconds };
    case 'Rebooting':
      return { ...nothing, after: readySeconds };
    case 'Verifying':
      return { ...nothing, after: left(readySeconds) };
    default:
      return nothing;
  }
}

type Loads = ReadonlyMap<string, Load>;

/** What each budget allows at once, by the app that it is over. */
function loadsOf(registry: Registry): Loads {
  return new Map(
    registry.list<BudgetObject>('poddisruptionbudgets.policy').map(({ metadata, spec, status }): [string, Load] => {
      const most = (spec as { readonly maxUnavailable?: number | string }).maxUnavailable;
      const allows = typeof most === 'number' ? Math.max(1, most) : Math.max(1, status.expectedPods ?? 1);
      const owner = registry.get('statefulsets.apps', `${metadata.namespace}/${metadata.name}`) === undefined;
      return [metadata.name, { owner: owner ? 'Deployment' : 'StatefulSet', allows, evictions: 0 }];
    }),
  );
}

/** Pods that count against a budget: those that are Ready, for others may pass it. */
function counted(registry: Registry, name: string): readonly PodObject[] {
  const isCounted = (pod: PodObject) =>
    pod.spec.nodeName === name &&
    mustLeave(pod) &&
    pod.metadata.deletionTimestamp === undefined &&
    isReady(pod as never);
  return registry.list<PodObject>('pods').filter(isCounted);
}

function standingOn(registry: Registry, name: string, loads: Loads): Standing {
  const apps = Map.groupBy(counted(registry, name), ({ metadata }) => metadata.labels?.['app'] ?? '');
  return [...apps].map(([app, pods]) => ({
    load: loads.get(app) ?? { owner: 'Deployment', allows: pods.length, evictions: 0 },
    pods: pods.length,
  }));
}

/** Every pod that stands on a node still to be drained is evicted once at the least. */
function toEvict(registry: Registry, names: readonly string[], loads: Loads): readonly Load[] {
  const pods = [...new Set(names)].flatMap((name) => counted(registry, name));
  return [...loads].map(([app, load]) => ({
    ...load,
    evictions: pods.filter(({ metadata }) => metadata.labels?.['app'] === app).length,
  }));
}
