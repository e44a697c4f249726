import { expect, test } from 'vitest';
import { afterKills, type Case, RESTORE, SNAPSHOT, stale } from './kills.ts';
import { planted } from './node.ts';

type Planted = readonly [
  what: string,
  where: RegExp,
  found: RegExp,
  file: string,
  from: string,
  to: string,
  played: Case,
];

/** Killed only where it shows; at every call the payload as it is shipped is killed. */
const PLANTED: readonly Planted[] = [
  [
    'an installation that was interrupted is not finished first',
    /apt-get .*upgrade/,
    /half-way through apt-get .*upgrade.*dpkg was interrupted/,
    'lib/apt.sh',
    'run dpkg --configure -a',
    'run true',
    { profile: 'os-apt', args: ['update'] },
  ],
  [
    'packages are put on hold only where the run itself took them off it',
    /apt-get .*install .*kubeadm/,
    /left otherwise: state\/held-kubeadm/,
    'lib/apt.sh',
    'apt_exact() {\n',
    'apt_exact() {\n  case $2 in "$(cat "$root/state/$1")"-*) return 0 ;; esac\n',
    { profile: 'kubeadm-apt', args: ['node'], controlPlane: false, env: { DRYDOCK_ROLE: 'worker' } },
  ],
  [
    'a reboot that was armed before is not taken back',
    /systemd-run/,
    /after systemd-run.*could not be armed/,
    'reboot',
    '\ndisarm\n',
    '\n',
    { profile: 'reboot', args: [] },
  ],
  [
    'half a snapshot is left where it was',
    /etcdctl .*snapshot save/,
    /half-way through etcdctl .*half a snapshot: .*partial/,
    'etcd-snapshot',
    '  rm -f "$dir/.partial-$DRYDOCK_NODE-"*\n',
    '',
    SNAPSHOT,
  ],
  [
    'what was there before is moved away again although it is what was restored',
    /^mv /,
    /killed after mv .*left otherwise: .*before/,
    '../restore/restore',
    '[ -e "$data/member" ] && [ ! -e "$old/member" ]',
    '[ -e "$data/member" ]',
    RESTORE,
  ],
  [
    'what is renewed already is not renewed again, nor restarted',
    /certs renew/,
    /killed after kubeadm certs renew all: still with the old/,
    'kubeadm-certificates',
    "    step 'look at etcd'",
    '    case $certificates in *2027*) finish done ;; esac',
    { profile: 'kubeadm-certificates', args: ['renew'], wrong: stale },
  ],
];

test.each(PLANTED)('planted bug: %s: it is found', async (_, where, found, file, from, to, played) => {
  const wrong = await afterKills({ ...played, payload: planted(file, from, to) }, where);
  expect(wrong.join('\n')).toMatch(found);
});
