import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Blocker } from '../../src/api/blocker.ts';
import type { Condition } from '../../src/api/field.ts';
import type { Because, Missing } from '../../src/core/because.ts';
import { conditions, iso, sentence, unless } from '../../src/core/conditions.ts';
import { advice, type Hindrance, hindranceSentence } from '../../src/core/hindrance.ts';
import { ago, NOW } from '../support/build.ts';

const blockers: readonly Blocker[] = [
  {
    nodeName: 'worker-1',
    pod: 'shop/web-1',
    owner: 'ReplicaSet/web',
    budgets: ['shop/web'],
    reason: 'BudgetExhausted',
    message: 'Not now.',
    since: ago(9),
    selfClearing: true,
    advice: 'Wait.',
  },
];
const failures = [{ nodeName: 'worker-1', reason: 'exit code 1' }];
const nodes = ['worker-1', 'worker-2'];
const job = { job: 'worker-1-aa-1', detail: '' };

/** One of each: a reason that is added and not written down here does not compile. */
const EVERY: { readonly [R in Because['reason']]: Because & { readonly reason: R } } = {
  WindowClosed: { reason: 'WindowClosed', opensAt: NOW },
  Frozen: { reason: 'Frozen', freeze: 'year-end', until: NOW },
  WindowPaused: { reason: 'WindowPaused', window: 'nights' },
  PolicyPaused: { reason: 'PolicyPaused' },
  UpgradePaused: { reason: 'UpgradePaused' },
  ProfileNotFound: { reason: 'ProfileNotFound', name: 'kubeadm-apt' },
  WindowNotFound: { reason: 'WindowNotFound', name: 'nights' },
  InvalidProfile: { reason: 'InvalidProfile', name: 'x', problem: 'spec.image: bad.' },
  InvalidWindow: { reason: 'InvalidWindow', name: 'x', problem: 'spec.openings: bad.' },
  InvalidPolicy: { reason: 'InvalidPolicy', name: 'cluster', problem: 'bad.' },
  InvalidTimeZone: { reason: 'InvalidTimeZone', zone: 'Mars/Base' },
  InvalidSchedule: { reason: 'InvalidSchedule', schedule: 'soon', problem: 'five parts' },
  MissingHop: { reason: 'MissingHop', from: 'v1.34.1', to: 'v1.36.4', next: 'v1.35' },
  SkewTooWide: { reason: 'SkewTooWide', node: 'worker-1', kubelet: 'v1.32.0', to: 'v1.36.4' },
  SnapshotDrains: { reason: 'SnapshotDrains', name: 'etcd-snapshot', mode: 'Drain' },
  SavingEtcd: { reason: 'SavingEtcd', node: 'cp-1' },
  CordonForMinor: { reason: 'CordonForMinor', node: 'worker-1', from: 'v1.35.7', to: 'v1.36.4' },
  Unreadable: { reason: 'Unreadable', problem: 'spec: bad' },
  Succeeded: { reason: 'Succeeded' },
  PreflightFailed: { reason: 'PreflightFailed', blockers },
  BlockersAhead: { reason: 'BlockersAhead', blockers },
  PreflightUnderWay: { reason: 'PreflightUnderWay', looked: 3, of: 9, unknown: 2 },
  LookingAhead: { reason: 'LookingAhead', pods: 2 },
  PassageDeleted: { reason: 'PassageDeleted' },
  UpgradeDeleted: { reason: 'UpgradeDeleted', upgrade: 'to-1-36' },
  TargetChanged: { reason: 'TargetChanged', from: 'v1.35.7', to: 'v1.36.4' },
  NoTicket: { reason: 'NoTicket', detail: 'owner' },
  NodeGone: { reason: 'NodeGone', node: 'worker-1' },
  PrepareFailed: { reason: 'PrepareFailed', detail: 'etcd has an alarm.' },
  PrepareDeadline: { reason: 'PrepareDeadline', seconds: 600, detail: 'ImagePullBackOff.' },
  CordonDeadline: { reason: 'CordonDeadline', detail: 'webhook.' },
  DrainDeadline: { reason: 'DrainDeadline', seconds: 3600, blockers },
  JobRefused: { reason: 'JobRefused', detail: 'quota.' },
  JobFailed: { reason: 'JobFailed', attempt: 1, exitCode: 17, detail: 'disk full.' },
  JobGone: { reason: 'JobGone', job: 'x' },
  Orphaned: { reason: 'Orphaned', job: 'x' },
  RebootedDuringJob: { reason: 'RebootedDuringJob', attempt: 1 },
  RebootMissing: { reason: 'RebootMissing', seconds: 900 },
  UnexpectedReboot: { reason: 'UnexpectedReboot' },
  MachineReplaced: { reason: 'MachineReplaced', node: 'worker-1' },
  Released: { reason: 'Released', node: 'worker-1' },
  VerifyDeadline: { reason: 'VerifyDeadline', seconds: 600, missing: { what: 'Ready' } },
  Stamping: { reason: 'Stamping' },
  Stamped: { reason: 'Stamped' },
  Cordoning: { reason: 'Cordoning' },
  Cordoned: { reason: 'Cordoned' },
  Uncordoning: { reason: 'Uncordoning' },
  Uncordoned: { reason: 'Uncordoned' },
  Quarantining: { reason: 'Quarantining' },
  LeftCordoned: { reason: 'LeftCordoned' },
  NodeNotFound: { reason: 'NodeNotFound', node: 'worker-1' },
  NodeBusy: { reason: 'NodeBusy', node: 'worker-1', holder: 'NodeMaintenance fan' },
  ControlPlaneBusy: { reason: 'ControlPlaneBusy', node: 'cp-1' },
  LedgerAbsent: { reason: 'LedgerAbsent' },
  Preparing: { reason: 'Preparing', detail: '' },
  Prepared: { reason: 'Prepared' },
  WaitingForLoadBalancer: { reason: 'WaitingForLoadBalancer', until: NOW },
  Evicting: { reason: 'Evicting', pods: 1, nowhere: false },
  DrainOverdue: { reason: 'DrainOverdue', seconds: 3600, blockers },
  DrainsBlockEachOther: { reason: 'DrainsBlockEachOther', other: 'worker-2', seconds: 600 },
  WaitingForPods: { reason: 'WaitingForPods', pods: 2 },
  Blocked: { reason: 'Blocked', blockers },
  Drained: { reason: 'Drained' },
  WaitingForVolumes: { reason: 'WaitingForVolumes', volumes: ['pv-1'] },
  VolumesLeft: { reason: 'VolumesLeft', volumes: ['pv-1'] },
  Detached: { reason: 'Detached' },
  Held: { reason: 'Held', pods: 'stay' },
  CordonLost: { reason: 'CordonLost', node: 'worker-1' },
  PodWillBeDeleted: { reason: 'PodWillBeDeleted', at: NOW },
  PodsWillBeDeleted: { reason: 'PodsWillBeDeleted', since: NOW, pods: 7, names: ['shop/web-1'], deleted: 1, at: NOW },
  CreatingJob: { reason: 'CreatingJob', ...job },
  ReleasingJob: { reason: 'ReleasingJob', ...job },
  WaitingForEarlierJob: { reason: 'WaitingForEarlierJob', ...job },
  JobCreated: { reason: 'JobCreated', job: 'x' },
  JobComplete: { reason: 'JobComplete', job: 'x' },
  JobCannotRun: { reason: 'JobCannotRun', job: 'x', detail: 'Unschedulable: Too many pods.' },
  JobSuspended: { reason: 'JobSuspended', job: 'x', node: 'worker-1' },
  JobRunning: { reason: 'JobRunning', ...job },
  WaitingForReboot: { reason: 'WaitingForReboot', deadline: NOW },
  Rebooted: { reason: 'Rebooted' },
  NotRebooted: { reason: 'NotRebooted' },
  NodeLost: { reason: 'NodeLost', node: 'worker-1', from: 'Upgrading' },
  NodeBack: { reason: 'NodeBack' },
  Verifying: { reason: 'Verifying', missing: { what: 'Ready' } },
  Verified: { reason: 'Verified' },
  CleaningUp: { reason: 'CleaningUp' },
  Refused: { reason: 'Refused', detail: 'no.' },
  Remembered: { reason: 'Remembered' },
  Reported: { reason: 'Reported' },
  Finishing: { reason: 'Finishing' },
  LedgerFull: { reason: 'LedgerFull' },
  LedgerClosing: { reason: 'LedgerClosing' },
  LedgerRebuilt: { reason: 'LedgerRebuilt' },
  PolicyReady: { reason: 'PolicyReady' },
  Steering: { reason: 'Steering', nodes: ['worker-2'] },
  HandingBack: { reason: 'HandingBack', nodes },
  Sending: { reason: 'Sending', nodes },
  Admitting: { reason: 'Admitting', nodes },
  Removing: { reason: 'Removing', nodes },
  Forgetting: { reason: 'Forgetting', passages: 3 },
  Complete: { reason: 'Complete', nodes: 3 },
  CompleteWithNewcomers: { reason: 'CompleteWithNewcomers', nodes: 2 },
  Rolling: { reason: 'Rolling', inFlight: 1, waiting: 2, held: 'No room.' },
  OnlyFailedLeft: { reason: 'OnlyFailedLeft', failures, waiting: 2 },
  RolloutBlocked: { reason: 'RolloutBlocked', blockers },
  StillInTheWay: { reason: 'StillInTheWay', blockers },
  Halted: { reason: 'Halted', failures, threshold: 1 },
  NoRoom: { reason: 'NoRoom', out: 1, limit: 1, foreign: ['worker-9'], left: ['worker-9'], of: 'cluster' },
  WaitingForControlPlane: { reason: 'WaitingForControlPlane', nodes },
  ControlPlaneTicket: { reason: 'ControlPlaneTicket', node: 'cp-1', failed: true },
  VersionsDisagree: { reason: 'VersionsDisagree', server: 'v1.36.4', pods: ['v1.35.7'] },
  VersionUnknown: { reason: 'VersionUnknown', detail: 'no answer' },
  SetAside: { reason: 'SetAside', nodes, until: NOW },
  NodesUnavailable: { reason: 'NodesUnavailable', nodes },
  Planning: { reason: 'Planning' },
  WindowOverridden: { reason: 'WindowOverridden', until: NOW, detail: 'CVE.' },
};
/** Reasons that only the log shows, where the word is enough. */
const WORDS: ReadonlySet<string> = new Set(['Remembered', 'Reported', 'Forgetting']);

