import type { Blocker, PodCounts } from '../api/blocker.ts';
import type { Drain } from '../api/maintenance-profile.ts';
import { permits, type Spent } from './budget.ts';
import type { Remembered } from './decision.ts';
import type { Effect } from './effect.ts';
import { advice, type Hindrance, hindranceSentence, MOST_BLOCKERS, subjectOf } from './hindrance.ts';
import { hasEnded, leaving, type Surroundings } from './leaving.ts';
import type { BudgetView, Controller, Instant, PodView } from './world.ts';

/** Evictions asked for in one pass, over all lanes. */
const MOST_EVICTIONS = 50;
/** A pod that is not ready may only just have started; after this somebody has to mend it. */
const STARTS_WITHIN_MS = 300_000;

/** What is known about the pods of one node when it is drained. */
export type DrainFacts = Surroundings & {
  readonly pods: readonly PodView[];
  readonly budgets: readonly BudgetView[];
  readonly recall: (effectKey: string) => Remembered | undefined;
  readonly spent?: Spent;
  /** Blockers said before, for their `since`. */
  readonly earlier: readonly Blocker[];
  /** Looked at before its turn: pods of every tier, not only of the one that is due. */
  readonly ahead?: boolean;
};

/** What a drain has before it. */
export type Assessment = {
  /** Nothing that must leave is bound to the node any more. */
  readonly empty: boolean;
  readonly evictions: readonly Evict[];
  /** How many of the evictions are asked for though nothing is known to be in the way. */
  readonly hopeful: number;
  readonly blockers: readonly Blocker[];
  readonly counts: PodCounts;
  /** When a refused eviction may be asked again. */
  readonly againAt?: Instant;
  /** The pods that may be asked, whatever their budgets say. */
  readonly free: readonly PodView[];
  /** The pods that stay for good, whose volumes therefore stay attached; those of one that has ended are let go. */
  readonly staying: readonly PodView[];
  /** No other node could take what leaves. */
  readonly nowhere: boolean;
};

type Evict = Extract<Effect, { kind: 'evict' }>;

/** Looks at every pod of a node: which may stay, which to ask for now, which are on their way, what is in the way of others. */
export function assess(drain: Drain, facts: DrainFacts): Assessment {
  const found = facts.pods.map((pod) => ({ pod, finding: leaving(pod, facts, drain) }));
  const stays = found.filter(({ finding }) => finding.as === 'staying');
  const going = found.flatMap(({ pod, finding }) => (finding.as === 'staying' ? [] : [{ pod, finding }]));
  const due = Math.min(...going.map(({ finding }) => finding.tier));
  const isDue = ({ finding }: (typeof going)[number]) => facts.ahead === true || finding.tier === due;
  const askable = going.filter((one) => one.finding.as === 'free' && isDue(one)).map(({ pod }) => pod);

  const gate = permits(askable, facts.budgets, (uid) => facts.recall(`evict/${uid}`), facts.now, facts.spent);
  const evictions: Evict[] = [];
  const named = (pods: typeof found) =>
    pods.flatMap(({ pod, finding }) =>
      finding.as === 'free' || finding.hindrance === undefined ? [] : [blocker(pod, finding.hindrance, facts)],
    );
  const keeping = named(going);
  let hopeful = 0;
  let againAt: Instant | undefined;
  for (const pod of askable) {
    const permit = gate.get(pod.uid);
    if (permit === undefined || 'accepted' in permit) continue;
    if (permit.ask) evictions.push(eviction(pod, permit, drain));
    if (permit.ask && permit.hindrance === undefined) hopeful += 1;
    // A question that is repeated is no news: what is in the way stays said until there is another answer.
    if (permit.hindrance !== undefined) keeping.push(blocker(pod, stuck(permit.hindrance, facts), facts));
    if (!permit.ask && permit.againAt !== undefined) againAt = Math.min(againAt ?? permit.againAt, permit.againAt);
  }
  return {
    empty: going.length === 0,
    evictions: evictions.slice(0, MOST_EVICTIONS),
    hopeful,
    // What is said of pods that stay keeps nothing from going on.
    blockers: [...keeping, ...named(stays)]
      .sort((a, b) => (subjectOf(a) < subjectOf(b) ? -1 : 1))
      .slice(0, MOST_BLOCKERS),
    counts: {
      remaining: going.length,
      terminating: going.filter(({ finding }) => finding.as === 'terminating').length,
      blocked: keeping.length,
    },
    free: askable,
    staying: stays.flatMap(({ pod }) => (hasEnded(pod) ? [] : [pod])),
    nowhere: !facts.elsewhere,
    ...(againAt === undefined ? {} : { againAt }),
  };
}

/** A budget waits until pods are healthy elsewhere: where there is no other node, it waits for ever. */
function stuck(hindrance: Hindrance, { elsewhere }: DrainFacts): Hindrance {
  if (elsewhere || hindrance.reason !== 'BudgetExhausted') return hindrance;
  return { ...hindrance, selfClearing: false, detail: `${hindrance.detail}; no other node could take its pods` };
}

function eviction(pod: PodView, { lane, spends }: Pick<Evict, 'lane' | 'spends'>, drain: Drain): Evict {
  const { namespace, name, uid } = pod;
  const grace = drain.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: drain.gracePeriodSeconds };
  const using = spends === undefined ? {} : { spends };
  return { kind: 'evict', namespace, pod: name, uid, lane, ...using, ...grace };
}

/** What is in the way of one pod, as status says it. */
export function blocker(
  pod: PodView,
  hindrance: Hindrance,
  { node, now, earlier }: Pick<DrainFacts, 'node' | 'now' | 'earlier'>,
): Blocker {
  const key = `${pod.namespace}/${pod.name}`;
  const since = earlier.find((said) => said.pod === key && said.reason === hindrance.reason)?.since;
  const age = since === undefined ? 0 : now - Date.parse(since);
  return {
    nodeName: node.name,
    pod: key,
    ...(pod.controller === undefined ? {} : { owner: ownerOf(pod.controller, pod) }),
    budgets: [...hindrance.budgets].slice(0, 8),
    reason: hindrance.reason,
    message: hindranceSentence(hindrance).slice(0, 1024),
    since: since ?? new Date(now).toISOString(),
    selfClearing: hindrance.selfClearing || (hindrance.reason === 'UnhealthyPod' && age < STARTS_WITHIN_MS),
    advice: advice(hindrance),
  };
}

/** Whom a person would look for: a ReplicaSet that a Deployment made is named after it and the hash of its template. */
export function ownerOf({ kind, name }: Controller, { labels }: PodView): string {
  const hash = labels['pod-template-hash'];
  const made = kind === 'ReplicaSet' && hash !== undefined && name.endsWith(`-${hash}`);
  return made ? `Deployment/${name.slice(0, -hash.length - 1)}` : `${kind}/${name}`;
}
