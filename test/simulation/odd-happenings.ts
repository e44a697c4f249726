import { type Dice, dice } from '../../src/simulation/dice.ts';
import { crew } from './odd-apps.ts';
import type { Daily } from './scenario.ts';

type Spec = Readonly<Record<string, unknown>>;

/** What people do besides what every scene may have. */
export type OddHappening =
  | { readonly do: 'annotate'; readonly node: string; readonly annotations: Readonly<Record<string, string | null>> }
  | { readonly do: 'release'; readonly node: string }
  | { readonly do: 'profile' | 'upgrade' | 'policy'; readonly of: string; readonly spec: Spec }
  | { readonly do: 'window'; readonly daily: Daily; readonly onClose: string }
  | { readonly do: 'deleteNamespace'; readonly namespace: string }
  | { readonly do: 'finalize' }
  | { readonly do: 'make'; readonly objects: readonly unknown[] }
  | { readonly do: 'holdBy'; readonly node: string; readonly name: string; readonly profileName?: string }
  | { readonly do: 'unholdBy'; readonly name: string };

export type Timed = { readonly atMs: number; readonly what: OddHappening };

type Of = {
  readonly seed: number;
  readonly workers: number;
  readonly faultsMs: number;
  readonly upgrades: readonly string[];
  readonly windows: readonly string[];
  /** The mode of the upgrade of the operating system, where there is such an upgrade. */
  readonly mode: 'Drain' | 'Cordon' | 'Leave' | undefined;
  readonly hasAttic: boolean;
  readonly hasCrew: boolean;
  readonly loses: boolean;
};

/** Each kind with dice of its own: whether it comes, when, and to whom. */
export function drawOddHappenings(of: Of): readonly Timed[] {
  const { seed, faultsMs } = of;
  if (faultsMs === 0) return [];
  return Object.entries(KINDS).flatMap(([name, { rate, draw }]) => {
    const chance = dice(seed).fork(`odd ${name}`);
    if (!chance.chance(rate)) return [];
    const atMs = chance.between(0, faultsMs);
    const laterMs = chance.between(atMs, faultsMs);
    const times = { atMs, laterMs, node: `worker-${chance.between(1, of.workers)}` };
    return draw(chance, { ...of, ...times });
  });
}

type Drawn = Of & { readonly atMs: number; readonly laterMs: number; readonly node: string };
type Kind = { readonly rate: number; readonly draw: (chance: Dice, of: Drawn) => readonly Timed[] };

const HOLD = 'drydock.dev/hold';
const NOT_READY = 'drydock.dev/take-not-ready';

/** A window of the scene opens at other times from then on. */
function otherTimes(chance: Dice, name: string): OddHappening {
  const atMinutes = chance.pick([[0, 720], [725, 760], [60], [720, 900, 1080, 1260, 0, 180, 360, 540]]);
  const daily = { name, atMinutes, minutes: chance.pick([20, 60]) };
  return { do: 'window', daily, onClose: chance.pick(['TurnBack', 'Finish']) };
}

const KINDS: Readonly<Record<string, Kind>> = {
  holdAnnotation: {
    rate: 0.1,
    draw: (_, { atMs, laterMs, node }) => [
      { atMs, what: { do: 'annotate', node, annotations: { [HOLD]: 'yes' } } },
      { atMs: laterMs, what: { do: 'annotate', node, annotations: { [HOLD]: null } } },
    ],
  },
  takeNotReady: {
    rate: 0.04,
    draw: (_, { atMs, node }) => [{ atMs, what: { do: 'annotate', node, annotations: { [NOT_READY]: 'yes' } } }],
  },
  release: {
    rate: 1,
    draw: (chance, { faultsMs, workers, loses }) =>
      !loses
        ? []
        : Array.from({ length: workers }, (_, at) => ({
            atMs: chance.between(faultsMs / 2, faultsMs),
            what: { do: 'release', node: `worker-${at + 1}` },
          })),
  },
  holdBefore: {
    rate: 0.06,
    draw: (chance, { laterMs, node }) => [
      { atMs: 0, what: { do: 'holdBy', node, name: 'early', ...(chance.chance(0.5) ? { profileName: 'quick' } : {}) } },
      { atMs: laterMs, what: { do: 'unholdBy', name: 'early' } },
    ],
  },
  twoHolds: {
    rate: 0.06,
    draw: (chance, { atMs, laterMs, node, faultsMs }) => [
      { atMs, what: { do: 'holdBy', node, name: 'one' } },
      { atMs: chance.between(atMs, laterMs), what: { do: 'holdBy', node, name: 'other', profileName: 'quick' } },
      { atMs: laterMs, what: { do: 'unholdBy', name: chance.pick(['one', 'other']) } },
      { atMs: faultsMs, what: { do: 'unholdBy', name: 'one' } },
    ],
  },
  profile: {
    rate: 0.1,
    draw: (chance, { atMs }) => {
      const spec = chance.pick([
        { drain: { deadlineSeconds: 60, onDeadline: 'Fail' } },
        { drain: { unmanaged: 'Evict', emptyDir: 'Block' } },
        { drain: { rules: [{ podSelector: { matchLabels: { app: 'app-0' } }, behavior: 'Skip' }] } },
        { readySeconds: 5, attempts: 2 },
        { drain: { loadBalancer: { exclude: true, waitSeconds: 5 } } },
      ]);
      return [{ atMs, what: { do: 'profile', of: 'quick', spec } }];
    },
  },
  otherMode: {
    rate: 0.5,
    draw: (chance, { atMs, mode }) => {
      if (mode === undefined || mode === 'Drain') return [];
      const spec = { drain: { mode: chance.pick(['Drain', 'Cordon']) } };
      return [{ atMs, what: { do: 'profile', of: 'restart', spec } }];
    },
  },
  window: {
    rate: 0.3,
    draw: (chance, { atMs, windows: [name] }) => (name === undefined ? [] : [{ atMs, what: otherTimes(chance, name) }]),
  },
  upgrade: {
    rate: 0.12,
    draw: (chance, { atMs, upgrades }) => {
      const spec = chance.pick([
        { rollout: { steer: false } },
        { rollout: { maxUnavailable: 1 } },
        { rollout: { maxUnavailable: '50%' } },
        { rollout: { foreign: 'Ignore' } },
        { historyLimit: 0 },
      ]);
      return [{ atMs, what: { do: 'upgrade', of: chance.pick(upgrades), spec } }];
    },
  },
  retarget: {
    rate: 0.3,
    draw: (_, { atMs, upgrades }) =>
      upgrades.includes('os')
        ? [{ atMs, what: { do: 'upgrade', of: 'os', spec: { target: { revision: 'os-12', maxAgeDays: null } } } }]
        : [],
  },
  policyPaused: {
    rate: 0.06,
    draw: (_, { atMs, laterMs }) => [
      { atMs, what: { do: 'policy', of: 'cluster', spec: { paused: true } } },
      { atMs: laterMs, what: { do: 'policy', of: 'cluster', spec: { paused: false } } },
    ],
  },
  deleteAttic: {
    rate: 0.7,
    draw: (_, { atMs, hasAttic }) => (hasAttic ? [{ atMs, what: { do: 'deleteNamespace', namespace: 'attic' } }] : []),
  },
  crew: {
    rate: 1,
    draw: (_, { atMs, hasCrew, workers }) =>
      hasCrew ? [{ atMs, what: { do: 'make', objects: crew(workers * 2) } }] : [],
  },
  finalize: { rate: 0.3, draw: (_, { atMs }) => [{ atMs, what: { do: 'finalize' } }] },
};
