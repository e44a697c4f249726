import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Blocker } from '../../src/api/blocker.ts';
import { clusterUpgrade } from '../../src/api/cluster-upgrade.ts';
import type { Ticket } from '../../src/api/maintenance-policy.ts';
import { maintenancePolicy } from '../../src/api/maintenance-policy.ts';
import { requestOf } from '../../src/cluster/effects.ts';
import type { Effect } from '../../src/core/effect.ts';
import { passageName } from '../../src/core/name.ts';
import { decidePolicy } from '../../src/core/policy.ts';
import { NOTHING_AHEAD } from '../../src/core/preflight.ts';
import { decideRollout } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { targetOf } from '../../src/core/target.ts';
import { blocker } from '../core/reporting.ts';
import { ago, NOW, node, UPGRADE_UID } from '../support/build.ts';
import { ledger, PASSAGE_SPEC, passage, profile, ticket, upgrade, windowObject } from '../support/build-own.ts';
import { anyMemory, anyState } from './facts.ts';
import { planted, runs } from './runs.ts';

const VERSIONS = ['', 'garbled', 'v1.34.1', 'v1.35.7', 'v1.36.4', 'v1.37.0-rc.0'];
const NAMES = ['cp-1', 'cp-2', 'a', 'b', 'c'];
/** How upgrades run; most of them do. */
const MODES = ['Run', 'Run', 'Run', 'Paused', 'Plan'];
const seldom = fc.integer({ min: 0, max: 5 }).map((dice) => dice === 5);
const seconds = fc.constantFrom(-86_400, -60, 0, 60, 86_400).map(ago);
const target = fc.constantFrom<unknown>(
  { kubernetesVersion: 'v1.36.4' },
  { kubernetesVersion: 'v1.37.0' },
  { revision: 'os' },
  { maxAgeDays: 7 },
);