describe('the sentence for a reason', () => {
  test.each(Object.values(EVERY).map((one) => [one.reason, one] as const))('%s', (reason, one) => {
    const said = sentence(one);
    if (WORDS.has(reason)) return expect(said).toBe(reason);
    expect(said).toMatch(/ /);
    expect(said).not.toBe(reason);
    expect(said).not.toMatch(/undefined|NaN|\[object|Invalid Date| {2}/);
  });

  test.each<[Missing, string]>([
    [{ what: 'Ready' }, 'it is not Ready.'],
    [{ what: 'ReadyLongEnough', at: NOW }, '2026-11-10T12:00:00Z'],
    [{ what: 'Taint', taint: 'a/b' }, 'the taint a/b'],
    [
      { what: 'Version', component: 'kubelet', want: 'v1.36.4', has: 'v1.35.7' },
      'its kubelet runs v1.35.7, not v1.36.4.',
    ],
    [{ what: 'DaemonSetPod', pod: 'kube-system/cni-x' }, 'kube-system/cni-x'],
  ])('what a node lacks: %j', (missing, said) => {
    expect(sentence({ reason: 'Verifying', missing })).toContain(said);
    expect(sentence({ reason: 'VerifyDeadline', seconds: 600, missing })).toContain(said);
  });

  test('one and many', () => {
    expect(sentence({ reason: 'Evicting', pods: 1, nowhere: false })).toBe('1 pod asked to leave.');
    expect(sentence({ reason: 'Evicting', pods: 2, nowhere: false })).toBe('2 pods asked to leave.');
  });

  test('many names are cut, and counted', () => {
    const many = Array.from({ length: 25 }, (_, index) => `n-${index}`);
    expect(sentence({ reason: 'Admitting', nodes: many })).toMatch(/n-9 and 15 more\.$/);
  });
});

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

describe('what is in the way of a pod', () => {
  const REASONS: { readonly [R in Hindrance['reason']]: boolean } = {
    BudgetExhausted: true,
    BudgetNeverAllows: true,
    BudgetNotObserved: false,
    BudgetFailed: true,
    HeldByOperator: true,
    TooManyBudgets: true,
    UnhealthyPod: true,
    NamespaceTerminating: false,
    RateLimited: false,
    WebhookDenied: true,
    WebhookFailed: true,
    Refused: true,
    Unavailable: false,
    Unmanaged: true,
    EmptyDir: true,
    WaitingForCompletion: false,
    ComesBack: true,
    HeldByFinalizers: true,
    StuckTerminating: true,
  };
  test.each(Object.entries(REASONS))('%s: it is said, and what a person can do: %s', (reason, advised) => {
    const hindrance = {
      reason: reason as Hindrance['reason'],
      budgets: ['shop/a', 'shop/b'],
      selfClearing: false,
      detail: '2 of 3',
    };
    expect(hindranceSentence(hindrance).length).toBeGreaterThan(20);
    expect(advice(hindrance) !== '').toBe(advised);
    expect(README).toContain(`\`${reason}\``);
  });

  test('[rule 21] both budgets are named', () => {
    const two = { reason: 'TooManyBudgets', budgets: ['shop/a', 'shop/b'], selfClearing: false, detail: '' } as const;
    expect(hindranceSentence(two)).toContain('shop/a and shop/b');
  });

  test('[rule 37] the remedy for a pod that is not ready is named', () => {
    expect(advice({ reason: 'UnhealthyPod', budgets: ['shop/a'], selfClearing: false, detail: '' })).toContain(
      'unhealthyPodEvictionPolicy: AlwaysAllow on shop/a',
    );
  });

  test('[rule 19] a limit of requests is not blamed on a budget', () => {
    expect(
      hindranceSentence({ reason: 'RateLimited', budgets: ['shop/a'], selfClearing: true, detail: '' }),
    ).not.toContain('shop/a');
  });
});

describe('conditions', () => {
  const before: Condition[] = [
    { type: 'Ready', status: 'False', lastTransitionTime: ago(600), reason: 'Old', message: 'old' },
  ];
  const one = (status: 'True' | 'False') =>
    conditions([{ type: 'Ready', status, because: { reason: 'PolicyPaused' } }], before, 3, NOW)[0];
  test('the time is of the last change of the status, not of the words', () => {
    expect(one('False')).toMatchObject({ lastTransitionTime: ago(600), reason: 'PolicyPaused', observedGeneration: 3 });
    expect(one('True')).toMatchObject({ lastTransitionTime: ago(0) });
  });

  test('what is too long is cut to what the schema takes', () => {
    const [long] = conditions([{ type: 'Ready', status: 'False', reason: 'R', message: 'x'.repeat(9000) }], [], 1, NOW);
    expect(long?.message).toHaveLength(4096);
  });

  test('one that does not hold needs no sentence', () => {
    expect(unless('NotStalled')).toEqual({ status: 'False', reason: 'NotStalled', message: '' });
  });

  test('an instant is written without empty milliseconds', () => {
    expect(iso(NOW)).toBe('2026-11-10T12:00:00Z');
    expect(iso(NOW + 5)).toBe('2026-11-10T12:00:00.005Z');
  });
});
