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
