import { z } from 'zod';
import { blockers } from './blocker.ts';
import { takenSnapshot, wantedSnapshot } from './etcd-snapshot.ts';
import {
  conditions,
  count,
  instant,
  labelValue,
  list,
  matching,
  name,
  names,
  seconds,
  selector,
  set,
  share,
  text,
  time,
  word,
} from './field.ts';
import { defineResource } from './resource.ts';
import { notYet, rule, ruled } from './rule.ts';

const release = (description: string) =>
  matching(
    text(64, description),
    /^v[0-9]{1,5}[.][0-9]{1,5}[.][0-9]{1,5}(-[0-9A-Za-z.-]+)?$/,
    'must be a Kubernetes release with its v and all three numbers, as in v1.36.4, without a build such as +k3s1',
  );

const target = ruled(
  z.object({
    kubernetesVersion: release(
      'The release that every selected node runs in the end. A node at or above it counts as done.',
    ).optional(),
    via: list(release('A release.'), 8, { as: 'atomic' }, 'The releases to pass through, one a minor.').optional(),
    revision: matching(
      labelValue('A word of your own; every selected node is worked on once for each revision.'),
      /./,
      'must not be empty: write a word of your own, as in "2026-11-os"',
    ).optional(),
    maxAgeDays: count('A node is due again when its last success is older.', 1, 3650).optional(),
  }),
  rule(
    '(has(self.kubernetesVersion) ? 1 : 0) + (has(self.revision) ? 1 : 0) + (has(self.maxAgeDays) ? 1 : 0) == 1',
    'target must have exactly one of kubernetesVersion, revision and maxAgeDays',
    (t) => [t.kubernetesVersion, t.revision, t.maxAgeDays].filter((value) => value !== undefined).length === 1,
  ),
  notYet('via'),
);

const rollout = ruled(
  z.object({
    maxUnavailable: share(
      'How many selected nodes may be out at once: a number, or a percentage of the selected nodes without control planes, rounded down, at least 1.',
    ).default(1),
    foreign: word(
      ['Count', 'Ignore'],
      'Whether nodes that others took out of service, or that are not Ready, use up maxUnavailable.',
    ).default('Count'),
    steps: list(
      z.union([z.int(), z.string().max(4)]).meta({ 'x-kubernetes-int-or-string': true }),
      16,
      { as: 'atomic' },
      'Nodes done before the pace widens.',
    ).optional(),
    soakSeconds: seconds('How long to watch after each step.').optional(),
    failureThreshold: count('Failures since the last raise of retry that halt the rollout.', 1, 1000).default(1),
    retry: count('Raise it to give every failed node one new try.').default(0),
    pauseBetweenNodesSeconds: seconds('How long to wait between two nodes.').optional(),
    estimatedNodeSeconds: seconds('How long a node takes, until it has been seen.', 1).optional(),
    steer: z
      .boolean()
      .describe(
        'Whether the nodes still to do carry the soft taint drydock.dev/due while the rollout rolls, so that pods rather go elsewhere and move once.',
      )
      .default(true),
    maxReturns: count(
      'How often a node is returned to after it was set aside; then it counts as failed.',
      0,
      100,
    ).default(5),
  }),
  notYet('steps'),
  notYet('soakSeconds'),
  notYet('pauseBetweenNodesSeconds'),
  notYet('estimatedNodeSeconds'),
);

const gate = z.object({
  name: text(63, 'What people call it.').min(1),
  prometheus: z
    .object({ query: text(4096, 'PromQL.'), expect: word(['Empty'], 'What the answer must be.') })
    .describe('A query that must hold.')
    .optional(),
  object: z
    .object({
      apiVersion: text(317, 'Group and version.'),
      kind: text(63, 'The kind.'),
      namespace: text(63, 'Its namespace.').optional(),
      name: name('Its name.'),
      rule: text(4096, 'CEL over self.'),
    })
    .describe('An object that must satisfy a rule.')
    .optional(),
  cluster: z.object({}).describe("The cluster's own health.").optional(),
  forSeconds: seconds('How long it must have held.').optional(),
  ignoreAlerts: list(z.string().max(253), 64, { as: 'atomic' }, 'Alerts that do not count.').optional(),
});

const spec = ruled(
  z.object({
    profileName: name('The MaintenanceProfile: how a node is worked on.'),
    target: target.describe('Which state every selected node reaches.'),
    nodes: ruled(
      z.object({
        selector: selector('Which nodes; {} written on purpose means all.', 256),
        order: list(
          z.string().max(317),
          4,
          { as: 'atomic' },
          'Labels; one value is finished before the next.',
        ).optional(),
      }),
      notYet('order'),
    ).describe('Which nodes.'),
    windowNames: names(
      16,
      'The MaintenanceWindows; [] written on purpose means always open but for the freezes of the policy.',
    ),
    rollout: rollout.describe('How carefully.').prefault({}),
    preflight: word(
      ['Warn', 'Enforce'],
      'What is in the way of nodes still to do is always said in status.blockers; with Enforce nothing begins while any of it cannot clear by itself.',
    ).default('Warn'),
    gates: list(gate, 16, { as: 'map', by: 'name' }, 'What must hold before each further node.').optional(),
    etcdSnapshot: wantedSnapshot.optional(),
    mode: word(
      ['Run', 'Plan', 'Paused'],
      'Run: nodes are worked on. Paused: nothing begins and what has not committed is put back.',
    ).default('Run'),
    approval: word(['NotRequired', 'Required'], 'Whether each hop waits for a person.').optional(),
    approved: set(32, 128, 'What has been approved.').optional(),
    overrideWindows: z
      .object({
        until: instant('Until when.'),
        reason: text(256, 'Why; it is recorded in an Event and a condition.').min(1),
      })
      .describe('Work outside the windows, never against gates or budgets.')
      .optional(),
    historyLimit: count('Settled NodeMaintenances kept; failed ones always are.', 0, 1000).default(10),
  }),
  rule(
    "self.mode != 'Plan'",
    'mode Plan is not available yet: use Run, or Paused to write the upgrade down without starting it',
    (s) => s.mode !== 'Plan',
  ),
  rule(
    '!has(self.etcdSnapshot) || has(self.target.kubernetesVersion)',
    'etcdSnapshot is taken before a release of Kubernetes: use it with target.kubernetesVersion, and for snapshots by the calendar a ClusterUpgrade of their own with target.maxAgeDays',
    (s) => s.etcdSnapshot === undefined || s.target.kubernetesVersion !== undefined,
  ),
  notYet('gates'),
  notYet('approval'),
  notYet('approved'),
);

