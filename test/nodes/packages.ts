import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Release } from './releases.ts';
import { run } from './run.ts';

const FILES = join(import.meta.dirname, 'files');
/** What the official packages call a first build of a release. */
const BUILD = '1.1';

const POSTINST = `#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
systemctl daemon-reload || true
systemctl enable kubelet.service > /dev/null 2>&1 || true
[ -n "$2" ] || systemctl start kubelet.service || true
`;

const UNITS = 'usr/lib/systemd/system';
const KUBELET = {
  depends: 'iptables, iproute2, mount, util-linux, conntrack',
  directories: ['etc/kubernetes/manifests'],
  postinst: POSTINST,
  files: {
    [`${UNITS}/kubelet.service`]: join(FILES, 'kubelet.service'),
    [`${UNITS}/kubelet.service.d/10-kubeadm.conf`]: join(FILES, '10-kubeadm.conf'),
  },
};

/** The version of a package of a release, as apt names it. */
export function packageVersion(version: string): string {
  return `${version.replace(/^v/, '')}-${BUILD}`;
}

/** A package as it is made: files by their paths in it, what configures it, what it needs. */
export type Package = {
  readonly name: string;
  /** As apt has it. */
  readonly version: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly directories?: readonly string[];
  readonly depends?: string;
  /** A shell script. */
  readonly postinst?: string;
  readonly description: string;
};

/**
 * Adds packages of a release to a repository that apt reads from a folder. Units and drop-in are those of the official
 * packages, so that what the documentation of kubeadm tells people to do can be done word for word. A package may get another
 * script, such as one that fails.
 */
export async function addPackages(
  repository: string,
  { version, programs }: Release,
  postinst: Readonly<Record<string, string>> = {},
): Promise<void> {
  const packages = ['kubectl', 'kubeadm', 'kubelet'].map((name) => ({
    name,
    version: packageVersion(version),
    description: `${name} ${version}, built from source for tests`,
    ...(name === 'kubelet' ? KUBELET : {}),
    ...(postinst[name] === undefined ? {} : { postinst: postinst[name] }),
    files: { ...(name === 'kubelet' ? KUBELET.files : {}), [`usr/bin/${name}`]: programs[name] ?? '' },
  }));
  await addAll(repository, packages);
}

/** Adds packages that are made of files of this machine, and lists all that there are anew. */
export async function addAll(repository: string, packages: readonly Package[]): Promise<void> {
  await mkdir(repository, { recursive: true });
  const work = await mkdtemp(join(dirname(repository), 'packages-'));
  try {
    for (const each of packages) {
      const root = join(work, each.name);
      await layOut(root, each);
      const file = join(repository, `${each.name}_${each.version}.deb`);
      await run('dpkg-deb', ['-Znone', '--root-owner-group', '-b', root, file], { what: `the package ${each.name}` });
    }
  } finally {
    await rm(work, { recursive: true });
  }
  const index = (await run('apt-ftparchive', ['packages', '.'], { what: 'the list of packages', cwd: repository }))
    .stdout;
  await writeFile(join(repository, 'Packages'), index);
  const release = ['-o', 'APT::FTPArchive::Release::Codename=local', 'release', '.'];
  const signed = (await run('apt-ftparchive', release, { what: 'the release of packages', cwd: repository })).stdout;
  await writeFile(join(repository, 'Release'), signed);
}

async function layOut(root: string, made: Package): Promise<void> {
  const { name, version, files = {}, directories = [], depends, postinst, description } = made;
  for (const directory of ['DEBIAN', ...directories]) await mkdir(join(root, directory), { recursive: true });
  for (const [path, from] of Object.entries(files)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await copyFile(from, join(root, path));
  }
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${process.arch === 'x64' ? 'amd64' : process.arch}`,
    'Maintainer: Drydock tests <tests@drydock.invalid>',
    ...(depends === undefined ? [] : [`Depends: ${depends}`]),
    `Description: ${description}`,
  ];
  await writeFile(join(root, 'DEBIAN/control'), `${control.join('\n')}\n`);
  if (postinst === undefined) return;
  await writeFile(join(root, 'DEBIAN/postinst'), postinst);
  await chmod(join(root, 'DEBIAN/postinst'), 0o755);
}
