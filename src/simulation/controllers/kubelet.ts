import type { Dice } from '../dice.ts';
import { keyOf, type PodObject } from '../objects.ts';
import { type Machines, machines } from './machines.ts';
import { type Behaves, type Body, perform, type Work, workOf } from './payload.ts';
import { crashLooping, EXIT, ended, ready, restartsOf, running } from './pod-status.ts';
import { annotated, controllerOf, isLeaving, isOver, isReady } from './pods.ts';
import { draw, type Scene } from './scene.ts';

/** All kubelets and their machines, and what payloads do there. They act at once: never from within a listener of etcd. */
export type Kubelets = Machines & {
  /** What has been begun, in order. */
  readonly works: readonly Work[];
  /** What a payload will do on this node ('*': on every other); `job` defaults to upgrade. */
  behave(node: string, behaves: Behaves, job?: Work['job']): void;
  /** Lets the hanging pods of this node go on. */
  release(node: string): void;
};

/** What a kubelet remembers of a pod: absolute times, in milliseconds. */
type Life = {
  readonly uid: string;
  startAt?: number;
  readyAt?: number;
  completeAt?: number | undefined;
  killSince?: number;
  killAfter?: number;
  /** The machine was booted since: the containers of the status do not run any more. */
  isLost?: boolean;
  /** Ends the process of a payload. */
  kill?: () => void;
  /** How its container ended: told again where the store, restored to an earlier state, does not know it any more. */
  outcome?: { readonly exitCode: number; readonly message: string };
};

type Inside = {
  readonly scene: Scene;
  readonly dice: Dice;
  readonly begin: (pod: PodObject, life: Life) => void;
};

/** Runs the pods that are bound to nodes whose machines have power. */
export function startKubelets(scene: Scene): Kubelets {
  const { registry, index } = scene;
  const dice = scene.fork('kubelets');
  const lives = new Map<string, Life>();
  const queue = scene.react('kubelet', (key) => {
    const pod = registry.get<PodObject>('pods', key);
    const node = pod?.spec.nodeName;
    if (pod === undefined || !node || !all.isPowered(node) || registry.get('nodes', node) === undefined)
      return undefined;
    const known = lives.get(key);
    const life = known?.uid === pod.metadata.uid ? known : { uid: pod.metadata.uid };
    lives.set(key, life);
    return live({ scene, dice, begin }, pod, life);
  });
  const lifeOf = (pod: PodObject) => lives.get(keyOf(pod));
  const all = machines(scene, dice, {
    die: (node) => {
      work.forget(node);
      for (const pod of index.podsOn(node)) lifeOf(pod)?.kill?.();
    },
    begin: (node) => {
      for (const pod of index.podsOn(node)) {
        const { killSince } = lifeOf(pod) ?? {};
        lives.set(keyOf(pod), {
          uid: pod.metadata.uid,
          isLost: true,
          ...(killSince === undefined ? {} : { killSince }),
        });
        queue.touch(keyOf(pod));
      }
    },
  });
  const work = payloads(scene, all);
  const { begin } = work;

  scene.hear(['nodes'], ({ key, before }) => {
    if (before === undefined) for (const pod of index.podsOn(key)) queue.touch(keyOf(pod));
  });
  scene.hear(['pods'], ({ key, by, before, after }) => {
    const pod = after as PodObject | undefined;
    if (pod === undefined) {
      lives.get(key)?.kill?.();
      lives.delete(key);
      return;
    }
    const isOwn = by.startsWith('kubelet/') && (before as PodObject | undefined)?.status.phase === pod.status.phase;
    if (pod.spec.nodeName && (before === undefined || !isOwn)) queue.touch(key);
  });
  return { ...all, works: work.works, behave: work.behave, release: work.release };
}

/** What payloads have begun, and what they will do. */
function payloads(scene: Scene, machine: Machines) {
  const works: Work[] = [];
  const behaviours = new Map<string, Behaves>();
  const hanging = new Map<string, Set<() => void>>();
  const begin = (pod: PodObject, life: Life) => {
    const work = workOf(pod, scene.timeline.now());
    if (work === undefined || life.kill !== undefined) return;
    works.push(work);
    const behaves = behaviours.get(`${work.job} ${work.node}`) ?? behaviours.get(`${work.job} *`) ?? {};
    const body: Body = {
      ...machine,
      after: scene.after,
      hang: (node, go) => hanging.set(node, (hanging.get(node) ?? new Set()).add(go)),
      end: (exitCode, message) => {
        life.outcome = { exitCode, message };
        end(scene, keyOf(pod), pod.metadata.uid, exitCode, message);
      },
    };
    life.kill = perform(body, work, typeof behaves === 'function' ? behaves(work) : behaves);
  };
  return {
    works,
    begin,
    forget: (node: string) => hanging.delete(node),
    behave: (node: string, behaves: Behaves, job: Work['job'] = 'upgrade') => {
      behaviours.set(`${job} ${node}`, behaves);
    },
    release: (node: string) => {
      const waiting = hanging.get(node) ?? [];
      hanging.delete(node);
      for (const go of waiting) go();
    },
  };
}

