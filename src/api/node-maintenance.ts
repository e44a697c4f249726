import { z } from 'zod';
import { blockers, podCounts } from './blocker.ts';
import { PENDING_CONDITIONS } from './cluster-upgrade.ts';
import { conditions, count, name, set, text, time, word } from './field.ts';
import { drain, workFields } from './maintenance-profile.ts';
import { transitionRule } from './phases.ts';
import { defineResource } from './resource.ts';
import { rule, ruled, transition } from './rule.ts';

const spec = ruled(
  z.object({
    nodeName: name('The node.'),
    hold: z
      .boolean()
      .describe('Drain the node, then keep it out until this object is deleted. People say true; false is for Drydock.')
      .default(false),
    reason: text(256, 'Why the node is held.').min(1).optional(),
    profileName: name('For a hold: whose drain policy; absent: the defaults.').optional(),
    upgradeName: name('Written by Drydock: the ClusterUpgrade it serves.', 63).optional(),
    nodeUID: text(64, 'Written by Drydock: which node of that name.').min(1).optional(),
    ticket: text(128, 'Written by Drydock: its right to take the node out.').min(1).optional(),
  }),
  transition('self == oldSelf', 'the spec of a NodeMaintenance cannot be changed: delete it and write another'),
  rule(
    '!self.hold || has(self.reason)',
    'a hold needs a reason, as in "replace a fan": whoever finds the node out of service will ask',
    (s) => !s.hold || s.reason !== undefined,
  ),
  rule(
    '!self.hold || !(has(self.upgradeName) || has(self.nodeUID) || has(self.ticket))',
    'upgradeName, nodeUID and ticket are written by Drydock only: remove them from a hold',
    (s) => !s.hold || (s.upgradeName === undefined && s.nodeUID === undefined && s.ticket === undefined),
  ),
  rule(
    'self.hold || (has(self.upgradeName) && has(self.nodeUID) && has(self.ticket))',
    'write hold: true with a reason to take a node out by hand; a NodeMaintenance without hold is made by Drydock for a ClusterUpgrade',
    (s) => s.hold || (s.upgradeName !== undefined && s.nodeUID !== undefined && s.ticket !== undefined),
  ),
);

const since = time('Since when it is in this phase.');
const attempt = count('Which attempt, from 1.', 1, 100);
const why = {
  reason: text(63, 'A stable word.'),
  message: text(1024, 'A sentence.').default(''),
};
/** What must be known of a node after its Job was released, to tell whether it is itself and has rebooted. */
const begun = {
  since,
  attempt,
  jobUID: text(64, 'The Job of this attempt.'),
  bootIDBefore: text(64, 'The boot ID before the Job.'),
  machineID: text(64, 'The machine, which survives a new registration under the same name.'),
  rebootArmed: z
    .boolean()
    .describe('Whether the payload said that it armed a reboot, where that is left to it.')
    .optional(),
};

const phase = <P extends string>(of: P) => z.literal(of).describe('Where the passage stands.');

/** Where a passage stands: only what cannot be observed again. */
const state = z.discriminatedUnion('phase', [
  z.object({ phase: phase('Pending'), since: since.optional() }),
  z.object({ phase: phase('Preparing'), since }),
  z.object({ phase: phase('Cordoning'), since }),
  z.object({ phase: phase('Draining'), since }),
  z.object({ phase: phase('Detaching'), since }),
  z.object({ phase: phase('Held'), since }),
  z.object({ phase: phase('Starting'), since, attempt }),
  z.object({ phase: phase('Upgrading'), ...begun }),
  z.object({ phase: phase('Rebooting'), ...begun }),
  z.object({ phase: phase('Verifying'), ...begun }),
  z.object({
    phase: phase('Lost'),
    ...begun,
    from: word(['Upgrading', 'Rebooting', 'Verifying'], 'In which phase it was lost.'),
  }),
  z.object({
    phase: phase('Uncordoning'),
    since,
    verdict: word(['Succeeded', 'Skipped', 'Cancelled', 'Failed'], 'How the passage ends.'),
    ...why,
  }),
  z.object({ phase: phase('Quarantining'), since, ...why }),
  z.object({ phase: phase('Succeeded'), since, ...why }),
  z.object({ phase: phase('Skipped'), since, ...why }),
  z.object({ phase: phase('Cancelled'), since, ...why }),
  z.object({ phase: phase('Failed'), since, ...why }),
]);

