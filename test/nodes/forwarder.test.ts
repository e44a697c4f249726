import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { until } from '../control-plane/until.ts';
import { type Address, type Forwarder, forward } from './forwarder.ts';

const HOST = '127.0.0.1';
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** A server that says its name and then whatever it is told. */
async function server(name: string): Promise<Address> {
  const listening: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  listening.listen(0, HOST);
  await once(listening, 'listening');
  open.push({ close: () => listening.close() });
  return { host: HOST, port: (listening.address() as { port: number }).port };
}

async function before(ready: Record<string, boolean | 'silent'>) {
  const names = Object.keys(ready);
  const servers = await Promise.all(names.map(server));
  const said: string[] = [];
  const isReady = ({ port }: Address): Promise<boolean> => {
    const word = ready[names[servers.findIndex((each) => each.port === port)] ?? ''];
    return word === 'silent' ? new Promise(() => {}) : Promise.resolve(word === true);
  };
  const listen = { host: HOST, port: 0 };
  const forwarder = await forward({ listen, servers, isReady, everyMs: 20, say: (line) => said.push(line) });
  open.push(forwarder);
  return { forwarder, said };
}

/** A client that has come through, with the name of who answered; without a name it was reset. */
async function come({ port }: Forwarder): Promise<{ readonly name?: string; readonly socket: Socket }> {
  const socket = connect({ host: HOST, port });
  open.push({ close: () => socket.destroy() });
  const name = new Promise<string | undefined>((resolve) => {
    socket.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
  const heard = await name;
  return heard === undefined ? { socket } : { name: heard, socket };
}

async function names(forwarder: Forwarder, count: number): Promise<readonly (string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for (let index = 0; index < count; index++) found.push((await come(forwarder)).name);
  return found;
}

test('those that are ready are asked in turn, and nobody else', async () => {
  const { forwarder } = await before({ one: true, two: false, three: true });
  const found = await names(forwarder, 6);
  expect(found.toSorted()).toEqual(['one', 'one', 'one', 'three', 'three', 'three']);
});

test('one that is not ready any more is out, and its connections are cut; later it is in again (planted: nobody cuts)', async () => {
  const ready: Record<string, boolean> = { one: true, two: true };
  const { forwarder, said } = await before(ready);
  const clients = [await come(forwarder), await come(forwarder)];
  const [lost, kept] = clients.toSorted((a, b) => Number(a.name === 'two') - Number(b.name === 'two'));
  const cut = new Promise((resolve) => lost?.socket.once('close', resolve));
  ready['one'] = false;
  await cut;
  expect(said.some((line) => /is out, 1 connections are cut$/.test(line))).toBe(true);
  expect(kept?.socket.destroyed).toBe(false);
  expect(new Set(await names(forwarder, 4))).toEqual(new Set(['two']));
  ready['one'] = true;
  await until(async () => (await come(forwarder)).name === 'one', { what: 'it is in again', seconds: 10 });
});

test('one that owes its answer gets no new connection while another is sure', async () => {
  const ready: Record<string, boolean | 'silent'> = { one: true, two: true };
  const { forwarder } = await before(ready);
  ready['one'] = 'silent';
  const onlyTwo = async () => (await names(forwarder, 4)).every((name) => name === 'two');
  await until(onlyTwo, { what: 'nobody is sent to the silent one', seconds: 10 });
  ready['two'] = false;
  const onlyOne = async () => (await come(forwarder)).name === 'one';
  await until(onlyOne, { what: 'where no other is ready it is better than none', seconds: 10 });
});

test('one that refuses connections is passed over, and where nobody is left the client is reset', async () => {
  const ready = { one: true };
  const gone = await server('gone');
  const { forwarder } = await before(ready);
  const closed = open.splice(0, 1);
  for (const each of closed) await each.close();
  const second = await forward({
    listen: { host: HOST, port: 0 },
    servers: [gone, { host: HOST, port: forwarder.port }],
    isReady: async () => true,
    say: () => {},
  });
  open.push(second);
  expect(await names(second, 4)).toEqual(['one', 'one', 'one', 'one']);
  ready.one = false;
  await until(async () => (await come(second)).name === undefined, { what: 'nobody is there', seconds: 10 });
});

test('what is sent comes back, also after the client has said that it is done', async () => {
  const { forwarder } = await before({ one: true });
  const socket = connect({ host: HOST, port: forwarder.port, allowHalfOpen: true });
  const text = 'x'.repeat(1 << 20);
  let heard = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    heard += chunk;
  });
  socket.end(text);
  await once(socket, 'end');
  expect(heard).toBe(`one\n${text}`);
});
