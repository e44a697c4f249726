import { describe, expect, test } from 'vitest';
import { Memory } from '../../src/controllers/memory.ts';
import type { Outcome } from '../../src/core/decision.ts';
import type { Effect } from '../../src/core/effect.ts';
import { refused } from '../support/build.ts';
import { FakeClock } from '../support/fake-clock.ts';

function evict(pod: string, over: { readonly lane?: string; readonly spends?: string } = {}): Effect {
  return { kind: 'evict', namespace: 'shop', pod, uid: `uid-${pod}`, lane: 'uid-web', spends: '7', ...over };
}

describe('evictions against a budget, whichever passage they are of', () => {
  const memory = () => new Memory(new FakeClock());
  const pods = (from: Memory) => from.claims('uid-web').map(({ pod }) => pod);

  test('use up what it allows from before they are sent', () => {
    const own = memory();
    own.claim(evict('web-1'));
    own.claim(evict('db-1', { lane: 'uid-db' }));
    expect(own.claims('uid-web')).toEqual([{ uid: 'uid-web-1', pod: 'shop/web-1', over: '7' }]);
  });

  test('use up nothing where no budget is asked', () => {
    const own = memory();
    const { spends: _, ...free } = evict('web-1') as Extract<Effect, { kind: 'evict' }>;
    own.claim(free);
    expect(pods(own)).toEqual([]);
  });

  test.each<[string, Outcome, string[]]>([
    ['are kept when they were accepted', { ok: true }, ['shop/web-1']],
    ['are kept when nobody answered: it may have happened', refused({ why: 'unavailable', code: 0 }), ['shop/web-1']],
    ['are forgotten when the budget refused', refused({ why: 'blocked', code: 429 }), []],
    ['are forgotten when the pod is gone', refused({ why: 'gone', code: 404 }), []],
  ])('%s', (_, outcome, kept) => {
    const own = memory();
    own.claim(evict('web-1'));
    own.remember(evict('web-1'), outcome);
    expect(pods(own)).toEqual(kept);
  });

  test('are forgotten when they were not sent after all', () => {
    const own = memory();
    own.claim(evict('web-1'));
    own.unclaim(evict('web-1'));
    expect(pods(own)).toEqual([]);
  });

  test('do not pile up: those answered long ago go with the next answer', async () => {
    const clock = new FakeClock();
    const own = new Memory(clock);
    own.claim(evict('web-1'));
    own.remember(evict('web-1'), { ok: true });
    await clock.advance(2001);
    own.claim(evict('web-2'));
    own.remember(evict('web-2'), { ok: true });
    expect(pods(own)).toEqual(['shop/web-2']);
  });
});

describe('a lane', () => {
  const order = async (lanes: readonly [string, string]) => {
    const own = new Memory(new FakeClock());
    const told: string[] = [];
    let answer: () => void = () => {};
    const first = own.inLane(evict('a', { lane: lanes[0] }), () => {
      told.push('a sent');
      return new Promise<void>((resolve) => {
        answer = resolve;
      });
    });
    const second = own.inLane(evict('b', { lane: lanes[1] }), async () => void told.push('b sent'));
    await Promise.resolve();
    told.push('a answered');
    answer();
    await Promise.all([first, second]);
    return told;
  };

  test('takes one eviction after another, of two passages too: the API server retries a contested budget every 500 ms', async () => {
    expect(await order(['uid-web', 'uid-web'])).toEqual(['a sent', 'a answered', 'b sent']);
  });

  test('does not wait for another lane', async () => {
    expect(await order(['uid-web', 'uid-db'])).toEqual(['a sent', 'b sent', 'a answered']);
  });
});

describe('what was answered', () => {
  test('[seed 265] is forgotten after ten minutes: seen to fail where only the next answer made it so', async () => {
    const clock = new FakeClock();
    const own = new Memory(clock);
    own.remember(evict('web-1'), refused());
    await clock.advance(599_999);
    expect(own.recall('evict/uid-web-1')?.outcome).toEqual(refused());
    await clock.advance(1);
    expect(own.recall('evict/uid-web-1')).toBeUndefined();
  });
});
