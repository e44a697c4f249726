import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Node, node, planted } from './node.ts';

const DIR = 'var/backups/etcd';
const TAKEN = 'etcd-cp-1-20261121T040000Z.db';

function kept(machine: Node): readonly string[] {
  return Object.keys(machine.state())
    .filter((path) => path.startsWith(`${DIR}/`))
    .map((path) => path.slice(DIR.length + 1));
}

async function save(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
  payload?: string,
) {
  const machine = node({ files, ...(payload === undefined ? {} : { payload }) });
  const ran = await machine.run('etcd-snapshot', ['save'], env);
  const left = kept(machine);
  machine.end();
  return { ...ran, left };
}

test('a snapshot is kept with what was found in it, and that is the evidence', async () => {
  const { code, message, left, calls } = await save({});
  const [sentence, evidence] = message.split('\n');
  expect(sentence).toBe(`Snapshot /${DIR}/${TAKEN} of etcd at revision 4711: 812 keys, 1056 bytes, 1 kept.`);
  expect(JSON.parse(evidence ?? '')).toEqual({
    name: TAKEN,
    revision: 4711,
    sizeBytes: 1056,
    hash: 1234567,
    keys: 812,
    sha256: '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
    time: '20261121T040000Z',
    members: 2,
  });
  expect([code, left]).toEqual([0, [TAKEN, `${TAKEN}.json`]]);
  expect(calls.at(-2)).toMatch(/^etcdctl .* --cert=.*server\.crt .*--command-timeout=900s snapshot save /);
});

test('a snapshot on the disk of etcd says that it is', async () => {
  expect((await save({ 'state/one-disk': '' })).message).toContain(
    'It is on the same disk as etcd: take a copy elsewhere, or mount a directory of another machine there.',
  );
});

