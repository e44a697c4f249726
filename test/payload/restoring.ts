import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Node, Ran } from './node.ts';

const DATA = Buffer.alloc(1024);

/** A snapshot as etcd sends it: its SHA-256 stands at its end. */
export const SNAPSHOT_FILE: Readonly<Record<string, Buffer>> = {
  'var/backups/one.db': Buffer.concat([DATA, createHash('sha256').update(DATA).digest()]),
};

/** Runs one step of the restore after another, up to the first that is refused. */
export async function steps(machine: Node, wanted: readonly string[]): Promise<readonly Ran[]> {
  const ran: Ran[] = [];
  for (const step of wanted) {
    const args = step.split(' ').map((word) => (word.startsWith('/') ? join(machine.root, word) : word));
    const one = await machine.run('../restore/restore', args);
    ran.push(one);
    if (one.code !== 0) return ran;
  }
  return ran;
}
