import type { Sent } from '../../src/cluster/effects.ts';
import { deployment, policy, profile, statefulSet, upgrade } from '../end-to-end/shop.ts';
import type { Luck } from './luck.ts';
import type { Mishap } from './network.ts';
import { settle } from './play.ts';
import type { Scenario } from './scenario.ts';
import { JOBS, markOf, PASSAGES, phaseOf, ticketsIn, UPGRADES } from './truth.ts';
import { type Violation, World } from './world.ts';

/** What befalls one write of the reference run, or what its sender saw of the world from that instant on. */
export type Plan = {
  /** Which write, counted from 1; Events and Leases are not counted. */
  readonly write: number;
  readonly what:
    | 'crash before'
    | 'crash after'
    | 'request lost'
    | 'answer lost'
    | 'late'
    | 'conflict'
    | 'error'
    | 'throttled'
    | 'stale'
    | 'overwritten'
    | 'stale after crash';
  /** Of stale reads: which watch stands still, and for how long. */
  readonly kind?: string;
  readonly lagMs?: number;
};

/** What came of a plan. */
export type PlanPlayed = { readonly plan: Plan; readonly broken: readonly string[] };

const WATCHED = [
  'nodes',
  'pods',
  'poddisruptionbudgets',
  'jobs',
  'nodemaintenances',
  'maintenancepolicies',
  'clusterupgrades',
] as const;
const LAGS_MS = [500, 3_000, 15_000, 60_000] as const;
const BEFALLS = [
  'crash before',
  'crash after',
  'request lost',
  'answer lost',
  'late',
  'conflict',
  'error',
  'throttled',
] as const;
const LATE_MS = 12_000;
const OVERWRITTEN_MS = 5_000;
const STALE_START_MS = 10_000;

/** The run that every plan is compared with: a control plane and two workers, two apps with budgets, one upgrade. */
export const REFERENCE: Scenario = {
  seed: 1,
  controlPlanes: 1,
  servers: 'v1.35.7',
  workers: 2,
  maxUnavailable: 1,
  apps: [],
  upgrades: ['to-1-36'],
  windows: [],
  payload: { failures: 0, workSeconds: 2 },
  replicas: 1,
  skewMs: [0],
  rates: {
    crashBefore: 0,
    crashAfter: 0,
    lostRequest: 0,
    lostAnswer: 0,
    late: 0,
    refused: 0,
    watchBreaks: 0,
    watchLagMs: 0,
  },
  faultsMs: 0,
  happenings: [],
  denials: [],
  delays: {},
  holdsAfterwards: false,
  objects: [
    policy({ maxUnavailable: 1 }),
    profile({ readySeconds: 1, attempts: 2 }),
    ...deployment('web', 4, { maxUnavailable: 1 }),
    ...statefulSet('db', 2, { minAvailable: 1 }),
    upgrade({ rollout: { maxUnavailable: 1, failureThreshold: 3 } }),
  ],
};

/** Every plan over so many writes. */
export function plans(writes: number): readonly Plan[] {
  const all: Plan[] = [];
  for (let write = 1; write <= writes; write += 1) {
    for (const what of BEFALLS) all.push({ write, what });
    for (const kind of WATCHED) {
      for (const lagMs of LAGS_MS) all.push({ write, what: 'stale', kind, lagMs });
      all.push({ write, what: 'overwritten', kind, lagMs: OVERWRITTEN_MS });
      all.push({ write, what: 'stale after crash', kind, lagMs: STALE_START_MS });
    }
  }
  return all;
}

/** How many writes the reference run takes, and where it ends. */
export async function reference(): Promise<{ readonly writes: number; readonly end: string }> {
  const { luck, counted } = befalling(undefined, () => 0);
  const { end, broken } = await run(luck);
  if (broken.length > 0) throw new Error(`the reference run is broken: ${broken.join('; ')}`);
  return { writes: counted(), end };
}

/** Plays a plan and compares where it ends. */
export async function playPlan(plan: Plan, end: string): Promise<PlanPlayed> {
  const played = await run(undefined, plan);
  const differs = played.end === end ? [] : [`it ends elsewhere: ${played.end} instead of ${end}`];
  return { plan, broken: [...played.broken, ...differs] };
}

