import type { AuditLog } from './audit.ts';
import type { Client } from './client.ts';

/** What a command said. */
export type Said = { readonly stdout: string; readonly stderr: string; readonly code: number };

/** What nodes, workloads and tests need of a cluster, wherever it comes from. */
export type Cluster = {
  readonly server: string;
  /** A kubeconfig of an administrator. */
  readonly kubeconfig: string;
  /** Acts as an administrator: `drydock-test-admin`. */
  readonly admin: Client;
  /** Acts for kubelets and payloads: `node-agent`. */
  readonly kubelets: Client;
  /** A kubeconfig of a service account, whose token comes from TokenRequest; `server` may be a proxy's. */
  kubeconfigFor(namespace: string, name: string, options?: { readonly server?: string }): Promise<string>;
  /** Runs kubectl as administrator. Never rejects: look at `code`. */
  kubectl(args: readonly string[], options?: { readonly input?: string; readonly kubeconfig?: string }): Promise<Said>;
  /** Makes a namespace that is ready for pods. */
  createNamespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
};

/** A cluster whose API server was started here, real or a model: its audit log is at hand, and files of its own. */
export type Plane = Cluster & {
  /** Data, logs and certificates of this run. */
  readonly directory: string;
  /** The serving certificate of the API server, which is also its authority. */
  readonly caFile: string;
  readonly audit: AuditLog;
  /** Throws, with the end of its log, if a component has died. */
  assertAlive(): void;
};
