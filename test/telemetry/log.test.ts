import { expect, test } from 'vitest';
import { type LogFormat, type LogLevel, logStep, openLog, type Step } from '../../src/telemetry/log.ts';

function opened(format: LogFormat, level: LogLevel = 'debug') {
  const lines: string[] = [];
  const now = () => Date.parse('2026-11-21T12:34:56.789Z');
  return { lines, log: openLog({ level, format, now, to: { write: (line: string) => lines.push(line) } }) };
}

const moved: Step = {
  what: 'moved',
  subject: 'NodeMaintenance',
  key: 'worker-7-3f9a2c01be',
  reason: 'Drained',
  message: 'The node is empty.',
  outcome: { ok: true },
};

test('a line for machines is JSON with the time, the level as a word, and the sentence', () => {
  const { lines, log } = opened('json');
  logStep(log, moved);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      level: 'info',
      time: '2026-11-21T12:34:56.789Z',
      subject: 'NodeMaintenance',
      key: 'worker-7-3f9a2c01be',
      reason: 'Drained',
      message: 'The node is empty.',
    },
  ]);
});

test('a line for people is one line: time of day, level, sentence, the rest as key=value', () => {
  const { lines, log } = opened('pretty');
  log.warn({ zone: 'Asia/Seoul', why: 'two words', count: 3 }, 'The window is closed.');
  expect(lines).toEqual(['12:34:56 WARN  The window is closed. zone=Asia/Seoul why="two words" count=3\n']);
});

test('an error keeps its stack, in both forms', () => {
  for (const format of ['json', 'pretty'] as const) {
    const { lines, log } = opened(format);
    log.fatal({ error: new Error('undefined is not a function') }, 'A bug.');
    expect(lines.join('')).toContain('undefined is not a function');
    expect(lines.join('')).toContain('log.test.ts');
  }
});

test('a step that was taken is told, one that was refused for good warns, one tried on an old view is quiet', () => {
  const { lines, log } = opened('json', 'info');
  const refusal = { ok: false, cause: 'Other', message: 'no', code: 409 } as const;
  logStep(log, { ...moved, outcome: { ...refusal, why: 'conflict' } });
  expect(lines).toEqual([]);
  logStep(log, { ...moved, outcome: { ...refusal, why: 'refused', code: 403 } });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', why: 'refused', code: 403, message: 'no' });
  logStep(log, { ...moved, what: 'looked' });
  expect(lines).toHaveLength(1);
});

test('an effect is named in its line', () => {
  const { lines, log } = opened('json');
  logStep(log, { ...moved, what: 'performed', effect: { kind: 'evict', name: 'shop/cart-0' } });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ effect: 'evict', on: 'shop/cart-0' });
});
