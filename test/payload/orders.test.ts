import { expect, test } from 'vitest';
import { calls, ETCD_LOOK, PODS_LOOK } from './calls.ts';
import { node, planted } from './node.ts';

const APPLY = [
  'kubelet --version',
  'kubeadm version -o short',
  ...ETCD_LOOK,
  'dpkg --configure -a',
  'apt-get update',
  'apt-cache madison kubeadm',
  'apt-cache madison kubelet',
  'apt-cache madison kubectl',
  'apt-mark unhold kubeadm',
  'apt-get install kubeadm=1.36.5-1.1',
  'apt-mark hold kubeadm',
  'kubeadm version -o short',
  'kubeadm upgrade plan v1.36.5',
  'etcdctl endpoint status -w fields',
  'etcdctl member list',
  'etcdctl move-leader a2',
  'kubeadm upgrade apply v1.36.5 --yes',
  ...PODS_LOOK,
  'apt-mark unhold kubelet kubectl',
  'apt-get install kubelet=1.36.5-1.1 kubectl=1.36.5-1.1',
  'apt-mark hold kubelet kubectl',
  'systemctl daemon-reload',
  'systemctl restart kubelet',
  'admin: get node cp-1',
  ...PODS_LOOK,
  ...ETCD_LOOK,
];

test('kubeadm-apt apply does what the documentation of kubeadm says, in its order', async () => {
  const ran = await node().run('kubeadm-apt', ['apply']);
  expect(calls(ran)).toEqual(APPLY);
  expect(ran.code).toBe(0);
  expect(ran.message).toBe(
    'cp-1 went from v1.36.4 to v1.36.5 by kubeadm upgrade apply.\n{"node":"cp-1","kubelet":"v1.36.5","kubeadm":"v1.36.5","etcdMembers":2}\n',
  );
});

test('planted bug: the kubelet is installed together with kubeadm: the order shows it', async () => {
  const payload = planted(
    'lib/kubeadm.sh',
    '_exact" kubeadm "$kubeadm_package"',
    '_exact" kubeadm "$kubeadm_package" kubelet "$kubelet_package"',
  );
  expect(calls(await node({ payload }).run('kubeadm-apt', ['apply']))).not.toEqual(APPLY);
});

test('kubeadm-apt node on a worker asks nothing of etcd and no static pod, and uses the rights of its kubelet', async () => {
  const machine = node({ controlPlane: false });
  const ran = await machine.run('kubeadm-apt', ['node'], { DRYDOCK_ROLE: 'worker' });
  expect(calls(ran)).toEqual([
    'kubelet --version',
    'kubeadm version -o short',
    'dpkg --configure -a',
    'apt-get update',
    'apt-cache madison kubeadm',
    'apt-cache madison kubelet',
    'apt-cache madison kubectl',
    'apt-mark unhold kubeadm',
    'apt-get install kubeadm=1.36.5-1.1',
    'apt-mark hold kubeadm',
    'kubeadm version -o short',
    'kubeadm upgrade node',
    'apt-mark unhold kubelet kubectl',
    'apt-get install kubelet=1.36.5-1.1 kubectl=1.36.5-1.1',
    'apt-mark hold kubelet kubectl',
    'systemctl daemon-reload',
    'systemctl restart kubelet',
    'kubelet: get node cp-1',
  ]);
  expect([machine.read('state/reported'), ran.code]).toEqual(['1.36.5\n', 0]);
});

const QUERY = `dpkg-query -W -f ${['db:Status-Status', 'Package', 'Version'].map((each) => `\${${each}}`).join(' ')}\\n`;
const ANEW = ['dpkg-query', 'apt-get download', 'dpkg --force'];

test('kubeadm-apt installs anew what dpkg could never finish, once its repository has a package that can be', async () => {
  const machine = node({ controlPlane: false, files: { 'state/broken': 'kubelet 1.36.5-1.0\n' } });
  const ran = await machine.run('kubeadm-apt', ['node'], { DRYDOCK_ROLE: 'worker' });
  expect(calls(ran).slice(2, 10)).toEqual([
    'dpkg --configure -a',
    'apt-get update',
    QUERY,
    'apt-cache madison kubelet',
    'apt-get download kubelet=1.36.5-1.1',
    'dpkg --force-confdef --force-confold --install ./*.deb',
    'apt-mark hold kubelet',
    'apt-get update',
  ]);
  expect([ran.code, machine.read('state/reported'), machine.read('state/held-kubelet')]).toEqual([0, '1.36.5\n', '']);
});

test('planted bug: it is left to dpkg alone: the node never gets on', async () => {
  const payload = planted('lib/apt.sh', '[ "$mended" != no ] || ! apt_anew || mended=yes', ':');
  const machine = node({ controlPlane: false, payload, files: { 'state/broken': 'kubelet 1.36.5-1.0\n' } });
  const ran = await machine.run('kubeadm-apt', ['node'], { DRYDOCK_ROLE: 'worker' });
  expect(ran.code).toBe(1);
  expect(ran.calls.filter((call) => ANEW.some((each) => call.includes(each)))).toEqual([]);
});

