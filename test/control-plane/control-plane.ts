import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditLog } from './audit.ts';
import { type Binaries, builtBinaries, type Component, type Say, sayToStderr } from './binaries.ts';
import { type Child, removeAtEnd, type Signal, startChild, tail } from './child.ts';
import { Client } from './client.ts';
import type { Plane, Said } from './cluster.ts';
import * as flags from './flags.ts';
import { certificateIn, kubeconfig } from './kubeconfig.ts';
import { runKubectl } from './kubectl.ts';
import { freePort } from './ports.ts';
import { until } from './until.ts';

/** How a control plane is started. */
export type ControlPlaneOptions = flags.Turned & {
  readonly binaries?: Binaries;
  readonly say?: Say;
  /** Keeps the directory with logs and data; also when DRYDOCK_KEEP is set. */
  readonly keep?: boolean;
};

/** etcd, API server, controller manager, scheduler, and kwok for the kubelets. */
export type ControlPlane = Plane & {
  readonly keyFile: string;
  /** Ends the API server at once; etcd goes on. TERM: in order, which takes up to 60 s while somebody watches. */
  stopApiServer(signal?: 'KILL' | 'TERM'): Promise<void>;
  /** Starts it again on the same port with the same data, and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** Tells a component: STOP makes it silent with all its connections open, CONT wakes it. */
  signal(component: Component, signal: Signal): void;
};

/** Who the tests and the components are; service accounts are asked for with TokenRequest. */
const USERS = {
  'drydock-test-admin': 'system:masters',
  'node-agent': 'system:masters',
  kwok: 'system:masters',
  'system:kube-controller-manager': '',
  'system:kube-scheduler': '',
} as const;

type User = keyof typeof USERS;

const POLICY = join(import.meta.dirname, 'audit-policy.yaml');
const STAGES = join(import.meta.dirname, 'stages.yaml');
const TOKEN_SECONDS = 30 * 24 * 3600;
const STARTS = 3;

