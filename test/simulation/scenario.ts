import type { Delays } from '../../src/simulation/controllers/delays.ts';
import { type Dice, dice } from '../../src/simulation/dice.ts';
import { daemonSet, deployment, policy, profile, statefulSet, upgrade } from '../end-to-end/shop.ts';
import { drawOddHappenings, type OddHappening } from './odd-happenings.ts';
import { type Denial, drawOdds, type Odds } from './odds.ts';
import { drawSaving, type Saving } from './saving.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** When every simulated world begins. */
export const START = Date.parse('2026-11-21T12:00:00Z');
/** What a world has to come up before Drydock is started. */
export const SETTING_MS = MINUTE;
export const FROM = 'v1.35.7';
export const TO = 'v1.36.4';

/** How often something goes wrong while faults last; each a share of what it can befall. */
export type Rates = {
  readonly crashBefore: number;
  readonly crashAfter: number;
  readonly lostRequest: number;
  readonly lostAnswer: number;
  readonly late: number;
  readonly refused: number;
  readonly watchBreaks: number;
  readonly watchLagMs: number;
};

/** Something that happens to a cluster at its time, as people and machines do things. */
export type Happening = PlainHappening | MachineHappening | OddHappening;

/** What any scene may have of people. */
export type PlainHappening =
  | { readonly do: 'cordon' | 'uncordon' | 'deleteNode' | 'powerOff' | 'powerOn' | 'reboot'; readonly node: string }
  | { readonly do: 'pause' | 'unpause' | 'retry' | 'deleteUpgrade'; readonly upgrade: string }
  | { readonly do: 'hold' | 'unhold'; readonly node: string; readonly name: string }
  | { readonly do: 'scale'; readonly app: string; readonly replicas: number }
  | { readonly do: 'budget'; readonly app: string; readonly spec: Readonly<Record<string, unknown>> }
  | { readonly do: 'addNode' | 'deleteJobs'; readonly node: string };

/** What befalls the processes of Drydock and the API server. */
export type MachineHappening =
  | { readonly do: 'pauseProcess' | 'resumeProcess' | 'killProcess'; readonly process: number }
  | { readonly do: 'down' | 'up' | 'snapshot' }
  | { readonly do: 'restore'; readonly bump: boolean };

/** What payloads do, and how often they fail while faults last. */
export type Payload = {
  readonly failures: number;
  readonly workSeconds: number;
  readonly reboot?: 'quick' | 'slow';
  /** How often the check before the cordon says no. */
  readonly refuses?: number;
  /** How often it leaves its node without power. */
  readonly loses?: number;
};

export type App = { readonly name: string; readonly replicas: number; readonly kind: 'Deployment' | 'StatefulSet' };

/** A window that opens at fixed times of day, in UTC. */
export type Daily = { readonly name: string; readonly atMinutes: readonly number[]; readonly minutes: number };

/** Everything that a seed decides before the world begins; the rest is drawn as it goes, from the same seed. */
export type Scenario = {
  readonly seed: number;
  readonly controlPlanes: number;
  /** Of their API servers at first; the kubelets are all older than the target. */
  readonly servers: string;
  readonly workers: number;
  readonly maxUnavailable: number | string;
  readonly apps: readonly App[];
  readonly objects: readonly unknown[];
  readonly upgrades: readonly string[];
  readonly windows: readonly Daily[];
  readonly payload: Payload;
  readonly replicas: number;
  readonly skewMs: readonly number[];
  readonly rates: Rates;
  /** Until when things go wrong, from the start of the upgrade. */
  readonly faultsMs: number;
  readonly happenings: readonly { readonly atMs: number; readonly what: Happening }[];
  /** As long as faults last. */
  readonly denials: readonly Denial[];
  readonly delays: Partial<Delays>;
  /** Whether somebody takes out a node by hand when all is done. */
  readonly holdsAfterwards: boolean;
};

const CALM: Rates = {
  crashBefore: 0,
  crashAfter: 0,
  lostRequest: 0,
  lostAnswer: 0,
  late: 0,
  refused: 0,
  watchBreaks: 0,
  watchLagMs: 0,
};

