import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entry } from './archive.ts';
import { readDockerfile } from './dockerfile.ts';
import { copied, copiedFolder, type ImageConfig, programWithLibraries, writeImage } from './image.ts';
import type { Release } from './releases.ts';
import { run } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUSYBOX = '/bin/busybox';
const XTABLES = '/usr/sbin/xtables-nft-multi';
const IPTABLES = ['iptables', 'iptables-save', 'iptables-restore', 'ip6tables', 'ip6tables-save', 'ip6tables-restore'];

/** An image that Kubernetes finds on a node, under its name or under its digest. */
export type Image = { readonly name: string; readonly digest: string; readonly file: string };

/** Which images kubeadm wants for a release, by the last part of their names. */
export async function wantedImages({ version, programs }: Release): Promise<Readonly<Record<string, string>>> {
  const args = ['config', 'images', 'list', `--kubernetes-version=${version}`];
  const { stdout } = await run(programs['kubeadm'] ?? '', args, { what: 'the list of images' });
  const names = stdout.split('\n').filter((line) => line.includes(':'));
  return Object.fromEntries(names.map((name) => [name.replace(/:.*$/, '').split('/').at(-1) ?? '', name]));
}

/** Writes the images that run on control planes only, and those that run on every node, of a release. */
export async function writeReleaseImages(directory: string, release: Release): Promise<void> {
  const wanted = await wantedImages(release);
  const program = (name: string) => release.programs[name] ?? '';
  const image = (role: string, name: string, entries: readonly Entry[], config: ImageConfig = {}) =>
    writeImage(join(directory, role, `${name}-${release.version}.tar`), wanted[name] ?? '', entries, config);
  for (const role of ['control-plane', 'every']) await mkdir(join(directory, role), { recursive: true });
  const bin = (name: string) => copied(program(name), `usr/local/bin/${name}`);
  for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
    await image('control-plane', name, [bin(name)]);
  }
  await image('control-plane', 'etcd', [bin('etcd'), bin('etcdctl'), bin('etcdutl')]);
  await image('every', 'pause', [copied(program('pause'), 'pause')], { entrypoint: ['/pause'], user: '65535:65535' });
  await image('every', 'coredns', [copied(program('coredns'), 'coredns')], { entrypoint: ['/coredns'] });
  await image('every', 'kube-proxy', [bin('kube-proxy'), ...iptables()]);
}

/** kube-proxy calls iptables: this machine's, with the libraries of each of its extensions. */
function iptables(): readonly Entry[] {
  const folder = `/usr/lib/${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu/xtables`;
  return [
    ...programWithLibraries(XTABLES),
    ...copiedFolder(folder, folder.slice(1)),
    // The one extension that is linked to the mathematics library; without it Services of several endpoints fail to load.
    ...programWithLibraries(`${folder}/libxt_statistic.so`),
    ...IPTABLES.map((name): Entry => ({ path: `usr/sbin/${name}`, is: 'link', target: 'xtables-nft-multi' })),
    ...programWithLibraries('/usr/sbin/conntrack'),
  ];
}

/** Drydock itself as its Dockerfile says, above a base of nothing but Node. */
export async function writeDrydockImage(directory: string, name: string): Promise<Image> {
  await run(process.execPath, [join(ROOT, 'node_modules/rolldown/bin/cli.mjs'), '-c', 'rolldown.config.ts'], {
    what: 'the bundle of Drydock',
    cwd: ROOT,
  });
  const { entries, config } = readDockerfile(await readFile(join(ROOT, 'Dockerfile'), 'utf8'), ROOT);
  const node = programWithLibraries(process.execPath, 'usr/local/bin/node');
  return written(directory, 'drydock', name, [...entries, ...node], config);
}

/** A shell with everything that busybox has, and whatever is put above it. */
export function writeShellImage(
  directory: string,
  file: string,
  name: string,
  above: readonly Entry[],
): Promise<Image> {
  return written(directory, file, name, [...above, ...SHELL], {});
}

const SHELL: readonly Entry[] = [
  copied(BUSYBOX, 'bin/busybox'),
  ...[
    'sh',
    'nsenter',
    'chroot',
    'httpd',
    'cat',
    'sleep',
    'mkdir',
    'hostname',
    'true',
    'env',
    'cp',
    'rm',
    'mv',
    'grep',
    'sed',
  ].map((name): Entry => ({ path: `bin/${name}`, is: 'link', target: 'busybox' })),
];

async function written(
  directory: string,
  file: string,
  name: string,
  entries: readonly Entry[],
  config: ImageConfig,
): Promise<Image> {
  const folder = join(directory, 'every');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${file}.tar`);
  return { name, digest: await writeImage(path, name, entries, config), file: path };
}
