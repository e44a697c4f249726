import { expect, test } from 'vitest';
import { stale } from './kills.ts';
import { node, planted } from './node.ts';

async function renew(files: Readonly<Record<string, string>> = {}, payload?: string) {
  const machine = node({ files, ...(payload === undefined ? {} : { payload }) });
  const ran = await machine.run('kubeadm-certificates', ['renew']);
  const old = stale(machine);
  machine.end();
  return { ...ran, old };
}

test('what expires when is the evidence, before and after', async () => {
  const { code, message } = await renew();
  const [sentence, evidence] = message.split('\n');
  expect([code, sentence]).toEqual([
    0,
    '4 certificates of cp-1 are renewed and in use; whoever copied admin.conf has to copy it again.',
  ]);
  const ca = { ca: 'Nov 19, 2035 04:00 UTC', 'super-admin.conf': 'missing' };
  const all = (when: string) => ({ 'admin.conf': when, apiserver: when, 'etcd-server': when, ...ca });
  expect(JSON.parse(evidence ?? '')).toEqual({
    node: 'cp-1',
    before: all('Dec 20, 2026 04:00 UTC'),
    after: all('Nov 21, 2027 04:00 UTC'),
  });
});

test('check changes nothing and says which expires first', async () => {
  const machine = node();
  const before = machine.state();
  const ran = await machine.run('kubeadm-certificates', ['check']);
  expect(ran.message.split('\n')[0]).toBe(
    'The certificates of cp-1 can be renewed; the first to expire has 29d admin.conf left.',
  );
  expect(machine.state()).toEqual(before);
  machine.end();
});

test('the static pods are restarted one after another, each waited for before the next', async () => {
  const { calls, old } = await renew();
  const seen = calls.flatMap(
    (call) => call.match(/^kill -TERM \d+|get pod \S+|(?<=kubeadm certs )renew|move-leader/) ?? [],
  );
  expect(seen).toEqual([
    'renew',
    'move-leader',
    ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].flatMap((each, index) => [
      `kill -TERM ${100 + index}`,
      `get pod ${each}-cp-1`,
    ]),
  ]);
  expect(old).toBeUndefined();
});

test('a process that stays is noticed, and the next is left alone', async () => {
  const { code, message, calls } = await renew({ 'state/stubborn': '' });
  expect([code, message]).toEqual([
    1,
    'etcd of cp-1 does not run with its new certificate after 240 s, and what comes after it was not restarted: crictl ps -a and crictl logs on the node say why; run again when it is mended.\n',
  ]);
  expect(calls.filter((call) => call.startsWith('kill'))).toEqual(['kill -TERM 100']);
});

test('planted bug: nobody looks whether the process is a new one: it is found', async () => {
  const payload = planted('kubeadm-certificates', 'wait_for 240 uses_new "$1" ||', 'true ||');
  const { code, old } = await renew({ 'state/stubborn': '' }, payload);
  expect([code, old]).toEqual([
    0,
    'still with the old certificate: etcd kube-apiserver kube-controller kube-scheduler',
  ]);
});

test('an API server of a cluster that runs inside this one is left alone', async () => {
  const machine = node({ files: { 'state/pid-kube-apiserver': '' } });
  machine.write('state/pid-kube-apiserver', '900\n101\n');
  const ran = await machine.run('kubeadm-certificates', ['renew']);
  expect(ran.calls.filter((call) => call.startsWith('kill'))).not.toContain('kill -TERM 900');
  machine.end();
});
