import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheBase } from '../control-plane/binaries.ts';

/** What a machine has, as far as machines inside it are concerned. */
export type Host = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  /** 0 is root. */
  readonly uid: number;
  /** The effective capabilities of this process, as a mask. */
  readonly capabilities: bigint;
  /** The type of the file system where the disks will be, as statfs(2) has it. */
  fileSystem(): number;
  has(file: string): boolean;
  /** Makes for a moment what a machine is made of, and says what went wrong with it. */
  trial(): string | undefined;
};

/** Whether the tier of real nodes runs here, and if not why not, in a sentence. */
export type Verdict =
  | { readonly runs: true }
  | {
      readonly runs: false;
      readonly why: string /** It was asked for, and only packages are missing. */;
      readonly mend?: string;
    };

const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;
const OVERLAYFS = 0x794c7630;
const TMPFS = 0x01021994;

/** The packages of Debian and Ubuntu that a host must have, with files of each; .ci/run installs what is not there. */
const PACKAGES = readFileSync(join(import.meta.dirname, 'host-packages.txt'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(' '));

/** Capabilities alone say little: whoever runs this machine may forbid mounts or control groups all the same. */
const TRIAL = `set -e
grep -q '4294967295$' /proc/self/uid_map || { echo 'its root is root of a user namespace only' >&2; exit 1; }
d=$(mktemp -d "$1/trial-XXXXXX")
trap 'rm -rf "$d"' EXIT
mkdir "$d/lower" "$d/upper" "$d/work" "$d/merged"
unshare --mount --uts --ipc --pid --cgroup --net --fork sh -ec '
  mount --make-rprivate /
  mount -t overlay -o "lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" overlay "$0/merged"
  mount -t proc proc /proc' "$d"
group=/sys/fs/cgroup
[ ! -d $group/memory ] || group=$group/memory
mkdir $group/drydock-trial-$$
rmdir $group/drydock-trial-$$`;

/** Decides whether the tier runs. It changes a machine (control groups, namespaces), so nobody gets it unasked. */
export function judge(host: Host): Verdict {
  if (host.env['DRYDOCK_TEST_NODES'] !== '1') {
    return no('DRYDOCK_TEST_NODES=1 is not set; `npm run test:nodes` runs it, as root of a Linux machine');
  }
  if (host.platform !== 'linux') return no('machines are made of Linux namespaces, and this is not Linux');
  if (host.uid !== 0) return no('namespaces, mounts and control groups of whole machines need root');
  for (const [name, bit] of [
    ['CAP_SYS_ADMIN', CAP_SYS_ADMIN],
    ['CAP_NET_ADMIN', CAP_NET_ADMIN],
  ] as const) {
    if ((host.capabilities & (1n << bit)) === 0n)
      return no(`this root has no ${name}, as in a container without privileges`);
  }
  if ([OVERLAYFS, TMPFS].includes(host.fileSystem())) {
    return no(
      'the cache is not on a disk, and a node cannot copy on write above that: set DRYDOCK_CACHE to a folder on one',
    );
  }
  const missing = PACKAGES.filter(([, ...files]) => !files.every(host.has)).map(([name]) => name);
  if (missing.length === 0) {
    const wrong = host.trial();
    return wrong === undefined ? { runs: true } : no(`this machine does not let a machine be made in it: ${wrong}`);
  }
  const mend = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  return { ...no(`packages are missing: ${mend}`), mend };
}

/** This machine. */
export function thisHost(env: Host['env'] = process.env): Host {
  const base = cacheBase(env);
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  return {
    env,
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    capabilities: BigInt(`0x${/^CapEff:\s*(\S+)/m.exec(status)?.[1] ?? '0'}`),
    // Nothing is made, not even a folder, before somebody has asked for it.
    fileSystem: () => {
      mkdirSync(base, { recursive: true });
      return statfsSync(base).type;
    },
    trial: () => {
      const { status, stderr } = spawnSync('bash', ['-c', TRIAL, 'trial', base], { encoding: 'utf8', timeout: 10_000 });
      return status === 0 ? undefined : stderr.trim().split('\n').at(-1) || `ended with ${status}`;
    },
    has: (file) => [file, ...elsewhere(file, env['PATH'] ?? '')].some(isReadable),
  };
}

function no(why: string): { readonly runs: false; readonly why: string } {
  return { runs: false, why };
}

/** A program may be in another folder of the path than where Debian has it. */
function elsewhere(file: string, path: string): readonly string[] {
  const [name = ''] = file.split('/').slice(-1);
  return file.includes('bin/') ? path.split(delimiter).map((folder) => join(folder, name)) : [];
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
