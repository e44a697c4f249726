import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, watchLines } from './reading.ts';
import { type Serving, serving } from './serving.ts';

const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
const PODS = '/api/v1/namespaces/shop/pods';

let model: Serving;

beforeEach(async () => {
  model = await serving();
});

afterEach(() => model.stop());

function pod(name: string, labels: Readonly<Record<string, string>> = {}) {
  const metadata = { name, labels };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'web', image: 'shop/web' }] } };
}

async function makePods(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await model.ask('POST', PODS, pod(`pod-${String(at).padStart(4, '0')}`));
}

describe('what is no resource', () => {
  it('is answered: probes without a token, the release, discovery old and new', async () => {
    for (const path of ['/healthz', '/readyz', '/livez', '/readyz/etcd']) {
      expect(await (await fetch(`${model.url}${path}`)).text()).toBe('ok');
    }
    expect((await model.ask('GET', '/version')).json['gitVersion']).toBe('v1.36.4');
    expect((await model.ask('GET', '/api')).json['versions']).toEqual(['v1']);
    const groups = (await model.ask('GET', '/apis')).json['groups'] as { name: string }[];
    expect(groups.map(({ name }) => name)).toContain('drydock.dev');
    const { resources } = (await model.ask('GET', '/api/v1')).json as { resources?: { name: string }[] };
    expect(resources).toContainEqual(
      expect.objectContaining({ name: 'pods/eviction', kind: 'Eviction', group: 'policy', version: 'v1' }),
    );
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const gathered = await model.ask('GET', '/apis', undefined, { accept });
    expect(gathered.headers.get('content-type')).toContain('as=APIGroupDiscoveryList');
    expect(gathered.json.kind).toBe('APIGroupDiscoveryList');
  });

  it('says in OpenAPI what is served, and has the schemas of our kinds', async () => {
    const { paths } = (await model.ask('GET', '/openapi/v3')).json as { paths?: Record<string, unknown> };
    expect(Object.keys(paths ?? {})).toContain('apis/drydock.dev/v1alpha1');
    const { text } = await model.ask('GET', '/openapi/v3/apis/drydock.dev/v1alpha1?hash=model');
    expect(text).toContain('"dev.drydock.v1alpha1.ClusterUpgrade"');
    expect((await model.ask('GET', '/openapi/v3/apis/nothing/v1')).status).toBe(404);
  });
});

