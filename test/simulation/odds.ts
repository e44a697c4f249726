import type { Delays } from '../../src/simulation/controllers/delays.ts';
import { type Dice, dice } from '../../src/simulation/dice.ts';
import { deployment, pdb } from '../end-to-end/shop.ts';
import { attic, bare, batch, CREW, disk, guard, own, scratch, sick, slow } from './odd-apps.ts';

type Spec = Readonly<Record<string, unknown>>;

/** For how long evictions of an app are denied from outside, as by an admission webhook. */
export type Denial = {
  readonly app: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly how: 'denies' | 'fails' | 'refuses';
  /** Whoever denies takes the pod away himself, so long after it was asked for the first time. */
  readonly movesAfterMs?: number;
};

/** What a seed draws beyond the plain shop. Each has dice of its own: one more changes nothing of the others. */
export type Odds = {
  readonly objects: readonly unknown[];
  /** Of the profile of all. */
  readonly drain: Spec;
  readonly work: Spec;
  /** How the pods of the upgrade of the operating system leave. */
  readonly mode: 'Drain' | 'Cordon' | 'Leave';
  readonly rollout: Spec;
  /** The upgrade of the operating system is due every month, instead of once for a revision. */
  readonly isByAge: boolean;
  readonly denials: readonly Denial[];
  /** As long as faults last. */
  readonly delays: Partial<Delays>;
  /** The namespace of an app that somebody deletes. */
  readonly hasAttic: boolean;
  /** Machines that a payload leaves without power, and a person who says that they are not waited for. */
  readonly loses: boolean;
  /** Whether the rules know the namespace of an app that is yet to be made. */
  readonly hasCrew: boolean;
  /** Of some plain apps: a budget in place of theirs. */
  readonly budgets: ReadonlyMap<string, Spec>;
};

/** What a scene is known to have when these are drawn. */
export type Plain = {
  readonly seed: number;
  readonly workers: number;
  readonly apps: readonly string[];
  readonly faultsMs: number;
};

/** How many of the scenes have each of these. */
const RATES = {
  scratch: 0.12,
  guard: 0.12,
  disk: 0.12,
  bare: 0.15,
  batch: 0.12,
  crash: 0.1,
  slow: 0.1,
  twice: 0.06,
  attic: 0.06,
  own: 0.08,
  crew: 0.08,
  sick: 0.06,
  lost: 0.06,
} as const;

/** Draws what is odd in a seed. */
export function drawOdds(plain: Plain): Odds {
  const { seed, workers } = plain;
  const has = Object.fromEntries(
    Object.entries(RATES).map(([name, rate]) => [name, dice(seed).fork(`odd ${name}`).chance(rate)]),
  ) as { readonly [name in keyof typeof RATES]: boolean };
  const chance = dice(seed).fork('odd apps');
  const worker = () => `worker-${chance.between(1, workers)}`;
  const made: { readonly [name in keyof typeof RATES]: () => readonly unknown[] } = {
    scratch: () => scratch(chance.between(1, 3)),
    guard: () => guard(worker(), chance.chance(0.5), dice(seed).fork('odd guard volume').chance(0.5)),
    disk: () => Array.from({ length: chance.between(1, 2) }, (_, at) => disk(at)).flat(),
    bare: () => Array.from({ length: chance.between(1, 2) }, (_, at) => bare(at, worker(), chance.chance(0.4))),
    batch: () => batch(chance.between(1, 3), chance.pick([30, 300, 1200]), chance.chance(0.2)),
    crash: () => crash(chance),
    slow: () => slow(chance.between(1, 3)),
    twice: () => twice(),
    attic: () => attic(chance.between(1, 3)),
    own: () => own(chance.between(1, 2)),
    crew: () => [],
    sick: () => sick(),
    lost: () => [],
  };
  const names = Object.keys(made).filter((name) => has[name as keyof typeof RATES]) as (keyof typeof RATES)[];
  return {
    objects: names.flatMap((name) => made[name]()),
    drain: { ...drawDrain(plain, has.scratch), ...drawRules(plain, names) },
    work: { ...drawWork(seed), ...(has.lost ? { rebootDeadlineSeconds: 30, verifyDeadlineSeconds: 60 } : {}) },
    mode: dice(seed).fork('mode').pick(['Drain', 'Cordon', 'Cordon', 'Leave']),
    rollout: drawRollout(seed),
    isByAge: dice(seed).fork('by age').chance(0.3),
    denials: drawDenials(plain),
    delays: drawDelays(seed, has),
    hasAttic: has.attic,
    hasCrew: has.crew,
    loses: has.lost,
    budgets: drawBudgets(plain),
  };
}

/** Pods that are never ready, under a budget that counts that against them, or does not. */
function crash(chance: Dice): readonly unknown[] {
  const unhealthyPodEvictionPolicy = chance.pick([undefined, 'IfHealthyBudget', 'AlwaysAllow']);
  const policy = unhealthyPodEvictionPolicy === undefined ? {} : { unhealthyPodEvictionPolicy };
  const budget = { ...chance.pick([{ minAvailable: 1 }, { maxUnavailable: 1 }, { minAvailable: '50%' }]), ...policy };
  return deployment('crash', chance.between(1, 2), budget, { 'test.drydock.dev/crash-loop': 'true' });
}

