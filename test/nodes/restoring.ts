import { readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Say } from '../control-plane/binaries.ts';
import type { NodeCluster } from './cluster.ts';
import type { Machine } from './machines.ts';

/** The script as it is shipped. */
export const SCRIPT = readFileSync(join(import.meta.dirname, '../../deploy/restore/restore'), 'utf8');

const PLACE = '/opt/restore';
const WORK = '/var/lib/drydock-restore';
const STEP_SECONDS = 400;

/**
 * Restores every member of etcd from a snapshot that lies on the first control plane, in the order of the table of
 * deploy/restore/README.md: `all` is each control plane, `one` the first. Returns what the last step said on each.
 */
export async function restore(
  { controlPlanes }: NodeCluster,
  script: string,
  snapshot: string,
  say: Say,
): Promise<readonly string[]> {
  const [first, ...others] = controlPlanes as readonly [Machine, ...Machine[]];
  await Promise.all(controlPlanes.map((machine) => place(machine, script)));
  const on = (machines: readonly Machine[], ...words: readonly string[]) => {
    say(`restore ${words.map((word) => basename(word)).join(' ')} on ${machines.map(({ name }) => name).join(', ')}`);
    const run = (machine: Machine) =>
      machine.exec([`${PLACE}/restore`, ...words], { what: `restore ${words[0]}`, seconds: STEP_SECONDS });
    return Promise.all(machines.map(run));
  };
  await on([first], 'plan', snapshot);
  for (const machine of others) {
    for (const file of ['snapshot.db', 'plan'])
      await copyFile(join(first.disk, WORK, file), join(machine.disk, PLACE, file));
  }
  await on(others, 'receive', `${PLACE}/snapshot.db`, `${PLACE}/plan`);
  for (const step of ['stop-api', 'stop-etcd', 'data', 'start-etcd']) await on(controlPlanes, step);
  await on([first], 'clean');
  await on(controlPlanes, 'start-api');
  await on([first], 'quiet');
  await on(controlPlanes, 'start-controllers');
  return (await on(controlPlanes, 'verify')).map(({ stdout }) => stdout);
}

async function place({ disk }: Machine, script: string): Promise<void> {
  const file = join(disk, PLACE, 'restore');
  await mkdir(join(disk, PLACE), { recursive: true });
  await writeFile(file, script);
  await chmod(file, 0o755);
}
