import { afterEach, expect, test, vi } from 'vitest';
import { freePort } from './ports.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

// Planted and seen to fail: without the lock the second is the first, at which nobody listens yet.
test('a port that was given and is not used yet is given to nobody else', async () => {
  const luck = vi.spyOn(Math, 'random').mockReturnValueOnce(0.123).mockReturnValueOnce(0.123);
  const first = await freePort();
  const second = await freePort();
  expect(luck.mock.calls.length).toBeGreaterThan(2);
  expect(second).not.toBe(first);
});
