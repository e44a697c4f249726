import { expect, onTestFinished, test } from 'vitest';
import { parseAddress } from '../../src/runtime/address.ts';
import { serveHealth, type Vitals } from '../../src/runtime/health.ts';

const WELL: Vitals = {
  ill: () => undefined,
  unready: () => undefined,
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'drydock_leader 1\n' }),
};

async function served(vitals: Vitals): Promise<(path: string, init?: RequestInit) => Promise<[number, string]>> {
  const listening = await serveHealth({ host: '127.0.0.1', port: 0 }, vitals);
  if (!listening.ok) throw new Error(listening.problem);
  onTestFinished(listening.close);
  return async (path, init) => {
    const response = await fetch(`http://127.0.0.1:${listening.port}${path}`, init);
    return [response.status, await response.text()];
  };
}

test('addresses are read as people write them', () => {
  expect(parseAddress('0.0.0.0:8080')).toEqual({ host: '0.0.0.0', port: 8080 });
  expect(parseAddress(':8080')).toEqual({ host: '0.0.0.0', port: 8080 });
  expect(parseAddress('[::]:8080')).toEqual({ host: '::', port: 8080 });
  expect(parseAddress('localhost:0')).toEqual({ host: 'localhost', port: 0 });
});

test.each(['', '8080', 'localhost', 'localhost:', 'localhost:65536', '::8080', 'http://localhost:80', '[::]'])(
  '%j is no address',
  (text) => expect(parseAddress(text)).toBeUndefined(),
);

test('a process that is well says so, and shows its metrics', async () => {
  const get = await served(WELL);
  expect(await get('/healthz')).toEqual([200, 'ok\n']);
  expect(await get('/readyz?verbose')).toEqual([200, 'ok\n']);
  expect(await get('/metrics')).toEqual([200, 'drydock_leader 1\n']);
});

test('a process that is not ready, or ill, says why', async () => {
  const get = await served({ ...WELL, ill: () => 'stuck', unready: () => 'no list of Pods yet' });
  expect(await get('/healthz')).toEqual([503, 'stuck\n']);
  expect(await get('/readyz')).toEqual([503, 'no list of Pods yet\n']);
});

test('another path, or another method, is answered with what there is', async () => {
  const get = await served(WELL);
  expect(await get('/')).toEqual([404, 'there are /healthz, /readyz and /metrics\n']);
  expect(await get('/healthz', { method: 'POST' })).toEqual([405, 'only GET and HEAD\n']);
  expect(await get('/healthz', { method: 'HEAD' })).toEqual([200, '']);
});

test('metrics that cannot be computed are an answer, and probes go on', async () => {
  const get = await served({ ...WELL, metrics: () => Promise.reject(new Error('no such cache')) });
  expect(await get('/metrics')).toEqual([500, 'the metrics cannot be computed: Error: no such cache\n']);
  expect(await get('/healthz')).toEqual([200, 'ok\n']);
});

test('a port that is taken is a sentence, not a crash', async () => {
  const first = await serveHealth({ host: '127.0.0.1', port: 0 }, WELL);
  if (!first.ok) throw new Error(first.problem);
  onTestFinished(first.close);
  const second = await serveHealth({ host: '127.0.0.1', port: first.port }, WELL);
  expect(second).toMatchObject({
    ok: false,
    problem: expect.stringContaining(`cannot listen on 127.0.0.1:${first.port}`),
  });
});
