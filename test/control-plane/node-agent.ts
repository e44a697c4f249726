import type { Behaves, Behaviour, Work } from '../../src/simulation/controllers/payload.ts';
import { type List, type Metadata, PATCH, Refused } from './client.ts';
import type { Cluster } from './cluster.ts';
import {
  isControlPlane,
  powerOff,
  powerOn,
  quickReboot,
  readNode,
  setControlPlaneVersion,
  setKubeletVersion,
  setReady,
} from './nodes.ts';
import { pause } from './until.ts';

/** The agent of all nodes. */
export type NodeAgent = {
  /** What has been begun, in order. */
  readonly works: readonly Work[];
  /** What a payload will do on this node ('*': on every other); `job` defaults to upgrade. */
  behave(node: string, behaves: Behaves, job?: Work['job']): void;
  /** Lets a hanging pod of this node succeed. */
  release(node: string): void;
  stop(): Promise<void>;
};

type Pod = {
  readonly metadata: Metadata & { readonly uid: string; readonly namespace: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
    }[];
  };
  readonly status: { readonly phase: string; readonly startTime?: string };
};

const JOB_PODS = '/api/v1/namespaces/drydock-jobs/pods?labelSelector=drydock.dev%2Fjob';
/** Between a watch that has ended and the list after it. */
const AGAIN_MS = 200;
const NO_POWER: Behaviour = { reboot: 'slow', neverBack: true };
/** What a kubelet says of a container that it lost with the machine. */
const LOST_WITH_THE_MACHINE = 255;

/** Starts to do what payloads would do: works on the pods of Drydock's Jobs as soon as they run. */
export function startNodeAgent(cluster: Cluster): NodeAgent {
  return new Agent(cluster);
}

