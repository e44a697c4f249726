import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The payload as it is shipped. */
export const PAYLOAD = join(ROOT, 'deploy/payload');

/** What is played: everything else that a payload names must be one of the tools below, or is not there. */
const FAKES =
  'apt-get apt-mark apt-cache dpkg dpkg-query dnf kubeadm kubelet kubectl systemctl systemd-run nsenter sleep date df pgrep ps uname kill';
/** What a payload may expect of any node. */
export const TOOLS =
  'awk cat chmod chown cmp cp cut dirname du env find grep head mkdir mktemp mv od paste readlink rm sed sha256sum sort stat sync tail tee touch tr true wc sh';

/** A copy of the payload in which something is otherwise: what a test must notice. */
export function planted(file: string, from: string, to: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'drydock-planted-'));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(join(ROOT, 'deploy'), copy, { recursive: true });
  const path = join(copy, 'payload', file);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not say ${from}`);
  writeFileSync(path, text.replaceAll(from, to));
  return join(copy, 'payload');
}

/** The times of the fakes: the certificates were made long before. */
export const NOW = 1_795_233_600;

type Start = {
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly controlPlane?: boolean;
  /** Tools whose calls are counted too, so that a run can be killed after each. */
  readonly counted?: string;
  /** Where the payload stands, if a bug is planted in it. */
  readonly payload?: string;
};

/** How a run ended. */
export type Ran = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly log: string;
  readonly message: string;
  readonly calls: readonly string[];
};

/** A node in a scratch directory, with fakes in place of everything that would change a real one. */
export type Node = {
  readonly root: string;
  readonly run: (profile: string, args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ran>;
  /** Its files under state/ and etc/, but for what a run leaves behind by being counted. */
  readonly state: () => Readonly<Record<string, string>>;
  readonly write: (path: string, text: string) => void;
  readonly read: (path: string) => string | undefined;
  readonly remove: (path: string) => void;
  readonly age: (path: string, days: number) => void;
  readonly end: () => void;
};

const manifest = (component: string, image: string, flags: readonly string[]) =>
  [`- command:`, `    - ${component}`, ...flags.map((flag) => `    - --${flag}`), `    image: ${image}`, ''].join('\n');

const CONTROL_PLANE: Readonly<Record<string, string>> = {
  'etc/kubernetes/admin.conf': '',
  'etc/kubernetes/pki/apiserver.crt': 'old',
  'etc/kubernetes/pki/etcd/server.crt': 'old',
  'etc/kubernetes/controller-manager.conf': 'old',
  'etc/kubernetes/scheduler.conf': 'old',
  'etc/kubernetes/manifests/etcd.yaml': manifest('etcd', 'registry.k8s.io/etcd:3.6.8-0', [
    'name=cp-1',
    'data-dir=/var/lib/etcd',
  ]),
  ...Object.fromEntries(
    ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((each) => [
      `etc/kubernetes/manifests/${each}.yaml`,
      manifest(each, `registry.k8s.io/${each}:v1.36.4`, []),
    ]),
  ),
  'var/lib/etcd/member/snap/db': 'data',
  'state/members':
    'a1, started, cp-1, https://10.0.0.1:2380, https://10.0.0.1:2379, false\na2, started, cp-2, https://10.0.0.2:2380, https://10.0.0.2:2379, false\n',
};

const ANY: Readonly<Record<string, string>> = {
  'etc/kubernetes/kubelet.conf': '',
  'proc/sys/kernel/random/boot_id': '5f1c2b7a\n',
  'proc/uptime': '1000 900\n',
  'boot/vmlinuz-6.1.0-1': '',
  'state/kubeadm': '1.36.4\n',
  'state/kubelet': '1.36.4\n',
  'state/kubectl': '1.36.4\n',
  'state/reported': '1.36.4\n',
  'state/os': '1\n',
  'state/held-kubeadm': '',
  'state/held-kubelet': '',
  'state/held-kubectl': '',
  'state/offers': '1.36.4 1.36.5 1.37.0\n',
  'state/now': `${NOW}\n`,
  'state/free': '9000\n',
  'state/next-pid': '500\n',
  'state/expires': 'Dec 20, 2026 04:00 UTC\n',
};

const COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** Makes a node, a control plane unless it is said otherwise. */
export function node({ files = {}, controlPlane = true, counted = '', payload = PAYLOAD }: Start = {}): Node {
  const root = mkdtempSync(join(tmpdir(), 'drydock-payload-'));
  const end = () => rmSync(root, { recursive: true, force: true });
  onTestFinished(end);
  const write = (path: string, text: string | Buffer) => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const dir of ['usr/bin', 'run', 'state', 'proc/1/ns', 'var/backups', 'var/cache', 'usr/share']) {
    mkdirSync(join(root, dir), { recursive: true });
  }
  for (const [path, text] of Object.entries({ ...ANY, ...(controlPlane ? CONTROL_PLANE : {}), ...files }))
    write(path, text);
  symlinkSync('net-of-the-node', join(root, 'proc/1/ns/net'));
  const fake = join(root, 'usr/bin/fake');
  cpSync(join(ROOT, 'test/payload/fake.sh'), fake);
  chmodSync(fake, 0o755);
  for (const each of `${FAKES} ${counted}`.trim().split(' ')) symlinkSync('fake', join(root, 'usr/bin', each));
  for (const each of TOOLS.split(' ').filter((tool) => !counted.split(' ').includes(tool)))
    symlinkSync(real(each), join(root, 'usr/bin', each));
  if (controlPlane) for (const [index, each] of COMPONENTS.entries()) play(root, write, each, 100 + index);
  return {
    root,
    write,
    read: (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined),
    remove: (path) => rmSync(join(root, path), { recursive: true, force: true }),
    // By the clock of this machine, for find(1) asks no other.
    age: (path, days) => execFileSync('touch', ['-d', `${days} days ago`, join(root, path)]),
    state: () => stateOf(root),
    run: (profile, args, env = {}) => run(root, join(payload, profile), args, env),
    end,
  };
}

/** A component that runs since long ago. */
function play(root: string, write: (path: string, text: string) => void, component: string, pid: number): void {
  const image = readFileSync(join(root, `etc/kubernetes/manifests/${component}.yaml`), 'utf8').match(
    /image: (.*)/,
  )?.[1];
  write(`state/runs-${component}`, `${image}\n`);
  write(`state/pid-${component.slice(0, 15)}`, `${pid}\n`);
  write(`state/born-${pid}`, `${NOW - 9_000_000}\n`);
  mkdirSync(join(root, `proc/${pid}/ns`), { recursive: true });
  symlinkSync('net-of-the-node', join(root, `proc/${pid}/ns/net`));
  if (component !== 'etcd') return;
  const tools = join(root, `proc/${pid}/root/usr/local/bin`);
  mkdirSync(tools, { recursive: true });
  for (const tool of ['etcdctl', 'etcdutl']) cpSync(join(root, 'usr/bin/fake'), join(tools, tool));
}

function real(tool: string): string {
  const found = ['/usr/bin', '/bin'].map((dir) => join(dir, tool)).find(existsSync);
  if (found === undefined) throw new Error(`there is no ${tool} on this machine`);
  return found;
}

function stateOf(root: string): Readonly<Record<string, string>> {
  const counted = /^state\/(calls|count|kill|next-pid|pid-|born-|new|now)/;
  return Object.fromEntries(
    globSync(['state/**', 'etc/**', 'var/**', 'var/**/.*'], { cwd: root, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(root.length + 1), readFileSync(path, 'latin1')] as const)
      .filter(([path]) => !counted.test(path))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

async function run(
  root: string,
  profile: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  writeFileSync(join(root, 'state/calls'), '');
  writeFileSync(join(root, 'state/count'), '1\n');
  const termination = join(root, 'termination-log');
  writeFileSync(termination, '');
  // A group of its own: whatever kills it kills all of it, as the end of a container does.
  const child = spawn(profile, args, {
    detached: true,
    cwd: root,
    timeout: 60_000,
    env: {
      PATH: join(root, 'usr/bin'),
      PAYLOAD_NODE_ROOT: root,
      RESTORE_ROOT: root,
      PAYLOAD_TERMINATION_LOG: termination,
      DRYDOCK_NODE: 'cp-1',
      DRYDOCK_ROLE: 'firstControlPlane',
      DRYDOCK_TARGET_VERSION: 'v1.36.5',
      DRYDOCK_CURRENT_VERSION: 'v1.36.4',
      DRYDOCK_ATTEMPT: '1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<readonly [number | null, string | null]>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve([code, signal]));
  const [code, signal] = await promise;
  return {
    code,
    signal,
    log: Buffer.concat(said).toString('utf8').replaceAll(root, ''),
    message: readFileSync(termination, 'utf8').replaceAll(root, ''),
    calls: readFileSync(join(root, 'state/calls'), 'utf8').replaceAll(root, '').split('\n').filter(Boolean),
  };
}
