import type { Hash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Something in an archive. Owner and times are left out, so that the same content is the same archive. */
export type Entry =
  | { readonly path: string; readonly is: 'directory'; readonly mode?: number }
  | { readonly path: string; readonly is: 'link'; readonly target: string }
  | { readonly path: string; readonly is: 'text'; readonly text: string; readonly mode?: number }
  | { readonly path: string; readonly is: 'file'; readonly from: string; readonly mode?: number };

const BLOCK = 512;
const TYPES = { directory: '5', link: '2', text: '0', file: '0' } as const;
const MOST_NAME = 100;

/** Writes a tar archive (POSIX ustar) and reckons its digest on the way; returns its size. */
export async function writeArchive(file: FileHandle, entries: readonly Entry[], digest: Hash): Promise<number> {
  let size = 0;
  const put = async (chunk: Uint8Array) => {
    digest.update(chunk);
    size += chunk.length;
    await file.write(chunk);
  };
  for (const entry of entries) {
    await put(header(entry));
    if (entry.is === 'text') await put(Buffer.from(entry.text));
    if (entry.is === 'file') for await (const chunk of createReadStream(entry.from)) await put(chunk as Buffer);
    await put(Buffer.alloc(-size & (BLOCK - 1)));
  }
  await put(Buffer.alloc(2 * BLOCK));
  return size;
}

/** The entries with every directory above them that is not among them; what comes twice is taken once. */
export function withParents(entries: readonly Entry[]): readonly Entry[] {
  const known = new Map<string, Entry>();
  for (const entry of entries) {
    const parts = entry.path.split('/');
    for (let length = 1; length < parts.length; length++) {
      const path = parts.slice(0, length).join('/');
      if (!known.has(path)) known.set(path, { path, is: 'directory' });
    }
    if (!known.has(entry.path)) known.set(entry.path, entry);
  }
  return [...known.values()];
}

function header(entry: Entry): Buffer {
  const block = Buffer.alloc(BLOCK);
  const { name, prefix } = split(entry.is === 'directory' ? `${entry.path}/` : entry.path);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(name, 0, 'latin1');
  octal(modeOf(entry), 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeOf(entry), 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(TYPES[entry.is], 156, 'latin1');
  if (entry.is === 'link') block.write(entry.target, 157, MOST_NAME, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A long path is cut at a slash: what comes before it has a field of its own. */
function split(path: string): { readonly name: string; readonly prefix: string } {
  if (path.length <= MOST_NAME) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - MOST_NAME - 1);
  if (slash < 0 || slash > 155 || slash === path.length - 1) throw new Error(`too long for an archive: ${path}`);
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

function modeOf(entry: Entry): number {
  if (entry.is === 'link') return 0o777;
  if (entry.mode !== undefined) return entry.mode;
  if (entry.is === 'file') return statSync(entry.from).mode & 0o777;
  return entry.is === 'directory' ? 0o755 : 0o644;
}

function sizeOf(entry: Entry): number {
  if (entry.is === 'text') return Buffer.byteLength(entry.text);
  return entry.is === 'file' ? statSync(entry.from).size : 0;
}
