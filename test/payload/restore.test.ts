import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Node, node, planted } from './node.ts';
import { SNAPSHOT_FILE, steps } from './restoring.ts';

const ALL = [
  'plan /var/backups/one.db cp-1=https://10.0.0.1:2380',
  'stop-api',
  'stop-etcd',
  'data',
  'start-etcd',
  'clean',
  'start-api',
  'quiet',
  'start-controllers',
  'verify',
];

function member(payload?: string): Node {
  const files = {
    'state/kubelet-follows': '',
    ...SNAPSHOT_FILE,
  };
  return node({ files, ...(payload === undefined ? {} : { payload }) });
}

const manifests = (machine: Node) =>
  Object.keys(machine.state()).flatMap((path) => path.match(/(?<=^etc\/kubernetes\/manifests\/).*(?=\.yaml)/) ?? []);

/** What is wrong with a restore that went through all its steps. */
async function wrong(machine: Node): Promise<readonly string[]> {
  const ran = await steps(machine, ALL);
  const calls = ran.flatMap((one) => one.calls);
  const restored = calls.find((call) => call.startsWith('etcdutl snapshot restore')) ?? '';
  const must: readonly (readonly [string, boolean])[] = [
    [`ended with ${ran.at(-1)?.log}`, ran.length === ALL.length && ran.every(({ code }) => code === 0)],
    ['no bumped revision', restored.includes(' --bump-revision 1000000000 --mark-compacted')],
    ['no new token', / --initial-cluster-token etcd-restored-\d{8}T\d{6}Z /.test(restored)],
    ['not its own name', restored.includes(' --name cp-1 --initial-cluster cp-1=https://10.0.0.1:2380 ')],
    ['not the data of the snapshot', machine.read('var/lib/etcd/member/snap/db') === 'restored\n'],
    ['not everything is started', manifests(machine).length === 4],
    ['Drydock runs', calls.some((call) => call.endsWith('scale deployment drydock --replicas=0'))],
    ['Drydock is not paused', calls.some((call) => call.endsWith('{"spec":{"paused":true}}'))],
    ['the kubelet is not restarted', calls.includes('systemctl restart kubelet')],
    ['an old Job goes on', calls.some((call) => call.endsWith('delete job unended --cascade=background'))],
    ['a Job that had ended is gone', !calls.some((call) => /delete job (ended|failed)/.test(call))],
    [
      'its pods come back',
      ['drydock-jobs', 'drydock-system'].every((each) =>
        calls.some((call) => call.endsWith(`del --prefix /registry/pods/${each}/`)),
      ),
    ],
  ];
  return must.filter(([, holds]) => !holds).map(([what]) => what);
}

test('a member is restored step by step, and Drydock with its old Jobs is kept still', async () => {
  expect(await wrong(member())).toEqual([]);
});

test.each([
  ['the revision is not bumped', ' --bump-revision 1000000000 --mark-compacted', '', 'no bumped revision'],
  ['old Jobs are left', 'delete job "$job"', 'get job "$job"', 'an old Job goes on'],
  ['the kubelet goes on', 'systemctl restart kubelet', 'true', 'the kubelet is not restarted'],
  ['the pods of Jobs are left', '"/registry/pods/$jobs/" ', '', 'its pods come back'],
])('planted bug: %s: it is found', async (_, from, to, found) => {
  expect(await wrong(member(planted('../restore/restore', from, to)))).toContain(found);
});

test.each(ALL.slice(1))('%s is refused where it is not its turn, and everything runs on', async (step) => {
  const machine = member();
  await steps(machine, ALL.slice(0, 1));
  const others = step === 'stop-api' ? 'start-api' : step;
  const [ran] = await steps(machine, [others]);
  expect([ran?.code, ran?.log]).toEqual([
    1,
    expect.stringMatching(/^restore: this comes after .*: run restore .* first\n$/),
  ]);
  expect(manifests(machine)).toHaveLength(4);
});

test('no API server begins before old pods are taken out, no controller before Drydock is still', async () => {
  const machine = member();
  const upTo = (step: string) => ALL.slice(0, ALL.indexOf(step));
  await steps(machine, upTo('clean'));
  expect((await steps(machine, ['start-api']))[0]?.log).toMatch(/run restore clean first/);
  await steps(machine, ['clean', 'start-api']);
  expect((await steps(machine, ['start-controllers']))[0]?.log).toMatch(/run restore quiet first/);
  expect(manifests(machine).sort()).toEqual(['etcd', 'kube-apiserver']);
});

