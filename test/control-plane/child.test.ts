import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startChild } from './child.ts';
import { until } from './until.ts';

const directory = mkdtempSync(join(tmpdir(), 'drydock-child-'));

afterAll(() => rmSync(directory, { recursive: true }));

test('a child dies with its parent, even by SIGKILL', async () => {
  const logFile = join(directory, 'orphan');
  const module = join(import.meta.dirname, 'child.ts');
  const script = `import { startChild } from ${JSON.stringify(module)};
    startChild('sleeper', '/bin/sh', ['-c', 'echo $$; exec sleep 600'], { logFile: ${JSON.stringify(logFile)} });
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: 'ignore' });
  const pid = await until(() => pidIn(logFile), { what: 'the child runs' });
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid), { what: 'the child is dead' });
});

test('a child that ends is known to have ended, with its code', async () => {
  const child = startChild('short', '/bin/sh', ['-c', 'echo said; exit 3'], { logFile: join(directory, 'short') });
  expect(await child.exited).toBe(3);
  expect(child.alive()).toBe(false);
  expect(readFileSync(child.logFile, 'utf8')).toBe('said\n');
  await child.end();
});

test('a child may be told to stop in order, and is killed where it does not', async () => {
  const logFile = join(directory, 'stubborn');
  const stubborn = 'trap "echo told" TERM; echo ready; while :; do sleep 0.05; done';
  const child = startChild('stubborn', '/bin/sh', ['-c', stubborn], { logFile });
  await until(() => readFileSync(logFile, 'utf8').includes('ready'), { what: 'it is ready' });
  child.signal('TERM');
  await until(() => readFileSync(logFile, 'utf8').includes('told'), { what: 'it was told' });
  await child.end();
  expect(child.alive()).toBe(false);
});

function pidIn(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
