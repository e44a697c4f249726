import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { sayToStderr } from '../control-plane/binaries.ts';
import { chosen } from './chosen.ts';
import { judge, thisHost } from './possible.ts';

const options = new Command('npm run test:nodes --')
  .description(
    'Makes a cluster of real nodes on this machine with kubeadm, and lets it upgrade itself. For root of a Linux machine.',
  )
  .option(
    '--to <release>',
    'where to, as in v1.37.0; without it the same source as a patch release that does not exist',
  )
  .parse()
  .opts<{ to?: string }>();

/** Asked for by its name, it may have machines in this one. */
async function main(): Promise<number> {
  const env = { ...process.env, DRYDOCK_TEST_NODES: '1', DRYDOCK_TEST_NODES_TO: options.to };
  const verdict = judge(thisHost(env));
  if (!verdict.runs) {
    sayToStderr(`drydock: real nodes cannot be had here: ${verdict.why}`);
    return 1;
  }
  // Refuses a release that nobody builds before a compiler has run for minutes.
  chosen(env);
  const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'nodes'], { stdio: 'inherit', env });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

process.exitCode = await main();