test.each([
  ['whether Drydock is there', 'kubectl*get namespace*'],
  ['which Jobs there are', 'kubectl*get jobs*'],
])('an API server that does not say %s is asked again: no controller begins before', async (what, call) => {
  const machine = member();
  await steps(machine, ALL.slice(0, ALL.indexOf('quiet')));
  machine.write('state/fail', call);
  machine.write('state/fail-says', 'connection refused');
  expect((await steps(machine, ['quiet']))[0]?.log).toContain(`restore: the API server does not say ${what}`);
  expect((await steps(machine, ['start-controllers']))[0]?.log).toMatch(/run restore quiet first/);
});

test('where there is no Drydock nothing of it is stopped', async () => {
  const machine = member();
  await steps(machine, ALL.slice(0, ALL.indexOf('quiet')));
  machine.write('state/fail', 'kubectl*get namespace*');
  machine.write('state/fail-says', 'Error from server (NotFound): namespaces "drydock-system" not found');
  const [ran] = await steps(machine, ['quiet']);
  expect([ran?.code, ran?.calls.some((call) => call.includes('scale'))]).toEqual([0, false]);
});

test('etcd is not stopped while another API server still answers', async () => {
  const machine = member();
  machine.write('state/api-elsewhere', '');
  const ran = await steps(machine, ALL.slice(0, 3));
  expect(ran.at(-1)?.log).toMatch(/^restore: the API server at 10\.0\.0\.1:6443 still answers/);
});

test('a snapshot that is not whole is not planned with, nor another one received than was planned with', async () => {
  const machine = member();
  machine.write('var/backups/cut.db', 'x'.repeat(1000));
  expect((await steps(machine, ['plan /var/backups/cut.db']))[0]?.log).toMatch(/is not a whole snapshot of etcd/);
  machine.write('var/backups/plan', 'cluster=cp-1=https://10.0.0.1:2380\ntoken=t\nsha256=0\n');
  expect((await steps(machine, ['receive /var/backups/one.db /var/backups/plan']))[0]?.log).toMatch(
    /this is another snapshot than the one of the plan/,
  );
});

test('another member takes what was copied to it, and uses its own name and URL', async () => {
  const [one, two] = [member(), member()];
  two.write('etc/kubernetes/manifests/etcd.yaml', '    - --name=cp-2\n');
  await steps(one, ['plan /var/backups/one.db cp-1=https://10.0.0.1:2380 cp-2=https://10.0.0.2:2380']);
  two.write('var/backups/plan', one.read('var/lib/drydock-restore/plan') ?? '');
  const ran = await steps(two, ['receive /var/backups/one.db /var/backups/plan', 'stop-api', 'stop-etcd', 'data']);
  expect(ran.at(-1)?.calls.join('\n')).toMatch(
    /--name cp-2 --initial-cluster cp-1=https:\/\/10\.0\.0\.1:2380,cp-2=https:\/\/10\.0\.0\.2:2380 .*--initial-advertise-peer-urls https:\/\/10\.0\.0\.2:2380/,
  );
});

test('until an API server has begun, all can be taken back', async () => {
  for (const last of ['stop-api', 'stop-etcd', 'data', 'start-etcd']) {
    const machine = member();
    await steps(machine, ALL.slice(0, ALL.indexOf(last) + 1));
    const [ran] = await steps(machine, ['undo']);
    expect([last, ran?.code, machine.read('var/lib/etcd/member/snap/db'), manifests(machine).length]).toEqual([
      last,
      0,
      'data',
      4,
    ]);
  }
});

test('and not after, also where the API server was never seen to be ready', async () => {
  const machine = member();
  await steps(machine, ALL.slice(0, ALL.indexOf('start-api')));
  machine.write('state/fail', 'kubectl*readyz');
  machine.write('state/fail-says', 'no');
  expect((await steps(machine, ['start-api']))[0]?.log).toMatch(/the API server is not ready after 300 s/);
  expect((await steps(machine, ['undo']))[0]?.log).toMatch(/an API server has written into the restored data/);
});

test('where etcd does not run and is not installed, it is said where etcdutl is looked for', async () => {
  const machine = member();
  machine.remove('etc/kubernetes/manifests/kube-scheduler.yaml');
  machine.remove('proc/100');
  expect((await steps(machine, ['plan /var/backups/one.db']))[0]?.log).toMatch(
    /^restore: there is no etcdutl: .* Put the one of etcd's release at \/var\/lib\/drydock-restore\/etcdutl/,
  );
  for (const tool of ['etcdutl', 'etcdctl']) {
    machine.write(`var/lib/drydock-restore/${tool}`, machine.read('usr/bin/fake') ?? '');
    chmodSync(join(machine.root, 'var/lib/drydock-restore', tool), 0o755);
  }
  expect((await steps(machine, ALL.slice(0, 1)))[0]?.code).toBe(0);
});
