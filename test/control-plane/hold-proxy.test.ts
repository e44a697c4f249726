import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HoldProxy, startHoldProxy } from './hold-proxy.ts';
import { until } from './until.ts';

const watches = new Set<ServerResponse>();
const landed: string[] = [];
const upstream = createServer((incoming, response) => {
  if (incoming.url === '/watch') {
    response.writeHead(200).flushHeaders();
    watches.add(response);
    return;
  }
  incoming.resume().on('end', () => {
    landed.push(`${incoming.method} ${incoming.url}`);
    response.end('{}');
  });
});
let agent: Agent;
let proxy: HoldProxy;

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
});
beforeEach(async () => {
  landed.length = 0;
  agent = new Agent();
  proxy = await startHoldProxy({ server: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` });
});
afterEach(async () => {
  await agent.destroy();
  await proxy.stop();
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

test('the second write that matches is held before the API server, and lands late although its sender is gone', async () => {
  const hold = proxy.hold({ at: 'before', nth: 2, match: ({ path }) => path === '/a' });
  await send('PATCH', '/a');
  await send('PATCH', '/b');
  const sender = new AbortController();
  const sent = send('PATCH', '/a', sender.signal);
  expect(await hold.reached).toMatchObject({ n: 3, method: 'PATCH', path: '/a', body: { x: 1 } });
  sender.abort();
  await expect(sent).rejects.toThrow();
  expect(landed).toEqual(['PATCH /a', 'PATCH /b']);
  hold.release();
  await until(() => landed.length === 3, { what: 'it lands' });
});

test('a write held after the answer has landed, and its sender never knows', async () => {
  const hold = proxy.hold({ at: 'after' });
  const sent = send('POST', '/a');
  await hold.reached;
  expect(landed).toEqual(['POST /a']);
  hold.drop();
  await expect(sent).rejects.toThrow();
});

test('reads pass while a write is held, and a dropped one never lands', async () => {
  const hold = proxy.hold({ at: 'before' });
  const sent = send('POST', '/a');
  await hold.reached;
  expect(await send('GET', '/b')).toBe(200);
  hold.drop();
  await expect(sent).rejects.toThrow();
  expect(landed).toEqual(['GET /b']);
});

test('silence stops a watch and what is new, without breaking it; a cut breaks all', async () => {
  const { body } = await request(`${proxy.server}/watch`, { dispatcher: agent });
  const seen: string[] = [];
  const broken = new Promise((resolve) => body.on('error', resolve));
  body.on('data', (chunk) => seen.push(String(chunk)));
  write('one');
  await until(() => seen.length === 1, { what: 'the first event' });
  proxy.silence(true);
  write('two');
  const sent = send('GET', '/b');
  const first = await Promise.race([
    sent,
    until(() => landed.length > 0, { what: '-', seconds: 0.2 }).catch(() => 'nothing'),
  ]);
  expect([first, seen]).toEqual(['nothing', ['one']]);
  proxy.silence(false);
  expect(await sent).toBe(200);
  await until(() => seen.length === 2, { what: 'the second event' });
  proxy.cut();
  await broken;
  expect(await send('GET', '/b')).toBe(200);
});

function write(text: string): void {
  for (const watch of watches) watch.write(text);
}

async function send(method: 'GET' | 'POST' | 'PATCH', path: string, signal?: AbortSignal): Promise<number> {
  const response = await request(`${proxy.server}${path}`, {
    dispatcher: agent,
    method,
    ...(method === 'GET' ? {} : { body: JSON.stringify({ x: 1 }) }),
    ...(signal === undefined ? {} : { signal }),
  });
  await response.body.dump();
  return response.statusCode;
}
