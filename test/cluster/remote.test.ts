import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, Cluster } from '../../src/cluster/cluster.ts';
import { SEEN_KINDS } from '../../src/cluster/kinds.ts';
import { remoteCluster } from '../../src/cluster/remote.ts';
import { Transport } from '../../src/cluster/transport.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Asked, json, serve, status, type TestServer } from './server.ts';
import { until } from './until.ts';

let server: TestServer;
let transport: Transport;
let cluster: Cluster;
let answer: (asked: Asked, response: ServerResponse) => void;

const pod = (name: string, nodeName: string, namespace = 'shop') => ({
  metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: '1' },
  spec: { nodeName },
  status: {},
});

beforeEach(async () => {
  answer = (asked, response) => {
    if (asked.query.has('watch')) response.writeHead(200).flushHeaders();
    else
      json(response, {
        items: asked.path.endsWith('/pods') ? [pod('a', 'worker-1')] : [],
        metadata: { resourceVersion: '5' },
      });
  };
  server = await serve((asked, response) => answer(asked, response));
  const clock = new FakeClock();
  const who = { read: async () => ({ server: server.url, headers: {}, tls: {} }), renew: () => {} };
  transport = new Transport({ who, userAgent: 'test', clock, said: () => {} });
  const parts = { transport, jobsNamespace: 'drydock-jobs', instance: 'me', clock, random: () => 0, said: () => {} };
  cluster = remoteCluster(parts);
});

afterEach(async () => {
  await transport.close();
  await server.close();
});

describe('watching', () => {
  test('lists and watches every kind, Jobs only where they are ours, until it is ended', async () => {
    const changes: Change[] = [];
    const stop = new AbortController();
    await cluster.watch((change) => changes.push(change), stop.signal);
    expect(changes).toMatchObject([{ kind: 'Pod', key: 'shop/a', before: undefined, after: { nodeName: 'worker-1' } }]);
    expect([...cluster.caches.Pod.by('node', 'worker-1')]).toHaveLength(1);
    await until(() => server.open() === SEEN_KINDS.length);
    const paths = new Set(server.asked.map(({ path }) => path));
    expect(paths.size).toBe(SEEN_KINDS.length);
    expect(paths).toContain('/apis/batch/v1/namespaces/drydock-jobs/jobs');
    expect(paths).toContain('/api/v1/pods');
    stop.abort();
    await until(() => server.open() === 0);
  });

  test('that has ended before it began asks nothing', async () => {
    await cluster.watch(() => {}, AbortSignal.abort());
    expect(server.asked).toEqual([]);
  });
});

describe('a live read', () => {
  test.each([
    ['Pod', 'shop/a', '/api/v1/namespaces/shop/pods/a'],
    ['Node', 'worker-1', '/api/v1/nodes/worker-1'],
    ['Job', 'a-1', '/apis/batch/v1/namespaces/drydock-jobs/jobs/a-1'],
    ['NodeMaintenance', 'a', '/apis/drydock.dev/v1alpha1/nodemaintenances/a'],
  ] as const)(
    'of a %s asks for that object, with no resourceVersion, so that no cache answers',
    async (kind, key, path) => {
      answer = (_, response) => json(response, pod('a', 'worker-1'));
      expect(await cluster.read(kind, key)).toMatchObject({ ok: true, value: { name: 'a', uid: 'uid-a' } });
      expect(server.asked).toMatchObject([{ method: 'GET', path }]);
      expect([...(server.asked[0]?.query ?? [])]).toEqual([]);
    },
  );

  test('of what is not there is an answer', async () => {
    answer = (_, response) => json(response, status(404, 'NotFound', 'no'), 404);
    expect(await cluster.read('Node', 'a')).toEqual({ ok: true, value: undefined });
  });

  test.each([
    ['garbage', '<html>', 'unavailable'],
    ['an object without a name', '{}', 'unavailable'],
  ])('that brings %s is no answer', async (_, body, why) => {
    answer = (__, response) => response.end(body);
    expect(await cluster.read('Node', 'a')).toMatchObject({ ok: false, why });
  });
});

