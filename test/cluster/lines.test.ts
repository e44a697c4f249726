import { expect, test } from 'vitest';
import { lines } from '../../src/cluster/lines.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('lines come out whole, however the bytes are cut', () => {
  const whole = '{"a":"Grüße"}\n{"b":"日本"}\n\n{"c":1}\n';
  const raw = bytes(whole);
  for (let size = 1; size <= raw.length; size += 1) {
    const cut = lines();
    const out: string[] = [];
    for (let at = 0; at < raw.length; at += size) out.push(...cut.push(raw.subarray(at, at + size)));
    expect(out).toEqual(['{"a":"Grüße"}', '{"b":"日本"}', '', '{"c":1}']);
  }
});

test('what broke off inside a line is never given out', () => {
  const cut = lines();
  expect(cut.push(bytes('{"a":1}\n{"b":'))).toEqual(['{"a":1}']);
});
