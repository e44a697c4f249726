import { expect, test } from 'vitest';
import { buildFlags, cacheDirectory, cacheKey, kubernetesVersion } from './binaries.ts';

test('the version is the one that go.mod requires', () => {
  expect(kubernetesVersion('require k8s.io/kubernetes v1.37.0\n')).toBe('v1.37.0');
  expect(kubernetesVersion('require (\n\tk8s.io/kubernetes v1.36.4 // indirect\n)\n')).toBe('v1.36.4');
  expect(() => kubernetesVersion('module x\n')).toThrow('go.mod requires no k8s.io/kubernetes');
  expect(kubernetesVersion()).toMatch(/^v1\.\d+\.\d+$/);
});

test('the binaries call themselves by that version', () => {
  expect(buildFlags('v1.36.4').at(-1)).toBe(
    '-s -w -X k8s.io/component-base/version.gitVersion=v1.36.4 -X k8s.io/component-base/version.gitMajor=1 ' +
      '-X k8s.io/component-base/version.gitMinor=36',
  );
});

test('the key changes with whatever changes the binaries', () => {
  const key = cacheKey('mod', 'sum', ['-a'], 'linux-x64');
  const others = [
    cacheKey('mod2', 'sum', ['-a'], 'linux-x64'),
    cacheKey('mod', 'sum2', ['-a'], 'linux-x64'),
    cacheKey('mods', 'um', ['-a'], 'linux-x64'),
    cacheKey('mod', 'sum', ['-b'], 'linux-x64'),
    cacheKey('mod', 'sum', ['-a'], 'linux-arm64'),
  ];
  expect(cacheKey('mod', 'sum', ['-a'], 'linux-x64')).toBe(key);
  expect(new Set([key, ...others]).size).toBe(6);
});

test.each([
  [{ DRYDOCK_CACHE: '/d', XDG_CACHE_HOME: '/x' }, /^\/d\/control-plane\/[0-9a-f]{16}$/],
  [{ XDG_CACHE_HOME: '/x' }, /^\/x\/drydock\/control-plane\//],
  [{}, /\/\.cache\/drydock\/control-plane\//],
])('the cache is outside the work tree: %o', (env, directory) => {
  expect(cacheDirectory(env)).toMatch(directory);
});
