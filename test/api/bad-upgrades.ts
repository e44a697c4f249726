import { type Case, misshapen, rollout, target, unknown, unruly, upgrade } from './objects.ts';

const RELEASE = /kubernetesVersion.*must be a Kubernetes release with its v and all three numbers, as in v1\.36\.4/;
const ONE_TARGET = /spec\.target.*exactly one of kubernetesVersion, revision and maxAgeDays/;
const SHARE =
  /maxUnavailable.*must be a whole number of at least 1, without quotes, or a percentage from "1%" to "100%"/;
const VALUES = /matchExpressions\[0\].*In and NotIn need values; Exists and DoesNotExist take none/;
const notYet = (field: string) => new RegExp(`${field} is not available yet: remove it`);
const nodes = (selector: unknown) => upgrade({ nodes: { selector } });
const expression = (value: object) => nodes({ matchExpressions: [{ key: 'zone', operator: 'In', ...value }] });
const override = (value: object) =>
  upgrade({ overrideWindows: { until: '2026-12-05T20:00:00Z', reason: 'CVE-2026-1', ...value } });
const upTo = (maxUnavailable: unknown) => rollout({ maxUnavailable });

/** Upgrades that are refused. */
export const BAD_UPGRADES: readonly Case[] = [
  misshapen('an upgrade without spec', { kind: 'ClusterUpgrade', spec: undefined }, /spec: Required value/),
  unruly(
    'an upgrade with a long name',
    { ...upgrade({}), name: 'a'.repeat(64) },
    /becomes part of a label on its nodes: at most 63 characters/,
  ),
  misshapen('an upgrade without profile', upgrade({ profileName: undefined }), /spec\.profileName: Required value/),
  unruly(
    'a profile that no object can be',
    upgrade({ profileName: 'Kubeadm_Apt' }),
    /profileName.*must be the name of an/,
  ),
  unruly(
    'a profile without name',
    upgrade({ profileName: '' }),
    /profileName.*must be the name of an object: lower-case/,
  ),
  misshapen('no target', target(undefined), /spec\.target: Required value/),
  misshapen('a target as a string', target('v1.36.4'), /spec\.target.*type object/),
  unruly('a target that says nothing', target({}), ONE_TARGET),
  unruly('two targets', target({ kubernetesVersion: 'v1.36.4', revision: 'a' }), ONE_TARGET),
  unruly('a release without v', target({ kubernetesVersion: '1.36.4' }), RELEASE),
  unruly('a release without patch', target({ kubernetesVersion: 'v1.36' }), RELEASE),
  unruly('a release with a build', target({ kubernetesVersion: 'v1.36.4+k3s1' }), /without a build such as \+k3s1/),
  unruly('a release named latest', target({ kubernetesVersion: 'latest' }), RELEASE),
  misshapen(
    'a release that YAML reads as a number',
    target({ kubernetesVersion: 1.36 }),
    /kubernetesVersion.*type string/,
  ),
  unruly('releases to pass through', target({ kubernetesVersion: 'v1.36.4', via: ['v1.35.7'] }), notYet('via')),
  unruly(
    'a revision with a slash',
    target({ revision: '2026/11' }),
    /revision.*must be a label value: at most 63 letters/,
  ),
  unruly('an empty revision', target({ revision: '' }), /revision.*must not be empty: write a word of your own, as in/),
  misshapen('a long revision', target({ revision: 'a'.repeat(64) }), /revision: Too long: may not be more than 63/),
  misshapen('a revision that YAML reads as a number', target({ revision: 202_611 }), /revision.*type string/),
  misshapen('an age of no day', target({ maxAgeDays: 0 }), /maxAgeDays.*greater than or equal to 1/),
  misshapen('an age with a unit', target({ maxAgeDays: '30d' }), /maxAgeDays.*type integer/),
  misshapen('no nodes', upgrade({ nodes: undefined }), /spec\.nodes: Required value/),
  misshapen('no selector', upgrade({ nodes: {} }), /spec\.nodes\.selector: Required value/),
  unknown('labels without matchLabels', nodes({ pool: 'a' }), /unknown field "spec.nodes.selector.pool"/),
  unruly(
    'a label that no node can have',
    nodes({ matchLabels: { 'my pool': 'a' } }),
    /every key must be the key of a label/,
  ),
  unruly('a label value that no node can have', nodes({ matchLabels: { pool: 'a b' } }), /must be a label value/),
  unruly('a requirement without key', expression({ key: '', values: ['a'] }), /key.*must be the key of a label, as in/),
  misshapen('an operator in lower case', expression({ operator: 'in' }), /"In", "NotIn", "Exists", "DoesNotExist"/),
  unruly('In without values', expression({}), VALUES),
  unruly('NotIn of no values', expression({ operator: 'NotIn', values: [] }), VALUES),
  unruly('Exists with values', expression({ operator: 'Exists', values: ['a'] }), VALUES),
  unruly('an order of nodes', upgrade({ nodes: { selector: {}, order: ['zone'] } }), notYet('order')),
  misshapen('no windows, not even none', upgrade({ windowNames: undefined }), /spec\.windowNames: Required value/),
  misshapen('a window as a string', upgrade({ windowNames: 'weeknights' }), /windowNames.*type array/),
  misshapen('a window twice', upgrade({ windowNames: ['a', 'a'] }), /windowNames\[1\]: Duplicate value: "a"/),
  unruly(
    'a window that no object can be',
    upgrade({ windowNames: ['Week nights'] }),
    /windowNames\[0\].*name of an object/,
  ),
  unruly('no node at a time', upTo(0), /to stop, use mode: Paused on the ClusterUpgrade or paused: true on the Maint/),
  unruly('fewer than no nodes', upTo(-1), SHARE),
  unruly('no share of the nodes', upTo('0%'), SHARE),
  unruly('more than all nodes', upTo('120%'), SHARE),
  unruly('far more than all nodes', upTo('1000%'), SHARE),
  unruly('a share with a fraction', upTo('1.5%'), SHARE),
  unruly('a number of nodes in quotes', upTo('2'), SHARE),
  misshapen('half a node', upTo(0.5), /maxUnavailable.*type integer/),
  unruly('steps', rollout({ steps: [1, '10%'] }), notYet('steps')),
  unruly('a soak', rollout({ soakSeconds: 0 }), notYet('soakSeconds')),
  unruly('a pause between nodes', rollout({ pauseBetweenNodesSeconds: 60 }), notYet('pauseBetweenNodesSeconds')),
  unruly('an estimate', rollout({ estimatedNodeSeconds: 1200 }), notYet('estimatedNodeSeconds')),
  misshapen('a threshold of none', rollout({ failureThreshold: 0 }), /failureThreshold.*equal to 1/),
  misshapen('a retry below zero', rollout({ retry: -1 }), /retry.*equal to 0/),
  misshapen('others nodes, misspelt', rollout({ foreign: 'ignore' }), /"Count", "Ignore"/),
  misshapen('too many returns', rollout({ maxReturns: 101 }), /maxReturns.*equal to 100/),
  unruly('no gates', upgrade({ gates: [] }), notYet('gates')),
  unruly('a gate', upgrade({ gates: [{ name: 'cluster', cluster: {} }] }), notYet('gates')),
  unruly(
    'a snapshot before a reboot',
    upgrade({ target: { revision: 'reboot' }, etcdSnapshot: { profileName: 'etcd-snapshot' } }),
    /use it with target.kubernetesVersion, and for snapshots by the calendar a ClusterUpgrade of their own/,
  ),
  unruly('a snapshot by no name', upgrade({ etcdSnapshot: { profileName: 'Etcd' } }), /must be the name of an object/),
  misshapen(
    'a snapshot that is always too old',
    upgrade({ etcdSnapshot: { profileName: 'etcd-snapshot', maxAgeSeconds: 0 } }),
    /maxAgeSeconds.*equal to 60/,
  ),
  unruly(
    'a plan',
    upgrade({ mode: 'Plan' }),
    /mode Plan is not available yet: use Run, or Paused to write the upgrade down/,
  ),
  misshapen('a mode in lower case', upgrade({ mode: 'paused' }), /"Run", "Plan", "Paused"/),
  unruly('an approval', upgrade({ approval: 'NotRequired' }), notYet('approval')),
  unruly('approvals', upgrade({ approved: [] }), notYet('approved')),
  unruly(
    'windows overridden until tomorrow',
    override({ until: 'tomorrow' }),
    /overrideWindows\.until.*must be a date and time/,
  ),
  misshapen('windows overridden for ever', override({ until: undefined }), /overrideWindows\.until: Required value/),
  misshapen('windows overridden without reason', override({ reason: undefined }), /reason: Required value/),
  misshapen('windows overridden for no reason', override({ reason: '' }), /reason.*at least 1 chars/),
  misshapen('a history below zero', upgrade({ historyLimit: -1 }), /historyLimit.*equal to 0/),
  unknown('an image in an upgrade', upgrade({ image: 'x' }), /unknown field "spec.image"/),
  unknown('a command in an upgrade', upgrade({ commands: { worker: ['x'] } }), /unknown field "spec.commands"/),
];