describe('what is not served', () => {
  it.each([
    ['GET', '/apis/batch/v1/cronjobs', undefined, {}, 404, 'NotFound'],
    ['GET', '/nothing', undefined, {}, 404, 'NotFound'],
    ['GET', '/api/v1/namespaces/shop/pods/a/log', undefined, {}, 404, 'NotFound'],
    ['GET', '/api/v1/namespaces/%E0%A4%A/pods', undefined, {}, 400, 'BadRequest'],
    ['PUT', PODS, {}, {}, 405, 'MethodNotAllowed'],
    ['POST', PODS, 'kind: Pod', { 'content-type': 'application/yaml' }, 415, 'UnsupportedMediaType'],
    ['POST', PODS, 'k8s', { 'content-type': 'application/vnd.kubernetes.protobuf' }, 415, 'UnsupportedMediaType'],
    ['PATCH', `${PODS}/a`, '{}', { 'content-type': 'application/cbor' }, 415, 'UnsupportedMediaType'],
    ['POST', PODS, '{"kind":', {}, 400, 'BadRequest'],
    ['POST', PODS, { metadata: { name: 'a', labels: 'x' } }, {}, 400, 'BadRequest'],
    ['POST', PODS, { metadata: { name: 'a' }, spec: { containers: null } }, {}, 422, 'Invalid'],
    ['POST', PODS, null, {}, 400, 'BadRequest'],
    ['GET', PODS, undefined, { accept: 'application/vnd.kubernetes.protobuf' }, 406, 'NotAcceptable'],
    ['GET', PODS, undefined, { authorization: 'Bearer guessed' }, 401, 'Unauthorized'],
    ['GET', PODS, undefined, { authorization: 'Basic YTpi' }, 401, 'Unauthorized'],
  ])('%s %s is refused with a Status (%#)', async (method, path, body, headers, code, reason) => {
    const { status, json } = await model.ask(method, path, body, headers as Record<string, string>);
    expect({ status, kind: json.kind, reason: json.reason }).toEqual({ status: code, kind: 'Status', reason });
    expect(json.message).not.toBe('');
  });

  it('is a body longer than the API server reads, whoever sends it', async () => {
    const status = await new Promise((resolve) => {
      const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };
      const sending = request(`${model.url}${PODS}`, { method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sending.on('error', () => {});
      sending.end(Buffer.alloc(4 * 1024 * 1024, 0x20));
    });
    expect(status).toBe(413);
    expect((await model.ask('GET', PODS)).status).toBe(200);
  });

  it('is a request that breaks off in the middle: it leaves nothing behind', async () => {
    const socket = connect(Number(new URL(model.url).port), '127.0.0.1');
    socket.write(`POST ${PODS} HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"kind`);
    await eventually(() => socket.readyState === 'open');
    socket.destroy();
    expect((await model.ask('GET', PODS)).status).toBe(200);
    expect(model.lines.filter(({ verb }) => verb === 'create')).toEqual([]);
  });
});

describe('tables', () => {
  it('show pods as kubectl prints them, with their ages as of now', async () => {
    await model.ask('POST', PODS, pod('web'));
    model.pass(125_000);
    const { json } = await model.ask('GET', PODS, undefined, TABLE);
    type Table = {
      columnDefinitions: { name: string; priority: number }[];
      rows: { cells: unknown[]; object: { kind: string } }[];
    };
    const { columnDefinitions, rows } = json as unknown as Table;
    expect(columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name)).toEqual([
      'Name',
      'Ready',
      'Status',
      'Restarts',
      'Age',
    ]);
    expect(rows[0]?.cells).toEqual(['web', '0/1', 'Pending', '0', '2m5s', '<none>', '<none>', '<none>', '<none>']);
    expect(rows[0]?.object.kind).toBe('PartialObjectMetadata');
    const whole = await model.ask('GET', `${PODS}/web?includeObject=Object`, undefined, TABLE);
    expect((whole.json as unknown as Table).rows[0]?.object.kind).toBe('Pod');
  });

  it('show our kinds by the columns of their definitions', async () => {
    const spec = { timeZone: 'Etc/UTC', openings: [{ schedule: '0 * * * *', durationMinutes: 60 }] };
    const window = { kind: 'MaintenanceWindow', metadata: { name: 'hourly' }, spec };
    await model.ask('POST', '/apis/drydock.dev/v1alpha1/maintenancewindows', window);
    const { text } = await model.ask('GET', '/apis/drydock.dev/v1alpha1/maintenancewindows', undefined, TABLE);
    expect(text).toContain('"cells":["hourly",null,null,null,"Etc/UTC","0s"]');
  });

  it('are watched row by row, the columns with the first alone', async () => {
    await makePods(1);
    const watch = await watchLines(`${model.url}${PODS}?watch=1`, TABLE);
    await eventually(() => watch.lines.length === 1);
    await model.ask('POST', PODS, pod('second'));
    await eventually(() => watch.lines.length === 2);
    const counts = watch.lines.map(({ object }) => (object['columnDefinitions'] as unknown[]).length);
    expect(counts).toEqual([9, 0]);
    watch.close();
  });
});