test('kubeadm-dnf node installs past the exclude, exactly', async () => {
  const ran = await node({ controlPlane: false }).run('kubeadm-dnf', ['node'], { DRYDOCK_ROLE: 'worker' });
  expect(calls(ran).filter((call) => call.startsWith('dnf'))).toEqual([
    'dnf makecache --refresh',
    'dnf -q list --showduplicates --disableexcludes=all kubeadm',
    'dnf -q list --showduplicates --disableexcludes=all kubelet',
    'dnf -q list --showduplicates --disableexcludes=all kubectl',
    'dnf install --disableexcludes=all kubeadm-1.36.5-150500.1.1',
    'dnf install --disableexcludes=all kubelet-1.36.5-150500.1.1 kubectl-1.36.5-150500.1.1',
  ]);
  expect(ran.code).toBe(0);
});

test('check looks, downloads, and changes nothing', async () => {
  const machine = node();
  const before = machine.state();
  const ran = await machine.run('kubeadm-apt', ['check']);
  expect(calls(ran)).toEqual([
    'kubelet --version',
    'kubeadm version -o short',
    'admin: get --raw /readyz',
    ...ETCD_LOOK,
    'dpkg --configure -a',
    'apt-get update',
    'apt-cache madison kubeadm',
    'apt-cache madison kubelet',
    'apt-cache madison kubectl',
    'apt-get install --download-only --allow-change-held-packages kubeadm=1.36.5-1.1 kubelet=1.36.5-1.1 kubectl=1.36.5-1.1',
    'kubeadm upgrade plan v1.36.5',
  ]);
  expect([ran.code, machine.state()]).toEqual([0, before]);
});

test('what kubeadm is to overlook and to patch stands in the profile', async () => {
  const env = {
    PAYLOAD_IGNORE_PREFLIGHT_ERRORS: 'SystemVerification,CreateJob',
    PAYLOAD_PATCHES: '/etc/kubernetes/patches',
  };
  const ran = await node().run('kubeadm-apt', ['apply'], env);
  expect(ran.calls).toContain(
    'kubeadm upgrade apply v1.36.5 --yes --ignore-preflight-errors=SystemVerification,CreateJob --patches=/etc/kubernetes/patches',
  );
  expect(ran.calls).toContain('kubeadm upgrade plan v1.36.5 --ignore-preflight-errors=SystemVerification,CreateJob');
});

const LIST = 'etc/apt/sources.list.d/kubernetes.list';
const REPO = 'etc/yum.repos.d/kubernetes.repo';
const AT = (minor: string) => `deb [signed-by=/k.gpg] https://pkgs.k8s.io/core:/stable:/${minor}/deb/ /\n`;
const URLS = (minor: string) =>
  ['baseurl', 'gpgkey'].map((key) => `${key}=https://pkgs.k8s.io/core:/stable:/${minor}/rpm/\n`).join('');

test.each([
  ['kubeadm-apt', LIST, AT('v1.36'), AT('v1.37')],
  ['kubeadm-dnf', REPO, URLS('v1.36'), URLS('v1.37')],
])(
  '%s points the repository at the minor release, where it is told to, and only there',
  async (profile, list, from, to) => {
    const machine = node({ files: { [list]: from, [`${list}.else`]: 'deb https://example.com/v1.36/ /\n' } });
    const env = { DRYDOCK_TARGET_VERSION: 'v1.37.0' };
    await machine.run(profile, ['apply'], env);
    expect(machine.read(list)).toBe(from);
    await machine.run(profile, ['apply'], { ...env, PAYLOAD_REPOSITORY: 'Switch' });
    expect([machine.read(list), machine.read(`${list}.else`)]).toEqual([to, 'deb https://example.com/v1.36/ /\n']);
  },
);

test('os-apt update holds Kubernetes where it is, and never reboots', async () => {
  const machine = node({ files: { 'run/reboot-required': '' } });
  machine.remove('state/held-kubelet');
  const ran = await machine.run('os-apt', ['update']);
  expect(calls(ran)).toEqual([
    'systemctl is-active --quiet drydock-reboot.timer',
    'dpkg --configure -a',
    'apt-get update',
    'dpkg -s kubeadm',
    'apt-mark hold kubeadm',
    'dpkg -s kubelet',
    'apt-mark hold kubelet',
    'dpkg -s kubectl',
    'apt-mark hold kubectl',
    'apt-get upgrade --with-new-pkgs',
  ]);
  expect(machine.read('state/held-kubelet')).toBe('');
  expect(ran.message).toContain('"rebootWanted":true');
});

test.each(['os-apt', 'os-dnf'])('%s reboot updates, and arms a reboot that comes after the Job', async (profile) => {
  const ran = await node().run(profile, ['reboot'], { PAYLOAD_REBOOT_DELAY_SECONDS: '45' });
  expect(ran.calls.at(-1)).toBe(
    'systemd-run --unit=drydock-reboot --collect --on-active=45 --timer-property=AccuracySec=1s systemctl reboot',
  );
  expect([ran.code, ran.message.split('\n')[0]]).toEqual([
    0,
    'The packages of cp-1 are up to date; it reboots in 45 s.',
  ]);
});

test.each([
  ['arms a reboot where the packages want one', { files: { 'run/reboot-required': '' } }, true],
  ['caught: arms none where they do not', {}, false],
])('os-apt auto %s', async (_, made, armed) => {
  const ran = await node(made).run('os-apt', ['auto']);
  expect(ran.message).toContain(`"rebootArmed":${armed}`);
  expect(ran.calls.some((call) => call.startsWith('systemd-run'))).toBe(armed);
});

test('a newer kernel than the one that runs wants a reboot', async () => {
  const ran = await node({ files: { 'boot/vmlinuz-6.1.0-12': '' } }).run('os-apt', ['update']);
  expect(ran.message).toContain('"rebootWanted":true');
});
