import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connect } from '../../src/cluster/kubernetes.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { json, serve } from './server.ts';

let folder: string;
let stop: AbortController;

const options = (context?: string) => ({
  ...(context === undefined ? {} : { context }),
  userAgent: 'drydock/test (me)',
  instance: 'me',
  jobsNamespace: 'drydock-jobs',
  leaseNamespace: 'kube-system',
  clock: new FakeClock(),
  random: () => 0,
  signal: stop.signal,
});

const kubeconfig = (server: string, token: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'production',
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token } }],
    contexts: ['production', 'playground'].map((name) => ({ name, context: { cluster: 'c', user: 'u' } })),
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drydock-'));
  stop = new AbortController();
  vi.stubEnv('HOME', folder);
  vi.stubEnv('KUBECONFIG', join(folder, 'config'));
  writeFileSync(join(folder, 'config'), kubeconfig('http://127.0.0.1:1', 'one'));
});

afterEach(() => {
  stop.abort();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const IN_POD = existsSync('/var/run/secrets/kubernetes.io/serviceaccount/token');

test.skipIf(IN_POD)('outside a pod the context must be named, although the kubeconfig has a current one', () => {
  expect(connect(options())).toEqual({
    ok: false,
    problem:
      'outside a pod the context must be named, with --context or DRYDOCK_CONTEXT. There are: production, playground.',
  });
});

test('a context that is not there is refused with those that are', () => {
  expect(connect(options('staging'))).toEqual({
    ok: false,
    problem: 'there is no context "staging". There are: production, playground.',
  });
});

test('where there is no kubeconfig, that is said', () => {
  vi.stubEnv('KUBECONFIG', '');
  expect(connect(options('staging'))).toEqual({
    ok: false,
    problem: 'there is no context "staging". There is no context: is KUBECONFIG set?',
  });
});

test.each([
  ['missing', () => rmSync(join(folder, 'config'))],
  ['no YAML', () => writeFileSync(join(folder, 'config'), '{')],
])('a kubeconfig that is %s is refused with the reason', (_, spoil) => {
  spoil();
  expect(connect(options('production'))).toMatchObject({
    ok: false,
    problem: expect.stringMatching(/^the kubeconfig cannot be read: ./),
  });
  writeFileSync(join(folder, 'config'), '');
});

test('a named context connects, with its identity; a token that is refused is read again from the file', async () => {
  const server = await serve((asked, response) =>
    asked.headers.authorization === 'Bearer two' ? json(response, { gitVersion: 'v1.36.4' }) : json(response, {}, 401),
  );
  writeFileSync(join(folder, 'config'), kubeconfig(server.url, 'one'));
  const connection = connect(options('playground'));
  if (!connection.ok) throw new Error(connection.problem);
  expect(connection.server).toBe(server.url);
  writeFileSync(join(folder, 'config'), kubeconfig(server.url, 'two'));
  expect(await connection.cluster.version()).toEqual({ ok: true, value: 'v1.36.4' });
  expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two']);
  await server.close();
});