describe('watches', () => {
  it('tell each of two what each asked for, until one goes', async () => {
    const all = await watchLines(`${model.url}${PODS}?watch=true&resourceVersion=${model.api.registry.etcd.revision}`);
    const red = await watchLines(`${model.url}${PODS}?watch=true&labelSelector=colour%3Dred`);
    await model.ask('POST', PODS, pod('a', { colour: 'red' }));
    await model.ask('POST', PODS, pod('b', { colour: 'blue' }));
    await model.ask('PATCH', `${PODS}/a`, '{"metadata":{"labels":{"colour":"blue"}}}', {
      'content-type': 'application/merge-patch+json',
    });
    await eventually(() => all.lines.length === 3 && red.lines.length === 2);
    expect(all.lines.map(({ type }) => type)).toEqual(['ADDED', 'ADDED', 'MODIFIED']);
    expect(red.lines.map(({ type }) => type)).toEqual(['ADDED', 'DELETED']);
    expect(model.api.watches.count).toBe(2);
    red.close();
    await eventually(() => model.api.watches.count === 1);
    all.close();
    await eventually(() => model.api.watches.count === 0);
  });

  it('are cut off when their reader stands still, and nothing else suffers from it', async () => {
    const socket = connect(Number(new URL(model.url).port), '127.0.0.1');
    socket.write(`GET ${PODS}?watch=1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer secret\r\n\r\n`);
    await eventually(() => model.api.watches.count === 1);
    socket.pause();
    const annotations = { much: 'x'.repeat(2_000) };
    const { registry } = model.api;
    const metadata = { name: 'busy', namespace: 'shop', annotations };
    registry.create('pods', { ...pod('busy'), metadata }, { by: 'test' });
    for (let at = 0; at < 40_000 && model.api.watches.count > 0; at += 1) {
      registry.write('pods', 'shop/busy', 'test', (before) => ({ ...before, spec: { count: at } }));
      if (at % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => model.api.watches.count === 0);
    expect((await model.ask('GET', `${PODS}/busy`)).status).toBe(200);
    socket.destroy();
  });
});

describe('lists', () => {
  it('come in pages of one instant', async () => {
    await makePods(5);
    type Page = {
      metadata: { continue?: string; remainingItemCount?: number };
      items: { metadata: { name: string } }[];
    };
    const first = (await model.ask('GET', `${PODS}?limit=3`)).json as unknown as Page;
    expect(first.metadata.remainingItemCount).toBe(2);
    await model.ask('DELETE', `${PODS}/pod-0004`);
    const rest = (await model.ask('GET', `${PODS}?limit=3&continue=${first.metadata.continue}`))
      .json as unknown as Page;
    const names = [...first.items, ...rest.items].map(({ metadata }) => metadata.name);
    expect(names).toEqual(['pod-0000', 'pod-0001', 'pod-0002', 'pod-0003', 'pod-0004']);
    expect(rest.metadata.continue).toBeUndefined();
  });

  it('are whole however long they are', async () => {
    for (let at = 0; at < 3_000; at += 1) {
      model.api.registry.create(
        'pods',
        { ...pod(''), metadata: { name: `p-${at}`, namespace: 'shop' } },
        { by: 'test' },
      );
    }
    const { json } = await model.ask('GET', PODS, undefined, { 'accept-encoding': 'gzip' });
    expect((json['items'] as unknown[]).length).toBe(3_000);
  });
});

describe('who asks', () => {
  it('gets a token for a service account, which is known until it runs out', async () => {
    const accounts = '/api/v1/namespaces/shop/serviceaccounts';
    expect((await model.ask('POST', `${accounts}/web/token`, {})).status).toBe(404);
    await model.ask('POST', accounts, { metadata: { name: 'web' } });
    const { json, status } = await model.ask('POST', `${accounts}/web/token`, { spec: { expirationSeconds: 600 } });
    expect(status).toBe(201);
    const authorization = `Bearer ${(json['status'] as { token: string }).token}`;
    const review = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    expect((await model.ask('POST', review, {}, { authorization })).text).toContain('system:serviceaccount:shop:web');
    model.pass(600_000);
    expect((await model.ask('POST', review, {}, { authorization })).status).toBe(401);
  });

  it('is told that everything is allowed, and why', async () => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const { json } = await model.ask('POST', path, { spec: { resourceAttributes: { verb: 'delete' } } });
    expect(json['status']).toMatchObject({ allowed: true, reason: expect.stringContaining('not modelled') });
  });
});

it('leaves one audit line for each answer, and one for each write of a controller', async () => {
  await model.ask('POST', PODS, pod('web'), { 'user-agent': 'me/1' });
  model.api.registry.write('pods', 'shop/web', 'kubelet/one', (before) => ({
    ...before,
    status: { phase: 'Running' },
  }));
  await model.ask('DELETE', `${PODS}/nothing`);
  const told = model.lines.slice(-3).map(({ verb, user, objectRef, responseStatus }) => ({
    verb,
    user: user.username,
    of: `${objectRef?.['resource']}/${objectRef?.['name']}/${objectRef?.['subresource'] ?? ''}`,
    code: responseStatus['code'],
  }));
  expect(told).toEqual([
    { verb: 'create', user: 'admin', of: 'pods/web/', code: 201 },
    { verb: 'update', user: 'system:node:one', of: 'pods/web/status', code: 200 },
    { verb: 'delete', user: 'admin', of: 'pods/nothing/', code: 404 },
  ]);
});

it('scales workloads through their path of their own', async () => {
  const path = '/apis/apps/v1/namespaces/shop/deployments';
  const spec = {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { spec: { containers: [{ name: 'web' }] } },
  };
  await model.ask('POST', path, { metadata: { name: 'web' }, spec });
  const merge = { 'content-type': 'application/merge-patch+json' };
  const { json } = await model.ask('PATCH', `${path}/web/scale`, '{"spec":{"replicas":5}}', merge);
  expect(json).toMatchObject({ kind: 'Scale', spec: { replicas: 5 }, status: { selector: 'app=web' } });
  expect((await model.ask('GET', `${path}/web`)).json['spec']).toMatchObject({ replicas: 5 });
  expect((await model.ask('PATCH', `${path}/web/scale`, '{"spec":{"replicas":-1}}', merge)).status).toBe(400);
});
