import { expect, test } from 'vitest';
import { afterKills, type Case, half, stale } from './kills.ts';
import { planted } from './node.ts';
import { SNAPSHOT_FILE, steps } from './restoring.ts';

const FILES = 'cp mkdir mv rm';
const SNAPSHOT: Case = {
  profile: 'etcd-snapshot',
  args: ['save'],
  counted: FILES,
  whatever: /^var\/backups/,
  wrong: half,
};
/** A restore whose new data is being put in the place of the old. */
const RESTORE: Case = {
  profile: '../restore/restore',
  args: ['data'],
  counted: `${FILES} chown`,
  files: { 'state/kubelet-follows': '', ...SNAPSHOT_FILE },
  before: (machine) => steps(machine, ['plan /var/backups/one.db', 'stop-api', 'stop-etcd']),
};

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

test.each(CASES)('$profile $args may be killed at any call, and ends well when it is run again', async (played) => {
  expect(await afterKills(played)).toEqual([]);
});

const PLANTED: readonly [what: string, found: RegExp, file: string, from: string, to: string, played: Case][] = [
  [
    'an installation that was interrupted is not finished first',
    /half-way through apt-get .*upgrade.*dpkg was interrupted/,
    'lib/apt.sh',
    'run dpkg --configure -a',
    'run true',
    { profile: 'os-apt', args: ['update'] },
  ],
  [
    'packages are put on hold only where the run itself took them off it',
    /left otherwise: state\/held-kubeadm/,
    'lib/apt.sh',
    'apt_exact() {\n',
    'apt_exact() {\n  case $2 in "$(cat "$root/state/$1")"-*) return 0 ;; esac\n',
    { profile: 'kubeadm-apt', args: ['node'], controlPlane: false, env: { DRYDOCK_ROLE: 'worker' } },
  ],
  [
    'a reboot that was armed before is not taken back',
    /after systemd-run.*could not be armed/,
    'reboot',
    '\ndisarm\n',
    '\n',
    { profile: 'reboot', args: [] },
  ],
  [
    'half a snapshot is left where it was',
    /half-way through etcdctl .*half a snapshot: .*partial/,
    'etcd-snapshot',
    '  rm -f "$dir/.partial-$DRYDOCK_NODE-"*\n',
    '',
    SNAPSHOT,
  ],
  [
    'what was there before is moved away again although it is what was restored',
    /killed after mv .*left otherwise: .*before/,
    '../restore/restore',
    '[ -e "$data/member" ] && [ ! -e "$old/member" ]',
    '[ -e "$data/member" ]',
    RESTORE,
  ],
  [
    'what is renewed already is not renewed again, nor restarted',
    /killed after kubeadm certs renew all: still with the old/,
    'kubeadm-certificates',
    "    step 'look at etcd'",
    '    case $certificates in *2027*) finish done ;; esac',
    { profile: 'kubeadm-certificates', args: ['renew'], wrong: stale },
  ],
];

test.each(PLANTED)('planted bug: %s: it is found', async (_, found, file, from, to, played) => {
  const wrong = await afterKills({ ...played, payload: planted(file, from, to) });
  expect(wrong.join('\n')).toMatch(found);
});
