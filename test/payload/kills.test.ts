import { expect, test } from 'vitest';
import { afterKills, type Case, RESTORE, SNAPSHOT, stale } from './kills.ts';

const CASES: readonly Case[] = [
  { profile: 'kubeadm-apt', args: ['apply'] },
  { profile: 'kubeadm-apt', args: ['node'], controlPlane: false, env: { DRYDOCK_ROLE: 'worker' } },
  { profile: 'kubeadm-dnf', args: ['node'], controlPlane: false, env: { DRYDOCK_ROLE: 'worker' } },
  { profile: 'os-apt', args: ['reboot'] },
  { profile: 'os-dnf', args: ['reboot'] },
  { profile: 'reboot', args: [] },
  SNAPSHOT,
  { profile: 'kubeadm-certificates', args: ['renew'], wrong: stale },
  RESTORE,
];

test.each(CASES)('$profile $args may be killed at any change, and ends well when it is run again', async (played) => {
  expect(await afterKills(played)).toEqual([]);
});