const FAILING: readonly [
  when: string,
  says: RegExp,
  files: Readonly<Record<string, string>>,
  env?: Readonly<Record<string, string>>,
][] = [
  [
    'the disk is full',
    /^No snapshot of etcd was taken on cp-1, and what there was is deleted: .* \(etcdctl said: Error: .*no space left on device\)\n$/,
    { 'state/fail': 'etcdctl*snapshot*', 'state/fail-says': 'Error: write: no space left on device\n' },
  ],
  [
    'there is too little room',
    /^For a snapshot there must be 65 MiB free in \/var\/backups\/etcd, and there are 9/,
    { 'state/free': '9\n' },
  ],
  [
    'etcd does not know the certificate',
    /^Not while etcd on cp-1 does not answer \(etcdctl said: authentication handshake failed: tls: bad certificate\)/,
    { 'state/fail': 'etcdctl*member*', 'state/fail-says': '' },
  ],
  [
    'a member is missing',
    /^Not while the member of etcd at https:\/\/10\.0\.0\.2:2380 has not started/,
    { 'state/members': 'a1, started, cp-1, p, c, false\na2, unstarted, , https://10.0.0.2:2380, , false\n' },
  ],
  [
    'a member is not healthy',
    /^Not while a member of etcd is not healthy \(https:\/\/10\.0\.0\.2:2379 is unhealthy/,
    {
      'state/fail': 'etcdctl*health*',
      'state/fail-says': 'https://10.0.0.2:2379 is unhealthy: failed to commit proposal\n',
    },
  ],
  ['the file is cut', /^The snapshot of cp-1 has no hash at its end, so it is not whole/, { 'state/cut-short': '' }],
  [
    'the file is not what was sent',
    /^The snapshot of cp-1 is not what etcd sent \(its SHA-256 differs\)/,
    { 'state/altered': '' },
  ],
  [
    'the file cannot be read',
    /^The snapshot of cp-1 cannot be read \(etcdutl said: Error: invalid database\)/,
    { 'state/fail': 'etcdutl*', 'state/fail-says': '' },
  ],
  [
    'it would lie in the data of etcd',
    /^PAYLOAD_SNAPSHOT_DIR lies in the data of etcd \(\/var\/lib\/etcd\)/,
    {},
    { PAYLOAD_SNAPSHOT_DIR: '/var/lib/etcd/backups' },
  ],
  ['it would be cleaned away at once', /^PAYLOAD_SNAPSHOT_KEEP_COUNT is "0"/, {}, { PAYLOAD_SNAPSHOT_KEEP_COUNT: '0' }],
];

/** What programs say to the standard error. */
const STDERR: Readonly<Record<string, string>> = {
  'etcd does not know the certificate':
    '{"level":"warn","error":"rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = \\"transport: authentication handshake failed: tls: bad certificate\\""}\nError: context deadline exceeded',
  'the file cannot be read': 'Error: invalid database',
};

test.each(FAILING)(
  'where %s it fails, says so, and leaves no half file, and what was there before',
  async (when, says, files, env) => {
    const before = {
      [`${DIR}/etcd-cp-1-20261120T040000Z.db`]: 'x',
      [`${DIR}/etcd-cp-1-20261120T040000Z.db.json`]: '"sizeBytes":1,',
    };
    const { code, message, left } = await save({ ...files, ...before, 'state/fail-stderr': STDERR[when] ?? '' }, env);
    expect(code).toBe(1);
    expect(message).toMatch(says);
    expect(left).toEqual(Object.keys(before).map((path) => path.slice(DIR.length + 1)));
  },
);

test('where the node has openssl it says what is wrong with the certificate', async () => {
  const machine = node({ files: { 'state/fail': 'etcdctl*member*', 'state/fail-says': '' } });
  machine.write('usr/bin/openssl', '#!/bin/sh\necho "error 10 at 0 depth lookup: certificate has expired" && exit 2\n');
  chmodSync(join(machine.root, 'usr/bin/openssl'), 0o755);
  expect((await machine.run('etcd-snapshot', ['save'])).message).toMatch(
    /^Not while etcd on cp-1 does not answer \(the certificate \/etc\/kubernetes\/pki\/etcd\/server.crt is not good: certificate has expired\)/,
  );
  machine.end();
});

const STAMPS = ['20261101', '20261110', '20261118', '20261119', '20261120'].map((day) => `etcd-cp-1-${day}T040000Z.db`);

/** A node on which there are snapshots already; of those that are not good the evidence is missing. */
function with_(stamps: readonly string[], bad: readonly string[] = [], payload?: string): Node {
  const machine = node(payload === undefined ? {} : { payload });
  for (const stamp of stamps) {
    machine.write(`${DIR}/${stamp}`, 'snapshot');
    if (!bad.includes(stamp)) machine.write(`${DIR}/${stamp}.json`, '{"sizeBytes":8,"x":0}');
    machine.age(`${DIR}/${stamp}`, 21 - Number(stamp.slice(16, 18)));
  }
  machine.write(`${DIR}/etcd-cp-10-20261101T040000Z.db`, 'of another node');
  machine.age(`${DIR}/etcd-cp-10-20261101T040000Z.db`, 300);
  return machine;
}

async function retained(machine: Node, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const ran = await machine.run('etcd-snapshot', ['save'], env);
  const left = kept(machine).filter((name) => name.startsWith('etcd-cp-1-') && name.endsWith('.db'));
  const foreign = kept(machine).filter((name) => name.startsWith('etcd-cp-10-'));
  machine.end();
  if (ran.code !== 0 || foreign.length !== 1) throw new Error(ran.log);
  return left.map((name) => name.slice(16, 18));
}

test('old snapshots go by age, and those of other nodes stay', async () => {
  expect(await retained(with_(STAMPS), {})).toEqual(['18', '19', '20', '21']);
  expect(await retained(with_(STAMPS), { PAYLOAD_SNAPSHOT_KEEP_DAYS: '15' })).toEqual(['10', '18', '19', '20', '21']);
});

test('and by count', async () => {
  expect(await retained(with_(STAMPS), { PAYLOAD_SNAPSHOT_KEEP_COUNT: '2' })).toEqual(['20', '21']);
});

test('one that is not good takes no place of a good one', async () => {
  const machine = with_(STAMPS, STAMPS.slice(-2));
  expect(await retained(machine, { PAYLOAD_SNAPSHOT_KEEP_COUNT: '2' })).toEqual(['18', '19', '20', '21']);
});

test('where none can be taken, the last good one stays however old it is', async () => {
  const machine = with_(STAMPS.slice(0, 1));
  machine.write('state/fail', 'etcdctl*snapshot*');
  machine.write('state/fail-says', 'no\n');
  expect((await machine.run('etcd-snapshot', ['save'])).code).toBe(1);
  expect(kept(machine)).toContain(STAMPS[0]);
  machine.end();
});

test('planted bug: the count is of files rather than of good ones: it is found', async () => {
  const payload = planted('etcd-snapshot', '! good "$dir/$old" || kept', 'kept');
  const machine = with_(STAMPS, STAMPS.slice(-2), payload);
  expect(await retained(machine, { PAYLOAD_SNAPSHOT_KEEP_COUNT: '2' })).not.toEqual(['18', '19', '20', '21']);
});

test('planted bug: the hash at the end is not compared: an altered snapshot is kept', async () => {
  const payload = planted('etcd-snapshot', '[ "$sum" = "$(tail', 'true || [ "$sum" = "$(tail');
  expect((await save({ 'state/altered': '' }, {}, payload)).code).toBe(0);
});