/** Draws the world of a seed. */
export function scenario(seed: number): Scenario {
  const chance = dice(seed).fork('scenario');
  const controlPlanes = chance.pick([0, 1, 1, 3]);
  const workers = chance.between(controlPlanes === 0 ? 2 : 1, 6);
  const apps = drawApps(chance, workers);
  const windows = chance.chance(0.3) ? [drawWindow(chance)] : [];
  const split = controlPlanes > 0 && dice(seed).fork('selectors').chance(0.15);
  const names = split ? ['to-1-36', 'workers'] : chance.chance(0.2) ? ['to-1-36', 'os'] : ['to-1-36'];
  const payload = drawPayload(chance);
  const replicas = chance.pick([1, 1, 2]);
  const faultsMs = chance.pick([0, 5 * MINUTE, 15 * MINUTE, HOUR]);
  const maxUnavailable = chance.pick([1, 1, 2, 3, '30%']);
  const odds = drawOdds({ seed, workers, apps: apps.map(({ name }) => name), faultsMs });
  const mode = names.includes('os') ? odds.mode : undefined;
  const windowNames = windows.map(({ name }) => name);
  const saving = drawSaving(seed, controlPlanes);
  const odd = {
    seed,
    workers,
    faultsMs,
    upgrades: names,
    windows: windowNames,
    mode,
    hasAttic: odds.hasAttic,
    hasCrew: odds.hasCrew,
    loses: odds.loses,
  };
  return {
    seed,
    controlPlanes,
    // Where no control plane shows itself, somebody else has raised it before.
    servers: controlPlanes === 0 ? TO : dice(seed).fork('servers').pick([FROM, FROM, TO]),
    workers,
    maxUnavailable,
    apps,
    upgrades: names,
    windows,
    payload: {
      ...payload,
      ...('commands' in odds.work ? { refuses: 0.1 } : {}),
      ...(odds.loses ? { loses: 0.4 } : {}),
    },
    replicas,
    skewMs: Array.from({ length: replicas }, () => (chance.chance(0.2) ? chance.between(-50_000, 50_000) : 0)),
    rates: faultsMs === 0 ? CALM : drawRates(chance),
    faultsMs,
    happenings: [
      ...drawHappenings(chance, { controlPlanes, workers, apps, names, replicas, faultsMs }),
      ...drawOddHappenings(odd),
    ].sort((a, b) => a.atMs - b.atMs),
    denials: odds.denials,
    delays: odds.delays,
    holdsAfterwards: dice(seed).fork('afterwards').chance(0.1),
    objects: [
      policy({ maxUnavailable: chance.pick([2, 3, '50%', '100%']) }),
      ...drawProfiles(chance, payload, odds, mode),
      ...saving.profiles,
      ...apps.flatMap((app) => drawnApp(chance, app, odds.budgets.get(app.name))),
      ...(chance.chance(0.5) ? daemonSet('logs') : []),
      ...windows.map((window) => windowObject(window, chance.pick(['TurnBack', 'TurnBack', 'Finish']))),
      ...names.map((name) => drawUpgrade(chance, name, { windows, maxUnavailable, split, odds, saving })),
      ...odds.objects,
    ],
  };
}

function drawApps(chance: Dice, workers: number): readonly App[] {
  return Array.from({ length: chance.between(0, 4) }, (_, index) => ({
    name: `app-${index}`,
    replicas: chance.between(1, Math.max(2, workers * 2)),
    kind: chance.chance(0.7) ? 'Deployment' : 'StatefulSet',
  }));
}

type Odd = Readonly<Record<string, unknown>>;

function drawnApp(chance: Dice, { name, replicas, kind }: App, odd: Odd | undefined): readonly unknown[] {
  const plain = chance.pick([
    undefined,
    { maxUnavailable: 1 },
    { maxUnavailable: '25%' },
    { minAvailable: Math.max(1, replicas - 1) },
    { minAvailable: '50%', unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  ]);
  const budget = odd ?? plain;
  return kind === 'Deployment' ? deployment(name, replicas, budget) : statefulSet(name, replicas, budget);
}

/** The profile of all; where the upgrade of the operating system leaves pods where they are, its own besides. */
function drawProfiles(chance: Dice, payload: Payload, odds: Odds, mode: Odds['mode'] | undefined): readonly unknown[] {
  const spec = drawProfile(chance, payload);
  const drain = { ...spec.drain, ...odds.drain };
  const all = { ...spec, ...odds.work, drain };
  // A node that takes pods must not be rebooted: the API server refuses such a profile.
  const { reboot: _, ...rebootless } = all;
  const restart = mode === 'Leave' ? rebootless : all;
  const second =
    mode === undefined || mode === 'Drain' ? [] : [profile({ ...restart, drain: { ...drain, mode } }, 'restart')];
  return [profile(all), ...second];
}

function drawProfile(chance: Dice, payload: Payload) {
  return {
    readySeconds: chance.pick([1, 10, 30]),
    activeDeadlineSeconds: chance.pick([300, 1800]),
    attempts: chance.pick([1, 1, 2]),
    prePull: chance.chance(0.7),
    ...(payload.reboot === undefined ? {} : { reboot: 'Expected' }),
    drain: {
      deadlineSeconds: chance.pick([300, 900, 3600]),
      onDeadline: chance.pick(['Skip', 'Wait', 'Fail']),
      ...(chance.chance(0.3) ? { loadBalancer: { exclude: true, waitSeconds: chance.pick([0, 5]) } } : {}),
    },
  };
}

function drawPayload(chance: Dice): Payload {
  const reboot = chance.pick([undefined, undefined, 'quick', 'slow'] as const);
  return {
    failures: chance.pick([0, 0, 0, 1]),
    workSeconds: chance.pick([1, 5, 60]),
    ...(reboot === undefined ? {} : { reboot }),
  };
}

function drawWindow(chance: Dice): Daily {
  const times = chance.pick([[0], [0, 720], [300, 660, 1020]]);
  return { name: 'daily', atMinutes: times, minutes: chance.pick([20, 60, 240]) };
}

function windowObject(daily: Daily, onClose: string): unknown {
  return {
    apiVersion: 'drydock.dev/v1alpha1',
    kind: 'MaintenanceWindow',
    metadata: { name: daily.name },
    spec: { timeZone: 'Etc/UTC', openings: openingsOf(daily), onClose },
  };
}

/** A daily window in the words of a MaintenanceWindow. */
export function openingsOf({ atMinutes, minutes }: Daily): readonly unknown[] {
  return atMinutes.map((at) => ({
    schedule: `${at % 60} ${Math.floor(at / 60)} * * *`,
    durationMinutes: minutes,
  }));
}

/** Whether a daily window is open, by arithmetic of its own. */
export function isOpenAt({ atMinutes, minutes }: Daily, at: number): boolean {
  const minuteOfDay = Math.floor(at / MINUTE) % 1440;
  return atMinutes.some((from) => (minuteOfDay - from + 1440) % 1440 < minutes);
}

function drawUpgrade(
  chance: Dice,
  name: string,
  given: {
    readonly windows: readonly Daily[];
    readonly maxUnavailable: number | string;
    readonly split: boolean;
    readonly odds: Odds;
    readonly saving: Saving;
  },
): unknown {
  const operator = name === 'workers' ? 'DoesNotExist' : 'Exists';
  const half = { matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator }] };
  return upgrade(
    {
      ...(name === 'os'
        ? {
            target: given.odds.isByAge ? { maxAgeDays: 30 } : { revision: 'os-11' },
            profileName: given.odds.mode === 'Drain' ? 'quick' : 'restart',
          }
        : {}),
      ...(given.split ? { nodes: { selector: half } } : {}),
      ...(name === 'to-1-36' ? given.saving.upgrade : {}),
      windowNames: given.windows.map((window) => window.name),
      rollout: {
        maxUnavailable: given.maxUnavailable,
        failureThreshold: chance.pick([1, 3, 10]),
        foreign: chance.pick(['Count', 'Count', 'Ignore']),
        ...given.odds.rollout,
      },
      historyLimit: chance.pick([0, 1, 10]),
    },
    name,
  );
}