/** The next step of a pod, if it is due; otherwise when it is. */
function live(inside: Inside, pod: PodObject, life: Life): number | undefined {
  if (isLeaving(pod)) return terminate(inside, pod, life);
  if (isOver(pod)) return undefined;
  if (pod.status.phase !== 'Running') return start(inside, pod, life, 0);
  if (life.isLost) {
    if (pod.spec.restartPolicy !== 'Never') return start(inside, pod, life, restartsOf(pod) + 1);
    store(inside.scene, pod, ended(pod, EXIT.lost, '', inside.scene.timeline.now()));
    return undefined;
  }
  return run(inside, pod, life);
}

function isCrashLooping({ metadata }: PodObject): boolean {
  return metadata.annotations?.['test.drydock.dev/crash-loop'] === 'true';
}

function start({ scene, dice, begin }: Inside, pod: PodObject, life: Life, restarts: number): number | undefined {
  const now = scene.timeline.now();
  life.startAt ??= now + draw(scene, dice, 'podStart');
  if (life.startAt > now) return life.startAt - now;
  life.isLost = false;
  if (isCrashLooping(pod)) {
    store(scene, pod, crashLooping(pod, now));
    return undefined;
  }
  life.readyAt = now + untilReady(scene, dice, pod);
  store(scene, pod, running(pod, life.readyAt <= now, restarts, now));
  begin(pod, life);
  return life.outcome === undefined ? next(scene, pod, life, life.readyAt > now) : 0;
}

function untilReady(scene: Scene, dice: Dice, pod: PodObject): number {
  const said = annotated(pod, 'ready-after');
  return said === undefined ? draw(scene, dice, 'podReady') : said * 1000;
}

/** A pod that runs: becomes ready, and ends by itself where it is one of a Job. */
function run({ scene, dice, begin }: Inside, pod: PodObject, life: Life): number | undefined {
  const now = scene.timeline.now();
  begin(pod, life);
  if (life.outcome !== undefined) {
    store(scene, pod, ended(pod, life.outcome.exitCode, life.outcome.message, now));
    return undefined;
  }
  life.completeAt ??= completion(pod, now);
  if (life.completeAt !== undefined && life.completeAt <= now) {
    const message = pod.metadata.annotations?.['test.drydock.dev/termination-message'] ?? '';
    store(scene, pod, ended(pod, annotated(pod, 'exit-code') ?? 0, message, now));
    return undefined;
  }
  if (isCrashLooping(pod) || isReady(pod)) return next(scene, pod, life, false);
  life.readyAt ??= now + untilReady(scene, dice, pod);
  if (life.readyAt <= now) {
    store(scene, pod, ready(pod, now));
    return next(scene, pod, life, false);
  }
  return next(scene, pod, life, true);
}

/** Until when there is nothing to do. */
function next(scene: Scene, pod: PodObject, life: Life, waits: boolean): number | undefined {
  const now = scene.timeline.now();
  life.completeAt ??= completion(pod, now);
  const times = [waits ? life.readyAt : undefined, life.completeAt].filter((at) => at !== undefined);
  return times.length === 0 ? undefined : Math.min(...times) - now;
}

/** Pods of Jobs end after a second where nothing else is said; those of Drydock's own do what payloads do. */
function completion(pod: PodObject, now: number): number | undefined {
  if (controllerOf(pod)?.kind !== 'Job' || pod.metadata.labels?.['drydock.dev/job'] !== undefined) return undefined;
  if (pod.metadata.annotations?.['test.drydock.dev/complete-after'] === 'never') return undefined;
  return now + (annotated(pod, 'complete-after') ?? 1) * 1000;
}

/**
 * Lets the containers of a pod end, says how they ended, and only then lets the pod go: what a finalizer holds is read as ended
 * before it is gone. A second deletion can only shorten the time that is left.
 */
function terminate({ scene, dice }: Inside, pod: PodObject, life: Life): number | undefined {
  const { registry, timeline } = scene;
  const { deletionGracePeriodSeconds: grace = 0, finalizers = [], uid } = pod.metadata;
  const now = timeline.now();
  const by = `kubelet/${pod.spec.nodeName}`;
  if (isOver(pod)) {
    life.kill?.();
    if (finalizers.length > 0 && grace === 0) return undefined;
    registry.remove('pods', keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } }, { by });
    return undefined;
  }
  const isRunning = pod.status.phase === 'Running' && !life.isLost;
  const asked = annotated(pod, 'terminate-after');
  life.killSince ??= now;
  life.killAfter ??= !isRunning ? 0 : asked === undefined ? draw(scene, dice, 'podTerminate') : asked * 1000;
  const at = life.killSince + Math.min(life.killAfter, grace * 1000);
  if (at > now) return at - now;
  life.kill?.();
  const exitCode = life.isLost ? EXIT.lost : life.killAfter > grace * 1000 ? EXIT.killed : EXIT.terminated;
  store(scene, pod, ended(pod, exitCode, '', now));
  return undefined;
}

function end({ registry, timeline }: Scene, key: string, uid: string, exitCode: number, message: string): void {
  const pod = registry.get<PodObject>('pods', key);
  if (pod?.metadata.uid !== uid || isOver(pod)) return;
  const status = ended(pod, exitCode, message, timeline.now());
  registry.write<PodObject>('pods', key, `kubelet/${pod.spec.nodeName}`, (before) => ({ ...before, status }));
}

function store({ registry }: Scene, pod: PodObject, status: PodObject['status']): void {
  registry.write<PodObject>('pods', keyOf(pod), `kubelet/${pod.spec.nodeName}`, (before) => ({ ...before, status }));
}
