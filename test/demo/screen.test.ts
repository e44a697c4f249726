import { describe, expect, it, test } from 'vitest';
import { blocker, done, draining, passing, row, scene } from './build.ts';
import { type NodeRow, queue, type Scene } from './scene.ts';
import { clock, type Paint, screen, wrap } from './screen.ts';
import { openTerminal } from './terminal.ts';

const plain: Paint = (_, text) => text;

function shown(of: Scene, columns = 80, rows = 50): readonly string[] {
  return screen(of, 74, { columns, rows }, plain);
}

const SCENES: Readonly<Record<string, Scene>> = {
  'nothing begun': scene([row('cp-1', { controlPlane: true }), row('worker-1')]),
  draining: scene([draining(), row('worker-2')]),
  blocked: scene([draining('worker-1', { blockers: [blocker(), passing()] }), row('worker-2')]),
  'many wait for one budget': scene([
    draining('worker-1', { blockers: [1, 2, 3].map((i) => passing(`shop/web-${i}`)) }),
  ]),
  'long names': scene([draining('ip-10-0-113-24.eu-central-1.compute.internal'), done('a'.repeat(90))]),
  complete: scene([done('worker-1'), done('worker-2')]),
  'no node at all': scene([], { budgets: [], window: undefined }),
};

describe.each(Object.entries(SCENES))('the screen while %s', (_, of) => {
  it.each([60, 80, 120, 300])('is never wider than %i columns, and its rows can be counted', (columns) => {
    expect(shown(of, columns).filter((line) => line.length >= columns)).toEqual([]);
  });

  it.each([5, 12, 24, 30])('leaves the last of %i rows to the cursor', (rows) => {
    expect(shown(of, 80, rows).length).toBeLessThan(rows);
  });
});

test.each<[what: string, node: NodeRow, says: string]>([
  ['waits', row(), 'worker-1  v1.35.7     3   cordon  drain  Job  verify  uncordon  waiting'],
  [
    'is prepared',
    draining('worker-1', { step: -1, reason: 'Preparing' }),
    '  3   cordon  drain  Job  verify  uncordon  Preparing',
  ],
  ['drains', draining(), '  3  ✓cordon ▸drain  Job  verify  uncordon  Evicting'],
  ['is blocked', draining('worker-1', { blockers: [blocker()] }), '✓cordon ▸drain  Job  verify  uncordon  Blocked'],
  [
    'runs its Job',
    draining('worker-1', { step: 2, reason: 'JobRunning' }),
    '✓cordon ✓drain ▸Job  verify  uncordon  JobRunning',
  ],
  ['restarts', draining('worker-1', { step: 2, ready: false }), '✓cordon ✓drain ▸Job  verify  uncordon  NotReady'],
  [
    'is verified',
    draining('worker-1', { step: 3, reason: 'Verifying' }),
    '✓cordon ✓drain ✓Job ▸verify  uncordon  Verifying',
  ],
  ['is back', done(), 'v1.36.4     3  ✓cordon ✓drain ✓Job ✓verify ✓uncordon  done in 14 s'],
  ['was there before', row('worker-1', { is: 'done' }), 'uncordon  at target'],
  ['failed', row('worker-1', { is: 'ended', phase: 'Failed' }), ' cordon  drain  Job  verify  uncordon  Failed'],
])('the row of a node that %s', (_, node, says) => {
  expect(shown(scene([node])).find((line) => line.includes('worker-1'))).toContain(says);
});

test('a blocker is named: pod, owner, budget, reason and what can be done', () => {
  const text = shown(scene([draining('worker-1', { blockers: [blocker()] })])).join('\n');
  expect(text).toContain('pod     shop/payments-56b5c89884-txbb2');
  expect(text).toContain('owner   ReplicaSet/payments-56b5c89884');
  expect(text).toContain('budget  shop/payments');
  expect(text).toContain('reason  BudgetNeverAllows: PodDisruptionBudget shop/payments');
  expect(text).toContain('advice  Raise the replicas');
});

test('pods that wait for the same budget share a sentence', () => {
  const text = shown(scene([draining('worker-1', { blockers: [passing('shop/web-1'), passing('shop/web-2')] })])).join(
    '\n',
  );
  expect(text).toContain('worker-1  shop/web-1 and 1 more: PodDisruptionBudget shop/web allows no');
});

test('a low window drops the budgets before the reasons', () => {
  const of = scene([draining(), row('worker-2')]);
  expect(shown(of, 80, 50).join('\n')).toContain('HEALTHY PODS');
  const low = shown(of, 80, 13).join('\n');
  expect(low).not.toContain('HEALTHY PODS');
  expect(low).toContain('worker-1  2 pods asked to leave.');
});

test.each<[why: string, of: Scene]>([
  ['Control planes come first: cp-1.', scene([draining('cp-1', { controlPlane: true }), row('worker-2')])],
  ['2 nodes are out, and 2 may be.', scene([draining('worker-1'), draining('worker-2'), row('worker-3')])],
  ['Window hourly is closed.', scene([draining(), row('worker-2')], { window: { name: 'hourly', open: false } })],
  ['There is room for one more, so the next begins.', scene([draining(), row('worker-2')])],
  ['1 nodes in flight, 2 waiting.', scene([done(), row('worker-2')])],
  ['', scene([done()])],
])('nodes that have not begun: %j', (why, of) => {
  expect(queue(of).why).toBe(why);
});

test.each<[text: string, width: number, lines: readonly string[]]>([
  ['', 10, []],
  ['a few words', 20, ['a few words']],
  ['a few words', 5, ['a few', 'words']],
  ['abcdefgh', 3, ['abc', 'def', 'gh']],
])('wrap %j to %i', (text, width, lines) => {
  expect(wrap(text, width)).toEqual(lines);
});

test.each([
  [0, '0:00'],
  [9.9, '0:09'],
  [74, '1:14'],
  [3600, '60:00'],
])('%d seconds are %s', (seconds, text) => {
  expect(clock(seconds)).toBe(text);
});

describe('the terminal', () => {
  function written(isTTY: boolean, env: Record<string, string>): string {
    let text = '';
    const terminal = openTerminal({ isTTY, columns: 30, rows: 24, write: (some: string) => (text += some) }, env);
    terminal.say(terminal.paint('green', 'one two three four five six seven eight'), '  head  ');
    terminal.show(['live']);
    terminal.leave();
    return text;
  }
  const esc = String.fromCharCode(27);

  it('writes whole plain lines where there is none', () => {
    expect(written(false, {})).toBe('  head  one two three four five six seven eight\n');
    expect(written(true, { TERM: 'dumb' })).toBe('  head  one two three four five six seven eight\n');
  });

  it('breaks lines below their text, draws, and gives the cursor back', () => {
    const text = written(true, { NO_COLOR: '1' });
    expect(text).toContain('  head  one two three four');
    expect(text).toContain(`\n${esc}[2K        five six seven eight`);
    expect(text).toContain('live');
    expect(text.endsWith(`${esc}[?25h`)).toBe(true);
  });

  it('respects NO_COLOR', () => {
    expect(written(true, {})).toContain(`${esc}[32m`);
    expect(written(true, { NO_COLOR: '1' })).not.toContain(`${esc}[32m`);
  });
});
