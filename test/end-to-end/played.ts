import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../demo/main.ts');

/** What a demo said, on both streams, and what it left behind in the directory for temporary files. */
export type Played = {
  readonly code: number | null;
  readonly said: string;
  readonly complained: string;
  readonly left: readonly string[];
};

/** The environment of a demo, which has a directory of its own for temporary files. */
export type Surroundings = (scratch: string) => Readonly<Record<string, string>>;

/** Plays the demo without a terminal; `interruptAt` is what it must have said before it is interrupted. */
export async function play(
  args: readonly string[],
  surroundings: Surroundings = () => ({}),
  interruptAt?: string,
): Promise<Played> {
  const scratch = mkdtempSync(join(tmpdir(), 'drydock-demo-'));
  const env = { ...process.env, TMPDIR: scratch, ...surroundings(scratch) };
  const child = spawn(process.execPath, [MAIN, ...args], { env });
  let said = '';
  let complained = '';
  let interrupted = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (interruptAt === undefined || interrupted || !said.includes(interruptAt)) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complained += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const left = readdirSync(scratch);
  rmSync(scratch, { recursive: true, force: true });
  return { code, said, complained, left };
}
