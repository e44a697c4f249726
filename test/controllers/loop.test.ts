import { describe, expect, test } from 'vitest';
import type { WindowStatus } from '../../src/api/maintenance-window.ts';
import { type Happened, type Report, reconciler, type Subject } from '../../src/controllers/loop.ts';
import { Memory } from '../../src/controllers/memory.ts';
import type { Because } from '../../src/core/because.ts';
import type { Decision, Refusal } from '../../src/core/decision.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Read, WindowObject } from '../../src/core/world.ts';
import { refused } from '../support/build.ts';
import { windowObject } from '../support/build-own.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { SmallCluster } from './small-cluster.ts';

const BECAUSE: Because = { reason: 'Planning' };
const OPEN: WindowStatus = { open: true, conditions: [] };
const UNAVAILABLE = refused({ why: 'unavailable', message: 'no answer', code: 0 });

type Facts = Read<WindowObject>;
type Told = Decision<WindowStatus, Effect>;

/** The loop around a subject of one window, which the test decides about. */
function setUp(decide: (facts: Facts) => Told, over: Partial<Subject<Facts, WindowStatus>> = {}) {
  const clock = new FakeClock();
  const cluster = new SmallCluster({ MaintenanceWindow: [windowObject('w')] });
  const memory = new Memory(clock);
  const happened: Happened[] = [];
  const told: string[] = [];
  const write = (facts: Facts, status: unknown) =>
    ({ of: 'MaintenanceWindow', name: 'w', uid: facts.uid, resourceVersion: facts.resourceVersion, status }) as const;
  const subject: Subject<Facts, WindowStatus> = {
    name: 'Window',
    version: ({ resourceVersion }) => resourceVersion,
    observe: (key) => {
      const seen = cluster.caches.MaintenanceWindow.get(key);
      return seen?.readable ? seen : undefined;
    },
    look: async (key) => {
      const answer = await cluster.read('MaintenanceWindow', key);
      return answer.ok ? { ok: true, value: answer.value?.readable ? answer.value : undefined } : answer;
    },
    decide,
    needsLook: (_, { kind }) => kind === 'move',
    status: write,
    report: () => undefined,
    tell: (_, { kind }) => void told.push(kind),
    ...over,
  };
  const { reconcile } = reconciler(subject, { cluster, clock, memory, happened: (event) => void happened.push(event) });
  return { clock, cluster, memory, happened, told, write, run: () => reconcile('w') };
}

const openUnlessPaused = ({ spec }: Facts): Told =>
  spec.paused
    ? { kind: 'wait', because: BECAUSE, recheckAfterSeconds: 9 }
    : { kind: 'move', to: OPEN, because: BECAUSE };

function act(...effects: readonly [Effect, ...Effect[]]): () => Told {
  return () => ({ kind: 'act', effects, because: BECAUSE, recheckAfterSeconds: 30 });
}

function evict(pod: string, lane: string): Extract<Effect, { kind: 'evict' }> {
  return { kind: 'evict', namespace: 'shop', pod, uid: `uid-${pod}`, lane };
}

describe('a move', () => {
  test('is stored against the version that was seen, told, and not asked for again by itself', async () => {
    const { run, cluster, told } = setUp(openUnlessPaused);
    expect(await run()).toEqual({});
    expect(cluster.live('MaintenanceWindow', 'w')).toMatchObject({ status: { open: true } });
    expect(told).toEqual(['move']);
  });

  test('is not stored where a live read says otherwise than the cache', async () => {
    const { run, cluster } = staleMove();
    expect(await run()).toEqual({ again: 9 });
    expect(cluster.writes).toEqual([]);
  });

  test('planted bug: a loop that does not look asks for the stale move to be stored', async () => {
    const { run, cluster } = staleMove({ needsLook: () => false });
    expect(await run()).toEqual({ again: 1 });
    expect(cluster.asked).toEqual(['store MaintenanceWindow w']);
  });

  test('of an object that a live read does not find is nobody’s business any more', async () => {
    const { run, cluster } = setUp(openUnlessPaused);
    cluster.lag('MaintenanceWindow');
    cluster.remove('MaintenanceWindow', 'w');
    expect(await run()).toEqual({});
    expect(cluster.writes).toEqual([]);
  });

  test.each<[Refusal, object]>([
    [refused({ why: 'conflict', code: 409 }), { again: 1 }],
    [refused({ why: 'gone', code: 404 }), { again: 1 }],
    [UNAVAILABLE, { retry: 'no answer' }],
    [refused({ message: 'the schema says no' }), { retry: 'the schema says no' }],
  ])('that is answered %j comes again, and nobody is told', async (refusal, next) => {
    const { run, cluster, told, happened } = setUp(openUnlessPaused);
    cluster.before = (about) => (about.startsWith('store') ? refusal : undefined);
    expect(await run()).toEqual(next);
    expect(told).toEqual([]);
    expect(happened).toMatchObject([{ what: 'moved', outcome: refusal }]);
  });

  const about = (facts: Facts) => ({ kind: 'MaintenanceWindow', name: facts.name, uid: facts.uid }) as const;
  test.each([
    ['read', 'LookRefused', 'The API server refused what must be read before going on: no.'],
    ['store', 'StatusRefused', 'The API server refused what there is to say: no.'],
  ])('caught: whose %s is refused is told, since status cannot say it', async (what, reason, message) => {
    const { run, cluster } = setUp(openUnlessPaused, { about });
    cluster.before = (asked) => (asked.startsWith(what) ? refused({ message: 'no.' }) : undefined);
    expect(await run()).toEqual({ retry: 'no.' });
    expect(cluster.told).toMatchObject([{ on: { name: 'w' }, type: 'Warning', reason, message }]);
  });

  test('is told nothing of what got no answer: it comes again', async () => {
    const { run, cluster } = setUp(openUnlessPaused, { about });
    cluster.away = true;
    await run();
    expect(cluster.told).toEqual([]);
  });

  test('whose look gets no answer backs off, and nothing is stored', async () => {
    const { run, cluster, happened } = setUp(openUnlessPaused);
    cluster.away = true;
    expect(await run()).toEqual({ retry: 'no answer' });
    expect(happened).toMatchObject([{ what: 'looked' }]);
  });
});

