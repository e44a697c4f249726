import { z } from 'zod';
import { conditions, freezes, list, matching, name, set, share, text, time, word } from './field.ts';
import { defineResource } from './resource.ts';
import { notYet, ruled } from './rule.ts';

const spec = ruled(
  z.object({
    maxUnavailable: share(
      'How many nodes of the whole cluster may be out of service at once, over all ClusterUpgrades and holds. A percentage rounds down, at least 1.',
    ).default('20%'),
    freezes: freezes('When nothing may begin anywhere in the cluster.').default([]),
    paused: z.boolean().describe('The big red switch: nothing new begins anywhere.').default(false),
    prometheus: z
      .object({
        url: text(2048, 'Where Prometheus answers.').min(1),
        secretName: name('A Secret with the credentials.').optional(),
      })
      .describe('Where gates ask their queries.')
      .optional(),
    gateGroups: set(32, 253, 'API groups whose objects a gate may read.').optional(),
    images: list(
      matching(
        text(1024, 'A repository.'),
        /^([a-zA-Z0-9.-]+(:[0-9]+)?[/])?[a-z0-9._-]+([/][a-z0-9._-]+)*$/,
        'must be a repository without tag or digest, as in ghcr.io/example/drydock-node',
      ),
      64,
      { as: 'set' },
      'Repositories whose images the Jobs of Drydock may run, without tag or digest. None: no Job may run.',
    ).default([]),
  }),
  notYet('prometheus'),
  notYet('gateGroups'),
);

const ticket = z.object({
  nodeName: name('The node.'),
  nodeUID: text(64, 'Which node of that name.'),
  ticket: text(128, 'The ticket: the UID of the policy and a number that is never used again.'),
  target: text(128, "What the node is taken to: this hop's version, revision or due time. Empty for a hold.").default(
    '',
  ),
  profileName: name('The profile in force.').optional(),
  purpose: word(['EtcdSnapshot'], 'What it is for; absent: to take the node to its target.').optional(),
  holder: z
    .object({
      kind: word(['ClusterUpgrade', 'NodeMaintenance'], 'What kind of object holds it.'),
      name: name('Its name.'),
      uid: text(64, 'Its UID.'),
    })
    .describe('Who asked for it.'),
  controlPlane: z.boolean().describe('Whether the node is a control plane; at most one such ticket exists.'),
  mode: word(['Drain', 'Cordon', 'Leave'], 'The drain mode; Leave does not count as unavailable.'),
  passageUID: text(64, 'The NodeMaintenance that has stamped it.').optional(),
  since: time('Since when it exists.'),
});

const status = z.object({
  observedGeneration: z.int().min(0).describe('The generation of the spec that was looked at.').optional(),
  conditions: conditions().default([]),
  nextTicket: z.int().min(1).describe('The number of the next ticket.').default(1),
  tickets: list(
    ticket,
    2000,
    { as: 'map', by: 'nodeName' },
    'The ledger: the only right to take a node out of service.',
  ).default([]),
});

/** What holds for the whole cluster. Its status is the ledger; there is one object, named `cluster`. */
export const maintenancePolicy = defineResource({
  kind: 'MaintenancePolicy',
  plural: 'maintenancepolicies',
  singular: 'maintenancepolicy',
  shortName: 'dpol',
  description: 'What holds for the whole cluster, and the ledger of the nodes that are out.',
  columns: [
    { name: 'Max', type: 'string', path: '.spec.maxUnavailable', description: 'Most nodes out at once' },
    { name: 'Paused', type: 'boolean', path: '.spec.paused', description: 'Whether nothing new begins' },
    {
      name: 'Ready',
      type: 'string',
      path: '.status.conditions[?(@.type=="Ready")].status',
      description: 'Whether all is well',
    },
    { name: 'Age', type: 'date', path: '.metadata.creationTimestamp', description: 'Since when it exists' },
  ],
  spec,
  status,
  rules: [
    {
      rule: "self.metadata.name == 'cluster'",
      message: 'there is one MaintenancePolicy in a cluster and its name is "cluster": write metadata.name: cluster',
    },
  ],
});

export type PolicySpec = z.output<typeof spec>;
export type PolicyStatus = z.output<typeof status>;
export type Ticket = z.output<typeof ticket>;
/** The name of the one MaintenancePolicy. */
export const POLICY_NAME = 'cluster';
