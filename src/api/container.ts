import { z } from 'zod';
import { list, matchesCel, matching, name, text, word } from './field.ts';
import { rule, ruled } from './rule.ts';

const keyRef = z.object({
  name: name('The Secret or ConfigMap in the namespace of the Jobs.'),
  key: matching(
    text(253, 'The key in it.'),
    /^[-._a-zA-Z0-9]+$/,
    'must be a key of a Secret or ConfigMap: letters, digits, "_", "-" and "."',
  ),
});

const variable = ruled(
  z.object({
    name: matching(
      text(253, 'The name of the variable.'),
      /^[-._a-zA-Z][-._a-zA-Z0-9]*$/,
      'must be the name of a variable: letters, digits, "_", "-" and ".", not beginning with a digit',
    ),
    value: z.string().max(8192).describe('Its value.').optional(),
    valueFrom: ruled(
      z.object({
        secretKeyRef: keyRef.describe('A key of a Secret.').optional(),
        configMapKeyRef: keyRef.describe('A key of a ConfigMap.').optional(),
      }),
      rule(
        'has(self.secretKeyRef) != has(self.configMapKeyRef)',
        'valueFrom has exactly one of secretKeyRef and configMapKeyRef',
        (v) => (v.secretKeyRef === undefined) !== (v.configMapKeyRef === undefined),
      ),
    )
      .describe('Where its value comes from.')
      .optional(),
  }),
  rule(
    "!self.name.startsWith('DRYDOCK_')",
    'names that begin with DRYDOCK_ are set by Drydock: choose another',
    (e) => !e.name.startsWith('DRYDOCK_'),
  ),
  rule(
    'has(self.value) != has(self.valueFrom)',
    'an env entry has exactly one of value and valueFrom',
    (e) => (e.value === undefined) !== (e.valueFrom === undefined),
  ),
);

/** An absolute path that a container can be given: Kubernetes refuses ".." and reads ":" as a separator. */
const path = (description: string) =>
  ruled(
    text(4096, description),
    rule(
      "self.startsWith('/') && !self.contains(':') && !self.matches('[/][.][.]([/]|$)')",
      'must be a path that begins with "/" and has neither ".." nor ":" in it, as in "/host"',
      (p) => p.startsWith('/') && !p.includes(':') && !/[/][.][.]([/]|$)/.test(p),
    ),
  );

const volume = ruled(
  z.object({
    name: matching(
      text(63, 'The name that volumeMounts use.'),
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
      'must be lower-case letters, digits and "-", beginning and ending with a letter or digit, as in "host-root"',
    ),
    hostPath: z
      .object({
        path: path('The path on the node.'),
        type: word(
          ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice'],
          'What must be there.',
        ).optional(),
      })
      .describe('A path of the node.')
      .optional(),
    configMap: z
      .object({ name: name('The ConfigMap.') })
      .describe('A ConfigMap of the namespace of the Jobs.')
      .optional(),
    secret: z
      .object({ secretName: name('The Secret.') })
      .describe('A Secret of the namespace of the Jobs.')
      .optional(),
  }),
  rule(
    '(has(self.hostPath) ? 1 : 0) + (has(self.configMap) ? 1 : 0) + (has(self.secret) ? 1 : 0) == 1',
    'a volume has exactly one of hostPath, configMap and secret',
    (v) => [v.hostPath, v.configMap, v.secret].filter((source) => source !== undefined).length === 1,
  ),
);

const volumeMount = z.object({
  name: text(63, 'The volume.').min(1),
  mountPath: path('Where it appears in the container.'),
  readOnly: z.boolean().describe('Whether it may only be read.').optional(),
  subPath: ruled(
    text(4096, 'The part of the volume to show.'),
    rule(
      "!self.startsWith('/') && !self.matches('(^|[/])[.][.]([/]|$)')",
      'must be a path inside of the volume, as in "etc/kubernetes": without "/" at its beginning and without ".."',
      (p) => !p.startsWith('/') && !/(^|[/])[.][.]([/]|$)/.test(p),
    ),
  ).optional(),
});

const QUANTITY = /^([0-9]+([.][0-9]*)?|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?$/;

const quantity = ruled(
  z.union([z.int(), z.string().max(32)]).meta({ 'x-kubernetes-int-or-string': true, description: 'How much of it.' }),
  rule(
    `type(self) == int ? self >= 0 : ${matchesCel('string(self)', QUANTITY)}`,
    'must be a quantity, as in "100m" for CPU or "128Mi" for memory',
    (value) => (typeof value === 'number' ? value >= 0 : QUANTITY.test(value)),
  ),
);

const quantities = z
  .record(z.string().max(63), quantity)
  .meta({ description: 'Quantities by resource name.', maxProperties: 16 });

/** Variables for the commands: values, and keys of Secrets and ConfigMaps. */
export const env = list(variable, 64, { as: 'map', by: 'name' }, 'Variables for the commands.');
/** What of the node, and of the namespace of the Jobs, a container is given. */
export const volumes = list(volume, 32, { as: 'map', by: 'name' }, 'Volumes of the Job.');
/** Where in the container it is given. */
export const volumeMounts = list(volumeMount, 32, { as: 'map', by: 'mountPath' }, 'Where the volumes appear.');
/** With what its image is pulled. */
export const imagePullSecrets = list(
  z.object({ name: name('A Secret in the namespace of the Jobs.') }),
  8,
  { as: 'map', by: 'name' },
  'Secrets to pull the image with.',
);
/** What the container asks for and may use. */
export const resources = z
  .object({ requests: quantities.optional(), limits: quantities.optional() })
  .describe('What the container asks for and may use.');

/** What the container may do to its node. */
export const securityContext = ruled(
  z.object({
    privileged: z.boolean().describe('Run with every capability and device of the node.').optional(),
    runAsUser: z.int().min(0).max(2_147_483_647).describe('The user id to run as.').optional(),
    runAsGroup: z.int().min(0).max(2_147_483_647).describe('The group id to run as.').optional(),
    runAsNonRoot: z.boolean().describe('Refuse to run as root.').optional(),
    allowPrivilegeEscalation: z.boolean().describe('Whether a process may gain more privileges.').optional(),
    readOnlyRootFilesystem: z.boolean().describe('Whether the root file system may only be read.').optional(),
    capabilities: z
      .object({
        add: list(z.string().max(63), 64, { as: 'atomic' }, 'Capabilities to add.').optional(),
        drop: list(z.string().max(63), 64, { as: 'atomic' }, 'Capabilities to drop.').optional(),
      })
      .describe('Capabilities of the container.')
      .optional(),
  }),
  rule(
    '!(has(self.privileged) && self.privileged && has(self.allowPrivilegeEscalation) && !self.allowPrivilegeEscalation)',
    'privileged: true and allowPrivilegeEscalation: false contradict each other: remove allowPrivilegeEscalation',
    (c) => !(c.privileged === true && c.allowPrivilegeEscalation === false),
  ),
).describe('The security context of the container.');
