import { type Case, misshapen, profile, unknown, unruly } from './objects.ts';

const PROGRAM = /must name a program and its arguments, as in \["\/drydock\/kubeadm-apt", "node"\]/;
const drain = (value: unknown) => profile({ drain: value });
const env = (value: unknown) => profile({ env: [value] });
const volume = (value: object) => profile({ volumes: [{ name: 'host', ...value }] });
const mount = (mountPath: string, rest = {}) =>
  profile({
    volumes: [{ name: 'host', hostPath: { path: '/' } }],
    volumeMounts: [{ name: 'host', mountPath, ...rest }],
  });
const key = { name: 'settings', key: 'mirror' };
const commands = (value: object) => profile({ commands: { worker: ['/upgrade'], ...value } });

/** Profiles that are refused. */
export const BAD_PROFILES: readonly Case[] = [
  misshapen('a profile without spec', { kind: 'MaintenanceProfile', spec: undefined }, /spec: Required value/),
  misshapen('a profile without image', profile({ image: undefined }), /spec\.image: Required value/),
  unruly(
    'an image with a tag',
    profile({ image: 'ghcr.io/example/node:v1' }),
    /spec\.image.*must carry its digest, as/,
  ),
  unruly('an image with a short digest', profile({ image: 'node@sha256:abc' }), /must carry its digest/),
  misshapen('no commands', profile({ commands: undefined }), /spec\.commands: Required value/),
  misshapen('no command for workers', profile({ commands: {} }), /spec\.commands\.worker: Required value/),
  unruly('an empty command', profile({ commands: { worker: [] } }), PROGRAM),
  unruly('a command whose program is empty', profile({ commands: { worker: ['', 'node'] } }), PROGRAM),
  unruly('an empty command for control planes', commands({ controlPlane: [] }), PROGRAM),
  unruly('an empty command for the first control plane', commands({ firstControlPlane: [] }), PROGRAM),
  misshapen('a command as one string', profile({ commands: { worker: '/upgrade node' } }), /worker.*of type array/),
  unknown('a command for a role that is none', commands({ etcd: ['/x'] }), /unknown field "spec.commands.etcd"/),
  unruly(
    'a check from an image that is not there',
    profile({ commands: { worker: ['/upgrade'], check: ['/check'] }, prePull: false }),
    /commands\.check runs from the image before the node is cordoned, so prePull must be true/,
  ),
  misshapen('a drain mode in lower case', drain({ mode: 'drain' }), /"Drain", "Cordon", "Leave"/),
  misshapen(
    'a grace period of none',
    drain({ gracePeriodSeconds: 0 }),
    /gracePeriodSeconds.*greater than or equal to 1/,
  ),
  misshapen('a deadline with a unit', drain({ deadlineSeconds: '1h' }), /deadlineSeconds.*type integer/),
  misshapen('a deadline of more than a week', drain({ deadlineSeconds: 604_801 }), /less than or equal to 604800/),
  misshapen('what to do at the deadline, misspelt', drain({ onDeadline: 'Abort' }), /"Skip", "Wait", "Fail"/),
  misshapen('a load balancer as a boolean', drain({ loadBalancer: true }), /loadBalancer.*type object/),
  misshapen('a wait of more than an hour', drain({ loadBalancer: { waitSeconds: 3601 } }), /equal to 3600/),
  misshapen(
    'a rule that deletes pods',
    drain({ rules: [{ behavior: 'Delete' }] }),
    /"Evict", "Skip", "WaitForCompletion"/,
  ),
  misshapen('a rule that does nothing', drain({ rules: [{ tier: 1 }] }), /behavior.*[Rr]equired/),
  misshapen(
    'a tier below none',
    drain({ rules: [{ behavior: 'Evict', tier: -1 }] }),
    /tier.*greater than or equal to 0/,
  ),
  unruly(
    'a reboot of a node that still takes pods',
    profile({ drain: { mode: 'Leave' }, reboot: 'Expected' }),
    /drain\.mode Leave would reboot a node that still takes pods: use Cordon/,
  ),
  misshapen('a reboot as a boolean', profile({ reboot: true }), /"Never", "Expected"/),
  unruly(
    'ready for longer than may be verified',
    profile({ readySeconds: 600 }),
    /must be less than verifyDeadlineSeconds/,
  ),
  misshapen('no attempt', profile({ attempts: 0 }), /attempts.*greater than or equal to 1/),
  misshapen('eleven attempts', profile({ attempts: 11 }), /attempts.*less than or equal to 10/),
  misshapen('no time for an attempt', profile({ activeDeadlineSeconds: 0 }), /activeDeadlineSeconds.*equal to 1/),
  unruly('a variable of Drydock', env({ name: 'DRYDOCK_NODE', value: 'x' }), /set by Drydock: choose another/),
  unruly('a variable without value', env({ name: 'A' }), /spec\.env\[0\].*exactly one of value and valueFrom/),
  unruly(
    'a variable with two values',
    env({ name: 'A', value: '1', valueFrom: { secretKeyRef: key } }),
    /exactly one of val/,
  ),
  unruly(
    'a variable from nowhere',
    env({ name: 'A', valueFrom: {} }),
    /exactly one of secretKeyRef and configMapKeyRef/,
  ),
  unruly(
    'a variable from two places',
    env({ name: 'A', valueFrom: { secretKeyRef: key, configMapKeyRef: key } }),
    /exactly one of secretKeyRef and configMapKeyRef/,
  ),
  unknown('a variable from a field', env({ name: 'A', valueFrom: { fieldRef: {} } }), /unknown field ".*fieldRef"/),
  unruly(
    'a variable from an empty key',
    env({ name: 'A', valueFrom: { secretKeyRef: { name: 'a', key: '' } } }),
    /secretKeyRef\.key.*must be a key of a Secret or ConfigMap/,
  ),
  unruly(
    'a variable with a bad name',
    env({ name: 'a=b', value: 'x' }),
    /env\[0\]\.name.*must be the name of a variable/,
  ),
  misshapen('a number as value', env({ name: 'A', value: 5 }), /env\[0\]\.value.*type string/),
  misshapen(
    'two variables of one name',
    profile({ env: ['1', '2'].map((value) => ({ name: 'A', value })) }),
    /spec\.env\[1\]: Duplicate value/,
  ),
  unruly('a volume of nothing', volume({}), /volumes\[0\].*exactly one of hostPath, configMap and secret/),
  unruly(
    'a volume of two things',
    volume({ hostPath: { path: '/' }, secret: { secretName: 'a' } }),
    /exactly one of hostPath, configMap and secret/,
  ),
  unknown('a volume of another sort', volume({ emptyDir: {} }), /unknown field "spec.volumes\[0\].emptyDir"/),
  unruly('a volume with a bad name', volume({ name: 'Host_Root', hostPath: { path: '/' } }), /as in "host-root"/),
  unruly('a path that goes up', volume({ hostPath: { path: '/var/../etc' } }), /must be a path that begins with "\/"/),
  unruly(
    'a path that begins nowhere',
    volume({ hostPath: { path: 'etc' } }),
    /hostPath\.path.*must be a path that begins/,
  ),
  unruly('a mount with a colon', mount('/host:ro'), /mountPath.*neither "\.\." nor ":" in it, as in "\/host"/),
  unruly('a part of a volume from its root', mount('/a', { subPath: '/etc' }), /subPath.*must be a path inside of the/),
  unruly(
    'a part outside of a volume',
    mount('/b', { subPath: 'a/..' }),
    /subPath.*must be a path inside of the volume/,
  ),
  unruly(
    'a mount of a volume that is not there',
    profile({ volumeMounts: [{ name: 'host', mountPath: '/host' }] }),
    /volumeMounts names a volume that volumes does not have: add it there, or correct the name/,
  ),
  unruly(
    'a quantity in words',
    profile({ resources: { requests: { cpu: 'half' } } }),
    /must be a quantity, as in "100m"/,
  ),
  unruly('a quantity below zero', profile({ resources: { limits: { cpu: -1 } } }), /must be a quantity/),
  unruly('a quantity with a space', profile({ resources: { limits: { memory: '128 Mi' } } }), /must be a quantity/),
  misshapen('a pull secret as a string', profile({ imagePullSecrets: ['pull'] }), /imagePullSecrets\[0\].*type object/),
  unruly(
    'a pull secret that no object can be',
    profile({ imagePullSecrets: [{ name: 'Pull' }] }),
    /imagePullSecrets\[0\]\.name.*must be the name of an object/,
  ),
  unknown('a misspelt privilege', profile({ securityContext: { privilged: true } }), /unknown field ".*privilged"/),
  unruly(
    'privileges that contradict each other',
    profile({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
    /contradict each other: remove allowPrivilegeEscalation/,
  ),
  misshapen('a user below zero', profile({ securityContext: { runAsUser: -1 } }), /runAsUser.*equal to 0/),
];
