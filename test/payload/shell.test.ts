import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { PAYLOAD, ROOT } from './node.ts';

const PROFILES = globSync('*', { cwd: PAYLOAD }).filter((name) => !/\.|^lib$/.test(name));
/** The order in which the library is handed over stands in enter.sh alone. */
const LIBRARY = (readFileSync(join(PAYLOAD, 'enter.sh'), 'utf8').match(/cat ((?:\w+\.sh )+)/)?.[1] ?? '')
  .trim()
  .split(' ');

/** The program as the node's sh gets it. */
function whole(profile: string): string {
  const texts = [...LIBRARY.map((each) => join('lib', each)), profile].map((each) =>
    readFileSync(join(PAYLOAD, each), 'utf8'),
  );
  return `#!/bin/sh\nset -eu\n${texts.join('')}`;
}

const PROGRAMS: readonly [name: string, text: string][] = [
  ...PROFILES.map((profile) => [profile, whole(profile)] as const),
  ...['deploy/payload/enter.sh', 'deploy/restore/restore', 'test/payload/fake.sh'].map(
    (path) => [path, readFileSync(join(ROOT, path), 'utf8')] as const,
  ),
].map(([name, text]) => [name, text]);

function there(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** What the shell cannot read, by the smallest of them where it is there. */
function unreadable(text: string): string {
  return spawnSync(there('dash') ? 'dash' : 'sh', ['-n'], { input: text, encoding: 'utf8' }).stderr;
}

/** What shellcheck says, where it is installed; functions are called by names that are put together, which it cannot see. */
function complaints(text: string): string {
  if (!there('shellcheck')) return '';
  return spawnSync('shellcheck', ['--shell=sh', '--exclude=SC2317', '--format=gcc', '-'], {
    input: text,
    encoding: 'utf8',
  }).stdout;
}

test('there are seven profiles, each of which can be executed', () => {
  expect(PROFILES.sort()).toEqual(
    ['etcd-snapshot', 'kubeadm-apt', 'kubeadm-certificates', 'kubeadm-dnf', 'os-apt', 'os-dnf', 'reboot'].sort(),
  );
  for (const each of PROFILES) expect(statSync(join(PAYLOAD, each)).mode & 0o111, each).toBe(0o111);
  expect(globSync('lib/*', { cwd: PAYLOAD }).sort()).toEqual(LIBRARY.map((each) => join('lib', each)).sort());
});

test.each(PROGRAMS)('%s is POSIX shell without a fault', (_, text) => {
  expect([unreadable(text), complaints(text)]).toEqual(['', '']);
});

test('planted bug: a script that no POSIX shell can read is found, and one with a fault where shellcheck is installed', () => {
  expect(unreadable('if true; then echo; fi; done')).not.toBe('');
  expect(complaints('#!/bin/sh\nrm $1\n') !== '').toBe(there('shellcheck'));
});

test('the text of a program fits into one argument', () => {
  for (const profile of PROFILES) expect(Buffer.byteLength(whole(profile))).toBeLessThan(100_000);
});

type Profile = { metadata: { name: string }; spec: { commands: Record<string, string[]>; env?: { name: string }[] } };
const SHIPPED = globSync('deploy/profiles/*.yaml', { cwd: ROOT }).map(
  (path) => [path, parse(readFileSync(join(ROOT, path), 'utf8')) as Profile] as const,
);

test('there is a profile of every program, and each names programs and words that there are', () => {
  expect(SHIPPED.map(([, { metadata }]) => metadata.name).sort()).toEqual(PROFILES.sort());
  for (const [path, { metadata, spec }] of SHIPPED) {
    expect(path).toBe(join('deploy/profiles', `${metadata.name}.yaml`));
    for (const [program = '', word] of Object.values(spec.commands)) {
      expect(existsSync(join(PAYLOAD, program.replace('/drydock/', '')))).toBe(true);
      const words = whole(metadata.name)
        .match(/^ {2,4}[a-z]+(?: \| [a-z]+)*(?=\))/gm)
        ?.flatMap((line) => line.trim().split(' | '));
      if (word !== undefined) expect(words).toContain(word);
    }
  }
});

test('every variable that a program reads is explained, and none that it does not', () => {
  const text = [...PROFILES, ...LIBRARY.map((each) => join('lib', each))].map((each) =>
    readFileSync(join(PAYLOAD, each), 'utf8'),
  );
  const read = new Set(text.join('').match(/\b(DRYDOCK|PAYLOAD)_[A-Z_]+\b/g));
  const explained = new Set(readFileSync(join(PAYLOAD, 'README.md'), 'utf8').match(/\b(DRYDOCK|PAYLOAD)_[A-Z_]+\b/g));
  for (const inside of ['PAYLOAD_NODE_ROOT', 'PAYLOAD_ON_NODE']) read.delete(inside);
  expect([...read].filter((name) => !explained.has(name))).toEqual([]);
  const given = SHIPPED.flatMap(([, { spec }]) => spec.env ?? []).map(({ name }) => name);
  expect(given.filter((name) => !read.has(name))).toEqual([]);
});

test('git knows what can be executed', () => {
  const listed = execFileSync('git', ['ls-files', '-s', 'deploy/payload', 'deploy/restore'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const modes = listed
    .split('\n')
    .filter((line) => PROFILES.some((each) => line.endsWith(`/${each}`)) || line.endsWith('/restore'));
  expect(modes.filter((line) => !line.startsWith('100755'))).toEqual([]);
});