/** For each node whether it has a ticket, whose, and how far the passage of it is. */
const eachNode = fc.record({
  kubeletVersion: fc.constantFrom(...VERSIONS),
  unschedulable: fc.boolean(),
  ready: fc.boolean(),
  there: fc.integer({ min: 0, max: 5 }).map((dice) => dice > 0),
  ticket: fc.constantFrom('none', 'none', 'none', 'none', 'new', 'stamped', 'foreign'),
  child: seldom,
  state: anyState,
});
const world = fc.record({
  target,
  each: fc.tuple(eachNode, eachNode, eachNode, eachNode, eachNode),
  mode: fc.constantFrom(...MODES),
  more: fc.record(
    { rollout: fc.record({ maxUnavailable: fc.constantFrom<unknown>(1, 3, '50%') }, { requiredKeys: [] }) },
    { requiredKeys: [] },
  ),
  override: fc.boolean(),
  window: fc.constantFrom('none', 'none', 'open', 'open', 'shut', 'missing', 'garbled'),
  ledger: fc.constantFrom('there', 'there', 'there', 'none', 'new', 'going'),
  deleting: seldom,
  profile: fc.integer({ min: 0, max: 5 }).map((dice) => dice > 0),
  server: fc.constantFrom(undefined, 'v1.36.4', 'v1.36.4', 'v1.36.4', ...VERSIONS),
  setAside: fc.array(fc.tuple(fc.constantFrom(...NAMES), seconds), { maxLength: 2 }),
  hindered: fc.subarray(NAMES),
  recall: anyMemory,
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const IN_THE_WAY: Blocker = { ...blocker, nodeName: 'a' };

/** The same objects for all tries: what is read from them is remembered by them. */
const WINDOWS: Readonly<Record<string, RolloutFacts['windows']>> = {
  none: [],
  missing: [{ name: 'w', object: undefined }],
  open: [opened('0 * * * *')],
  shut: [opened('0 0 31 2 *')],
  garbled: [opened('x')],
};

function opened(schedule: string) {
  return { name: 'w', object: windowObject('w', { openings: [{ schedule, durationMinutes: 60 }] }) };
}

function factsOf(seen: World): RolloutFacts {
  const spec = clusterUpgrade.spec.safeParse({ ...upgrade().spec, ...seen.more, mode: seen.mode, target: seen.target });
  const tickets = seen.each.flatMap(({ ticket: has }, index): Ticket[] => {
    const nodeName = NAMES[index] ?? '';
    if (has === 'none' || (nodeName === 'cp-2' && seen.each[0].ticket !== 'none')) return [];
    const holder = {
      kind: 'ClusterUpgrade' as const,
      name: 'to-1-36',
      uid: has === 'foreign' ? 'uid-else' : UPGRADE_UID,
    };
    const stamped = has === 'stamped' ? { passageUID: `uid-p-${nodeName}` } : {};
    const controlPlane = nodeName.startsWith('cp');
    return [
      ticket({ nodeName, nodeUID: `uid-${nodeName}`, ticket: `t-${nodeName}`, holder, controlPlane, ...stamped }),
    ];
  });
  const passages = seen.each.flatMap(({ child, state }, index) => {
    const nodeName = NAMES[index] ?? '';
    const name = passageName(nodeName, UPGRADE_UID, `uid-${nodeName}`, `t-${nodeName}`);
    const spec = { ...PASSAGE_SPEC, nodeName, nodeUID: `uid-${nodeName}`, ticket: `t-${nodeName}` };
    return child ? [passage(state, { name, uid: `uid-p-${nodeName}`, spec })] : [];
  });
  const kept = {
    there: ledger(tickets),
    none: undefined,
    new: { ...ledger(), status: maintenancePolicy.status.parse({}) },
    going: ledger(tickets, { deletedAt: NOW }),
  }[seen.ledger as 'there' | 'none' | 'new' | 'going'];
  const setAside = seen.setAside.map(([nodeName, notBefore]) => ({
    nodeName,
    notBefore,
    reason: 'Why',
    message: '',
    times: 1,
    since: ago(600),
  }));
  const base = upgrade({}, seen.deleting ? { deletedAt: NOW } : {});
  // Most looks are at an upgrade whose target was written down before.
  const { text } = targetOf(base.name, spec.data ?? base.spec);
  const status = clusterUpgrade.status.safeParse({ ...base.status, target: text, setAside });
  return {
    now: NOW,
    upgrade: {
      ...base,
      spec: {
        ...(spec.data ?? base.spec),
        ...(seen.override ? { overrideWindows: { until: ago(-600), reason: 'urgent' } } : {}),
      },
      status: status.data ?? base.status,
    },
    ledger: kept,
    profile: seen.profile ? profile() : undefined,
    snapshotProfile: undefined,
    windows: WINDOWS[seen.window] ?? [],
    nodes: seen.each.flatMap(({ there, kubeletVersion, unschedulable, ready }, index) => {
      const name = NAMES[index] ?? '';
      return there ? [node(name, { kubeletVersion, unschedulable, ready, controlPlane: name.startsWith('cp') })] : [];
    }),
    passages,
    controlPlane: { server: seen.server, components: [] },
    recall: seen.recall,
    lookAhead: () => NOTHING_AHEAD,
    hindered: (name) => (seen.hindered.includes(name) ? [IN_THE_WAY] : []),
  };
}

/** What may be asked for is in the table, and a ledger that is written has no node twice and one control plane. */
function fine(effects: readonly Effect[]): void {
  for (const effect of effects) {
    expect(requestOf(effect, { jobsNamespace: 'drydock-jobs' }).sent.path).toMatch(/^\/api/);
    if (effect.kind !== 'writeLedger') continue;
    const { tickets } = effect.status;
    expect(maintenancePolicy.status.safeParse(effect.status).error?.issues ?? []).toEqual([]);
    expect(new Set(tickets.map(({ nodeName }) => nodeName)).size).toBe(tickets.length);
    expect(tickets.filter(({ controlPlane }) => controlPlane).length).toBeLessThanOrEqual(1);
  }
}

function property(of: typeof decideRollout) {
  return fc.property(world, (seen) => {
    const facts = factsOf(seen);
    const decision = of(facts);
    expect(of(facts)).toEqual(decision);
    if (decision.kind === 'act') fine(decision.effects);
    if (decision.kind === 'move') expect(clusterUpgrade.status.safeParse(decision.to).error?.issues ?? []).toEqual([]);
    if (decision.kind === 'act' || decision.kind === 'wait') {
      expect(Number.isFinite(decision.recheckAfterSeconds) && decision.recheckAfterSeconds > 0).toBe(true);
    }
    const { ledger, now, nodes, passages } = facts;
    const kept = decidePolicy({ ledger, now, nodes, passages, jobs: [], busy: seen.deleting });
    if (kept.kind === 'act') fine(kept.effects);
  });
}

describe('a decision about an upgrade and about the ledger, whatever is seen', () => {
  test('is total, can be stored, and never lets two control planes or one node twice into the ledger', () => {
    fc.assert(property(decideRollout), runs(800));
  });

  test('planted bug: who is admitted is written down twice', () => {
    const twice: typeof decideRollout = (facts) => {
      const decision = decideRollout(facts);
      if (decision.kind !== 'act') return decision;
      const [first, ...rest] = decision.effects;
      if (first.kind !== 'writeLedger' || first.as !== 'admit') return decision;
      const tickets = [...first.status.tickets, ...first.status.tickets];
      return { ...decision, effects: [{ ...first, status: { ...first.status, tickets } }, ...rest] };
    };
    expect(fc.check(property(twice), planted(1500)).failed).toBe(true);
  });
});