describe('a live list', () => {
  test('asks page after page', async () => {
    answer = ({ query }, response) =>
      query.get('continue') === null
        ? json(response, { items: [pod('a', 'w')], metadata: { continue: 'next' } })
        : json(response, { items: [pod('b', 'w')], metadata: {} });
    const listed = await cluster.list('Pod');
    expect(listed.ok && listed.value.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(server.asked.map(({ query }) => query.get('limit'))).toEqual(['500', '500']);
  });

  test.each([
    ['Pod', 'node', 'worker-1', '/api/v1/pods', { fieldSelector: 'spec.nodeName=worker-1' }],
    ['Pod', 'namespace', 'shop', '/api/v1/namespaces/shop/pods', {}],
    ['PodDisruptionBudget', 'namespace', 'shop', '/apis/policy/v1/namespaces/shop/poddisruptionbudgets', {}],
    ['Job', 'passage', 'u', '/apis/batch/v1/namespaces/drydock-jobs/jobs', { labelSelector: 'drydock.dev/passage=u' }],
    ['Job', 'node', 'u', '/apis/batch/v1/namespaces/drydock-jobs/jobs', { labelSelector: 'drydock.dev/node-uid=u' }],
    [
      'NodeMaintenance',
      'upgrade',
      'x',
      '/apis/drydock.dev/v1alpha1/nodemaintenances',
      { labelSelector: 'drydock.dev/upgrade=x' },
    ],
    ['VolumeAttachment', 'node', 'worker-1', '/apis/storage.k8s.io/v1/volumeattachments', {}],
  ] as const)(
    'of each %s by %s %s lets the API server leave out the others',
    async (kind, index, value, path, query) => {
      await cluster.list(kind, { index, value });
      expect(server.asked[0]?.path).toBe(path);
      expect(Object.fromEntries(server.asked[0]?.query ?? [])).toEqual({ limit: '500', ...query });
    },
  );

  test('leaves out itself what the API server could not', async () => {
    answer = (_, response) => json(response, { items: [pod('a', 'worker-1'), pod('b', 'worker-2')], metadata: {} });
    const listed = await cluster.list('Pod', { index: 'node', value: 'worker-2' });
    expect(listed.ok && listed.value.map(({ name }) => name)).toEqual(['b']);
  });

  test('that is refused in the middle is no answer at all', async () => {
    answer = ({ query }, response) =>
      query.get('continue') === null
        ? json(response, { items: [pod('a', 'w')], metadata: { continue: 'next' } })
        : json(response, status(410, 'Expired', 'too old'), 410);
    expect(await cluster.list('Pod')).toMatchObject({ ok: false, why: 'unavailable' });
  });

  test('by an index that does not exist is a mistake of the program', async () => {
    await expect(cluster.list('Pod', { index: 'color', value: 'x' })).rejects.toThrow(
      'impossible: Pod has no index color',
    );
  });
});

test('the version is what the API server calls itself', async () => {
  answer = (_, response) => json(response, { gitVersion: 'v1.36.4' });
  expect(await cluster.version()).toEqual({ ok: true, value: 'v1.36.4' });
});

describe('an effect and a status', () => {
  test('are sent, and their answer is an outcome', async () => {
    answer = (_, response) => json(response, {}, 201);
    expect(await cluster.perform({ kind: 'createPolicy', name: 'cluster' })).toEqual({ ok: true });
    answer = (_, response) => json(response, status(409, 'AlreadyExists', 'there'), 409);
    expect(await cluster.perform({ kind: 'createPolicy', name: 'cluster' })).toMatchObject({
      ok: false,
      why: 'conflict',
      cause: 'Exists',
    });
    answer = (_, response) => json(response, status(409, 'Conflict', 'modified'), 409);
    const write = { of: 'ClusterUpgrade', name: 'a', uid: 'u', resourceVersion: '1', status: {} } as const;
    expect(await cluster.store(write)).toMatchObject({ ok: false, why: 'conflict', cause: 'Other' });
  });

  test('that meet no server are unavailable', async () => {
    await server.close();
    expect(await cluster.perform({ kind: 'createPolicy', name: 'cluster' })).toMatchObject({
      ok: false,
      why: 'unavailable',
    });
  });
});
