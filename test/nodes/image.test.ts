import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Entry } from './archive.ts';
import { writeImage } from './image.ts';

const directory = mkdtempSync(join(tmpdir(), 'drydock-image-'));
const program = join(directory, 'program');
const long = `usr/share/${'a'.repeat(60)}/${'b'.repeat(60)}/file`;
const entries: readonly Entry[] = [
  { path: 'usr/bin/program', is: 'file', from: program, mode: 0o755 },
  { path: 'bin/other', is: 'link', target: '../usr/bin/program' },
  { path: long, is: 'text', text: 'far down' },
  { path: 'usr/bin/program', is: 'text', text: 'a second one under the same path' },
];

type Index = { manifests: { digest: string; size: number; annotations: Record<string, string> }[] };
type Manifest = { config: { digest: string; size: number }; layers: { digest: string; size: number }[] };

function blob(digest: string): Buffer {
  return readFileSync(join(directory, 'archive/blobs', digest.replace(':', '/')));
}

function isOf(digest: string, size: number): boolean {
  const bytes = blob(digest);
  return bytes.length === size && `sha256:${createHash('sha256').update(bytes).digest('hex')}` === digest;
}

afterAll(() => rmSync(directory, { recursive: true }));

describe('an image that is written without Docker', async () => {
  writeFileSync(program, Buffer.alloc(70_000, 'x'));
  const file = join(directory, 'image.tar');
  const digest = await writeImage(file, 'example.com:5000/some/program:1.2', entries, {
    entrypoint: ['program'],
    user: '65532:65532',
  });
  const unpack = (archive: string, to: string) => {
    execFileSync('mkdir', ['-p', to]);
    execFileSync('tar', ['-xf', archive, '-C', to]);
  };
  unpack(file, join(directory, 'archive'));
  const index = JSON.parse(readFileSync(join(directory, 'archive/index.json'), 'utf8')) as Index;
  const manifest = JSON.parse(blob(digest).toString()) as Manifest;
  const [layer = { digest: '', size: 0 }] = manifest.layers;

  test('is named by its tag and by its digest, which is that of its manifest', () => {
    expect(index.manifests.map(({ annotations }) => annotations['io.containerd.image.name'])).toEqual([
      'example.com:5000/some/program:1.2',
      `example.com:5000/some/program@${digest}`,
    ]);
    expect(index.manifests.every((each) => each.digest === digest && isOf(each.digest, each.size))).toBe(true);
  });

  test('has a configuration and a layer of the digests and sizes that it names', () => {
    expect(isOf(manifest.config.digest, manifest.config.size)).toBe(true);
    expect(isOf(layer.digest, layer.size)).toBe(true);
    expect(JSON.parse(blob(manifest.config.digest).toString())).toMatchObject({
      config: { Entrypoint: ['program'], User: '65532:65532' },
      rootfs: { diff_ids: [layer.digest] },
    });
  });

  test('unpacks with tar: programs, links, paths of more than 100 letters, folders above them', () => {
    const root = join(directory, 'root');
    unpack(join(directory, 'archive/blobs', layer.digest.replace(':', '/')), root);
    expect(readFileSync(join(root, 'bin/other')).equals(readFileSync(program))).toBe(true);
    expect(readFileSync(join(root, long), 'utf8')).toBe('far down');
    const listed = execFileSync('tar', ['-tvf', join(directory, 'archive/blobs', layer.digest.replace(':', '/'))], {
      encoding: 'utf8',
    });
    expect(listed).toMatch(/^-rwxr-xr-x 0\/0\s+70000 1970-01-01 .* usr\/bin\/program$/m);
    expect(listed).toMatch(/^drwxrwxrwt 0\/0\s+0 1970-01-01 .* tmp\/$/m);
  });

  test('is the same when it is written again', async () => {
    const again = await writeImage(join(directory, 'again.tar'), 'example.com:5000/some/program:1.2', entries, {
      entrypoint: ['program'],
      user: '65532:65532',
    });
    expect(again).toBe(digest);
    expect(readFileSync(join(directory, 'again.tar')).equals(readFileSync(file))).toBe(true);
  });
});