function drawRates(chance: Dice): Rates {
  const some = (most: number) => (chance.chance(0.5) ? chance.roll() * most : 0);
  return {
    crashBefore: some(0.01),
    crashAfter: some(0.01),
    lostRequest: some(0.03),
    lostAnswer: some(0.03),
    late: some(0.02),
    refused: some(0.05),
    watchBreaks: some(0.5),
    watchLagMs: chance.pick([0, 0, 500, 5_000, 30_000]),
  };
}

type Of = {
  readonly controlPlanes: number;
  readonly workers: number;
  readonly apps: readonly App[];
  readonly names: readonly string[];
  readonly replicas: number;
  readonly faultsMs: number;
};

function drawHappenings(chance: Dice, of: Of): Scenario['happenings'] {
  if (of.faultsMs === 0) return [];
  const count = chance.between(0, 8);
  const drawn = Array.from({ length: count }, () => drawHappening(chance, of)).flat();
  return drawn.sort((a, b) => a.atMs - b.atMs);
}

function drawHappening(chance: Dice, of: Of): Scenario['happenings'] {
  const atMs = chance.between(0, of.faultsMs);
  const laterMs = Math.min(of.faultsMs, atMs + chance.between(1_000, 10 * MINUTE));
  const node = `worker-${chance.between(1, of.workers)}`;
  const upgrade = chance.pick(of.names);
  const process = chance.between(0, of.replicas - 1);
  const pair = (first: Happening, then: Happening) => [
    { atMs, what: first },
    { atMs: laterMs, what: then },
  ];
  const one = (what: Happening) => [{ atMs, what }];
  switch (chance.between(0, 12)) {
    case 0:
      return pair({ do: 'cordon', node }, { do: 'uncordon', node });
    case 1:
      return one({ do: 'uncordon', node });
    case 2:
      return pair({ do: 'pause', upgrade }, { do: 'unpause', upgrade });
    case 3:
      return pair({ do: 'hold', node, name: `hold-${atMs}` }, { do: 'unhold', node, name: `hold-${atMs}` });
    case 4:
      return pair({ do: 'powerOff', node }, { do: 'powerOn', node });
    case 5:
      return one({ do: 'reboot', node });
    case 6:
      return pair({ do: 'pauseProcess', process }, { do: 'resumeProcess', process });
    case 7:
      return one({ do: 'killProcess', process });
    case 8:
      return pair({ do: 'down' }, { do: 'up' });
    case 9:
      return one(chance.chance(0.5) ? { do: 'addNode', node: `new-${atMs}` } : { do: 'deleteNode', node });
    case 10:
      return one({ do: 'deleteJobs', node });
    case 11:
      if (of.apps.length === 0) return one({ do: 'retry', upgrade });
      return pair(
        { do: 'budget', app: chance.pick(of.apps).name, spec: { maxUnavailable: 0 } },
        { do: 'retry', upgrade },
      );
    default:
      return pair({ do: 'snapshot' }, { do: 'restore', bump: chance.chance(0.5) });
  }
}
