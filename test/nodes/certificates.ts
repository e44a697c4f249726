import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { NodeCluster } from './cluster.ts';
import type { Machine } from './machines.ts';

const PKI = 'etc/kubernetes/pki';
const PATIENCE_MS = 5_000;
/** What a static pod serves with: the file of its certificate, and the port at which it is shown to whoever asks. */
const SERVED = [
  { component: 'kube-apiserver', file: 'apiserver.crt', port: 6443 },
  { component: 'etcd', file: 'etcd/server.crt', port: 2379 },
  { component: 'etcd, to its peers', file: 'etcd/peer.crt', port: 2380 },
] as const;
/** What a static pod asks with: read once, when it begins. */
const READ = ['kube-controller-manager', 'kube-scheduler'] as const;
/** Seconds since 1970 at which a process began, by the kernel. */
const BEGAN = `for c in "$@"; do
  p=$(pgrep -x "$(printf %s "$c" | cut -c 1-15)" | head -n 1)
  echo "$(($(date +%s) - $(ps -o etimes= -p "$p"))) $(stat -c %Y "/etc/kubernetes/\${c#kube-}.conf")"
done`;

/** A certificate as it is in use, and as it lies on the disk. */
export type InUse = {
  readonly of: string;
  readonly serial: string;
  readonly onDisk: string;
  /** In milliseconds since 1970. */
  readonly until: number;
};

/** The certificates that the components of every control plane show to whoever asks, and those that lie on their disks. */
export async function inUse({ controlPlanes }: NodeCluster): Promise<readonly InUse[]> {
  const asked = controlPlanes.flatMap((machine) =>
    SERVED.map(async ({ component, file, port }) => {
      const shown = await shownAt(machine, port);
      const onDisk = new X509Certificate(await readFile(join(machine.disk, PKI, file)));
      return {
        of: `${component} of ${machine.name}`,
        serial: shown.serialNumber,
        onDisk: onDisk.serialNumber,
        until: Date.parse(shown.validTo),
      };
    }),
  );
  return Promise.all(asked);
}

/** The components that have begun before the file was written in which their certificate is: they have another. */
export async function outdated({ controlPlanes }: NodeCluster): Promise<readonly string[]> {
  const found = controlPlanes.map(async (machine) => {
    const { stdout } = await machine.exec(['bash', '-euc', BEGAN, 'began', ...READ], { what: 'since when they run' });
    const lines = stdout.trim().split('\n');
    return READ.filter((_, index) => {
      const [began = 0, written = 0] = (lines[index] ?? '').split(' ').map(Number);
      return began < written;
    }).map((component) => `${component} of ${machine.name}`);
  });
  return (await Promise.all(found)).flat();
}

/** Who knocks without a certificate is shown one all the same, before etcd refuses. */
function shownAt({ address, name }: Machine, port: number): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, rejectUnauthorized: false }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      resolve(new X509Certificate(raw));
    });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`nobody answers at ${name}:${port}`)));
    socket.once('error', reject);
  });
}
