import { type Condition, keyOf, type NodeObject, type PodObject, stamp, type Taint } from '../objects.ts';
import { UNSCHEDULABLE } from './fit.ts';
import { isReady, withCondition } from './pods.ts';
import { draw, type Scene } from './scene.ts';

const BY = 'node-lifecycle-controller';
const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** By condition and status: what keeps new pods away (nodeConditionToTaintKeyStatusMap). */
const TAINT_OF: { readonly [condition: string]: { readonly [status: string]: string } } = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
};
const KEYS: ReadonlySet<string> = new Set(Object.values(TAINT_OF).flatMap((each) => Object.values(each)));

/** Who has power, and who tells when that changes: a Lease that is not renewed, without the writes of all that are. */
export type Power = {
  isPowered(node: string): boolean;
  watchPower(listener: (node: string) => void): void;
};

/**
 * Turns what is known of a node into its taints, and a node without heartbeats into one that is unknown. The rate at which
 * nodes of a zone are tainted, and its rule for zones that are lost as a whole, are not known.
 */
export function startNodeLifecycle(scene: Scene, power: Power): void {
  const { registry, timeline } = scene;
  const dice = scene.fork('node lifecycle');
  const silentSince = new Map<string, number>();
  const taints = scene.react('nodeLifecycle', (name) => {
    registry.write<NodeObject>('nodes', name, BY, (before) => {
      const next = tainted(before, timeline.now());
      return { ...before, spec: { ...before.spec, taints: next } };
    });
    return undefined;
  });
  const health = (name: string) => {
    const since = timeline.now();
    silentSince.set(name, since);
    scene.after(draw(scene, dice, 'nodeMonitorGrace'), () => {
      if (silentSince.get(name) === since && !power.isPowered(name)) lose(scene, name);
    });
  };
  power.watchPower((name) => {
    if (power.isPowered(name)) silentSince.delete(name);
    else health(name);
  });
  scene.hear(['nodes'], ({ key, before, after }) => {
    if (after === undefined) return void silentSince.delete(key);
    const [old, now] = [before, after] as [NodeObject | undefined, NodeObject];
    // One whose machine has no power is awaited like any other: with another Node under its name the time begins again.
    if (old === undefined && !power.isPowered(key)) health(key);
    if (old === undefined || old.spec !== now.spec || old.status.conditions !== now.status.conditions) {
      taints.touch(key);
    }
  });
}

/** The taints of a node as they should be: those that are right stay where they are. */
function tainted({ spec, status }: NodeObject, now: number): readonly Taint[] {
  const conditions = status.conditions ?? [];
  const ready = conditions.find(({ type }) => type === 'Ready');
  const keys = conditions.map(({ type, status }) => TAINT_OF[type]?.[status]).filter((key) => key !== undefined);
  const wanted: Taint[] = keys.map((key) => ({ key, effect: 'NoSchedule' }));
  if (spec.unschedulable) wanted.push(UNSCHEDULABLE);
  const lost = TAINT_OF['Ready']?.[ready?.status ?? ''];
  if (lost !== undefined) wanted.push({ key: lost, effect: 'NoExecute' });
  const isOurs = ({ key, effect }: Taint) => {
    if (key === UNSCHEDULABLE.key) return effect === 'NoSchedule';
    // Before the kubelet has said anything the taint of the admission stays.
    if (ready === undefined) return false;
    if (effect === 'NoExecute') return key === NOT_READY || key === UNREACHABLE;
    return effect === 'NoSchedule' && KEYS.has(key);
  };
  const isSame = (one: Taint) => (other: Taint) => one.key === other.key && one.effect === other.effect;
  const kept = (spec.taints ?? []).filter((taint) => !isOurs(taint) || wanted.some(isSame(taint)));
  const added = wanted.filter((taint) => !kept.some(isSame(taint)));
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: stamp(now) }))];
}

const SILENT = { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' };
const CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** As tryUpdateNodeHealth and MarkPodsNotReady: the node becomes unknown, its pods not ready. */
function lose({ registry, index, timeline }: Scene, name: string): void {
  const now = timeline.now();
  registry.write<NodeObject>('nodes', name, BY, (before) => {
    const old = before.status.conditions;
    const next = CONDITIONS.reduce<readonly Condition[]>((all, type) => {
      const said = all.find((one) => one.type === type);
      if (said?.status === 'Unknown') return all;
      return withCondition(all, { ...said, type, status: 'Unknown', ...SILENT, lastTransitionTime: stamp(now) }, now);
    }, old ?? []);
    return { ...before, status: { ...before.status, conditions: next } };
  });
  for (const pod of [...index.podsOn(name)]) {
    if (!isReady(pod)) continue;
    registry.write<PodObject>('pods', keyOf(pod), BY, (before) => {
      const { lastTransitionTime: _, ...ready } = before.status.conditions?.find(({ type }) => type === 'Ready') ?? {
        type: 'Ready',
      };
      const conditions = withCondition(before.status.conditions, { ...ready, status: 'False' }, now);
      return { ...before, status: { ...before.status, conditions } };
    });
  }
}