class Agent implements NodeAgent {
  readonly works: Work[] = [];
  readonly #cluster: Cluster;
  readonly #behaviours = new Map<string, Behaves>();
  readonly #seen = new Set<string>();
  readonly #hanging = new Set<{ readonly node: string; readonly release: () => void }>();
  readonly #running = new Set<Promise<void>>();
  readonly #loop: Promise<void>;
  readonly #stopping = new AbortController();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#loop = this.#look();
  }

  behave(node: string, behaves: Behaves, job: Work['job'] = 'upgrade'): void {
    this.#behaviours.set(`${job} ${node}`, behaves);
  }

  release(node: string): void {
    for (const hanging of this.#hanging) if (hanging.node === node) hanging.release();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { release } of this.#hanging) release();
    await this.#loop;
    await Promise.all(this.#running);
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #look(): Promise<void> {
    const { kubelets } = this.#cluster;
    while (!this.#stopped) {
      try {
        const { items, metadata } = await kubelets.get<List<Pod>>(`${JOB_PODS}&resourceVersion=0`);
        for (const pod of items) this.#begin(pod);
        const changes = kubelets.watch<Pod>(JOB_PODS, metadata.resourceVersion, this.#stopping.signal);
        for await (const { type, object } of changes) if (type !== 'DELETED') this.#begin(object);
      } catch {
        // The API server may be away: tests stop it.
      }
      await pause(AGAIN_MS);
    }
  }

  #begin(pod: Pod): void {
    const work = workOf(pod);
    if (work === undefined || this.#seen.has(pod.metadata.uid)) return;
    this.#seen.add(pod.metadata.uid);
    this.works.push(work);
    const running = this.#work(pod, work).catch((error: unknown) => this.#report(work, error));
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  async #work(pod: Pod, work: Work): Promise<void> {
    const behaves = this.#behaviours.get(`${work.job} ${work.node}`) ?? this.#behaviours.get(`${work.job} *`) ?? {};
    const does = typeof behaves === 'function' ? behaves(work) : behaves;
    await this.#pass(does.workSeconds ?? (work.job === 'prepare' ? 0.2 : 1));
    // One that begins to hang after the stop would have nobody left to release it.
    if (this.#stopped) return;
    if (does.hang) await this.#hang(work.node);
    if (this.#stopped) return;
    if (does.notReadySeconds !== undefined) await this.#notReady(work.node, does.notReadySeconds);
    if (does.reboot === 'midway') {
      await this.#reboot(work.node, does);
      if (!does.neverBack) await this.#end(pod, work, LOST_WITH_THE_MACHINE, does.message ?? '');
      return;
    }
    if (does.result === 'fail') return this.#end(pod, work, does.exitCode ?? 1, does.message ?? 'the payload failed');
    if (work.job === 'upgrade') await this.#upgrade(work, does);
    await this.#end(pod, work, 0, does.message ?? '');
    if (does.reboot !== undefined || does.neverBack) {
      await this.#pass(does.rebootAfterSeconds ?? 0);
      await this.#reboot(work.node, does.reboot === undefined ? NO_POWER : does);
    }
  }

  async #hang(node: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hanging = { node, release: resolve };
    this.#hanging.add(hanging);
    await promise;
    this.#hanging.delete(hanging);
  }

  async #upgrade({ node, targetVersion }: Work, does: Behaviour): Promise<void> {
    const version = does.version ?? targetVersion;
    if (version === '' || version === 'unchanged') return;
    if (isControlPlane(await this.#insist(() => readNode(this.#cluster, node)))) {
      await this.#insist(() => setControlPlaneVersion(this.#cluster, node, version));
    }
    await this.#insist(() => setKubeletVersion(this.#cluster, node, version));
  }

  async #notReady(node: string, seconds: number): Promise<void> {
    await this.#insist(() => setReady(this.#cluster, node, false));
    await this.#pass(seconds);
    await this.#insist(() => setReady(this.#cluster, node, true));
  }

  async #reboot(node: string, does: Behaviour): Promise<void> {
    if (does.reboot === 'quick' && !does.neverBack) return this.#insist(() => quickReboot(this.#cluster, node));
    await this.#insist(() => powerOff(this.#cluster, node));
    if (does.neverBack) return;
    await this.#pass(does.offSeconds ?? 2);
    await this.#insist(() => powerOn(this.#cluster, node));
  }

  async #end(pod: Pod, work: Work, exitCode: number, message: string): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
    const patch = { metadata: { uid }, status: ended(pod, exitCode, message) };
    await this.#insist(() => this.#cluster.kubelets.patch(path, patch, PATCH.strategic)).catch((error: unknown) => {
      // Its Job was deleted while it ran.
      if (!(error instanceof Refused && (error.code === 404 || error.code === 409))) this.#report(work, error);
    });
  }

  /** A payload does not mind that the API server is away for a while. */
  async #insist<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (this.#stopped || (error instanceof Refused && error.code < 500)) throw error;
        await pause(200);
      }
    }
  }

  async #pass(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (!this.#stopped && performance.now() < end) await pause(Math.max(0, Math.min(100, end - performance.now())));
  }

  #report({ node, jobName }: Work, error: unknown): void {
    if (!this.#stopped)
      process.stderr.write(`drydock: the node agent failed on ${node} (${jobName}): ${String(error)}\n`);
  }
}

function workOf({ metadata, spec, status }: Pod): Work | undefined {
  const job = metadata.labels?.['drydock.dev/job'];
  const running = status.phase === 'Running' && metadata.deletionTimestamp === undefined;
  if (!running || spec.nodeName === undefined || (job !== 'upgrade' && job !== 'prepare')) return undefined;
  const env = Object.fromEntries((spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? '']));
  return {
    node: spec.nodeName,
    job,
    pod: metadata.name,
    jobName: metadata.ownerReferences?.find(({ kind }) => kind === 'Job')?.name ?? '',
    attempt: Number(env['DRYDOCK_ATTEMPT'] ?? 1),
    targetVersion: env['DRYDOCK_TARGET_VERSION'] ?? '',
    env,
    started: Date.now(),
  };
}

function ended({ spec, status }: Pod, exitCode: number, message: string) {
  const now = new Date().toISOString();
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  const terminated = { exitCode, reason, message, startedAt: status.startTime ?? now, finishedAt: now };
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    conditions: ['Ready', 'ContainersReady'].map((type) => ({
      type,
      status: 'False',
      reason: exitCode === 0 ? 'PodCompleted' : 'PodFailed',
      lastTransitionTime: now,
    })),
    containerStatuses: spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: image,
      ready: false,
      started: false,
      restartCount: 0,
      state: { terminated },
    })),
  };
}