/** Two budgets over the same pods, which the API server never evicts. */
function twice(): readonly unknown[] {
  const budget = { maxUnavailable: 1 };
  const second = { metadata: { name: 'twice-too', namespace: 'shop' } };
  return [
    ...deployment('twice', 2, budget),
    ...pdb('twice', budget).map((made) => ({ ...(made as object), ...second })),
  ];
}

/** Every form that a budget can have, and some that allow nothing until somebody changes them. */
function drawBudgets({ seed, apps }: Plain): Odds['budgets'] {
  const chance = dice(seed).fork('odd budgets');
  const drawn = apps.flatMap((app): [string, Spec][] => {
    if (!chance.chance(0.15)) return [];
    const says = chance.pick([
      { minAvailable: 1 },
      { minAvailable: 3 },
      { minAvailable: '34%' },
      { minAvailable: '100%' },
      { maxUnavailable: '1%' },
      { maxUnavailable: 2 },
      { maxUnavailable: 0 },
    ]);
    return [[app, { ...says, unhealthyPodEvictionPolicy: chance.pick(['IfHealthyBudget', 'AlwaysAllow']) }]];
  });
  return new Map(drawn);
}

function drawDrain({ seed }: Plain, hasScratch: boolean): Spec {
  const chance = dice(seed).fork('odd drain');
  const some = (share: number, spec: Spec) => (chance.chance(share) ? spec : {});
  return {
    ...some(hasScratch ? 0.6 : 0.05, { emptyDir: 'Block' }),
    ...some(0.4, { unmanaged: 'Evict' }),
    ...some(0.15, { gracePeriodSeconds: chance.pick([1, 10, 45]) }),
    ...some(0.15, { deadlineSeconds: chance.pick([15, 60, 120]) }),
    ...some(0.3, { volumeDetachSeconds: chance.pick([0, 10, 60]) }),
  };
}

const EVICT_OR_SKIP = ['Evict', 'Evict', 'Skip'] as const;

/** Exceptions for some of the apps, each by its label; what runs in the attic by the label of its namespace. */
function drawRules({ seed, apps }: Plain, odd: readonly string[]): Spec {
  const chance = dice(seed).fork('odd rules');
  const work = { podSelector: { matchLabels: { app: 'batch' } }, behavior: 'WaitForCompletion' };
  const crew = { namespaceSelector: { matchLabels: { team: CREW } }, behavior: 'Skip' };
  const first = [
    ...(odd.includes('batch') && chance.chance(0.6) ? [work] : []),
    ...(odd.includes('crew') ? [crew] : []),
  ];
  if (!chance.chance(0.35)) return first.length === 0 ? {} : { rules: first };
  const about = (app: string) =>
    app === 'attic'
      ? { namespaceSelector: { matchLabels: { team: 'attic' } } }
      : { podSelector: { matchLabels: { app } } };
  const rules = [...apps, ...odd].flatMap((app) => {
    if (['crew', 'sick', 'lost'].includes(app) || !chance.chance(0.6)) return [];
    const ends = app === 'batch' || app === 'bare';
    const behavior = app === 'batch' ? 'WaitForCompletion' : chance.pick(EVICT_OR_SKIP);
    return [{ ...about(app), behavior, ...(ends || behavior === 'Skip' ? {} : { tier: chance.between(0, 3) }) }];
  });
  const all = [...first, ...rules];
  return all.length === 0 ? {} : { rules: all };
}

function drawWork(seed: number): Spec {
  const chance = dice(seed).fork('odd work');
  const some = (share: number, spec: Spec) => (chance.chance(share) ? spec : {});
  return {
    ...some(0.15, { verifyDeadlineSeconds: chance.pick([45, 120]) }),
    ...some(0.15, { rebootDeadlineSeconds: chance.pick([30, 120]) }),
    ...some(0.15, { prepareDeadlineSeconds: chance.pick([20, 60]) }),
    ...some(0.15, { prePull: true, commands: { worker: ['/drydock/node'], check: ['/drydock/check'] } }),
  };
}

function drawRollout(seed: number): Spec {
  const chance = dice(seed).fork('odd rollout');
  return {
    ...(chance.chance(0.2) ? { steer: false } : {}),
    ...(chance.chance(0.15) ? { maxReturns: chance.pick([0, 1]) } : {}),
  };
}

function drawDenials({ seed, apps, faultsMs }: Plain): readonly Denial[] {
  const chance = dice(seed).fork('odd denials');
  if (faultsMs === 0 || apps.length === 0 || !chance.chance(0.1)) return [];
  const fromMs = chance.between(0, faultsMs / 2);
  const moves = chance.chance(0.5) ? { movesAfterMs: chance.between(1_000, 60_000) } : {};
  const how = chance.pick(['denies', 'denies', 'fails', 'refuses'] as const);
  return [{ app: chance.pick(apps), fromMs, untilMs: chance.between(fromMs, faultsMs), how, ...moves }];
}

function drawDelays(seed: number, has: { readonly slow: boolean; readonly disk: boolean }): Partial<Delays> {
  const chance = dice(seed).fork('odd delays');
  return {
    // What has a short grace period is killed after it, so that only slow apps end slowly.
    ...(has.slow ? { podTerminate: [100, chance.pick([30_000, 110_000])] } : {}),
    ...(has.disk && chance.chance(0.5) ? { detach: [5_000, chance.pick([60_000, 600_000])] } : {}),
  };
}
