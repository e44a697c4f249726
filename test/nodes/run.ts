import { spawn } from 'node:child_process';
import type { Said } from '../control-plane/cluster.ts';

/** How a command is run, and what it is called when it fails or takes too long. */
export type RunOptions = {
  readonly what: string;
  readonly seconds?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
};

const LINES = 25;

/** Runs a command; rejects, with the end of what it said, unless it ends well within its time. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<Said> {
  const said = await tried(command, args, options);
  if (said.code === 0) return said;
  const last = `${said.stdout}\n${said.stderr}`.trim().split('\n').slice(-LINES).join('\n');
  throw new Error(`${options.what}: ${command} ended with ${said.code}:\n${last}`);
}

/** Runs a command and says how it ended, however that was; one that takes too long is killed and ends with 124. */
export function tried(
  command: string,
  args: readonly string[],
  { seconds = 120, cwd, env, input = '' }: RunOptions,
): Promise<Said> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], { cwd, env: env ?? process.env, detached: true });
    const said = { stdout: '', stderr: '' };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      // The whole group: what the command started holds its pipes open.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, seconds * 1000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const done = (code: number, stderr = said.stderr) => {
      clearTimeout(timer);
      resolve({ ...said, stderr, code });
    };
    child.once('error', (error) => done(127, String(error)));
    child.once('close', (code) => {
      if (late) done(124, `${said.stderr}\nnot within ${seconds} s`);
      else done(code ?? 137);
    });
  });
}