function staleMove(over: Partial<Subject<Facts, WindowStatus>> = {}) {
  const made = setUp(openUnlessPaused, over);
  made.cluster.lag('MaintenanceWindow');
  made.cluster.change('MaintenanceWindow', 'w', { spec: { ...windowObject('w').spec, paused: true } });
  return made;
}

describe('a write of ours that has not come back', () => {
  test('stops every decision, but not longer than a second', async () => {
    let decided = 0;
    const { run, cluster, clock } = setUp(() => {
      decided += 1;
      return { kind: 'move', to: { ...OPEN, closesAt: `2026-11-21T12:00:0${decided}Z` }, because: BECAUSE };
    });
    cluster.lag('MaintenanceWindow');
    await run();
    const before = decided;
    expect(await run()).toEqual({ again: 1 });
    await clock.advance(999);
    expect(await run()).toEqual({ again: 1 });
    expect(decided).toBe(before);
    await clock.advance(1);
    await run();
    expect(decided).toBeGreaterThan(before);
  });

  test('lets decisions go on as soon as it is seen', async () => {
    const { run, cluster } = setUp(openUnlessPaused, { needsLook: () => false });
    cluster.lag('MaintenanceWindow');
    await run();
    cluster.catchUp('MaintenanceWindow');
    await run();
    expect(cluster.writes).toHaveLength(2);
  });
});

describe('an act', () => {
  test('stores no state, whatever comes of its effects', async () => {
    const { run, cluster } = setUp(act(evict('a', 'one')));
    expect(await run()).toEqual({ again: 30 });
    expect(cluster.asked).toEqual(['evict a']);
    expect(cluster.writes).toEqual([]);
  });

  test('is not repeated while the cache lags, and repeated after three seconds', async () => {
    const { run, cluster, clock } = setUp(act({ kind: 'createJob', name: 'j', manifest: MANIFEST }));
    await run();
    await clock.advance(2_999);
    await run();
    expect(cluster.asked).toEqual(['createJob j']);
    await clock.advance(1);
    await run();
    expect(cluster.asked).toEqual(['createJob j', 'createJob j']);
  });

  test('that was refused is repeated at once when it is decided again', async () => {
    const { run, cluster } = setUp(act(evict('a', 'one')));
    await run();
    await run();
    expect(cluster.asked).toEqual(['evict a', 'evict a']);
  });

  test('on a newer version of its object is another one, not the one that was accepted', async () => {
    let resourceVersion = '1';
    const finalizers = { kind: 'setFinalizers', of: 'MaintenanceWindow', name: 'w', uid: 'u', finalizers: [] } as const;
    const { run, cluster, memory } = setUp(() => act({ ...finalizers, resourceVersion })());
    memory.remember({ ...finalizers, resourceVersion }, { ok: true });
    await run();
    expect(cluster.asked).toEqual([]);
    resourceVersion = '2';
    await run();
    expect(cluster.asked).toHaveLength(1);
  });

  test('that gets no answer backs off; one that is rate limited waits for its time', async () => {
    const { run, cluster } = setUp(act(evict('a', 'one')));
    cluster.before = () => UNAVAILABLE;
    expect(await run()).toEqual({ retry: 'no answer' });
    cluster.before = () => ({ ...UNAVAILABLE, cause: 'RateLimited', code: 429 });
    expect(await run()).toEqual({ again: 30 });
  });
});

const MANIFEST = { metadata: { labels: {} }, spec: { suspend: true } };

