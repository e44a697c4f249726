import { BAD_PROFILES } from './bad-profiles.ts';
import { BAD_UPGRADES } from './bad-upgrades.ts';
import { BAD_WINDOWS } from './bad-windows.ts';
import { type Case, hold, misshapen, passage, policy, unknown, unruly } from './objects.ts';

const IMAGES = /spec\.images\[0\].*must be a repository without tag or digest, as in ghcr\.io\/example\/drydock-node/;
const OURS = /upgradeName, nodeUID and ticket are written by Drydock only: remove them from a hold/;
const BY_HAND = /write hold: true with a reason to take a node out by hand/;

const freeze = (until: string) => policy({ freezes: [{ name: 'x', from: '2026-12-20T00:00:00Z', until }] });

const BAD_POLICIES: readonly Case[] = [
  unruly(
    'a policy with another name',
    { ...policy({}), name: 'default' },
    /there is one MaintenancePolicy in a cluster and its name is "cluster": write metadata\.name: cluster/,
  ),
  unruly('a policy for no nodes', policy({ maxUnavailable: '0%' }), /spec\.maxUnavailable.*to stop, use mode: Paused/),
  unruly('a policy for 0 nodes', policy({ maxUnavailable: 0 }), /at least 1, without quotes, or a percentage/),
  misshapen('a policy for a boolean', policy({ maxUnavailable: true }), /maxUnavailable.*type integer,string/),
  unruly(
    'a Prometheus',
    policy({ prometheus: { url: 'http://prometheus' } }),
    /prometheus is not available yet: remove/,
  ),
  unruly('groups for gates', policy({ gateGroups: [] }), /gateGroups is not available yet: remove it/),
  unruly('a repository with a tag', policy({ images: ['ghcr.io/example/node:v1'] }), IMAGES),
  unruly('a repository with a digest', policy({ images: ['node@sha256:abc'] }), IMAGES),
  unruly('a repository with a scheme', policy({ images: ['https://ghcr.io/example/node'] }), IMAGES),
  unruly('no repository', policy({ images: [''] }), IMAGES),
  misshapen('a repository twice', policy({ images: ['a', 'a'] }), /images\[1\]: Duplicate value: "a"/),
  misshapen('a freeze of the policy without end', policy({ freezes: [{ name: 'x' }] }), /until: Required value/),
  unruly(
    'a freeze of the policy that ends before it begins',
    freeze('2026-12-01T00:00:00Z'),
    /until must be later than/,
  ),
  unruly(
    'a freeze of the policy without offset',
    freeze('2027-01-04T00:00:00'),
    /freezes\[0\]\.until.*date and time of/,
  ),
  unknown('windows in the policy', policy({ windowNames: [] }), /unknown field "spec.windowNames"/),
];

const BAD_MAINTENANCES: readonly Case[] = [
  misshapen('a maintenance without spec', { kind: 'NodeMaintenance', spec: undefined }, /spec: Required value/),
  misshapen('a hold on no node', hold({ nodeName: undefined }), /nodeName: Required value/),
  unruly('a hold on a node that cannot be', hold({ nodeName: 'Worker_7' }), /nodeName.*must be the name of an object/),
  unruly('a hold without reason', hold({ reason: undefined }), /a hold needs a reason, as in "replace a fan"/),
  misshapen('a hold for no reason', hold({ reason: '' }), /spec\.reason.*at least 1 chars/),
  misshapen(
    'a hold for a long reason',
    hold({ reason: 'a'.repeat(257) }),
    /reason: Too long: may not be more than 256/,
  ),
  misshapen('a hold in quotes', hold({ hold: 'true' }), /spec\.hold.*type boolean/),
  unruly('a hold with a ticket', hold({ ticket: '5f1c2b7a-17' }), OURS),
  unruly('a hold for an upgrade', hold({ upgradeName: 'to-1-36' }), OURS),
  unruly('a hold on a node by its UID', hold({ nodeUID: 'n-7' }), OURS),
  unruly('a node and nothing else', hold({ hold: undefined, reason: undefined }), BY_HAND),
  unruly('a hold that is none', hold({ hold: false }), BY_HAND),
  unruly('a passage without ticket', passage({ ticket: undefined }), BY_HAND),
  unruly('a passage without upgrade', passage({ upgradeName: undefined }), BY_HAND),
  misshapen(
    'a passage for an upgrade with a long name',
    passage({ upgradeName: 'a'.repeat(64) }),
    /upgradeName: Too long/,
  ),
  unknown('an image in a maintenance', hold({ image: 'x' }), /unknown field "spec.image"/),
];

/** Every object that must be refused when it is applied, and the sentence it is refused with. */
export const BAD: readonly Case[] = [
  ...BAD_WINDOWS,
  ...BAD_PROFILES,
  ...BAD_POLICIES,
  ...BAD_UPGRADES,
  ...BAD_MAINTENANCES,
];
