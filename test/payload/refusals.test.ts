import { expect, test } from 'vitest';
import { node, planted, type Ran } from './node.ts';

type Start = Parameters<typeof node>[0];
type Refusal = {
  readonly when: string;
  readonly run: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly start?: Start;
  /** What it says, word for word but for what a program said. */
  readonly says: string;
  /** A program that this node does not have. */
  readonly without?: string;
  /** What must not have been called. */
  readonly never?: RegExp;
};

const fails = (pattern: string, says: string) => ({ 'state/fail': pattern, 'state/fail-says': `${says}\n` });
const CHANGES = / install (?!.*--download)| upgrade (apply|node)|restart|renew|snapshot save|systemd-run|apt-mark|kill/;

const REFUSALS: readonly Refusal[] = [
  {
    when: 'the target is older than the kubelet',
    run: 'kubeadm-apt apply',
    env: { DRYDOCK_TARGET_VERSION: 'v1.36.3' },
    says: 'cp-1 has kubelet v1.36.4, which is newer than v1.36.3: kubeadm has no way back. Set the target to v1.36.4 or newer, or restore a snapshot.',
    never: CHANGES,
  },
  {
    when: 'the target is a pre-release of what the API server runs',
    run: 'kubeadm-apt node',
    env: { DRYDOCK_TARGET_VERSION: 'v1.36.4-rc.1' },
    files: { 'state/kubelet': '1.36.3\n', 'state/kubeadm': '1.36.3\n' },
    says: 'cp-1 has kube-apiserver v1.36.4, which is newer than v1.36.4-rc.1: kubeadm has no way back. Set the target to v1.36.4 or newer, or restore a snapshot.',
    never: CHANGES,
  },
  {
    when: 'the target is two minor releases away',
    run: 'kubeadm-apt check',
    env: { DRYDOCK_TARGET_VERSION: 'v1.38.0' },
    says: 'From v1.36.4 to v1.38.0 is more than one minor release: go to v1.37 first.',
  },
  {
    when: 'there is no release to go to',
    run: 'kubeadm-dnf apply',
    env: { DRYDOCK_TARGET_VERSION: '' },
    says: 'There is no release to go to (DRYDOCK_TARGET_VERSION is ""): this profile is for a ClusterUpgrade with target.kubernetesVersion.',
  },
  {
    when: 'no repository has the release',
    run: 'kubeadm-apt check',
    files: { 'state/offers': '1.36.4 1.36.50\n' },
    says: 'No repository of cp-1 has kubeadm 1.36.5: add the one of v1.36 (pkgs.k8s.io has one for each minor release), or set PAYLOAD_REPOSITORY=Switch in the MaintenanceProfile.',
    never: CHANGES,
  },
  {
    when: 'the repositories are out of reach',
    run: 'os-apt check',
    files: fails('apt-get*update', 'E: Could not resolve pkgs.k8s.io'),
    says: 'The package lists cannot be fetched: see that this node reaches its repositories. (apt-get said: E: Could not resolve pkgs.k8s.io)',
  },
  {
    when: 'the node has another package manager',
    run: 'kubeadm-apt check',
    without: 'apt-get',
    says: 'There is no apt-get on cp-1: this profile is for Debian and Ubuntu, and there is one with dnf for Fedora and RHEL.',
  },
  {
    when: 'the node has another package manager, the other way round',
    run: 'os-dnf update',
    without: 'dnf',
    says: 'There is no dnf on cp-1: this profile is for Fedora and RHEL, and there is one with apt for Debian and Ubuntu.',
  },
  {
    when: 'the script of a package fails, and its repository has no better one',
    run: 'kubeadm-apt node',
    files: { 'state/broken': 'kubelet 1.36.5-1.1\n', 'state/still-broken': '' },
    says: 'dpkg cannot finish an installation that was interrupted: run dpkg --configure -a on the node and see to what it says. (dpkg said: dpkg: error processing package x (--configure): exit status 1, after: no disk)',
    never: /upgrade node|install kubeadm|restart|unhold/,
  },
  {
    when: 'dpkg cannot finish what was interrupted',
    run: 'os-apt update',
    files: fails('dpkg --configure*', 'dpkg: error processing package linux-image'),
    says: 'dpkg cannot finish an installation that was interrupted: run dpkg --configure -a on the node and see to what it says. (dpkg said: dpkg: error processing package linux-image)',
    never: CHANGES,
  },
  {
    when: 'another installation takes longer than five minutes',
    run: 'os-apt update',
    files: fails('dpkg --configure*', 'dpkg: error: dpkg frontend lock was locked by another process with pid 77'),
    says: 'dpkg cannot finish an installation that was interrupted: run dpkg --configure -a on the node and see to what it says. (dpkg said: dpkg: error: dpkg frontend lock was locked by another process with pid 77)',
    never: CHANGES,
  },
  {
    when: 'there is no room',
    run: 'kubeadm-apt check',
    files: { 'state/free': '700\n' },
    says: 'For the images of v1.36.5 there must be 2048 MiB free in /var/lib, and there are 700: make room there, then run it again.',
  },
  {
    when: 'the API server is not ready',
    run: 'kubeadm-apt check',
    files: fails('kubectl*readyz', 'Error from server (InternalError): [-]etcd failed'),
    says: "The API server is not ready, asked from cp-1 (Error from server (InternalError): [-]etcd failed): see to it first (kubectl get --raw '/readyz?verbose').",
  },
  {
    when: 'a member of etcd has not started',
    run: 'kubeadm-apt node',
    files: { 'state/members': 'a1, started, cp-1, p, c, false\na2, unstarted, , https://10.0.0.2:2380, , false\n' },
    says: 'Not while the member of etcd at https://10.0.0.2:2380 has not started: mend the cluster of etcd first (etcdctl member list, endpoint health --cluster, alarm list), then run again.',
    never: CHANGES,
  },
  {
    when: 'a member of etcd is still a learner',
    run: 'kubeadm-certificates renew',
    files: { 'state/members': 'a1, started, cp-1, p, c, false\na2, started, cp-2, p, c, true\n' },
    says: 'Not while cp-2 is still a learner of etcd: mend the cluster of etcd first (etcdctl member list, endpoint health --cluster, alarm list), then run again.',
    never: CHANGES,
  },
  {
    when: 'etcd has an alarm',
    run: 'kubeadm-apt apply',
    files: fails('etcdctl*alarm*', 'memberID:161 alarm:NOSPACE'),
    says: 'Not while etcd has an alarm: memberID:161 alarm:NOSPACE: mend the cluster of etcd first (etcdctl member list, endpoint health --cluster, alarm list), then run again.',
    never: CHANGES,
  },
  {
    when: 'kubeadm finds the cluster unfit',
    run: 'kubeadm-apt apply',
    files: fails(
      'kubeadm upgrade plan*',
      '[preflight] Some fatal errors occurred:\n\t[ERROR ControlPlaneNodesReady]: there are NotReady control-planes in the cluster: [cp-2]\nerror: preflight\nTo see the stack trace of this error execute with --v=5 or higher',
    ),
    says: 'kubeadm upgrade plan finds the cluster not fit to be upgraded: mend what it names, then run again. (kubeadm said: [ERROR ControlPlaneNodesReady]: there are NotReady control-planes in the cluster: [cp-2])',
    never: /upgrade apply|install kubelet/,
  },
  {
    when: 'kubeadm upgrade fails',
    run: 'kubeadm-apt apply',
    files: fails(
      'kubeadm upgrade apply*',
      'error: timed out\nTo see the stack trace of this error execute with --v=5 or higher',
    ),
    says: 'kubeadm upgrade apply did not end well; it puts back what it had begun. Mend what it names, then run again. (kubeadm said: error: timed out)',
    never: /install kubelet|restart/,
  },
  {
    when: 'a static pod does not come up',
    run: 'kubeadm-apt apply',
    files: fails('kubectl*kube-scheduler-cp-1*', 'Unable to connect'),
    says: 'The static pod kube-scheduler of cp-1 is not Ready with v1.36.5 after 300 s (seen: Unable to connect): look at it with crictl ps -a and crictl logs on the node; run again when it is Ready.',
    never: /install kubelet/,
  },
  {
    when: 'kubeadm cannot be installed',
    run: 'kubeadm-apt node',
    files: fails('apt-get* install kubeadm=*', 'E: Unmet dependencies'),
    says: 'kubeadm 1.36.5-1.1 could not be installed on cp-1; the kubelet is untouched. (E: Unmet dependencies)',
    never: /upgrade node|install kubelet/,
  },
  {
    when: 'the kubelet does not report the release',
    run: 'kubeadm-apt node',
    files: fails('kubectl*get node*', 'Unauthorized'),
    says: 'The kubelet of cp-1 does not report v1.36.5 to the API server after 180 s (seen: Unauthorized): journalctl -u kubelet on the node says why.',
  },
  {
    when: 'the words of the command are not known',
    run: 'kubeadm-apt upgrade',
    says: 'kubeadm-apt is run with check, apply (the first control plane) or node (every other one), not with "upgrade".',
  },
  {
    when: 'a variable is misspelt',
    run: 'kubeadm-apt check',
    env: { PAYLOAD_REPOSITORY: 'switch' },
    says: 'PAYLOAD_REPOSITORY is "switch" in the MaintenanceProfile, which must match Keep|Switch.',
  },
  {
    when: 'the reboot would come before the Job is seen to be complete',
    run: 'reboot',
    env: { PAYLOAD_REBOOT_DELAY_SECONDS: '10' },
    says: 'PAYLOAD_REBOOT_DELAY_SECONDS is 10: it must be 30 at least, or the reboot comes before the Job is seen to be complete.',
    never: CHANGES,
  },
  {
    when: 'the packages could not all be updated',
    run: 'os-dnf reboot',
    files: fails('dnf* upgrade *', 'Error: Transaction failed'),
    says: 'The packages of cp-1 could not all be updated: see what the package manager says, then run again. (Error: Transaction failed)',
    never: /systemd-run/,
  },
  {
    when: 'certificates are asked for on a worker',
    run: 'kubeadm-certificates renew',
    start: { controlPlane: false },
    says: 'cp-1 is no control plane of kubeadm, and the kubelet renews its own certificate: select the nodes of the control plane.',
  },
];

