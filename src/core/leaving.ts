import type { Drain } from '../api/maintenance-profile.ts';
import type { Hindrance } from './hindrance.ts';
import { matches } from './selector.ts';
import type { Instant, NodeView, PodView } from './world.ts';

/**
 * A kubelet that does not answer will never confirm that a pod ended: after a minute such a pod no longer counts. The end was
 * set by the clock of the API server: another minute is for one that differs.
 */
const UNREACHABLE_AFTER_MS = 120_000;
/** A pod that is told to go and is still there so long after its grace period needs somebody to look. */
const STUCK_MS = 60_000;
/** The tier of Drydock's own pods, after every other. */
const LAST_TIER = Number.MAX_SAFE_INTEGER;

/** What is known of the surroundings of a pod that may have to leave its node. */
export type Surroundings = {
  readonly now: Instant;
  readonly node: NodeView;
  /** When the node was cordoned for this drain, if it is. */
  readonly cordonedAt?: Instant;
  /** Whether another node could take what leaves: Ready, schedulable, not on its way out, no more tainted than this one. */
  readonly elsewhere: boolean;
  /** `namespace/name` of every DaemonSet there is. */
  readonly daemonSets: ReadonlySet<string>;
  /** The labels of a namespace; undefined: it has not been seen yet. */
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined;
  /** Where Drydock itself runs, whose own pods leave last. */
  readonly ownNamespace: string;
  readonly jobsNamespace: string;
};

/** What becomes of a pod: it stays, it is on its way, something keeps it, or it is free to be asked when its tier is due. */
export type Finding =
  | { readonly as: 'staying'; readonly hindrance?: Hindrance }
  | { readonly as: 'terminating' | 'kept'; readonly tier: number; readonly hindrance?: Hindrance }
  | { readonly as: 'free'; readonly tier: number };

type Rule = NonNullable<Drain['rules']>[number];
type Check = (pod: PodView, around: Surroundings, drain: Drain, rule: Rule | undefined) => Finding | undefined;

const STAYS: Finding = { as: 'staying' };

/** Whether nothing of a pod runs any more, however long its object is kept. */
export function hasEnded({ phase }: PodView): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

const finished: Check = (pod) => (hasEnded(pod) ? STAYS : undefined);
const mirror: Check = (pod) => (pod.mirror ? STAYS : undefined);
/** Only a DaemonSet that still exists would make its pod again; the pod of a deleted one is an orphan and must leave. */
const daemon: Check = ({ controller, namespace }, { daemonSets }) =>
  controller?.kind === 'DaemonSet' && daemonSets.has(`${namespace}/${controller.name}`) ? STAYS : undefined;
const ownJob: Check = ({ namespace, labels }, { jobsNamespace }) =>
  namespace === jobsNamespace && labels['drydock.dev/passage'] !== undefined ? STAYS : undefined;
/** Evicted with nowhere to go, Drydock would leave the node cordoned with nobody to do its work. */
const lastOfOurs: Check = ({ namespace }, { ownNamespace, elsewhere }) =>
  namespace === ownNamespace && !elsewhere ? STAYS : undefined;
/** A watch may lag behind that of pods: a rule might say that this one stays. */
const unseen: Check = ({ namespace }, { namespaceLabels }, { rules = [] }) =>
  rules.some(({ namespaceSelector }) => namespaceSelector !== undefined) && namespaceLabels(namespace) === undefined
    ? { as: 'kept', tier: 0 }
    : undefined;
const skipped: Check = (_, __, ___, rule) => (rule?.behavior === 'Skip' ? STAYS : undefined);

const terminating: Check = (pod, { node, now, ownNamespace }, _, rule) => {
  const { deletedAt, finalizers } = pod;
  if (deletedAt === undefined) return undefined;
  if (node.unreachable && now > deletedAt + UNREACHABLE_AFTER_MS) return STAYS;
  const tier = tierOf(pod, rule, ownNamespace);
  if (now <= deletedAt + STUCK_MS) return { as: 'terminating', tier };
  const detail = finalizers.length > 0 ? finalizers.join(', ') : new Date(deletedAt).toISOString();
  const reason = finalizers.length > 0 ? 'HeldByFinalizers' : 'StuckTerminating';
  return { as: 'terminating', tier, hindrance: { reason, budgets: [], selfClearing: false, detail } };
};

/**
 * To cordon means nothing to a pod that tolerates it: evicted, its successor is bound to the same node, round after round, and
 * each round is a disruption. One that was made after the cordon, or in the same second, shows that it is such a one: the API
 * server keeps no more than the second in which a pod was made, and in one second there is time for many rounds.
 */
const comesBack: Check = ({ controller, toleratesCordon, createdAt }, { cordonedAt }) =>
  controller !== undefined && toleratesCordon && cordonedAt !== undefined && createdAt >= wholeSecond(cordonedAt)
    ? { as: 'staying', hindrance: kept('ComesBack', true) }
    : undefined;

function wholeSecond(instant: Instant): Instant {
  return Math.floor(instant / 1000) * 1000;
}

const completing: Check = (pod, { ownNamespace }, _, rule) =>
  rule?.behavior === 'WaitForCompletion'
    ? { as: 'kept', tier: tierOf(pod, rule, ownNamespace), hindrance: kept('WaitingForCompletion', true) }
    : undefined;

/** A rule that says Evict has been written for the pod itself, and goes before what the profile says of all. */
const unmanaged: Check = (pod, { ownNamespace }, { unmanaged: behavior }, rule) =>
  pod.controller === undefined && behavior === 'Block' && rule === undefined
    ? { as: 'kept', tier: tierOf(pod, rule, ownNamespace), hindrance: kept('Unmanaged', false) }
    : undefined;
const emptyDir: Check = (pod, { ownNamespace }, { emptyDir: behavior }, rule) =>
  pod.emptyDir && behavior === 'Block' && rule === undefined
    ? { as: 'kept', tier: tierOf(pod, rule, ownNamespace), hindrance: kept('EmptyDir', false) }
    : undefined;

/** In order; the first that has something to say decides. */
const checks: readonly Check[] = [
  finished,
  mirror,
  daemon,
  ownJob,
  lastOfOurs,
  unseen,
  skipped,
  terminating,
  comesBack,
  completing,
  unmanaged,
  emptyDir,
];

/** What becomes of one pod of a node that is drained. */
export function leaving(pod: PodView, around: Surroundings, drain: Drain): Finding {
  const rule = ruleOf(pod, around, drain);
  for (const check of checks) {
    const finding = check(pod, around, drain, rule);
    if (finding !== undefined) return finding;
  }
  return { as: 'free', tier: tierOf(pod, rule, around.ownNamespace) };
}

/** The first rule of the profile that matches a pod and its namespace decides. */
function ruleOf(pod: PodView, { namespaceLabels }: Surroundings, { rules }: Drain): Rule | undefined {
  return (rules ?? []).find(
    ({ podSelector, namespaceSelector }) =>
      (podSelector === undefined || matches(podSelector, pod.labels)) &&
      (namespaceSelector === undefined || matches(namespaceSelector, namespaceLabels(pod.namespace) ?? {})),
  );
}

function tierOf({ namespace }: PodView, rule: Rule | undefined, ownNamespace: string): number {
  return namespace === ownNamespace ? LAST_TIER : (rule?.tier ?? 0);
}

function kept(reason: Hindrance['reason'], selfClearing: boolean): Hindrance {
  return { reason, budgets: [], selfClearing, detail: '' };
}