describe('lanes', () => {
  const effects = [evict('a1', 'a'), evict('b1', 'b'), evict('a2', 'a'), evict('b2', 'b')] as const;

  test('go side by side, and each one after another', async () => {
    const { run, cluster } = setUp(act(...effects));
    const waiting: (() => void)[] = [];
    cluster.before = () => new Promise((resolve) => waiting.push(() => resolve(undefined)));
    const over = run();
    await settled();
    expect(cluster.asked).toEqual(['evict a1', 'evict b1']);
    for (const go of waiting.splice(0)) go();
    await settled();
    expect(cluster.asked.slice(2)).toEqual(['evict a2', 'evict b2']);
    for (const go of waiting.splice(0)) go();
    await over;
  });

  test.each<[string, Partial<Refusal>, string[]]>([
    ['blocked', { why: 'blocked', cause: 'DisruptionBudget', code: 429 }, ['a1', 'b1', 'b2']],
    ['without an answer, which the next would await as long', { why: 'unavailable', code: 0 }, ['a1', 'b1', 'b2']],
    ['refused for its own sake', { why: 'refused', code: 403 }, ['a1', 'a2', 'b1', 'b2']],
    ['for a pod that is gone', { why: 'gone', code: 404 }, ['a1', 'a2', 'b1', 'b2']],
  ])('an eviction %s ends its lane, or does not', async (_, over, asked) => {
    const { run, cluster } = setUp(act(...effects));
    cluster.before = (about) => (about === 'evict a1' ? refused(over) : undefined);
    await run();
    expect(cluster.asked.map((line) => line.slice(6)).sort()).toEqual(asked);
  });
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a report', () => {
  function reporting(
    urgent: boolean,
    decide: () => Told = () => ({ kind: 'wait', because: BECAUSE, recheckAfterSeconds: 60 }),
  ) {
    let said = 0;
    const told: number[] = [];
    const made = setUp(decide, {
      report: (facts): Report | undefined =>
        said === 0
          ? undefined
          : { write: made.write(facts, { ...OPEN, said }), urgent, tell: () => void told.push(said) },
    });
    const say = (what: number) => {
      said = what;
    };
    return { ...made, reported: told, say };
  }

  test.each([
    [true, 1],
    [false, 10],
  ])('urgent %s: waits %i s after it is seen first, and after the last', async (urgent, seconds) => {
    const { run, say, clock, cluster, reported } = reporting(urgent);
    say(1);
    expect(await run()).toEqual({ again: seconds });
    await clock.advance(seconds * 1000 - 1);
    expect(await run()).toEqual({ again: 0.001 });
    expect(cluster.writes).toEqual([]);
    await clock.advance(1);
    expect(await run()).toEqual({ again: 60 });
    say(2);
    await clock.advance(500);
    expect(await run()).toEqual({ again: seconds - 0.5 });
    expect(reported).toEqual([1]);
  });

  test('that says nothing new writes nothing', async () => {
    const { run, cluster, clock } = reporting(true);
    await run();
    await clock.advance(60_000);
    expect(await run()).toEqual({ again: 60 });
    expect(cluster.asked).toEqual([]);
  });

  test('is written beside an act', async () => {
    const { run, say, clock, cluster } = reporting(true, act(evict('a', 'one')));
    say(1);
    await run();
    await clock.advance(1_000);
    await run();
    expect(cluster.asked).toEqual(['evict a', 'evict a', 'store MaintenanceWindow w']);
  });

  test.each<[Refusal, object]>([
    [refused({ why: 'conflict', code: 409 }), { again: 1 }],
    [UNAVAILABLE, { retry: 'no answer' }],
    [refused({ message: 'the schema says no' }), { retry: 'the schema says no' }],
  ])('that is answered %j is not asked for each second for ever', async (refusal, next) => {
    const { run, say, clock, cluster, reported } = reporting(true);
    say(1);
    await run();
    await clock.advance(1_000);
    cluster.before = () => refusal;
    expect(await run()).toEqual(next);
    expect(reported).toEqual([]);
  });
});

describe('the memory of outcomes', () => {
  test('forgets after ten minutes, and not before', async () => {
    const clock = new FakeClock();
    const memory = new Memory(clock);
    memory.remember(evict('a', 'one'), { ok: true });
    await clock.advance(599_000);
    memory.remember(evict('b', 'one'), { ok: true });
    expect(memory.recall('evict/uid-a')).toMatchObject({ outcome: { ok: true } });
    await clock.advance(1_000);
    memory.remember(evict('c', 'one'), { ok: true });
    expect(memory.recall('evict/uid-a')).toBeUndefined();
    expect(memory.recall('evict/uid-b')).toBeDefined();
  });

  test('keeps what was asked again: the last answer counts', async () => {
    const clock = new FakeClock();
    const memory = new Memory(clock);
    memory.remember(evict('a', 'one'), { ok: true });
    await clock.advance(400_000);
    memory.remember(evict('a', 'one'), refused());
    await clock.advance(400_000);
    memory.remember(evict('b', 'one'), { ok: true });
    expect(memory.recall('evict/uid-a')).toMatchObject({ outcome: { ok: false } });
  });
});
