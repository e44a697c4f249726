import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Clock } from '../core/clock.ts';
import type { Cluster } from './cluster.ts';
import { type Leases, leasesOf } from './leases.ts';
import { remoteCluster } from './remote.ts';
import type { Said } from './said.ts';
import { type Identity, Transport, type Who } from './transport.ts';

/** Which cluster is meant, and with what it is spoken to. */
export type ConnectOptions = {
  /** The context of the kubeconfig. Inside a pod it may be absent; outside it must be named. */
  readonly context?: string;
  /** As the audit log shows it: drydock/<version> (<identity>). */
  readonly userAgent: string;
  /** Which replica this is, for Events. */
  readonly instance: string;
  readonly jobsNamespace: string;
  readonly leaseNamespace: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Aborts what is on its way and lets go of every connection, but for those of the leases. */
  readonly signal: AbortSignal;
  readonly said?: (said: Said) => void;
  /** Whether this process may change anything now; leases are not asked. */
  readonly mayWrite?: () => boolean;
};

/** The cluster and its leases, or the sentence that says why it is not clear which cluster is meant. */
export type Connection =
  | { readonly ok: true; readonly cluster: Cluster; readonly leases: Leases; readonly server: string }
  | { readonly ok: false; readonly problem: string };

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Prepares the connection to a cluster. Nothing is asked yet, so it cannot fail for anything but its configuration. */
export function connect(options: ConnectOptions): Connection {
  const found = find(options.context);
  if (!found.ok) return found;
  const said = options.said ?? (() => {});
  const { userAgent, clock, random, instance, jobsNamespace, leaseNamespace, signal } = options;
  const may = options.mayWrite === undefined ? {} : { mayWrite: options.mayWrite };
  const transport = new Transport({ who: whoOf(found.load), userAgent, clock, said, ...may });
  if (signal.aborted) void transport.close();
  else signal.addEventListener('abort', () => void transport.close(), { once: true });
  // A renewal must never wait behind a hundred evictions, and giving a Lease back is the last that is done after an abort.
  const leaseTransport = new Transport({ who: whoOf(found.load), userAgent, clock, said });
  return {
    ok: true,
    cluster: remoteCluster({ transport, jobsNamespace, instance, clock, random, said }),
    leases: leasesOf(leaseNamespace, (sent) => leaseTransport.call(sent)),
    server: found.config.getCurrentCluster()?.server ?? '',
  };
}

type Found =
  | { readonly ok: true; readonly config: KubeConfig; readonly load: () => KubeConfig }
  | { readonly ok: false; readonly problem: string };

/** Outside a pod the context must be named, so that a wrong terminal never drains production. */
function find(context: string | undefined): Found {
  if (context === undefined && existsSync(TOKEN)) return inPod();
  try {
    const config = fromFiles();
    const names = config.getContexts().map(({ name }) => name);
    const there = names.length === 0 ? 'There is no context: is KUBECONFIG set?' : `There are: ${names.join(', ')}.`;
    if (context === undefined) {
      return {
        ok: false,
        problem: `outside a pod the context must be named, with --context or DRYDOCK_CONTEXT. ${there}`,
      };
    }
    if (!names.includes(context)) return { ok: false, problem: `there is no context "${context}". ${there}` };
    const load = () => {
      const fresh = fromFiles();
      fresh.setCurrentContext(context);
      return fresh;
    };
    const chosen = load();
    if (chosen.getCurrentCluster() === null)
      return { ok: false, problem: `the context "${context}" names a cluster that is not there` };
    return { ok: true, config: chosen, load };
  } catch (error) {
    return {
      ok: false,
      problem: `the kubeconfig cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function inPod(): Found {
  const config = inCluster();
  if (URL.canParse(config.getCurrentCluster()?.server ?? '')) return { ok: true, config, load: inCluster };
  return {
    ok: false,
    problem: 'this is a pod, but KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT say no API server',
  };
}

function inCluster(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromCluster();
  return config;
}

function fromFiles(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  // Where there is no file, client-node makes up a cluster on localhost:8080.
  if (config.getCurrentContext() === 'loaded-context')
    config.loadFromOptions({ contexts: [], clusters: [], users: [] });
  return config;
}

/** TLS material that `applyToHTTPSOptions` may fill in. */
const MATERIAL = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized'] as const;

/** Identity as client-node reads it: token files each minute, certificate files each time, plugins when their answer ends. */
function whoOf(load: () => KubeConfig): Who {
  let config = load();
  return {
    read: async () => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options as never);
      const cluster = config.getCurrentCluster();
      const given = MATERIAL.flatMap((name) => (options[name] == null ? [] : [[name, options[name]] as const]));
      return {
        server: cluster?.server ?? '',
        headers: headersOf(options),
        tls: Object.fromEntries(given),
        ...(cluster?.proxyUrl === undefined ? {} : { proxyUrl: cluster.proxyUrl }),
      };
    },
    // What client-node remembers of tokens and plugins goes with the object that remembers it.
    renew: () => {
      try {
        config = load();
      } catch {
        // A kubeconfig that is being rewritten: the one that was read stays until the next time.
      }
    },
  };
}

function headersOf({ headers, auth }: RequestOptions): Identity['headers'] {
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  const given = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).trim()]);
  return { ...basic, ...Object.fromEntries(given) };
}
