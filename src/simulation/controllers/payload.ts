import type { PodObject } from '../objects.ts';

/** What the payload of a Job does to its node. */
export type Behaviour = {
  /** How long the pod runs before anything happens (default 1; prepare Jobs 0.2). */
  readonly workSeconds?: number;
  /** Default succeed. */
  readonly result?: 'succeed' | 'fail';
  /** Of a failure; default 1. */
  readonly exitCode?: number;
  /** The termination message. */
  readonly message?: string;
  /** What the kubelet (and the static pods) become: default DRYDOCK_TARGET_VERSION; `unchanged`: a payload that lies. */
  readonly version?: string;
  /** The node is NotReady for so long while the Job runs, as by a kubelet that restarts. */
  readonly notReadySeconds?: number;
  /** `quick`: only the boot ID tells. `slow`: no power for `offSeconds`. `midway`: as slow, but before the payload is done. */
  readonly reboot?: 'quick' | 'slow' | 'midway';
  /** Default 2. */
  readonly offSeconds?: number;
  /** From the end of the payload to the reboot; default 0. */
  readonly rebootAfterSeconds?: number;
  /** The reboot, or if there is none the end of the work, leaves the node without power for good. */
  readonly neverBack?: boolean;
  /** The pod runs until it is released. */
  readonly hang?: boolean;
};

/** A Job's pod as it begins to work. */
export type Work = {
  readonly node: string;
  readonly job: 'upgrade' | 'prepare';
  readonly pod: string;
  readonly jobName: string;
  readonly attempt: number;
  readonly targetVersion: string;
  readonly env: Readonly<Record<string, string>>;
  /** In milliseconds since 1970. */
  readonly started: number;
};

/** A behaviour, or what makes one of the work at hand: by its attempt, for example. */
export type Behaves = Behaviour | ((work: Work) => Behaviour);

/** What a payload can reach. */
export type Body = {
  /** Happens whatever becomes of the pod. */
  after(milliseconds: number, run: () => void): unknown;
  hang(node: string, go: () => void): void;
  setReady(node: string, ready: boolean): void;
  powerOff(node: string): void;
  powerOn(node: string): void;
  quickReboot(node: string): void;
  upgrade(node: string, version: string): void;
  end(exitCode: number, message: string): void;
};

/** The work of a pod of Drydock's Jobs; undefined for every other pod. */
export function workOf({ metadata, spec }: PodObject, started: number): Work | undefined {
  const job = metadata.labels?.['drydock.dev/job'];
  if (spec.nodeName === undefined || (job !== 'upgrade' && job !== 'prepare')) return undefined;
  const env = Object.fromEntries((spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? '']));
  return {
    node: spec.nodeName,
    job,
    pod: metadata.name,
    jobName: metadata.ownerReferences?.find(({ kind }) => kind === 'Job')?.name ?? '',
    attempt: Number(env['DRYDOCK_ATTEMPT'] ?? 1),
    targetVersion: env['DRYDOCK_TARGET_VERSION'] ?? '',
    env,
    started,
  };
}

/**
 * Does the work. What comes back is the end of its process: after it nothing more of the payload happens, but for what it had
 * begun on the machine (a kubelet that restarts, a power cycle).
 */
export function perform(body: Body, work: Work, does: Behaviour): () => void {
  const { node } = work;
  let isAlive = true;
  const off = (does.offSeconds ?? 2) * 1000;
  const powerCycle = () => {
    body.powerOff(node);
    if (!does.neverBack) body.after(off, () => body.powerOn(node));
  };
  const reboot = () => {
    if (does.reboot === 'quick' && !does.neverBack) body.quickReboot(node);
    else powerCycle();
  };
  const act = () => {
    if (!isAlive) return;
    // The pod ends with the machine: its kubelet says so when it is back.
    if (does.reboot === 'midway') return powerCycle();
    if (does.result === 'fail') return body.end(does.exitCode ?? 1, does.message ?? 'the payload failed');
    const version = does.version ?? work.targetVersion;
    if (work.job === 'upgrade' && version !== '' && version !== 'unchanged') body.upgrade(node, version);
    body.end(0, does.message ?? '');
    if (does.reboot !== undefined || does.neverBack) body.after((does.rebootAfterSeconds ?? 0) * 1000, reboot);
  };
  const restart = () => {
    if (!isAlive) return;
    if (does.notReadySeconds === undefined) return act();
    body.setReady(node, false);
    body.after(does.notReadySeconds * 1000, () => {
      body.setReady(node, true);
      act();
    });
  };
  body.after((does.workSeconds ?? (work.job === 'prepare' ? 0.2 : 1)) * 1000, () => {
    if (does.hang && isAlive) body.hang(node, restart);
    else restart();
  });
  return () => {
    isAlive = false;
  };
}
