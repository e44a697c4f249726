import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Entry, withParents, writeArchive } from './archive.ts';

/** How a container of an image is started, as a Dockerfile says it. */
export type ImageConfig = {
  readonly env?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
};

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const OCI = 'application/vnd.oci.image';

/** Users for who asks by name, and the way a static program looks names up. */
const BASE: readonly Entry[] = [
  { path: 'etc/passwd', is: 'text', text: 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' },
  { path: 'etc/nsswitch.conf', is: 'text', text: 'hosts: files dns\n' },
  { path: 'tmp', is: 'directory', mode: 0o1777 },
];

/**
 * Writes a container image as an OCI archive of one layer, which `ctr images import` takes without a registry. It is imported
 * under its name and under its digest, by which Kubernetes then finds it. Returns that digest.
 */
export async function writeImage(
  file: string,
  name: string,
  entries: readonly Entry[],
  config: ImageConfig = {},
): Promise<string> {
  const directory = await mkdtemp(join(dirname(file), 'layer-'));
  try {
    const layer = await writeLayer(join(directory, 'layer'), withParents([...entries, ...BASE]));
    const described = blob(configuration(config, layer.digest));
    const manifest = blob({
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: { mediaType: `${OCI}.config.v1+json`, digest: described.digest, size: described.size },
      layers: [{ mediaType: `${OCI}.layer.v1.tar`, digest: layer.digest, size: layer.size }],
    });
    const names = [name, `${name.replace(/:[^:/]+$/, '')}@${manifest.digest}`];
    const index = {
      schemaVersion: 2,
      manifests: names.map((each) => ({
        mediaType: `${OCI}.manifest.v1+json`,
        digest: manifest.digest,
        size: manifest.size,
        annotations: { 'io.containerd.image.name': each },
      })),
    };
    const handle = await open(file, 'w');
    await writeArchive(
      handle,
      [
        { path: 'oci-layout', is: 'text', text: '{"imageLayoutVersion":"1.0.0"}' },
        { path: 'index.json', is: 'text', text: JSON.stringify(index) },
        { path: pathOf(manifest.digest), is: 'text', text: manifest.text },
        { path: pathOf(described.digest), is: 'text', text: described.text },
        { path: pathOf(layer.digest), is: 'file', from: layer.file, mode: 0o644 },
      ],
      createHash('sha256'),
    ).finally(() => handle.close());
    return manifest.digest;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A program of this machine under the same path, with the libraries that it is linked to. */
export function programWithLibraries(from: string, path: string = from): readonly Entry[] {
  const named = execFileSync('ldd', [from], { encoding: 'utf8' });
  const libraries = [...named.matchAll(/(\/\S+) \(0x/g)].map(([, library = '']) => library);
  return [copied(from, path), ...libraries.map((library) => copied(library, library))];
}

/** A file or folder of this machine, links followed. */
export function copied(from: string, path: string): Entry {
  return { path: path.replace(/^\//, ''), is: 'file', from: realpathSync(from) };
}

/** Every file below a folder of this machine. */
export function copiedFolder(from: string, path: string): readonly Entry[] {
  return readdirSync(from, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .filter((name) => statSync(join(from, name)).isFile())
    .map((name) => copied(join(from, name), `${path}/${name}`));
}

async function writeLayer(file: string, entries: readonly Entry[]) {
  const digest = createHash('sha256');
  const handle = await open(file, 'w');
  const size = await writeArchive(handle, entries, digest).finally(() => handle.close());
  return { file, size, digest: `sha256:${digest.digest('hex')}` };
}

function configuration({ env = [], entrypoint, user, workingDir = '/', labels }: ImageConfig, layer: string) {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {
      Env: [PATH, ...env],
      ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
      ...(user === undefined ? {} : { User: user }),
      ...(labels === undefined ? {} : { Labels: labels }),
      WorkingDir: workingDir,
    },
    rootfs: { type: 'layers', diff_ids: [layer] },
  };
}

function blob(content: unknown) {
  const text = JSON.stringify(content);
  return { text, size: text.length, digest: `sha256:${createHash('sha256').update(text).digest('hex')}` };
}

function pathOf(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
