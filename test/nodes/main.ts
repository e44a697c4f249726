import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { sayToStderr } from '../control-plane/binaries.ts';
import { command, type Wish, wishOf } from './options.ts';
import { judge, thisHost } from './possible.ts';

/** Asked for by its name, it may have machines in this one. */
async function main(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(command().helpInformation());
    return 0;
  }
  const wish = read(args);
  if (wish === undefined) return 2;
  const env = { ...process.env, ...wish, DRYDOCK_TEST_NODES: '1' };
  const verdict = judge(thisHost(env));
  if (!verdict.runs) {
    sayToStderr(`drydock: real nodes cannot be had here: ${verdict.why}`);
    return 1;
  }
  const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'nodes'], { stdio: 'inherit', env });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

function read(args: readonly string[]): Wish | undefined {
  try {
    return wishOf(args);
  } catch (error) {
    sayToStderr(`drydock: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

process.exitCode = await main(process.argv.slice(2));
