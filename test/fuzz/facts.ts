import fc from 'fast-check';
import type { Ticket } from '../../src/api/maintenance-policy.ts';
import { type NodeState, nodeMaintenance, type Plan } from '../../src/api/node-maintenance.ts';
import { PHASES } from '../../src/api/phases.ts';
import type { Outcome, Remembered } from '../../src/core/decision.ts';
import { assess } from '../../src/core/drain.ts';
import type { Ledger } from '../../src/core/ledger.ts';
import { HELD_BY, HOLD, LEFT_CORDONED, writeMark } from '../../src/core/mark.ts';
import { PASSAGE_FINALIZER } from '../../src/core/node-pending.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import type { JobView, NodeView, PodView } from '../../src/core/world.ts';
import {
  ago,
  budget,
  COMPLETE,
  drainFacts,
  FAILED,
  job,
  mark,
  NOW,
  node,
  PASSAGE,
  pod,
  refused,
} from '../support/build.ts';
import { facts, HOLD_SPEC, holdPlan, ledger, PASSAGE_SPEC, plan, ticket } from '../support/build-own.ts';

const seconds = fc.constantFrom(-100_000, -60, 0, 1, 30, 60, 299, 300, 601, 3601, 90_000);
const instant = seconds.map(ago);
const word = fc.oneof(
  fc.constantFrom('', 'uid-job-1', 'boot-1', 'machine-worker-1', 'uid-worker-1'),
  fc.string({ maxLength: 64 }),
);

/** Any state that the schema lets a NodeMaintenance be in, clocks that run ahead among them. */
export const anyState: fc.Arbitrary<NodeState> = fc
  .record({
    phase: fc.constantFrom(...PHASES),
    since: instant,
    attempt: fc.constantFrom(1, 2, 3, 99, 100),
    jobUID: word,
    bootIDBefore: word,
    machineID: word,
    from: fc.constantFrom('Upgrading', 'Rebooting', 'Verifying'),
    verdict: fc.constantFrom('Succeeded', 'Skipped', 'Cancelled', 'Failed'),
    reason: fc.string({ maxLength: 63 }),
    message: fc.string({ maxLength: 1024 }),
  })
  .map((state) => nodeMaintenance.status.parse({ state }).state);

const drainings = fc.record(
  {
    mode: fc.constantFrom('Drain' as const, 'Cordon' as const, 'Leave' as const),
    deadlineSeconds: fc.constantFrom(60, 3600),
  },
  { requiredKeys: [] },
);
const works = fc.record(
  {
    attempts: fc.constantFrom(1, 2, 10),
    reboot: fc.constantFrom('Never' as const, 'Allowed' as const, 'Expected' as const),
    prePull: fc.boolean(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Partial<NonNullable<Plan['work']>>>;
/** Any plan that may be frozen, or none. */
export const anyPlan: fc.Arbitrary<Plan | undefined> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        works,
        drainings,
        fc.constantFrom('worker' as const, 'controlPlane' as const, 'firstControlPlane' as const),
        fc.constantFrom(undefined, 'v1.36.4', 'garbled'),
      )
      .map(([work, draining, role, version]) => {
        const { version: _, ...rest } = plan({ role }, work, draining as Partial<Plan['drain']>);
        return version === undefined ? rest : { ...rest, version };
      }),
  },
  drainings.map((draining) => holdPlan(draining as Partial<Plan['drain']>)),
  fc.constant(undefined),
);

const marks = fc.oneof(
  fc.constantFrom('', '{}', 'garbled'),
  fc.constantFrom('uid-passage', 'uid-other').map((uid) => writeMark(mark(uid))),
);
const anyNode: fc.Arbitrary<NodeView> = fc
  .record({
    uid: fc.constantFrom('uid-worker-1', 'uid-new'),
    unschedulable: fc.boolean(),
    ready: fc.boolean(),
    readySince: seconds.map((ago) => NOW - ago * 1000),
    bootID: word,
    machineID: word,
    kubeletVersion: fc.constantFrom('', 'v1.35.7', 'v1.36.4', 'garbled'),
    controlPlane: fc.boolean(),
    deleting: fc.boolean(),
    annotations: fc.record({ [HELD_BY]: marks, [LEFT_CORDONED]: marks, [HOLD]: fc.constant('') }, { requiredKeys: [] }),
    taints: fc.subarray([
      { key: 'node.kubernetes.io/unreachable', value: '', effect: 'NoExecute' },
      { key: 'a/b', value: '', effect: 'NoSchedule' },
    ]),
  })
  .map((over) => node('worker-1', over as Partial<NodeView>));

