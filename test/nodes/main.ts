import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { sayToStderr } from '../control-plane/binaries.ts';
import { command, type Wish, wishOf } from './options.ts';
import { escapedIn, type PlantedOnNodes, plantedCopy } from './planted.ts';
import { judge, thisHost } from './possible.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Asked for by its name, it may have machines in this one. */
async function main(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(command().helpInformation());
    return 0;
  }
  const wish = read(args);
  if (wish === undefined) return 2;
  const env = { ...process.env, ...wish.env, DRYDOCK_TEST_NODES: '1' };
  const verdict = judge(thisHost(env));
  if (!verdict.runs) {
    sayToStderr(`drydock: real nodes cannot be had here: ${verdict.why}`);
    return 1;
  }
  return wish.planted === undefined ? play(ROOT, env) : plantEach(wish.planted, env);
}

/** Plants bugs one after another; each must be caught by its own test. */
async function plantEach(bugs: readonly PlantedOnNodes[], env: NodeJS.ProcessEnv): Promise<number> {
  const verdicts: string[] = [];
  let code = 0;
  for (const bug of bugs) {
    const { directory, remove } = plantedCopy(bug);
    const report = join(directory, 'report.json');
    const own = { DRYDOCK_TEST_NODES_SCENARIOS: bug.scenario, DRYDOCK_TEST_REPORT: report };
    await play(directory, { ...env, ...own }, ['--bail', '1']);
    const why = escapedIn(bug, report);
    remove();
    if (why !== undefined) code = 1;
    verdicts.push(
      `  ${bug.scenario}: ${bug.name}: ${why === undefined ? `caught by "${bug.caughtBy}"` : `NOT CAUGHT: ${why}`}`,
    );
  }
  process.stdout.write(`Planted bugs on real nodes:\n${verdicts.join('\n')}\n`);
  return code;
}

function play(directory: string, env: NodeJS.ProcessEnv, more: readonly string[] = []): Promise<number> {
  const vitest = join(directory, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', 'nodes', ...more];
  const child = spawn(process.execPath, args, { stdio: 'inherit', env, cwd: directory });
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
