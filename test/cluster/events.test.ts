import { beforeEach, describe, expect, test } from 'vitest';
import type { Answer } from '../../src/cluster/cluster.ts';
import type { Sent } from '../../src/cluster/effects.ts';
import { recorder } from '../../src/cluster/events.ts';
import { type Reply, unavailable } from '../../src/cluster/outcomes.ts';
import type { Said } from '../../src/cluster/said.ts';
import type { Telling } from '../../src/core/effect.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { status } from './server.ts';
import { turns } from './until.ts';

const CREATED: Answer<Reply> = { ok: true, value: { status: 201, body: '{}' } };
const telling = (more: Partial<Telling> = {}): Telling => ({
  on: { kind: 'NodeMaintenance', name: 'worker-1-x', uid: 'uid-1' },
  type: 'Normal',
  reason: 'Cordoned',
  message: 'Node worker-1 is cordoned.',
  ...more,
});

let clock: FakeClock;
let sent: Sent[];
let said: Said[];
let answers: (Answer<Reply> | Promise<Answer<Reply>>)[];
let tell: (telling: Telling) => void;

beforeEach(() => {
  [clock, sent, said, answers] = [new FakeClock(), [], [], []];
  const send = async (each: Sent) => {
    sent.push(each);
    return answers.shift() ?? CREATED;
  };
  tell = recorder({ send, clock, random: () => 0.5, instance: 'drydock-1', said: (each) => said.push(each) });
});

const lost = () => said.flatMap((each) => (each.what === 'eventLost' ? [each.message] : []));

describe('an Event', () => {
  test('is written as kubectl describe shows it', async () => {
    tell(telling());
    await turns();
    expect(sent).toEqual([
      {
        method: 'POST',
        path: '/api/v1/namespaces/default/events',
        resource: 'events',
        contentType: 'application/json',
        body: {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: expect.stringMatching(/^worker-1-x\.[0-9a-f]+$/), namespace: 'default' },
          involvedObject: {
            apiVersion: 'drydock.dev/v1alpha1',
            kind: 'NodeMaintenance',
            name: 'worker-1-x',
            uid: 'uid-1',
          },
          type: 'Normal',
          reason: 'Cordoned',
          message: 'Node worker-1 is cordoned.',
          source: { component: 'drydock' },
          reportingComponent: 'drydock',
          reportingInstance: 'drydock-1',
          firstTimestamp: '2026-11-21T12:00:00Z',
          lastTimestamp: '2026-11-21T12:00:00Z',
          count: 1,
        },
      },
    ]);
  });

  test('on a Node refers to the core group', async () => {
    tell(telling({ on: { kind: 'Node', name: 'worker-1', uid: 'node-uid' } }));
    await turns();
    expect(sent[0]?.body).toMatchObject({
      involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'worker-1', uid: 'node-uid' },
    });
  });

  test('has a name and a message that fit', async () => {
    tell(
      telling({
        on: { kind: 'Node', name: `${'a'.repeat(199)}.${'b'.repeat(53)}`, uid: 'u' },
        message: 'x'.repeat(5_000),
      }),
    );
    await turns();
    expect(sent[0]?.body).toMatchObject({
      metadata: { name: expect.stringMatching(/^a{199}\.[0-9a-f]+$/) },
      message: 'x'.repeat(1024),
    });
  });
});

describe('the same said again', () => {
  test('only counts', async () => {
    tell(telling());
    await turns();
    await clock.advance(60_000);
    tell(telling());
    await turns();
    expect(sent[1]).toMatchObject({
      method: 'PATCH',
      path: expect.stringMatching(/^\/api\/v1\/namespaces\/default\/events\/worker-1-x\.[0-9a-f]+$/),
      contentType: 'application/merge-patch+json',
      body: { count: 2, lastTimestamp: '2026-11-21T12:01:00Z' },
    });
  });

  test('while it is on its way becomes one request more, not many', async () => {
    for (let time = 0; time < 10; time += 1) tell(telling());
    await turns();
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'PATCH']);
    expect(sent[1]?.body).toMatchObject({ count: 10 });
  });

  test('after the API server forgot it is written anew', async () => {
    tell(telling());
    await turns();
    answers = [{ ok: true, value: { status: 404, body: JSON.stringify(status(404, 'NotFound', 'gone')) } }];
    tell(telling());
    await turns();
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST']);
    expect(lost()).toEqual([]);
  });
});

describe('too many', () => {
  const many = (count: number, more: (at: number) => Partial<Telling>) => {
    for (let at = 0; at < count; at += 1) tell(telling({ message: `${at}`, ...more(at) }));
  };

  test('on one object are lost after 25, then one in five minutes is let through', async () => {
    many(30, () => ({}));
    await turns();
    expect([sent.length, lost()]).toEqual([25, Array(5).fill('too many Events on one object')]);
    await clock.advance(299_999);
    tell(telling({ message: 'early' }));
    await turns();
    expect(sent).toHaveLength(25);
    await clock.advance(1);
    for (const message of ['in time', 'again']) tell(telling({ message }));
    await turns();
    expect(sent).toHaveLength(26);
  });

  test('on one object leave others their own, and what goes well leaves room for what does not', async () => {
    many(30, () => ({}));
    tell(telling({ type: 'Warning' }));
    tell(telling({ on: { kind: 'Node', name: 'a', uid: 'other' } }));
    await turns();
    expect(sent).toHaveLength(27);
  });

  test('at once are lost, and block nobody', async () => {
    let release = (_: Answer<Reply>) => {};
    answers = [new Promise((resolve) => (release = resolve))];
    many(400, (at) => ({ on: { kind: 'Node', name: 'a', uid: `uid-${at}` } }));
    expect(new Set(lost())).toEqual(new Set(['too many Events are waiting']));
    release(CREATED);
    await turns(400);
    expect(sent.length + lost().length).toBe(400);
  });
});

test('one that cannot be written is lost, and said as data; the next is written', async () => {
  answers = [
    unavailable('connect ECONNREFUSED'),
    { ok: true, value: { status: 403, body: JSON.stringify(status(403, 'Forbidden', 'no')) } },
  ];
  tell(telling());
  tell(telling({ reason: 'Drained' }));
  tell(telling({ reason: 'Done' }));
  await turns();
  expect(lost()).toEqual(['connect ECONNREFUSED', 'no']);
  expect(sent).toHaveLength(3);
});
