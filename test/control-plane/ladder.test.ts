import { expect, test } from 'vitest';
import type { Binaries } from './binaries.ts';
import { chooseRung, hasControlPlane, type Machine, sentences } from './ladder.ts';

const bare: Machine = {
  env: {},
  contextsOf: async () => ['kind', 'production'],
  isExecutable: () => false,
  versionOf: async () => 'v1.36.1',
  dockerAnswers: async () => false,
  cached: () => undefined,
  goRelease: async () => undefined,
};
const go = { goRelease: async () => 'go1.26.8' };
const assets = { env: { KUBEBUILDER_ASSETS: '/assets' }, isExecutable: () => true };

test('with Go alone the Go module is taken, and the run says why nothing else', async () => {
  const choice = await chooseRung({ ...bare, ...go });
  expect(choice.rung).toBe('go');
  expect(sentences(choice)).toEqual([
    'drydock: control plane for tests: the Go module, by go1.26.8',
    'drydock:   passed over: DRYDOCK_TEST_KUBECONFIG is not set',
    'drydock:   passed over: KUBEBUILDER_ASSETS is not set',
    'drydock:   passed over: testcontainers: no Docker engine answers',
  ]);
});

test('an earlier build needs no Go', async () => {
  const choice = await chooseRung({ ...bare, cached: () => ({}) as Binaries });
  expect([choice.rung, choice.why]).toEqual(['go', 'the Go module, by an earlier build']);
});

test('with nothing there is one sentence on how to have it', async () => {
  const choice = await chooseRung(bare);
  expect(choice.rung).toBe('none');
  expect(sentences(choice)[0]).toMatch(
    /^drydock: no control plane for tests\. Install Go .*: it builds a control plane/,
  );
});

test('without a control plane the tests are skipped loudly, and CI fails', async () => {
  const said: string[] = [];
  expect(await hasControlPlane(bare, (line) => said.push(line))).toBe(false);
  expect([said[0], said.at(-1)]).toEqual([
    expect.stringContaining('Install Go'),
    'drydock: ALL CONTROL-PLANE TESTS ARE SKIPPED.',
  ]);
  await expect(hasControlPlane({ ...bare, env: { CI: 'true' } })).rejects.toThrow('no control plane for tests');
  expect(await hasControlPlane({ ...bare, ...go, env: { CI: 'true' } })).toBe(true);
});

test('KUBEBUILDER_ASSETS gives its three binaries where Go gives the rest', async () => {
  const choice = await chooseRung({ ...bare, ...assets, ...go });
  expect([choice.rung, choice.assets]).toEqual([
    'kubebuilder',
    { etcd: '/assets/etcd', 'kube-apiserver': '/assets/kube-apiserver', kubectl: '/assets/kubectl' },
  ]);
});

test.each([
  ['lacks a binary', { isExecutable: (file: string) => !file.endsWith('etcd') }, go, 'KUBEBUILDER_ASSETS has no etcd'],
  [
    'is older than the controller manager',
    { versionOf: async () => 'v1.35.0' },
    go,
    'kube-apiserver v1.35.0, with which',
  ],
  ['says no version', { versionOf: async () => undefined }, go, 'kube-apiserver of no known version'],
  ['is alone', {}, {}, 'there is no Go to build them'],
])('KUBEBUILDER_ASSETS is passed over when it %s', async (_, machine, has, sentence) => {
  const choice = await chooseRung({ ...bare, ...assets, ...machine, ...has });
  expect(choice.rung).not.toBe('kubebuilder');
  expect(choice.passedOver).toContainEqual(expect.stringContaining(sentence));
});

test('a Docker engine that answers is passed over with the reason', async () => {
  const { passedOver } = await chooseRung({ ...bare, ...go, dockerAnswers: async () => true });
  expect(passedOver).toContainEqual(expect.stringContaining('a Docker engine answers, but'));
});

test.each([
  [{ DRYDOCK_TEST_KUBECONFIG: '/k' }, /refused unless DRYDOCK_TEST_CONTEXT names its context \(kind, production\)/],
  [{ DRYDOCK_TEST_KUBECONFIG: '/k', DRYDOCK_TEST_CONTEXT: 'minikube' }, /is minikube, but .* has kind, production/],
])('a kubeconfig whose context is not named is refused: %o', async (env, sentence) => {
  await expect(chooseRung({ ...bare, ...go, env })).rejects.toThrow(sentence);
});

test('a given cluster is passed over by what it lacks', async () => {
  const env = { DRYDOCK_TEST_KUBECONFIG: '/k', DRYDOCK_TEST_CONTEXT: 'kind' };
  const choice = await chooseRung({ ...bare, ...go, env });
  expect([choice.rung, choice.passedOver[0]]).toEqual([
    'go',
    expect.stringContaining('these tests ask for an audit log'),
  ]);
});
