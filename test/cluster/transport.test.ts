import { type AddressInfo, createServer, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Sent } from '../../src/cluster/effects.ts';
import type { Said } from '../../src/cluster/said.ts';
import { type Identity, Transport } from '../../src/cluster/transport.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Asked, json, serve, status, type TestServer } from './server.ts';
import { turns, until } from './until.ts';

type Answer = Parameters<typeof serve>[0];
const GET: Sent = { method: 'GET', path: '/api/v1/nodes?limit=1', resource: 'nodes' };
const POST: Sent = {
  method: 'POST',
  path: '/api/v1/x',
  resource: 'x',
  contentType: 'application/json',
  body: { a: 'ü' },
};

let server: TestServer;
let clock: FakeClock;
let said: Said[];
let transport: Transport;
let identity: Identity;
let reads: number;
let renewals: number;
let onRenew: () => void;

async function start(answer: Answer): Promise<void> {
  server = await serve(answer);
  identity = { server: server.url, headers: { authorization: 'Bearer one' }, tls: {} };
}

beforeEach(() => {
  clock = new FakeClock();
  said = [];
  [reads, renewals, onRenew] = [0, 0, () => {}];
  const who = {
    read: async () => {
      reads += 1;
      return identity;
    },
    renew: () => {
      renewals += 1;
      onRenew();
    },
  };
  transport = new Transport({ who, userAgent: 'drydock/test (me)', clock, said: (each) => said.push(each) });
});

afterEach(async () => {
  await transport.close();
  await server.close();
});

const ok: Answer = (_, response) => json(response, { kind: 'List' });
const tokenOf = ({ headers }: Asked) => headers.authorization;

