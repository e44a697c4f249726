import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { INDEXES, PLACES, pathOf } from '../../src/cluster/kinds.ts';
import { pool } from '../../src/cluster/pool.ts';
import type { Said } from '../../src/cluster/said.ts';
import { type Difference, Store } from '../../src/cluster/store.ts';
import { Transport } from '../../src/cluster/transport.ts';
import { view } from '../../src/cluster/views.ts';
import { Watcher } from '../../src/cluster/watcher.ts';
import type { AttachmentView } from '../../src/core/world.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Asked, json, serve, status, type TestServer } from './server.ts';
import { turns, until } from './until.ts';

const item = (name: string, resourceVersion: string, nodeName = 'worker-1') => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion },
  spec: { nodeName },
});
const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
const listOf = (items: readonly object[], resourceVersion: string, more: object = {}) => ({
  items,
  metadata: { resourceVersion, ...more },
});

let server: TestServer;
let transport: Transport;
let clock: FakeClock;
let said: Said[];
let told: string[];
let store: Store<AttachmentView>;
let watcher: Watcher<'VolumeAttachment'>;
/** What the server does next with a list, and with a watch; a watch without a plan stays open and silent. */
let lists: ((response: ServerResponse) => void)[];
let watches: ((response: ServerResponse) => void)[];
let open: ServerResponse | undefined;
let onTold: () => void;

const isWatch = ({ query }: Asked) => query.has('watch');
const asked = (of: 'list' | 'watch') => server.asked.filter((each) => isWatch(each) === (of === 'watch'));
const names = () => [...store.all()].map(({ name }) => name).sort();
const stops = () => said.flatMap((each) => (each.what === 'watchStopped' ? [`${each.why} ${each.againAfterMs}`] : []));

beforeEach(async () => {
  [clock, said, told, lists, watches, open, onTold] = [new FakeClock(), [], [], [], [], undefined, () => {}];
  server = await serve((each, response) => {
    const plan = isWatch(each) ? watches.shift() : lists.shift();
    if (isWatch(each)) {
      response.on('error', () => {});
      open = response;
    }
    if (plan !== undefined) plan(response);
    else if (isWatch(each)) response.writeHead(200).flushHeaders();
    else json(response, listOf([item('a', '90')], '100'));
  });
  const who = { read: async () => ({ server: server.url, headers: {}, tls: {} }), renew: () => {} };
  transport = new Transport({ who, userAgent: 'test', clock, said: () => {} });
  store = new Store<AttachmentView>(INDEXES.VolumeAttachment);
  watcher = new Watcher<'VolumeAttachment'>({
    kind: 'VolumeAttachment',
    ask: (query) => ({
      method: 'GET',
      path: pathOf(PLACES.VolumeAttachment, { query }),
      resource: 'volumeattachments',
    }),
    view: (raw) => view('VolumeAttachment', raw, { jobsNamespace: 'jobs', pool: pool() }),
    store,
    changed: ({ key, before, after }: Difference<AttachmentView>) => {
      told.push(`${key}: ${before?.resourceVersion ?? '–'} → ${after?.resourceVersion ?? '–'}`);
      onTold();
    },
    transport,
    clock,
    random: () => 0,
    said: (each) => said.push(each),
  });
});

afterEach(async () => {
  watcher.stop();
  await transport.close();
  await server.close();
});

/** Starts, and waits until the watch is open. */
async function synced(): Promise<void> {
  await watcher.start();
  await until(() => open !== undefined);
}

