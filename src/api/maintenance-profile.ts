import { z } from 'zod';
import { env, imagePullSecrets, resources, securityContext, volumeMounts, volumes } from './container.ts';
import { conditions, count, list, matching, seconds, selector, text, word } from './field.ts';
import { defineResource } from './resource.ts';
import { rule, ruled } from './rule.ts';

const drainRule = z.object({
  namespaceSelector: selector('Namespaces it is about; absent: all.').optional(),
  podSelector: selector('Pods it is about; absent: all.').optional(),
  behavior: word(
    ['Evict', 'Skip', 'WaitForCompletion'],
    'Evict: it is evicted, whatever unmanaged and emptyDir say. Skip: it stays and is not waited for. WaitForCompletion: it is not evicted, and the drain waits until it has ended by itself.',
  ),
  tier: count('Pods of a tier are evicted when those of every lower tier are gone.', 0, 100).default(0),
});

/** How pods leave a node: what may be evicted, for how long it is tried and what then. */
export const drain = ruled(
  z.object({
    mode: word(
      ['Drain', 'Cordon', 'Leave'],
      'Drain: the pods leave. Cordon: they stay, for a short restart. Leave: the node is not even cordoned; it takes a ticket but does not count as unavailable.',
    ).default('Drain'),
    deadlineSeconds: seconds('How long a drain may take before onDeadline decides.', 1).default(3600),
    onDeadline: word(
      ['Skip', 'Wait', 'Fail'],
      'Skip: the node is put back and tried again later. Wait: the drain goes on and says so. Fail: the node is put back and counts as failed.',
    ).default('Skip'),
    gracePeriodSeconds: seconds(
      "The grace period of every eviction; absent: the pod's own. At least 1: 0 would be a force delete.",
      1,
      86_400,
    ).optional(),
    emptyDir: word(
      ['Evict', 'Block'],
      'What to do with a pod that has an emptyDir: Evict loses its data, Block leaves the pod and says so.',
    ).default('Evict'),
    unmanaged: word(
      ['Block', 'Evict'],
      'What to do with a pod that no controller would make again: Block leaves it and says so, Evict ends it for good.',
    ).default('Block'),
    volumeDetachSeconds: seconds(
      'How long to wait for volume attachments of the drained pods before going on.',
      0,
      86_400,
    ).default(300),
    loadBalancer: z
      .object({
        exclude: z
          .boolean()
          .describe('Take the node out of external load balancers while it is worked on.')
          .default(false),
        waitSeconds: seconds('How long to wait after that before the first eviction.', 0, 3600).default(10),
      })
      .describe('What external load balancers are told.')
      .prefault({}),
    rules: list(
      drainRule,
      32,
      { as: 'atomic' },
      'Exceptions; the first that matches a pod decides. A pod that none matches is evicted, in tier 0.',
    ).default([]),
  }),
);

/** The drain policy of a hold that names no profile. */
export const DEFAULT_DRAIN: Drain = drain.parse({});

const words = (description: string) =>
  list(text(4096, 'The program, or one of its arguments.'), 64, { as: 'atomic' }, description);

/** A command that must be there: an empty one would run whatever the image runs by itself. */
const command = (description: string) =>
  ruled(
    words(description),
    rule(
      "size(self) > 0 && self[0] != ''",
      'must name a program and its arguments, as in ["/drydock/kubeadm-apt", "node"]',
      (c) => c.length > 0 && c[0] !== '',
    ),
  );