const plan = z.object({
  profileName: name('The profile it was taken from.').optional(),
  nodeUID: text(64, 'Which node of that name.'),
  holderUID: text(64, 'Who holds the ticket: the ClusterUpgrade, or for a hold this object.'),
  role: word(['firstControlPlane', 'controlPlane', 'worker'], 'What the node is in this hop.'),
  target: text(128, 'What the node is taken to.').default(''),
  purpose: word(['EtcdSnapshot'], 'What it is for; absent: to take the node to its target.').optional(),
  version: text(64, 'The release to verify, where the target is one.').optional(),
  currentVersion: text(64, 'The release the node ran before.').default(''),
  memory: z
    .object({ label: text(317, 'The label.'), value: text(63, 'Its value.') })
    .describe('The label that remembers a success on the node, where the target needs one.')
    .optional(),
  amiss: z
    .object({
      taints: set(50, 317, 'Start-up taints that were there.').default([]),
      daemonSets: set(50, 317, 'DaemonSets, as namespace/name, whose pod was not ready.').default([]),
    })
    .describe('What was wrong with the node before it was touched; in the end it is not waited for.')
    .optional(),
  drain: drain.describe('How pods leave.'),
  work: z.object(workFields).describe('What runs on the node; absent for a hold.').optional(),
});

const status = z.object({
  observedGeneration: z.int().min(0).describe('The generation of the spec that was looked at.').optional(),
  plan: plan.describe('What is done on this node, frozen at the first move.').optional(),
  state: ruled(state, transition(transitionRule(), 'status.state can only take the steps of the state diagram'))
    .describe('Where the passage stands, and what must be remembered of it.')
    .default({ phase: 'Pending' }),
  deadline: time('When this phase is given up; absent: it has no end but what it waits for.').optional(),
  pods: podCounts.optional(),
  blockers,
  job: z
    .object({
      name: text(253, 'The Job.'),
      attempt,
      exitCode: z.int().min(0).max(255).describe('The exit code of its container.').optional(),
      message: text(4096, 'Its termination message.').optional(),
    })
    .describe('The last Job and how it ended.')
    .optional(),
  conditions: conditions().default([]),
});

/** One node's passage. Made by Drydock, or by a person to take one node out. */
export const nodeMaintenance = defineResource({
  kind: 'NodeMaintenance',
  plural: 'nodemaintenances',
  singular: 'nodemaintenance',
  shortName: 'dnm',
  description:
    "One node's passage through cordon, drain, upgrade, verify and uncordon; or, with hold, a node taken out by hand.",
  columns: [
    { name: 'Node', type: 'string', path: '.spec.nodeName', description: 'The node' },
    { name: 'Phase', type: 'string', path: '.status.state.phase', description: 'Where the passage stands' },
    { name: 'Since', type: 'date', path: '.status.state.since', description: 'Since when it stands there' },
    { name: 'Pods', type: 'integer', path: '.status.pods.remaining', description: 'Pods that must still leave' },
    { name: 'Blocked', type: 'integer', path: '.status.pods.blocked', description: 'Pods that something keeps' },
    {
      name: 'Reason',
      type: 'string',
      path: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'What it waits for',
    },
    { name: 'Age', type: 'date', path: '.metadata.creationTimestamp', description: 'Since when it exists' },
  ],
  spec,
  status,
  statusDefault: { state: { phase: 'Pending' }, conditions: PENDING_CONDITIONS },
});

export type MaintenanceSpec = z.output<typeof spec>;
export type MaintenanceStatus = z.output<typeof status>;
export type NodeState = z.output<typeof state>;
export type Plan = z.output<typeof plan>;
export type Work = NonNullable<Plan['work']>;
export type Verdict = Extract<NodeState, { phase: 'Uncordoning' }>['verdict'];
/** The labels by which children of an upgrade, and everything on a node, are found again. */
export const UPGRADE_LABEL = 'drydock.dev/upgrade';
export const NODE_UID_LABEL = 'drydock.dev/node-uid';
