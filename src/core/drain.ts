import type { Blocker, PodCounts } from '../api/blocker.ts';
import type { Drain } from '../api/maintenance-profile.ts';
import { type Hindrance, permits, type Spent } from './budget.ts';
import { advice, hindranceSentence } from './conditions.ts';
import type { Remembered } from './decision.ts';
import type { Effect } from './effect.ts';
import type { BudgetView, Instant, NodeView, PodView } from './world.ts';

/** A kubelet that does not answer will never confirm that a pod ended: after this, such a pod no longer counts. */
const UNREACHABLE_AFTER_MS = 60_000;
/** Evictions asked for in one pass, over all lanes. */
const MOST_EVICTIONS = 50;
const MOST_BLOCKERS = 50;

/** What is known about the pods of one node when it is drained. */
export type DrainFacts = {
  readonly now: Instant;
  readonly node: NodeView;
  readonly pods: readonly PodView[];
  readonly budgets: readonly BudgetView[];
  /** `namespace/name` of every DaemonSet there is. */
  readonly daemonSets: ReadonlySet<string>;
  /** Where Drydock itself runs, whose own pods leave last. */
  readonly ownNamespace: string;
  readonly jobsNamespace: string;
  readonly recall: (effectKey: string) => Remembered | undefined;
  readonly spent?: Spent;
  /** Blockers said before, for their `since`. */
  readonly earlier: readonly Blocker[];
};

/** What a check says of a pod: it may stay, it is on its way, something forbids it to leave, or nothing. */
type Finding = 'stay' | 'terminating' | Hindrance['reason'] | undefined;
type Check = (pod: PodView, facts: DrainFacts, drain: Drain) => Finding;

const finished: Check = ({ phase }) => (phase === 'Succeeded' || phase === 'Failed' ? 'stay' : undefined);
const mirror: Check = (pod) => (pod.mirror ? 'stay' : undefined);
/** Only a DaemonSet that still exists would make its pod again; the pod of a deleted one is an orphan and must leave. */
const daemon: Check = ({ controller, namespace }, { daemonSets }) =>
  controller?.kind === 'DaemonSet' && daemonSets.has(`${namespace}/${controller.name}`) ? 'stay' : undefined;
const ownJob: Check = ({ namespace, labels }, { jobsNamespace }) =>
  namespace === jobsNamespace && labels['drydock.dev/passage'] !== undefined ? 'stay' : undefined;
const terminating: Check = ({ deletedAt }, { node, now }) => {
  if (deletedAt === undefined) return undefined;
  return !node.ready && now > deletedAt + UNREACHABLE_AFTER_MS ? 'stay' : 'terminating';
};
const unmanaged: Check = ({ controller }, _, { unmanaged: behavior }) =>
  controller === undefined && behavior === 'Block' ? 'Unmanaged' : undefined;
const emptyDir: Check = (pod, _, { emptyDir: behavior }) =>
  pod.emptyDir && behavior === 'Block' ? 'EmptyDir' : undefined;

/** In order; the first that has something to say decides. */
const checks: readonly Check[] = [finished, mirror, daemon, ownJob, terminating, unmanaged, emptyDir];

/** What a drain has before it. */
export type Assessment = {
  /** Nothing that must leave is bound to the node any more. */
  readonly empty: boolean;
  readonly evictions: readonly Extract<Effect, { kind: 'evict' }>[];
  readonly blockers: readonly Blocker[];
  readonly counts: PodCounts;
  /** When a refused eviction may be asked again. */
  readonly againAt?: Instant;
  /** The pods that stay for good, whose volumes therefore stay attached. */
  readonly staying: readonly PodView[];
};

/** Looks at every pod of a node: which may stay, which to ask for now, which are on their way, what is in the way of others. */
export function assess(drain: Drain, facts: DrainFacts): Assessment {
  const found = facts.pods.map((pod) => ({ pod, finding: firstFinding(pod, facts, drain) }));
  const staying = found.filter(({ finding }) => finding === 'stay').map(({ pod }) => pod);
  const onTheirWay = found.filter(({ finding }) => finding === 'terminating');
  const forbidden = found.flatMap(({ pod, finding }) =>
    finding === undefined || finding === 'stay' || finding === 'terminating' ? [] : [{ pod, reason: finding }],
  );
  const free = found.filter(({ finding }) => finding === undefined).map(({ pod }) => pod);
  const askable = ownLast(free, facts.ownNamespace, onTheirWay.length + forbidden.length > 0);

  const gate = permits(askable, facts.budgets, (uid) => facts.recall(`evict/${uid}`), facts.now, facts.spent);
  const evictions: Extract<Effect, { kind: 'evict' }>[] = [];
  const blockers: Blocker[] = forbidden.map(({ pod, reason }) =>
    blocker(pod, { reason, budgets: [], selfClearing: false, detail: '' }, facts),
  );
  let againAt: Instant | undefined;
  for (const pod of askable) {
    const permit = gate.get(pod.uid);
    if (permit === undefined || 'accepted' in permit) continue;
    if (permit.ask) evictions.push(eviction(pod, permit, drain));
    else {
      blockers.push(blocker(pod, permit.hindrance, facts));
      if (permit.againAt !== undefined) againAt = Math.min(againAt ?? permit.againAt, permit.againAt);
    }
  }
  const remaining = found.length - staying.length;
  return {
    empty: remaining === 0,
    evictions: evictions.slice(0, MOST_EVICTIONS),
    blockers: blockers.sort((a, b) => (a.pod < b.pod ? -1 : 1)).slice(0, MOST_BLOCKERS),
    counts: { remaining, terminating: onTheirWay.length, blocked: blockers.length },
    staying,
    ...(againAt === undefined ? {} : { againAt }),
  };
}

function firstFinding(pod: PodView, facts: DrainFacts, drain: Drain): Finding {
  for (const check of checks) {
    const finding = check(pod, facts, drain);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** Drydock's own pods leave when nothing else is left, so that a single replica does not hand over at the start of each drain. */
function ownLast(pods: readonly PodView[], ownNamespace: string, othersRemain: boolean): readonly PodView[] {
  const others = pods.filter(({ namespace }) => namespace !== ownNamespace);
  return others.length > 0 || othersRemain ? others : pods;
}

function eviction(
  pod: PodView,
  { lane, spends }: Pick<Effect & { kind: 'evict' }, 'lane' | 'spends'>,
  drain: Drain,
): Extract<Effect, { kind: 'evict' }> {
  const { namespace, name, uid } = pod;
  const grace = drain.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: drain.gracePeriodSeconds };
  return { kind: 'evict', namespace, pod: name, uid, lane, ...(spends === undefined ? {} : { spends }), ...grace };
}

function blocker(pod: PodView, hindrance: Hindrance, { node, now, earlier }: DrainFacts): Blocker {
  const key = `${pod.namespace}/${pod.name}`;
  const before = earlier.find((said) => said.pod === key && said.reason === hindrance.reason);
  return {
    nodeName: node.name,
    pod: key,
    ...(pod.controller === undefined ? {} : { owner: `${pod.controller.kind}/${pod.controller.name}` }),
    budgets: [...hindrance.budgets].slice(0, 8),
    reason: hindrance.reason,
    message: hindranceSentence(hindrance).slice(0, 1024),
    since: before?.since ?? new Date(now).toISOString(),
    selfClearing: hindrance.selfClearing,
    advice: advice(hindrance),
  };
}