const nodeFact = {
  nodeName: name('The node.'),
  nodeMaintenance: name('Its last passage.').optional(),
  reason: text(1024, 'Why, as a sentence.'),
};

/** The words in which a rollout says where it stands. */
export const ROLLOUT_PHASES = [
  'Planning',
  'Queued',
  'WaitingForWindow',
  'WaitingForControlPlane',
  'WaitingForApproval',
  'Gated',
  'Rolling',
  'Blocked',
  'Halted',
  'Complete',
  'Invalid',
] as const;

const total = (description: string) => count(description).default(0);

const status = z.object({
  target: text(128, 'What is being served.').optional(),
  observedGeneration: z.int().min(0).describe('The generation of the spec that was looked at.').optional(),
  phase: word(ROLLOUT_PHASES, 'Where the rollout stands; derived, never read back.').optional(),
  hop: z
    .object({
      index: count('Which hop, from 0.'),
      version: text(64, 'Its release.'),
      firstControlPlane: text(253, 'The node whose command applies it.').optional(),
    })
    .describe('The step between two minors that is being taken.')
    .optional(),
  nodes: z
    .object({
      total: total('All selected nodes.'),
      done: total('At the target.'),
      inFlight: total('Out, or on their way.'),
      waiting: total('Not begun.'),
      setAside: total('Put back, to be tried again.'),
      failed: total('Failed or lost.'),
    })
    .describe('Selected nodes; total is the sum of the others.')
    .optional(),
  progressPercent: count('Nodes done of all.', 0, 100).optional(),
  progress: text(8, 'The same with its sign, for the column.').optional(),
  startTime: time('When the first node was admitted for this target.').optional(),
  notBefore: z
    .object({ time: time('When.'), reason: text(1024, 'Why.') })
    .describe('Nothing begins before.')
    .optional(),
  setAside: list(
    z.object({
      ...nodeFact,
      times: count('How often.'),
      notBefore: time('Not tried again before.'),
      since: time('When it was put back last.'),
    }),
    100,
    { as: 'map', by: 'nodeName' },
    'Nodes put back, to be tried again.',
  ).default([]),
  failures: list(
    z.object({ ...nodeFact, time: time('When.') }),
    50,
    { as: 'atomic' },
    'Nodes that failed since retry was last raised.',
  ).default([]),
  etcdSnapshot: takenSnapshot.optional(),
  observedRetry: count('The retry that has been served.').optional(),
  retryTime: time('When it was served: older failures no longer count.').optional(),
  blockers,
  blockersTotal: count('All blockers, also those not listed.').optional(),
  conditions: conditions().default([]),
});

/** What a new object says before Drydock looked at it, so that no tool takes it for finished. */
export const PENDING_CONDITIONS = [
  {
    type: 'Ready',
    status: 'Unknown' as const,
    reason: 'Pending',
    message: 'Drydock has not looked at this yet.',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  },
];

/** Which nodes reach which state, how carefully. Written by the operators of a cluster, usually from Git. */
export const clusterUpgrade = defineResource({
  kind: 'ClusterUpgrade',
  plural: 'clusterupgrades',
  singular: 'clusterupgrade',
  shortName: 'dcu',
  description: 'Which nodes reach which state, how carefully.',
  columns: [
    { name: 'Target', type: 'string', path: '.status.target', description: 'What is being served' },
    { name: 'Phase', type: 'string', path: '.status.phase', description: 'Where the rollout stands' },
    { name: 'Done', type: 'integer', path: '.status.nodes.done', description: 'Nodes at the target' },
    { name: 'Total', type: 'integer', path: '.status.nodes.total', description: 'Nodes selected' },
    { name: 'In flight', type: 'integer', path: '.status.nodes.inFlight', description: 'Nodes out' },
    { name: 'Failed', type: 'integer', path: '.status.nodes.failed', description: 'Nodes failed or lost' },
    { name: 'Progress', type: 'string', path: '.status.progress', description: 'Nodes done of all' },
    { name: 'Age', type: 'date', path: '.metadata.creationTimestamp', description: 'Since when it exists' },
  ],
  spec,
  status,
  statusDefault: { conditions: PENDING_CONDITIONS },
  rules: [
    {
      rule: 'self.metadata.name.size() <= 63',
      message: 'the name of a ClusterUpgrade becomes part of a label on its nodes: at most 63 characters',
    },
  ],
});

export type UpgradeSpec = z.output<typeof spec>;
export type UpgradeStatus = z.output<typeof status>;
export type RolloutPhase = (typeof ROLLOUT_PHASES)[number];
