import { describe, expect, test } from 'vitest';
import { type Host, judge } from './possible.ts';

const EXT4 = 0xef53;

function host(over: Partial<Host> = {}): Host {
  return {
    env: { DRYDOCK_TEST_NODES: '1' },
    platform: 'linux',
    uid: 0,
    capabilities: 0x1ff_ffff_ffffn,
    fileSystem: () => EXT4,
    has: () => true,
    trial: () => undefined,
    ...over,
  };
}

function why(over: Partial<Host>): string {
  const verdict = judge(host(over));
  return verdict.runs ? 'it runs' : verdict.why;
}

describe('the tier of real nodes', () => {
  test('runs for root of a Linux machine that has the packages, when it is asked for', () => {
    expect(judge(host())).toEqual({ runs: true });
  });

  test('is nobody’s unasked', () => {
    expect(why({ env: {} })).toContain('DRYDOCK_TEST_NODES=1 is not set');
  });

  test.each<[string, Partial<Host>, string]>([
    ['on another system', { platform: 'darwin' }, 'not Linux'],
    ['for a user', { uid: 1000 }, 'root'],
    ['in a container without privileges', { capabilities: 0xa80425fbn }, 'no CAP_SYS_ADMIN'],
    ['without a disk', { fileSystem: () => 0x794c7630 }, 'DRYDOCK_CACHE'],
    ['where mounts are forbidden', { trial: () => 'mount: permission denied' }, 'permission denied'],
  ])('does not run %s, and says why', (_, over, word) => {
    expect(why(over)).toContain(word);
  });

  test('names the command that installs what is missing', () => {
    const verdict = judge(host({ has: (file) => !['/usr/bin/ctr', '/bin/busybox'].includes(file) }));
    expect(verdict).toMatchObject({
      runs: false,
      mend: 'apt-get install -y --no-install-recommends containerd busybox-static',
    });
  });
});
