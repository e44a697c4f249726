import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { PAYLOAD, planted } from './node.ts';

/** What is free where a path is or will be, asked of this machine itself: only its root has nothing above it. */
function free(path: string, payload: string = PAYLOAD) {
  const script = `set -eu; root=; . "$1/lib/node.sh"; free_mib "$2"`;
  return spawnSync('sh', ['-c', script, 'sh', payload, path], { encoding: 'utf8', timeout: 5_000 });
}

test('room is looked for above what is not there, up to the root of the node', () => {
  const { status, stdout } = free('/there-is-no-such-directory/boot');
  expect([status, stdout.trim()]).toEqual([0, expect.stringMatching(/^\d+$/)]);
});

test('planted bug: nothing is above the root, and it is looked for there for ever', () => {
  const payload = planted('lib/node.sh', '[ -n "$there" ] && ', '');
  expect(free('/there-is-no-such-directory/boot', payload).signal).toBe('SIGTERM');
});