/** What runs on a node and how its end is judged; a frozen copy travels in every passage. */
export const workFields = {
  image: matching(
    text(1024, 'The image of the Job, with its digest, so that what was tried is what runs.'),
    /^[^@ ]+@sha256:[a-f0-9]{64}$/,
    'must carry its digest, as in ghcr.io/example/drydock-node@sha256:<64 hex digits>: a tag can change between two nodes',
  ),
  imagePullSecrets: imagePullSecrets.default([]),
  commands: z
    .object({
      firstControlPlane: command('Run on the first control plane of a hop.').optional(),
      controlPlane: command('Run on the other control planes.').optional(),
      worker: command('Run on workers, and wherever no other command is given.'),
      check: words(
        'Run on the node before it is cordoned; an exit code other than 0 sets the node aside. Empty: nothing is checked.',
      ).default([]),
    })
    .describe('What runs on the node, by its role. It must be idempotent and exit 0 when done.'),
  env: env.default([]),
  volumes: volumes.default([]),
  volumeMounts: volumeMounts.default([]),
  hostPID: z.boolean().describe("Share the node's process ids.").default(false),
  hostNetwork: z.boolean().describe("Share the node's network.").default(false),
  securityContext: securityContext.prefault({}),
  resources: resources.prefault({ requests: { cpu: '100m', memory: '128Mi' } }),
  activeDeadlineSeconds: seconds('How long one attempt may run.', 1).default(1800),
  attempts: count('How often the Job is tried on a node before the node counts as failed.', 1, 10).default(1),
  prepareDeadlineSeconds: seconds('How long pre-pulling and the check may take together.', 1, 86_400).default(600),
  prePull: z.boolean().describe('Have the image on the node before it is cordoned.').default(true),
  reboot: word(
    ['Never', 'Expected', 'IfArmed'],
    'Expected: the command arms a reboot and exits 0; a new boot ID must follow. IfArmed: so where the last line of its termination message says "rebootArmed": true.',
  ).default('Never'),
  rebootDeadlineSeconds: seconds('How long a reboot may take.', 1, 86_400).default(900),
  readySeconds: seconds(
    'How long the node must have been Ready, startup taints gone and DaemonSet pods ready, before it is given back.',
    0,
    86_400,
  ).default(30),
  verifyDeadlineSeconds: seconds('How long verification may take before the node counts as failed.', 1, 86_400).default(
    600,
  ),
} as const;

const spec = ruled(
  z.object({ drain: drain.describe('How pods leave the node.').prefault({}), ...workFields }),
  rule(
    'self.readySeconds < self.verifyDeadlineSeconds',
    'readySeconds must be less than verifyDeadlineSeconds, or verification can never succeed',
    (s) => s.readySeconds < s.verifyDeadlineSeconds,
  ),
  rule(
    "!(self.drain.mode == 'Leave' && self.reboot != 'Never')",
    'drain.mode Leave would reboot a node that still takes pods: use Cordon',
    (s) => !(s.drain.mode === 'Leave' && s.reboot !== 'Never'),
  ),
  rule(
    'size(self.commands.check) == 0 || self.prePull',
    'commands.check runs from the image before the node is cordoned, so prePull must be true',
    (s) => s.commands.check.length === 0 || s.prePull,
  ),
  rule(
    'self.volumeMounts.all(m, self.volumes.exists(v, v.name == m.name))',
    'volumeMounts names a volume that volumes does not have: add it there, or correct the name',
    (s) => s.volumeMounts.every((m) => s.volumes.some((v) => v.name === m.name)),
  ),
);

const status = z.object({
  observedGeneration: z.int().min(0).describe('The generation of the spec that was looked at.').optional(),
  conditions: conditions().default([]),
});

/** How a node is worked on. Written by cluster admins, since image and privileges stand here. */
export const maintenanceProfile = defineResource({
  kind: 'MaintenanceProfile',
  plural: 'maintenanceprofiles',
  singular: 'maintenanceprofile',
  shortName: 'dmp',
  description: 'How a node is worked on: what may be evicted, image, commands, privileges.',
  columns: [
    { name: 'Mode', type: 'string', path: '.spec.drain.mode', description: 'How pods leave' },
    { name: 'Reboot', type: 'string', path: '.spec.reboot', description: 'Whether a reboot is expected' },
    { name: 'Image', type: 'string', path: '.spec.image', description: 'What runs on the node', wide: true },
    { name: 'Age', type: 'date', path: '.metadata.creationTimestamp', description: 'Since when it exists' },
  ],
  spec,
  status,
});

export type Drain = z.output<typeof drain>;
export type ProfileSpec = z.output<typeof spec>;
export type ProfileStatus = z.output<typeof status>;
