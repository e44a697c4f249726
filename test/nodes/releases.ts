import { existsSync, readFileSync } from 'node:fs';
import { link, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  buildFlags,
  cacheBase,
  cachedBinaries,
  cacheKey,
  goBuild,
  kubernetesVersion,
  madeOnce,
  minutes,
  type Say,
  sayToStderr,
} from '../control-plane/binaries.ts';

/** The programs of a release that are stamped with its version. */
const STAMPED = [
  'kubeadm',
  'kubelet',
  'kubectl',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
] as const;

/** Programs by their names, and where they are. */
export type Programs = Readonly<Record<string, string>>;

/** One release of Kubernetes, built. */
export type Release = {
  /** For example v1.36.4. */
  readonly version: string;
  readonly programs: Programs;
};

const MODULES = join(import.meta.dirname, 'modules');
const KUBERNETES = 'k8s.io/kubernetes/cmd';

/** The release from which a version is built: its own, or that of the same minor, stamped as a patch that does not exist. */
export function sourceOf(version: string): string {
  const minor = /^v1\.(\d+)\.\d+$/.exec(version)?.[1];
  const module = join(MODULES, `kubernetes-1.${minor}`);
  if (minor === undefined || !existsSync(module))
    throw new Error(`no module in ${MODULES} builds Kubernetes ${version}`);
  return kubernetesVersion(readFileSync(join(module, 'go.mod'), 'utf8'));
}

/** The patch release after this one, whether there is one or not: a relink is an upgrade to everybody who looks. */
export function nextPatch(version: string): string {
  return version.replace(/\d+$/, (patch) => String(Number(patch) + 1));
}

/** The version of a module that a go.mod requires. */
export function required(goMod: string, module: string): string {
  const version = new RegExp(`^\\s*(?:require )?${module} (v\\S+)`, 'm').exec(goMod)?.[1];
  if (version === undefined) throw new Error(`go.mod requires no ${module}`);
  return version;
}

/** Everything that a cluster of a version is made of, built now if it never was. */
export async function builtRelease(version: string, coredns: string, say: Say = sayToStderr): Promise<Release> {
  const source = sourceOf(version);
  const module = join(MODULES, `kubernetes-${source.replace(/^v(\d+\.\d+)\..*$/, '$1')}`);
  const kubernetes = await built({
    name: `kubernetes-${version}`,
    module,
    packages: STAMPED.map((name) => `${KUBERNETES}/${name}`),
    flags: buildFlags(version),
    given: version === kubernetesVersion() ? (cachedBinaries() ?? {}) : {},
    say,
  });
  const etcd = await built({
    name: `etcd-${required(readFileSync(join(module, 'go.mod'), 'utf8'), 'go.etcd.io/etcd/server/v3')}`,
    module,
    packages: ['go.etcd.io/etcd/server/v3', 'go.etcd.io/etcd/etcdctl/v3', 'go.etcd.io/etcd/etcdutl/v3'],
    flags: PLAIN,
    say,
  });
  const dns = join(MODULES, `coredns-${coredns.replace(/^v/, '')}`);
  const rest = { packages: ['.'], flags: PLAIN, say };
  const programs = {
    ...kubernetes,
    ...etcd,
    ...(await built({ ...rest, name: `coredns-${coredns}`, module: dns })),
    ...(await built({ ...rest, name: 'pause', module: join(MODULES, 'pause') })),
  };
  return { version, programs };
}

/** Where the parts of a release are, if all of them were built earlier; for who only wants to know. */
export function nodesCache(): string {
  return join(cacheBase(), 'nodes');
}

const PLAIN = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w'] as const;

type Part = {
  readonly name: string;
  readonly module: string;
  readonly packages: readonly string[];
  readonly flags: readonly string[];
  /** Programs that were built elsewhere from the same source with the same flags. */
  readonly given?: Programs;
  readonly say: Say;
};

async function built({ name, module, packages, flags, given = {}, say }: Part): Promise<Programs> {
  const sources = ['go.sum', 'main.go'].flatMap((file) => {
    const path = join(module, file);
    return existsSync(path) ? [readFileSync(path, 'utf8')] : [];
  });
  const goMod = readFileSync(join(module, 'go.mod'), 'utf8');
  const key = cacheKey(goMod, sources.join('\n'), [...packages, ...flags], `${process.platform}-${process.arch}`);
  const directory = join(nodesCache(), `${name}-${key}`);
  if (!existsSync(directory)) {
    const from = performance.now();
    say(`drydock: building ${name} with Go, once only`);
    await madeOnce(directory, async (building) => {
      const wanted = packages.filter((each) => given[programOf(each)] === undefined);
      for (const each of packages) {
        const file = given[programOf(each)];
        if (file !== undefined) await link(file, join(building, programOf(each)));
      }
      await goBuild({ module, packages: wanted, flags, directory: building, what: name, say });
      for (const file of await readdir(building))
        await rename(join(building, file), join(building, NAMES[file] ?? file));
    });
    say(`drydock: ${name} was built in ${minutes(performance.now() - from)}`);
  }
  return Object.fromEntries((await readdir(directory)).map((file) => [file, join(directory, file)]));
}

/** What Go calls a program otherwise than people do. */
const NAMES: Readonly<Record<string, string>> = { server: 'etcd' };

function programOf(of: string): string {
  const name =
    of
      .replace(/\/v\d+$/, '')
      .split('/')
      .at(-1) ?? '';
  return NAMES[name] ?? name;
}