const jobs: fc.Arbitrary<readonly JobView[]> = fc.uniqueArray(
  fc
    .record({
      attempt: fc.constantFrom<number | 'prepare'>(1, 2, 3, 'prepare'),
      uid: word,
      suspended: fc.boolean(),
      released: fc.boolean(),
      started: fc.boolean(),
      deleting: fc.boolean(),
      createdAt: seconds.map((ago) => NOW - ago * 1000),
      finished: fc.constantFrom(undefined, COMPLETE, FAILED),
      mine: fc.boolean(),
    })
    .map(({ attempt, finished, mine, ...over }) => {
      const made = job({ ...over, ...(finished === undefined ? {} : { finished }) }, attempt);
      return mine ? made : { ...made, labels: { ...made.labels, 'drydock.dev/passage': 'uid-other' } };
    }),
  { selector: ({ name }) => name, maxLength: 4 },
);
const pods: fc.Arbitrary<readonly PodView[]> = fc.uniqueArray(
  fc
    .record(
      {
        name: fc.constantFrom('web-1', 'web-2', 'db-1'),
        ready: fc.boolean(),
        phase: fc.constantFrom('Pending', 'Running', 'Succeeded', ''),
        deletedAt: fc.constantFrom(NOW - 90_000, NOW + 1000),
        mirror: fc.boolean(),
        emptyDir: fc.boolean(),
        namespace: fc.constantFrom('shop', 'drydock-jobs', 'kube-system'),
        componentVersion: fc.constantFrom('v1.35.7', 'v1.36.4', 'x'),
        ended: fc.record({ exitCode: fc.integer(), message: fc.string() }),
        waiting: fc.constant({ reason: 'ImagePullBackOff', message: 'no' }),
        labels: fc.constantFrom<Readonly<Record<string, string>>>(
          { app: 'web' },
          { component: 'kube-apiserver' },
          { 'job-name': `${PASSAGE}-1` },
        ),
      },
      { requiredKeys: ['name'] },
    )
    .map(({ name, ...over }) => pod(name, over as Partial<PodView>)),
  { selector: ({ name }) => name, maxLength: 3 },
);

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ ok: true }),
  fc
    .record({
      why: fc.constantFrom('gone' as const, 'conflict', 'blocked', 'refused', 'unavailable'),
      cause: fc.constantFrom(
        'DisruptionBudget' as const,
        'BudgetNotObserved',
        'TooManyBudgets',
        'NamespaceTerminating',
        'Exists',
        'Other',
      ),
      code: fc.constantFrom(0, 403, 404, 409, 429, 500),
    })
    .map((over) => refused(over)),
);
/** What was answered before, whatever was asked: half of all effects have been tried, each with some outcome. */
export const anyMemory: fc.Arbitrary<(key: string) => Remembered | undefined> = fc
  .array(fc.tuple(outcome, seconds), { maxLength: 6 })
  .map((all) => (key: string) => {
    const [found, ago] = all[key.length % 12] ?? [];
    return found === undefined || ago === undefined ? undefined : { outcome: found, at: NOW - ago * 1000 };
  });

const tickets: fc.Arbitrary<readonly Ticket[]> = fc.oneof(
  fc.constantFrom<readonly Ticket[]>(
    [],
    [ticket()],
    [ticket({ passageUID: 'uid-passage' })],
    [ticket({ passageUID: 'uid-other' })],
    [ticket({ ticket: 'another', nodeUID: 'uid-new' })],
    [ticket({ nodeName: 'cp-1', controlPlane: true, ticket: 'cp' })],
  ),
);
const anyLedger = fc.oneof(
  { weight: 5, arbitrary: tickets.map((all) => ledger(all)) },
  fc.constant(undefined),
  fc.constant<Ledger>({ ...ledger(), status: { conditions: [], tickets: [], nextTicket: 1 } }),
  fc.constant(ledger([], { deletedAt: NOW })),
);

/** Anything that can be seen of a passage, in any combination, likely or not. */
export const anyFacts: fc.Arbitrary<NodeFacts> = fc
  .record({
    hold: fc.boolean(),
    finalizers: fc.subarray([PASSAGE_FINALIZER, 'foreground']),
    released: fc.boolean(),
    deleting: fc.boolean(),
    owners: fc.subarray(['uid-upgrade']),
    node: fc.option(anyNode, { freq: 6, nil: undefined }),
    stranger: fc.option(anyNode, { freq: 1, nil: undefined }),
    ledger: anyLedger,
    jobs,
    jobPods: pods,
    pods,
    attached: fc.subarray(['pv-1', 'pv-2']),
    allowed: fc.constantFrom(0, 1),
    recall: anyMemory,
    more: fc.record(
      {
        planProblem: fc.constant({ reason: 'ProfileNotFound', name: 'p' } as const),
        closing: fc.constant({ reason: 'WindowClosed' } as const),
        closesAt: seconds.map((ago) => NOW - ago * 1000),
        abandoned: fc.constantFrom(
          { reason: 'PassageDeleted' } as const,
          { reason: 'UpgradeDeleted', upgrade: 'u' } as const,
        ),
        busyJob: fc.constant('busy'),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ hold, finalizers, released, deleting, owners, more, allowed, ...seen }) => {
    const on = { node: seen.node ?? node(), recall: seen.recall };
    const budgets = [budget('web', { disruptionsAllowed: allowed })];
    const drain = assess(plan().drain, drainFacts(seen.pods, { ...on, budgets, ownNamespace: 'drydock' }));
    const base = facts().passage;
    const passage = {
      ...base,
      finalizers,
      released,
      deleting,
      ownerUIDs: owners,
      spec: hold ? HOLD_SPEC : PASSAGE_SPEC,
    };
    return facts({ ...seen, ...more, passage, drain: seen.node === undefined ? undefined : drain });
  });