/** Starts a control plane and waits until it answers and its controllers work. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const say = options.say ?? sayToStderr;
  const binaries = options.binaries ?? (await builtBinaries(say));
  for (let attempt = 1; ; attempt++) {
    const run = new Run(binaries, options, say);
    try {
      await run.start();
      return run;
    } catch (error) {
      await run.stop();
      // Between the choice of a port and its use another process may have taken it.
      if (attempt === STARTS || !String(error).includes('address already in use')) throw error;
    }
  }
}

class Run implements ControlPlane {
  readonly directory = mkdtempSync(join(tmpdir(), 'drydock-control-plane-'));
  readonly audit: AuditLog;
  readonly caFile: string;
  readonly keyFile: string;
  readonly kubeconfig: string;
  readonly #files = flags.filesIn(this.directory);
  readonly #tokens = Object.fromEntries(Object.keys(USERS).map((user) => [user, randomBytes(24).toString('hex')]));
  readonly #children = new Map<Component, Child>();
  readonly #binaries: Binaries;
  readonly #options: ControlPlaneOptions;
  readonly #say: Say;
  readonly #clients: Client[] = [];
  #ports: flags.Ports | undefined;
  #admin: Client | undefined;
  #kubelets: Client | undefined;

  constructor(binaries: Binaries, options: ControlPlaneOptions, say: Say) {
    this.#binaries = binaries;
    this.#options = options;
    this.#say = say;
    this.audit = new AuditLog(this.#files.audit);
    this.caFile = this.#files.caFile;
    this.keyFile = this.#files.keyFile;
    this.kubeconfig = this.#files.kubeconfig('drydock-test-admin');
    if (!this.#keep) removeAtEnd(this.directory);
  }

  get server(): string {
    return `https://127.0.0.1:${this.#started(this.#ports).apiServer}`;
  }

  get admin(): Client {
    return this.#started(this.#admin);
  }

  get kubelets(): Client {
    return this.#started(this.#kubelets);
  }

  async start(): Promise<void> {
    this.#ports = { etcd: await freePort(), etcdPeer: await freePort(), apiServer: await freePort() };
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(this.#files.serviceAccountKey, privateKey.export({ type: 'pkcs1', format: 'pem' }), {
      mode: 0o600,
    });
    const tokens = Object.entries(USERS).map(([user, group]) => `${this.#token(user)},${user},${user},"${group}"\n`);
    await writeFile(this.#files.tokens, tokens.join(''), { mode: 0o600 });
    this.#run('etcd', flags.etcdArgs(this.#files, this.#ports));
    await this.startApiServer();
    await this.#writeKubeconfigs();
    await writeFile(this.#files.schedulerConfiguration, flags.schedulerConfiguration(this.#files));
    this.#run('kube-controller-manager', flags.controllerManagerArgs(this.#files, this.#options));
    this.#run('kube-scheduler', flags.schedulerArgs(this.#files));
    this.#run('kwok', flags.kwokArgs(this.#files, STAGES));
    await this.#serviceAccount('default');
  }

  async startApiServer(): Promise<void> {
    const ports = this.#started(this.#ports);
    this.#run('kube-apiserver', flags.apiServerArgs(this.#files, ports, POLICY, this.#options));
    const isReady = async () => {
      this.assertAlive();
      this.#admin ??= this.#client('drydock-test-admin');
      this.#kubelets ??= this.#client('node-agent');
      return (
        this.#admin !== undefined &&
        (await this.#admin.request('GET', '/readyz').catch(() => undefined))?.status === 200
      );
    };
    await until(isReady, { what: 'the API server is ready', seconds: 240 });
  }

  async stopApiServer(signal: 'KILL' | 'TERM' = 'KILL'): Promise<void> {
    const child = this.#started(this.#children.get('kube-apiserver'));
    this.#children.delete('kube-apiserver');
    await child.end(signal);
  }

  signal(component: Component, signal: Signal): void {
    this.#started(this.#children.get(component)).signal(signal);
  }

  assertAlive(): void {
    for (const { name, logFile, alive } of this.#children.values()) {
      if (!alive()) throw new Error(`${name} has ended:\n${tail(logFile)}`);
    }
  }

  async kubeconfigFor(namespace: string, name: string, options: { readonly server?: string } = {}): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    type TokenRequest = { status: { token: string } };
    const { status } = await this.admin.create<TokenRequest>(path, { spec: { expirationSeconds: TOKEN_SECONDS } });
    const file = this.#files.kubeconfig(`${namespace}-${name}-${randomBytes(3).toString('hex')}`);
    await this.#write(file, options.server ?? this.server, `${namespace}/${name}`, status.token);
    return file;
  }

  kubectl(
    args: readonly string[],
    options: { readonly input?: string; readonly kubeconfig?: string } = {},
  ): Promise<Said> {
    return runKubectl(this.#binaries.kubectl, args, {
      kubeconfig: this.kubeconfig,
      home: this.directory,
      ...options,
    });
  }

  async createNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    await this.admin.create('/api/v1/namespaces', body);
    await this.#serviceAccount(name);
  }

  async stop(): Promise<void> {
    this.audit.stop();
    await Promise.all(this.#clients.map((client) => client.close()));
    // etcd last: an API server without it holds its port for 20 s.
    const { etcd, others } = this.#split();
    await Promise.all(others.map((child) => child.end()));
    await etcd?.end();
    if (this.#keep) this.#say(`drydock: the control plane's files are kept in ${this.directory}`);
    else rmSync(this.directory, { recursive: true, force: true });
  }

  get #keep(): boolean {
    return this.#options.keep ?? Boolean(process.env['DRYDOCK_KEEP']);
  }

  #split(): { readonly etcd: Child | undefined; readonly others: readonly Child[] } {
    const others = [...this.#children].filter(([component]) => component !== 'etcd').map(([, child]) => child);
    return { etcd: this.#children.get('etcd'), others };
  }

  #run(component: Component, args: readonly string[]): void {
    const logFile = this.#files.log(component);
    // Many control planes share the cores: threads of one that spin for work only take time from the others, and so does
    // collecting garbage before there is much of it.
    const env = { ...process.env, HOME: this.directory, GOMAXPROCS: '1', GOGC: '1000', GOMEMLIMIT: '500MiB' };
    const options = { logFile, cwd: this.directory, env };
    this.#children.set(component, startChild(component, this.#binaries[component], args, options));
  }

  /** Undefined as long as the API server has not made its certificate. */
  #client(user: User): Client | undefined {
    const certificate = certificateIn(this.caFile);
    if (certificate === undefined) return undefined;
    const client = new Client(this.server, certificate, this.#token(user), user);
    this.#clients.push(client);
    return client;
  }

  async #writeKubeconfigs(): Promise<void> {
    for (const user of Object.keys(USERS)) {
      await this.#write(this.#files.kubeconfig(user), this.server, user, this.#token(user));
    }
  }

  async #write(file: string, server: string, user: string, token: string): Promise<void> {
    await writeFile(file, kubeconfig(server, readFileSync(this.caFile), user, token), { mode: 0o600 });
  }

  /** Pods are refused until the controller manager has made it. */
  async #serviceAccount(namespace: string): Promise<void> {
    const isThere = async () => {
      this.assertAlive();
      return await this.admin.find(`/api/v1/namespaces/${namespace}/serviceaccounts/default`);
    };
    await until(isThere, { what: `namespace ${namespace} has its default service account`, seconds: 60 });
  }

  #token(user: string): string {
    return this.#started(this.#tokens[user]);
  }

  #started<T>(value: T | undefined): T {
    if (value === undefined) throw new Error('the control plane is not running');
    return value;
  }
}
