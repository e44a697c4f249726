import { type Node, node, type Ran } from './node.ts';
import { SNAPSHOT_FILE, steps } from './restoring.ts';

/** What is run, on which node. */
export type Case = {
  readonly profile: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly controlPlane?: boolean;
  readonly counted?: string;
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly payload?: string;
  /** What is done on the node before. */
  readonly before?: (node: Node) => Promise<unknown>;
  /** Files that may be others after a second run. */
  readonly whatever?: RegExp;
  /** What is wrong with how a node ended, besides its files. */
  readonly wrong?: (node: Node) => string | undefined;
};

/** Calls that do several things, between which a kill can come. */
const HALVES =
  / install (?!.*--download)| upgrade (apply|node|--with-new-pkgs$|--exclude)| certs renew | snapshot save /;

/** Calls that change nothing: a kill after one finds the node as a kill after the last change would. */
const LOOKS =
  /^(apt-cache|dpkg-query|dpkg -s|kubelet --version|kubeadm version|kubeadm certs check|kubectl .*(get|readyz)|etcdctl .*(list|status|health)|systemctl is-active)/;
/** After one in so many of them a kill is tried; after all of them with DRYDOCK_PAYLOAD_KILLS=all. */
const EVERY = process.env['DRYDOCK_PAYLOAD_KILLS'] === 'all' ? 1 : 4;

/**
 * Everything that is wrong after a kill at any single call that changes something, and at some that do not: the whole group is
 * killed there (and half-way through a call that has halves), the profile is run again, and must end as if nothing had happened.
 * Empty is what must come out. With `where` only calls that are so are killed at.
 */
export async function afterKills(played: Case, where = /^/): Promise<readonly string[]> {
  const undisturbed = await make(played);
  const clean = await go(undisturbed, played);
  const wanted = undisturbed.state();
  undisturbed.end();
  if (clean.code !== 0) return [`undisturbed: ${clean.message}`];
  const kills = clean.calls
    .flatMap((call, index) => [
      ...(HALVES.test(call) ? [{ at: index + 1, call, half: true }] : []),
      { at: index + 1, call, half: false },
    ])
    .filter(({ at, call }) => where.test(call) && (at % EVERY === 0 || !LOOKS.test(call)));
  const wrong: string[] = [];
  const next = kills.values();
  const worker = async () => {
    for (const kill of next) {
      const found = await afterKill(played, kill, wanted);
      if (found !== undefined) wrong.push(`killed ${kill.half ? 'half-way through' : 'after'} ${kill.call}: ${found}`);
    }
  };
  await Promise.all([worker(), worker()]);
  return wrong;
}

type Kill = { readonly at: number; readonly half: boolean };

async function afterKill(played: Case, { at, half }: Kill, wanted: Node['state'] extends () => infer S ? S : never) {
  const machine = await make(played);
  machine.write('state/kill-at', `${at}\n`);
  if (half) machine.write('state/kill-in-the-middle', '');
  const killed = await go(machine, played);
  machine.remove('state/kill-at');
  machine.remove('state/kill-in-the-middle');
  machine.write('state/now', `${Number(machine.read('state/now')) + 60}\n`);
  const again = await go(machine, played);
  const state = machine.state();
  const different = [...new Set([...Object.keys(wanted), ...Object.keys(state)])].filter(
    (path) => wanted[path] !== state[path] && played.whatever?.test(path) !== true,
  );
  const otherwise = played.wrong?.(machine);
  machine.end();
  if (killed.signal !== 'SIGKILL') return `it was not killed (${killed.code})`;
  if (again.code !== 0) return `the second run failed: ${again.message}`;
  return different.length > 0 ? `the second run left otherwise: ${different.join(' ')}` : otherwise;
}

async function make({ controlPlane = true, counted = '', files = {}, payload, before }: Case): Promise<Node> {
  const machine = node({ controlPlane, counted, files, ...(payload === undefined ? {} : { payload }) });
  await before?.(machine);
  return machine;
}

function go(machine: Node, { profile, args, env = {} }: Case): Promise<Ran> {
  return machine.run(profile, args, env);
}

/** Snapshots that are not whole, and evidence of nothing. */
export function half(machine: Node): string | undefined {
  const found = Object.keys(machine.state()).filter((path) => path.startsWith('var/backups/etcd/'));
  const good = (path: string) =>
    path.endsWith('.json') ? found.includes(path.slice(0, -'.json'.length)) : found.includes(`${path}.json`);
  const bad = found.filter((path) => path.includes('.partial') || !good(path));
  return found.length === 0 ? 'no snapshot' : bad.length > 0 ? `half a snapshot: ${bad.join(' ')}` : undefined;
}

/** Components that run with a certificate that is newer than they are. */
export function stale(machine: Node): string | undefined {
  const found = ['etcd', 'kube-apiserver', 'kube-controller', 'kube-scheduler'].filter((name) => {
    const pid = machine.read(`state/pid-${name}`)?.trim();
    return Number(machine.read(`state/born-${pid}`)) < Number(machine.read('state/now')) - 10;
  });
  return found.length > 0 ? `still with the old certificate: ${found.join(' ')}` : undefined;
}

const FILES = 'cp mkdir mv rm';
/** A snapshot, killed between any two of its files too. */
export const SNAPSHOT: Case = {
  profile: 'etcd-snapshot',
  args: ['save'],
  counted: FILES,
  whatever: /^var\/backups/,
  wrong: half,
};
/** A restore whose new data is being put in the place of the old. */
export const RESTORE: Case = {
  profile: '../restore/restore',
  args: ['data'],
  counted: `${FILES} chown`,
  files: { 'state/kubelet-follows': '', ...SNAPSHOT_FILE },
  before: (machine) => steps(machine, ['plan /var/backups/one.db', 'stop-api', 'stop-etcd']),
};
