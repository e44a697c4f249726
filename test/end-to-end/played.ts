import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';

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

/** A demo that has played to its end: every node through its steps, its evidence in order, nothing left behind. */
export function expectWhole({ code, said, complained, left }: Played, ground: string): { readonly evidence: string } {
  expect(complained).toBe('');
  expect(code, said).toBe(0);
  const lines = said.trimEnd().split('\n');
  expect(lines[0]).toContain(`Ground: ${ground}`);
  expect(lines.at(-1)).toContain(`Ground: ${ground}`);
  for (const node of ['cp-1', 'worker-1', 'worker-2', 'worker-3', 'worker-4', 'worker-5']) {
    for (const step of ['cordoned', 'Draining', 'Upgrading', 'Verifying', 'schedulable again', 'Succeeded']) {
      expect(said).toMatch(new RegExp(`${node} +${step}`));
    }
  }
  const evidence = said.slice(said.indexOf("the API server's audit log"));
  expect(evidence).not.toContain('✗');
  expect(evidence).toMatch(/evictions +\d+ asked, \d+ accepted, \d+ refused; 0 pods deleted without asking/);
  expect(evidence).toMatch(/nodes out +2 at once at most, 2 allowed; 0 left out at the end/);
  expect(evidence.match(/budget +shop\/(orders|payments|storefront): lowest count \d+/g)).toHaveLength(3);
  expect(evidence).toMatch(/Jobs +1 upgrade on each of cp-1, worker-1/);
  expect(left).toEqual([]);
  return { evidence };
}
