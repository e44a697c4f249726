import {
  type Case,
  fine,
  hold,
  IMAGE,
  opening,
  passage,
  policy,
  profile,
  rollout,
  target,
  upgrade,
  window,
} from './objects.ts';

const NIGHT = { schedule: '0 22 * * 1-5', durationMinutes: 360 };
const FREEZE = { name: 'year-end', from: '2026-12-20T00:00:00+09:00', until: '2027-01-04T00:00:00+09:00' };
const span = (from: string, until: string) => opening({ from, until });

/** What looks odd and is right: a rule that refuses one of these would be in the way. */
export const GOOD: readonly Case[] = [
  fine('a window with one schedule', opening(NIGHT)),
  fine('a window with freezes only', window({ freezes: [FREEZE] })),
  fine('a window with everything', window({ openings: [NIGHT], freezes: [FREEZE], onClose: 'Finish', paused: true })),
  fine('a window of a whole month', opening({ ...NIGHT, durationMinutes: 44_640 })),
  fine('an opening in UTC', span('2026-12-05T20:00:00Z', '2026-12-05T20:00:01Z')),
  fine('an opening whose end looks earlier', span('2026-12-05T20:00:00+09:00', '2026-12-05T12:00:00Z')),
  fine('an opening on a leap day', span('2028-02-29T00:00:00Z', '2028-02-29T23:59:59.999Z')),
  fine('an opening on the leap day of a century', span('2000-02-29T00:00:00-23:59', '2100-02-28T00:00:00+23:59')),
  fine('a schedule that no calendar knows', opening({ ...NIGHT, schedule: 'at ten every working day' })),
  fine('a profile with the least', profile({})),
  fine('a profile whose lists are empty', profile({ env: [], volumes: [], volumeMounts: [], imagePullSecrets: [] })),
  fine('a profile with a drain of null', profile({ drain: null })),
  fine('a profile that leaves the node alone', profile({ drain: { mode: 'Leave' } })),
  fine('a profile that only reboots', profile({ drain: { mode: 'Cordon' }, reboot: 'Expected' })),
  fine('a profile that does not pull', profile({ prePull: false })),
  fine('a profile with an empty argument', profile({ commands: { worker: ['/upgrade', ''], check: [] } })),
  fine('an image of a registry with a port', profile({ image: IMAGE.replace('ghcr.io', 'registry.local:5000') })),
  fine('an image with tag and digest', profile({ image: IMAGE.replace('@', ':v1@') })),
  fine(
    'a number of processors',
    profile({ resources: { requests: { cpu: 1, memory: '128Mi' }, limits: { cpu: '1.5' } } }),
  ),
  fine('ready at once', profile({ readySeconds: 0, verifyDeadlineSeconds: 1 })),
  fine('an empty value', profile({ env: [{ name: 'http_proxy', value: '' }] })),
  fine('one volume mounted twice', {
    ...profile({
      volumes: [{ name: 'host', hostPath: { path: '/', type: '' } }],
      volumeMounts: [
        { name: 'host', mountPath: '/host' },
        { name: 'host', mountPath: '/etc/..data', subPath: 'etc', readOnly: true },
      ],
    }),
  }),
  fine('a policy that says nothing', policy({})),
  fine('a policy for all nodes', policy({ maxUnavailable: '100%', freezes: [FREEZE], paused: true })),
  fine('a policy for a number of nodes', policy({ maxUnavailable: 3, images: ['node', 'registry.local:5000/a/b'] })),
  fine('an upgrade with the least', upgrade({})),
  fine('an upgrade that steers no pods', rollout({ steer: false })),
  fine('an upgrade with a name of 63', { ...upgrade({}), name: 'a'.repeat(63) }),
  fine('an upgrade with dots in its name', { ...upgrade({}), name: 'to-v1.36.4' }),
  fine('a release candidate', target({ kubernetesVersion: 'v1.37.0-rc.1' })),
  fine('a release from the future', target({ kubernetesVersion: 'v1.99.0' })),
  fine('a revision of one letter', target({ revision: 'a' })),
  fine('a revision of 63', target({ revision: `2026-11_${'x'.repeat(54)}1` })),
  fine('an age of ten years', target({ maxAgeDays: 3650 })),
  fine('nodes by label', {
    ...upgrade({
      nodes: {
        selector: {
          matchLabels: { 'node-role.kubernetes.io/worker': '', pool: 'a' },
          matchExpressions: [
            { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a', 'b'] },
            { key: 'gpu', operator: 'DoesNotExist' },
            { key: 'spot', operator: 'Exists', values: [] },
          ],
        },
      },
    }),
  }),
  fine('windows that do not exist', upgrade({ windowNames: ['weeknights', 'a.b.c'] })),
  fine('one percent', rollout({ maxUnavailable: '1%' })),
  fine('all nodes at once', rollout({ maxUnavailable: '100%', foreign: 'Ignore' })),
  fine('no return', rollout({ maxReturns: 0, retry: 3, failureThreshold: 1000 })),
  fine('an upgrade that is paused', upgrade({ mode: 'Paused', historyLimit: 0 })),
  fine('windows overridden in the past', {
    ...upgrade({ overrideWindows: { until: '2020-01-01T00:00:00Z', reason: 'CVE-2026-1' } }),
  }),
  fine('a hold', hold({})),
  fine('a hold with a profile', hold({ profileName: 'kubeadm-apt', reason: 'a'.repeat(256) })),
  fine('a passage', passage({})),
];