function play({ run, files = {}, env = {}, start = {}, without }: Refusal, payload?: string): Promise<Ran> {
  const machine = node({ ...start, files, ...(payload === undefined ? {} : { payload }) });
  if (without !== undefined) machine.remove(`usr/bin/${without}`);
  const [profile = '', ...args] = run.split(' ');
  return machine.run(profile, args, env).finally(machine.end);
}

/** What is wrong with a refusal: it must say one sentence or two, why and what to do, and have changed nothing. */
function wrong({ says, never }: Refusal, ran: Ran): readonly string[] {
  return [
    ...(ran.code === 1 ? [] : [`it ended with ${ran.code}`]),
    ...(ran.message === `${says}\n` ? [] : [ran.message]),
    ...(never === undefined ? [] : ran.calls.filter((call) => never.test(call))),
  ];
}

test.each(REFUSALS)('refused where $when: $run', async (refusal) => {
  expect(wrong(refusal, await play(refusal))).toEqual([]);
});

test.each([
  [
    'a release that comes before is not seen to',
    'lib/node.sh',
    'older() {\n',
    'older() {\n  return 1\n',
    'the target is older than the kubelet',
  ],
  [
    'a failure of kubeadm is gone past',
    'lib/report.sh',
    '  run "$@" || refuse',
    '  run "$@" || :\n  false && refuse',
    'kubeadm upgrade fails',
  ],
  ['alarms are not asked for', 'lib/etcd.sh', '[ -z "$alarms" ] ||', 'true ||', 'etcd has an alarm'],
])('planted bug: %s: it is found', async (_, file, from, to, when) => {
  const refusal = REFUSALS.find((each) => each.when === when);
  if (refusal === undefined) throw new Error(when);
  expect(wrong(refusal, await play(refusal, planted(file, from, to)))).not.toEqual([]);
});