describe('a sync', () => {
  test('resolves when the list is whole and told', async () => {
    await watcher.start();
    expect(names()).toEqual(['a']);
    expect(told).toEqual(['a: – → 90']);
    await until(() => asked('watch').length === 1);
    expect(Object.fromEntries(asked('watch')[0]?.query ?? [])).toEqual({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '100',
      timeoutSeconds: '300',
    });
  });

  test('asks page after page and shows none before the last', async () => {
    let finish = () => {};
    lists = [
      (response) => json(response, listOf([item('a', '1')], '100', { continue: 'next' })),
      (response) => {
        finish = () => json(response, listOf([item('b', '2')], '100'));
      },
    ];
    const done = watcher.start();
    await until(() => asked('list').length === 2);
    expect(asked('list').map(({ query }) => [query.get('limit'), query.get('continue')])).toEqual([
      ['500', null],
      ['500', 'next'],
    ]);
    expect(names()).toEqual([]);
    finish();
    await done;
    expect(names()).toEqual(['a', 'b']);
  });

  test('of very many tells of each, in turns', async () => {
    lists = [
      (response) =>
        json(
          response,
          listOf(
            Array.from({ length: 3_500 }, (_, at) => item(`n${at}`, '1')),
            '100',
          ),
        ),
    ];
    await watcher.start();
    expect(told).toHaveLength(3_500);
  });

  test('waits for a kind that is not defined yet, and says so', async () => {
    lists = [
      (response) => json(response, status(404, 'NotFound', 'the server could not find the requested resource'), 404),
    ];
    let done = false;
    void watcher.start().then(() => {
      done = true;
    });
    await until(() => stops().length === 1);
    expect(stops()).toEqual(['listFailed 800']);
    expect(done).toBe(false);
    await clock.advance(800);
    await until(() => done);
    expect(names()).toEqual(['a']);
  });

  test('leaves out what cannot be read, and only that', async () => {
    lists = [(response) => json(response, listOf([{ metadata: {} }, item('a', '1')], '100'))];
    await watcher.start();
    expect(names()).toEqual(['a']);
    expect(said).toContainEqual({ what: 'unreadable', kind: 'VolumeAttachment' });
  });

  test('begins the list again when a page expires, and never shows half of one', async () => {
    lists = [
      (response) => json(response, listOf([item('half', '1')], '100', { continue: 'next' })),
      (response) => json(response, status(410, 'Expired', 'The provided continue parameter is too old'), 410),
    ];
    const done = watcher.start();
    await until(() => stops().length === 1);
    await clock.advance(0);
    await done;
    expect(names()).toEqual(['a']);
  });
});