describe('a call', () => {
  test('carries who asks, what is sent and how it is written', async () => {
    await start(ok);
    expect(await transport.call(POST)).toMatchObject({ ok: true, value: { status: 200, body: '{"kind":"List"}' } });
    expect(server.asked[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/x',
      body: '{"a":"ü"}',
      headers: {
        authorization: 'Bearer one',
        'user-agent': 'drydock/test (me)',
        'content-type': 'application/json',
        accept: 'application/json',
      },
    });
    expect(said).toEqual([{ what: 'called', method: 'POST', resource: 'x', code: 200, milliseconds: 0 }]);
  });

  test('goes below the path of the server, where it has one', async () => {
    await start(ok);
    identity = { ...identity, server: `${server.url}/k8s/clusters/c-1/` };
    await transport.call(GET);
    expect(server.asked[0]).toMatchObject({ path: '/k8s/clusters/c-1/api/v1/nodes' });
  });

  test('follows others on the connection that is there, which may still be letting go of the last one', async () => {
    await start(ok);
    for (let time = 0; time < 50; time += 1) await transport.call(GET);
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('among very many waits for a connection that is free', async () => {
    await start(ok);
    const answers = await Promise.all(Array.from({ length: 300 }, () => transport.call(GET)));
    expect(answers.every((each) => each.ok)).toBe(true);
    expect(server.connections()).toBeLessThanOrEqual(64);
  });

  test('has the kernel look after 5 s whether the other side is still there', async () => {
    await start(ok);
    const probes = vi.spyOn(Socket.prototype, 'setKeepAlive');
    await transport.call(GET);
    expect(probes).toHaveBeenCalledWith(true, 5_000);
    probes.mockRestore();
  });

  test('reads answers that are compressed, and how long to wait', async () => {
    await start((_, response) =>
      response.writeHead(429, { 'content-encoding': 'gzip', 'retry-after': '7' }).end(gzipSync('{"much":"text"}')),
    );
    expect(await transport.call(GET)).toEqual({
      ok: true,
      value: { status: 429, body: '{"much":"text"}', retryAfterSeconds: 7 },
    });
    expect(server.asked[0]?.headers['accept-encoding']).toBe('gzip');
  });

  test.each([
    ['after 8 s', 8_000, () => transport.call(GET)],
    ['after 20 s where it is a watch', 20_000, () => transport.open(GET, new AbortController().signal)],
  ] as const)('that is not answered is given up %s', async (_, milliseconds, ask) => {
    await start(() => {});
    const answer = ask();
    await until(() => server.open() === 1);
    await clock.advance(milliseconds - 1);
    await clock.advance(1);
    expect(await answer).toMatchObject({ ok: false, code: 0, message: `no answer within ${milliseconds} ms` });
    await until(() => server.open() === 0);
    expect(clock.timers).toBe(0);
  });

  test('that finds no connection is given up after 8 s as well, and never sent', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await until(() => mute.listening);
    await start(ok);
    identity = { ...identity, server: `https://127.0.0.1:${(mute.address() as AddressInfo).port}` };
    let answer: unknown;
    void transport.call(GET).then((each) => {
      answer = each;
    });
    await until(() => sockets.length === 1);
    await clock.advance(8_000);
    expect(answer).toMatchObject({ ok: false, message: 'no answer within 8000 ms' });
    await transport.close();
    for (const socket of sockets) socket.destroy();
    mute.close();
  });

  test('that was given up before there was a connection for it is never sent', async () => {
    const held: (() => void)[] = [];
    await start((_, response) => void held.push(() => json(response, {})));
    const hanging = Array.from({ length: 64 }, () => transport.call(GET, { timeoutMs: 60_000 }));
    await until(() => held.length === 64);
    const answer = transport.call(POST);
    await clock.advance(8_000);
    expect(await answer).toMatchObject({ ok: false, message: 'no answer within 8000 ms' });
    for (const release of held) release();
    await Promise.all(hanging);
    await turns();
    expect(server.asked.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('that waits for credentials is given up after 8 s as well', async () => {
    await start(ok);
    const who = { read: () => new Promise<never>(() => {}), renew: () => {} };
    const waiting = new Transport({ who, userAgent: 'x', clock, said: () => {} });
    const answer = waiting.call(GET);
    await clock.advance(8_000);
    expect(await answer).toMatchObject({ ok: false, message: 'no answer within 8000 ms' });
    await waiting.close();
  });

  test('whose answer stops in the middle is given up too', async () => {
    await start((_, response) => response.writeHead(200).write('{"kind":'));
    const answer = transport.call(GET);
    await until(() => server.open() === 1);
    await clock.advance(8_000);
    expect(await answer).toMatchObject({ ok: false, why: 'unavailable' });
  });

  test('whose answer breaks off is no answer', async () => {
    await start((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"kind":');
      setImmediate(() => response.destroy());
    });
    expect(await transport.call(GET)).toMatchObject({ ok: false, why: 'unavailable' });
  });

  test('to a server that is away is no answer, and says what is wrong', async () => {
    await start(ok);
    identity = { ...identity, server: 'http://127.0.0.1:1' };
    const answer = await transport.call(GET);
    expect(answer).toMatchObject({ ok: false, why: 'unavailable', message: expect.stringContaining('ECONNREFUSED') });
    expect(said).toMatchObject([{ what: 'called', code: 0 }]);
  });

  test('ends when its signal says so', async () => {
    await start(() => {});
    const stop = new AbortController();
    const answer = transport.call(GET, { signal: stop.signal });
    await until(() => server.open() === 1);
    stop.abort();
    expect(await answer).toMatchObject({ ok: false, why: 'unavailable', message: 'stopped' });
  });
});

describe('a process that may not write', () => {
  test('asks, but sends nothing that changes anything, even if it was stopped between the decision and here', async () => {
    const asked: string[] = [];
    await start((request, response) => {
      asked.push(request.method ?? '');
      json(response, {});
    });
    let leads = true;
    const who = {
      // The credentials take a while, and the Lease is lost in it.
      read: async () => {
        leads = false;
        return identity;
      },
      renew: () => {},
    };
    const gated = new Transport({ who, userAgent: 'drydock/test (me)', clock, said: () => {}, mayWrite: () => leads });
    expect(await gated.call(POST)).toMatchObject({ ok: false, why: 'unavailable', message: 'not the leader' });
    expect(await gated.call(GET)).toMatchObject({ ok: true });
    expect(asked).toEqual(['GET']);
    await gated.close();
  });
});

describe('the end', () => {
  test('aborts what is on its way, and lets nothing begin', async () => {
    await start(() => {});
    const answer = transport.call(GET);
    await until(() => server.open() === 1);
    await transport.close();
    expect(await answer).toMatchObject({ ok: false, message: 'Drydock is stopping' });
    expect(await transport.call(GET)).toMatchObject({ ok: false, message: 'Drydock is stopping' });
    expect(await transport.open(GET, new AbortController().signal)).toMatchObject({ ok: false });
    expect(server.asked).toHaveLength(1);
  });
});

describe('who asks', () => {
  test('is read at most once a second', async () => {
    await start(ok);
    await Promise.all([transport.call(GET), transport.call(GET), transport.call(GET)]);
    await clock.advance(999);
    await transport.call(GET);
    expect(reads).toBe(1);
    await clock.advance(1);
    await transport.call(GET);
    expect(reads).toBe(2);
  });

  test('may have a new token: connections stay', async () => {
    await start(ok);
    await transport.call(GET);
    identity = { ...identity, headers: { authorization: 'Bearer two' } };
    await clock.advance(1_000);
    await transport.call(GET);
    await transport.call(GET);
    expect(server.asked.map(tokenOf)).toEqual(['Bearer one', 'Bearer two', 'Bearer two']);
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('may have a new certificate: a new connection is made, and what runs on the old one ends there', async () => {
    let finish = () => {};
    await start((asked, response) => {
      if (asked.path === '/slow') finish = () => json(response, { slow: true });
      else json(response, {});
    });
    const slow = transport.call({ ...GET, path: '/slow' });
    await until(() => server.asked.length === 1);
    identity = { ...identity, tls: { ca: Buffer.from('another') } };
    await clock.advance(1_000);
    await transport.call(GET);
    expect(server.connections()).toBe(2);
    finish();
    expect(await slow).toMatchObject({ ok: true, value: { status: 200 } });
  });

  test('that cannot be read for once is who it was', async () => {
    await start(ok);
    await transport.call(GET);
    const { server: url } = identity;
    Object.defineProperty(identity, 'server', {
      get: () => {
        throw new Error('token file is being replaced');
      },
    });
    await clock.advance(1_000);
    expect(await transport.call(GET)).toMatchObject({ ok: false });
    expect(said).toContainEqual({ what: 'identityUnreadable', message: 'token file is being replaced' });
    identity = { server: url, headers: {}, tls: {} };
    await clock.advance(1_000);
    expect(await transport.call(GET)).toMatchObject({ ok: true });
  });
});

describe('a token that is refused', () => {
  const known =
    (token: string): Answer =>
    (asked, response) =>
      tokenOf(asked) === `Bearer ${token}`
        ? json(response, {})
        : json(response, status(401, 'Unauthorized', 'Unauthorized'), 401);
  const rotate = () => {
    identity = { ...identity, headers: { authorization: 'Bearer two' } };
  };

  test.each([GET, POST])(
    'is read afresh, and the $method is sent again: it was answered before anything was done',
    async (sent) => {
      await start(known('two'));
      onRenew = rotate;
      expect(await transport.call(sent)).toMatchObject({ ok: true, value: { status: 200 } });
      expect(server.asked.map(tokenOf)).toEqual(['Bearer one', 'Bearer two']);
      expect(said).toContainEqual({ what: 'identityRenewed' });
    },
  );

  test('and is the same afresh stays a refusal, asked once', async () => {
    await start(known('two'));
    expect(await transport.call(GET)).toMatchObject({ ok: true, value: { status: 401 } });
    expect(server.asked).toHaveLength(1);
  });

  test('is not read afresh more often than every ten seconds: it may be a slow plugin', async () => {
    await start(known('two'));
    for (let time = 0; time < 20; time += 1) {
      await transport.call(GET);
      await clock.advance(1_000);
    }
    expect(renewals).toBe(2);
  });

  test('of a watch is renewed as well', async () => {
    await start(known('two'));
    onRenew = rotate;
    expect(await transport.open(GET, new AbortController().signal)).toMatchObject({ ok: true, value: { open: true } });
  });
});

describe('a watch', () => {
  test('gives out its chunks as they come, and has no time limit', async () => {
    let write = (_: string) => {};
    let end = () => {};
    await start((_, response) => {
      response.writeHead(200).flushHeaders();
      write = (text) => response.write(text);
      end = () => response.end();
    });
    const opened = await transport.open(GET, new AbortController().signal);
    if (!opened.ok || !opened.value.open) throw new Error('not open');
    expect(clock.timers).toBe(0);
    const { chunks } = opened.value;
    for (const text of ['one', 'two']) {
      write(text);
      const chunk = await chunks.next();
      expect(chunk.ok && Buffer.from(chunk.value ?? []).toString()).toBe(text);
    }
    end();
    expect(await chunks.next()).toEqual({ ok: true, value: undefined });
  });

  test('that is refused is an answer like another', async () => {
    await start((_, response) => json(response, status(410, 'Expired', 'too old'), 410));
    const opened = await transport.open(GET, new AbortController().signal);
    expect(opened).toMatchObject({ ok: true, value: { open: false, reply: { status: 410 } } });
  });

  test.each(['abort', 'reset', 'close'] as const)(
    'that ends by %s says so, once, and takes nothing down',
    async (how) => {
      let reset = () => {};
      await start((_, response) => {
        response.writeHead(200).flushHeaders();
        reset = () => response.destroy();
      });
      const stop = new AbortController();
      const opened = await transport.open(GET, stop.signal);
      if (!opened.ok || !opened.value.open) throw new Error('not open');
      const next = opened.value.chunks.next();
      if (how === 'abort') stop.abort();
      else if (how === 'reset') reset();
      else await transport.close();
      expect(await next).toMatchObject({ ok: false, why: 'unavailable' });
      await until(() => server.open() === 0);
    },
  );

  test('that is aborted while nobody reads is let go of', async () => {
    await start((_, response) => response.writeHead(200).flushHeaders());
    const stop = new AbortController();
    await transport.open(GET, stop.signal);
    stop.abort();
    await until(() => server.open() === 0);
  });
});