test('whatever is said, the termination message keeps within what the kubelet takes', async () => {
  const ran = await play({
    when: '',
    run: 'kubeadm-apt apply',
    files: fails('kubeadm upgrade apply*', 'x'.repeat(20_000)),
    env: { DRYDOCK_NODE: `cp-1${'y'.repeat(3000)}` },
    says: '',
  });
  expect(ran.code).toBe(1);
  expect(ran.message.length).toBeLessThanOrEqual(4096);
});

test('planted bug: a message that is not cut is too long', async () => {
  const payload = planted('lib/report.sh', ' | cut -c 1-1500', '');
  const long = { when: '', run: `kubeadm-apt ${'z'.repeat(9000)}`, says: '' };
  expect((await play(long, payload)).message.length).toBeGreaterThan(4096);
  expect((await play(long)).message.length).toBeLessThanOrEqual(4096);
});

test('a script that ends where nobody thought of it says at which step, and never that all is done', async () => {
  const payload = planted(
    'lib/os.sh',
    "  step 'fetch the package lists'\n",
    "  step 'fetch the package lists'\n  exit 0\n",
  );
  const ran = await play({ when: '', run: 'os-apt update', says: '' }, payload);
  expect([ran.code, ran.message]).toEqual([
    1,
    'Ended with code 0 while it was to fetch the package lists. It may be run again as it is; what it said is in the log of the Job.\n',
  ]);
});