describe('a watch', () => {
  test('changes the cache and tells of it, event by event', async () => {
    await synced();
    open?.write(
      line('ADDED', item('b', '101')) +
        line('MODIFIED', item('a', '102', 'worker-2')) +
        line('DELETED', item('b', '103')),
    );
    await until(() => told.length === 4);
    expect(told).toEqual(['a: – → 90', 'b: – → 101', 'a: 90 → 102', 'b: 101 → –']);
    expect([...store.by('node', 'worker-2')].map(({ name }) => name)).toEqual(['a']);
  });

  test('that breaks in the middle of a line goes on behind the last whole one', async () => {
    await synced();
    open?.write(`${line('ADDED', item('b', '101'))}{"type":"ADDED","object":{"meta`);
    await until(() => told.length === 2);
    open?.destroy();
    await until(() => stops().length === 1);
    expect(stops()).toEqual(['watchFailed 800']);
    await clock.advance(800);
    await until(() => asked('watch').length === 2);
    expect(asked('watch')[1]?.query.get('resourceVersion')).toBe('101');
    expect(asked('list')).toHaveLength(1);
  });

  test('that ends in time is opened again behind the last bookmark', async () => {
    await synced();
    open?.write(line('BOOKMARK', { metadata: { resourceVersion: '150' } }));
    await turns();
    await clock.advance(5_000);
    open?.end();
    await until(() => asked('watch').length === 2);
    expect(asked('watch')[1]?.query.get('resourceVersion')).toBe('150');
    expect(stops()).toEqual([]);
  });

  const expiries: readonly [string, () => unknown][] = [
    ['as an ERROR in the stream', () => open?.write(line('ERROR', status(410, 'Expired', 'too old resource version')))],
    [
      'as a status when it is opened again',
      async () => {
        watches = [(response) => json(response, status(410, 'Expired', 'too old resource version'), 410)];
        await clock.advance(5_000);
        open?.end();
      },
    ],
    ['as a line that is no JSON, after which nobody knows what was missed', () => open?.write('{"type":\n')],
    [
      'as the wish of a server that was restored',
      () => open?.write(line('ERROR', status(504, 'Timeout', 'Too large resource version: 100, current: 7'))),
    ],
  ];
  test.each(expiries)('that expires, %s, is replaced by a list, and the difference is told', async (_, expire) => {
    await synced();
    lists = [(response) => json(response, listOf([item('c', '200')], '210'))];
    await expire();
    await until(() => stops().length === 1);
    expect(names()).toEqual(['a']);
    await clock.advance(0);
    await until(() => asked('list').length === 2 && told.length === 3);
    expect(told.slice(1)).toEqual(['a: 90 → –', 'c: – → 200']);
    await until(() => asked('watch').at(-1)?.query.get('resourceVersion') === '210');
  });

  test('that the server has too many of waits as long as it asks', async () => {
    await synced();
    watches = [(response) => json(response, status(429, 'TooManyRequests', 'later'), 429, { 'retry-after': '7' })];
    await clock.advance(5_000);
    open?.end();
    await until(() => stops().length === 1);
    expect(stops()).toEqual(['watchFailed 7000']);
    await clock.advance(6_999);
    await turns();
    expect(asked('watch')).toHaveLength(2);
    await clock.advance(1);
    await until(() => asked('watch').length === 3);
  });

  test('on which nothing is heard for 90 s is opened again, and its cache is not listed again', async () => {
    await synced();
    const before = open;
    await clock.advance(89_999);
    await turns();
    expect(asked('watch')).toHaveLength(1);
    await clock.advance(1);
    await until(() => asked('watch').length === 2);
    expect(before?.destroyed).toBe(true);
    expect(asked('list').map(({ query }) => query.get('limit'))).toEqual(['500', '1']);
    expect(stops()).toEqual([]);
  });

  test('on which nothing is heard because the server was restored is replaced by a list', async () => {
    await synced();
    lists = [
      (response) => json(response, listOf([], '40')),
      (response) => json(response, listOf([item('old', '30')], '40')),
    ];
    await clock.advance(90_000);
    await until(() => stops().length === 1);
    await clock.advance(0);
    await until(() => told.length === 3);
    expect(names()).toEqual(['old']);
  });

  test('skips an object that cannot be read, and goes on behind it', async () => {
    await synced();
    open?.write(line('ADDED', { metadata: { resourceVersion: '105' } }) + line('ADDED', item('b', '106')));
    await until(() => told.length === 2);
    expect(said).toContainEqual({ what: 'unreadable', kind: 'VolumeAttachment' });
  });
});

describe('a stop', () => {
  const nothingFollows = async () => {
    const [requests, before] = [server.asked.length, told.length];
    await until(() => server.open() === 0);
    await clock.advance(600_000);
    await turns();
    expect(server.asked).toHaveLength(requests);
    expect(told).toHaveLength(before);
    expect(clock.timers).toBe(0);
  };

  test('during a list leaves no watch behind, and lets the sync end', async () => {
    let finish = () => {};
    lists = [
      (response) => {
        finish = () => json(response, listOf([item('a', '1')], '100'));
      },
    ];
    const done = watcher.start();
    await until(() => asked('list').length === 1);
    watcher.stop();
    finish();
    await done;
    await nothingFollows();
    expect(asked('watch')).toEqual([]);
    expect(names()).toEqual([]);
  });

  test('during a watch ends it', async () => {
    await synced();
    watcher.stop();
    await nothingFollows();
  });

  test('while a watch is being opened ends it', async () => {
    watches = [() => {}];
    await watcher.start();
    await until(() => asked('watch').length === 1);
    watcher.stop();
    await nothingFollows();
  });

  test('during a pause ends it', async () => {
    lists = [(response) => response.destroy()];
    const done = watcher.start();
    await until(() => stops().length === 1);
    watcher.stop();
    await done;
    await nothingFollows();
  });

  test('before the start: nothing is ever asked', async () => {
    watcher.stop();
    await watcher.start();
    await nothingFollows();
    expect(server.asked).toEqual([]);
  });

  test('by whoever is told of a change takes effect at once', async () => {
    lists = [(response) => json(response, listOf([item('a', '1'), item('b', '2')], '100'))];
    onTold = () => watcher.stop();
    await watcher.start();
    await nothingFollows();
    expect(told).toEqual(['a: – → 1']);
    expect(asked('watch')).toEqual([]);
  });
});