async function run(given: Luck | undefined, plan?: Plan): Promise<{ readonly end: string; readonly broken: string[] }> {
  let now = () => 0;
  const luck = given ?? befalling(plan, () => now()).luck;
  const world = new World(REFERENCE, { luck });
  now = () => world.timeline.now();
  const settled = await settle(world);
  const broken = world.violations.map(({ guarantee, text }: Violation) => `${guarantee} ${text}`);
  if (!settled && broken.length === 0) broken.push('L1 it did not settle');
  return { end: endOf(world), broken };
}

/** Luck that is good but for what a plan wants; counts the writes as they are sent. */
function befalling(plan: Plan | undefined, now: () => number) {
  let writes = 0;
  let over = false;
  let thawsAt = 0;
  let feltUntil = 0;
  const isStill = (kind: string) => plan?.kind === kind && now() < thawsAt;
  const luck: Luck = {
    isDown: () => false,
    isOver: () => over,
    isFelt: () => now() < feltUntil,
    cease: () => {
      over = true;
    },
    request: (sent) => {
      if (!isCounted(sent)) return {};
      writes += 1;
      if (plan === undefined || writes !== plan.write) return {};
      thawsAt = now() + (plan.lagMs ?? 0);
      feltUntil = now() + (plan.lagMs ?? (plan.what === 'late' ? LATE_MS : 0));
      return mishapOf(plan);
    },
    watch: ({ resource }) => ({
      lagMs: () => (isStill(resource) ? thawsAt - now() : 0),
      brokenNow: () => plan?.what === 'overwritten' && isStill(resource),
    }),
  };
  return { luck, counted: () => writes };
}

/** Of a trial nothing is stored: whether it was made changes nothing. */
function isCounted({ method, path, resource }: Sent): boolean {
  return method !== 'GET' && !path.endsWith('?dryRun=All') && resource !== 'leases' && resource !== 'events';
}

function mishapOf({ what }: Plan): Mishap {
  switch (what) {
    case 'crash before':
      return { crash: 'before' };
    case 'crash after':
    case 'stale after crash':
      return { crash: 'after' };
    case 'request lost':
      return { lost: 'request' };
    case 'answer lost':
      return { lost: 'answer' };
    case 'late':
      return { lateMs: LATE_MS };
    case 'conflict':
      return { instead: { code: 409 } };
    case 'error':
      return { instead: { code: 500 } };
    case 'throttled':
      return { instead: { code: 429, retryAfterSeconds: 1 } };
    default:
      return {};
  }
}

/** Where a world has come to, without what may differ: names, times and how often it was tried. */
function endOf({ server: { registry } }: World): string {
  const nodes = registry.list('nodes').map((node) => {
    const { unschedulable = false } = node.spec as { readonly unschedulable?: boolean };
    const { nodeInfo } = node.status as { readonly nodeInfo: { readonly kubeletVersion: string } };
    const marks = [markOf(node), markOf(node, 'left-cordoned')].filter((mark) => mark !== undefined).length;
    return `${node.metadata.name} ${nodeInfo.kubeletVersion} ${unschedulable ? 'cordoned' : 'open'} ${marks} marks`;
  });
  const upgrades = registry.list(UPGRADES).map(({ status }) => {
    const { phase, nodes: counts } = status as { readonly phase: string; readonly nodes: unknown };
    return `${phase} ${JSON.stringify(counts)}`;
  });
  const phases = [...new Set(registry.list(PASSAGES).map((passage) => phaseOf(passage)))].sort();
  const held = ticketsIn(registry.get('maintenancepolicies.drydock.dev', 'cluster')).length;
  const running = registry.list('pods').filter(({ status, metadata }) => {
    const { phase } = status as { readonly phase?: string };
    return metadata.namespace === 'shop' && phase === 'Running';
  }).length;
  return [
    ...nodes,
    ...upgrades,
    `passages ${phases.join()}`,
    `${held} tickets`,
    `${registry.list(JOBS).length} Jobs`,
    `${running} pods`,
  ].join('; ');
}
