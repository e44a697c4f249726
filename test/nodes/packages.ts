import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Release } from './releases.ts';
import { run } from './run.ts';

const FILES = join(import.meta.dirname, 'files');
/** What the official packages call a first build of a release. */
const BUILD = '1.1';

const DEPENDS: Readonly<Record<string, string>> = { kubelet: 'iptables, iproute2, mount, util-linux, conntrack' };

const POSTINST = `#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
systemctl daemon-reload || true
systemctl enable kubelet.service > /dev/null 2>&1 || true
[ -n "$2" ] || systemctl start kubelet.service || true
`;

/** The version of a package of a release, as apt names it. */
export function packageVersion(version: string): string {
  return `${version.replace(/^v/, '')}-${BUILD}`;
}

/**
 * Adds packages of a release to a repository that apt reads from a folder. Units and drop-in are those of the official
 * packages, so that what the documentation of kubeadm tells people to do can be done word for word.
 */
export async function addPackages(repository: string, { version, programs }: Release): Promise<void> {
  await mkdir(repository, { recursive: true });
  const work = await mkdtemp(join(dirname(repository), 'packages-'));
  try {
    for (const name of ['kubectl', 'kubeadm', 'kubelet']) {
      const root = join(work, name);
      await layOut(root, name, version, programs[name] ?? '');
      const file = join(repository, `${name}_${packageVersion(version)}.deb`);
      await run('dpkg-deb', ['-Znone', '--root-owner-group', '-b', root, file], { what: `the package ${name}` });
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

async function layOut(root: string, name: string, version: string, program: string): Promise<void> {
  await mkdir(join(root, 'DEBIAN'), { recursive: true });
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  await copyFile(program, join(root, 'usr/bin', name));
  const depends = DEPENDS[name];
  const control = [
    `Package: ${name}`,
    `Version: ${packageVersion(version)}`,
    `Architecture: ${process.arch === 'x64' ? 'amd64' : process.arch}`,
    'Maintainer: Drydock tests <tests@drydock.invalid>',
    ...(depends === undefined ? [] : [`Depends: ${depends}`]),
    `Description: ${name} ${version}, built from source for tests`,
  ];
  await writeFile(join(root, 'DEBIAN/control'), `${control.join('\n')}\n`);
  if (name !== 'kubelet') return;
  const units = join(root, 'usr/lib/systemd/system');
  await mkdir(join(units, 'kubelet.service.d'), { recursive: true });
  await mkdir(join(root, 'etc/kubernetes/manifests'), { recursive: true });
  await copyFile(join(FILES, 'kubelet.service'), join(units, 'kubelet.service'));
  await copyFile(join(FILES, '10-kubeadm.conf'), join(units, 'kubelet.service.d/10-kubeadm.conf'));
  await writeFile(join(root, 'DEBIAN/postinst'), POSTINST);
  await chmod(join(root, 'DEBIAN/postinst'), 0o755);
}
