import type { Blocker } from '../api/blocker.ts';
import type { Drain } from '../api/maintenance-profile.ts';
import { covering } from '../core/budget.ts';
import type { Outcome } from '../core/decision.ts';
import { blocker } from '../core/drain.ts';
import { type Ahead, isTold, isWorthSaying, NOTHING_AHEAD, ofTrial } from '../core/preflight.ts';
import type { Instant, NodeView, PodView, Read, UpgradeObject } from '../core/world.ts';
import { type From, seeAhead } from './see-drain.ts';

/** Nodes looked at in one pass: thousands of them at once would hold up everything else. */
const MOST_NODES = 100;
/** Owners whose pods are tried: an owner is a workload, of which a big cluster has thousands. */
const MOST_OWNERS = 500;
/** What keeps a node is looked at often, so that what has been mended is noticed; one that is free rarely. */
const BLOCKED_AGAIN_MS = 10_000;
const FREE_AGAIN_MS = 600_000;
/** Who says whether pods may leave is not asked more often than that. */
const TRIED_AGAIN_MS = 3_600_000;
const UNANSWERED_AGAIN_MS = 10_000;
/** Between two passes while nodes are left that nobody has looked at, and while all have been. */
const SOON_SECONDS = 0.2;
const LATER_SECONDS = 60;

type Look = { readonly at: Instant; readonly uid: string; readonly blockers: readonly Blocker[] };
type Trial = { readonly pod: PodView; readonly outcome?: Outcome; readonly at: Instant };
/** What has been seen for one upgrade, as long as its profile does not change. */
type Seen = { readonly of: string; readonly looks: Map<string, Look>; readonly trials: Map<string, Trial> };

/**
 * Looks at the nodes that upgrades still have to do, before their turn comes: a few in each pass, each again after a while. It
 * keeps what it has seen for as long as the process lives; a new one begins anew.
 */
export class Preflight {
  readonly #seen = new Map<string, Seen>();

  /** What is in the way of these nodes, as far as it has been looked at. */
  look(upgrade: Read<UpgradeObject>, drain: Drain, version: string, nodes: readonly NodeView[], from: From): Ahead {
    if (drain.mode !== 'Drain' || nodes.length === 0) return NOTHING_AHEAD;
    const seen = this.#of(upgrade, version);
    const wanted = new Set(nodes.map(({ name }) => name));
    for (const name of seen.looks.keys()) if (!wanted.has(name)) seen.looks.delete(name);
    const stale = nodes.filter((node) => isStale(seen.looks.get(node.name), node, from.now));
    for (const node of stale.slice(0, MOST_NODES)) lookAt(node, { upgrade, drain, seen, from });
    const trials = tried(seen, wanted, from);
    const known = trials.flatMap(({ blockers }) => blockers);
    const blocked = [...seen.looks.values()].flatMap(({ blockers }) => blockers).filter(isWorthSaying);
    const looked = nodes.filter(({ name }) => seen.looks.has(name)).length;
    const isWhole = looked === nodes.length;
    const blockers = [...blocked, ...known];
    return {
      looked,
      of: nodes.length,
      blockers,
      untried: trials.flatMap(({ ask }) => ask),
      unknown: trials.filter(({ isKnown }) => !isKnown).length,
      againSeconds: isWhole ? (blockers.length > 0 ? BLOCKED_AGAIN_MS / 1000 : LATER_SECONDS) : SOON_SECONDS,
    };
  }

  forget(upgradeName: string): void {
    this.#seen.delete(upgradeName);
  }

  #of({ name, uid }: Read<UpgradeObject>, version: string): Seen {
    const of = `${uid}/${version}`;
    const known = this.#seen.get(name);
    if (known?.of === of) return known;
    const seen: Seen = { of, looks: new Map(), trials: new Map() };
    this.#seen.set(name, seen);
    return seen;
  }
}

function isStale(look: Look | undefined, { uid }: NodeView, now: Instant): boolean {
  if (look === undefined || look.uid !== uid) return true;
  return now >= look.at + (look.blockers.length > 0 ? BLOCKED_AGAIN_MS : FREE_AGAIN_MS);
}

type About = {
  readonly upgrade: Read<UpgradeObject>;
  readonly drain: Drain;
  readonly seen: Seen;
  readonly from: From;
};

function lookAt(node: NodeView, { upgrade, drain, seen, from }: About): void {
  const earlier = [...(seen.looks.get(node.name)?.blockers ?? []), ...upgrade.status.blockers];
  const { blockers, free } = seeAhead(drain, node, earlier, from);
  seen.looks.set(node.name, { at: from.now, uid: node.uid, blockers });
  for (const pod of free) {
    const owner = pod.controller?.uid ?? pod.uid;
    const isThere = isCurrent(seen.trials.get(owner), from);
    if (!isThere && (seen.trials.has(owner) || seen.trials.size < MOST_OWNERS)) {
      const { outcome, at = 0 } = seen.trials.get(owner) ?? {};
      seen.trials.set(owner, { pod, at, ...(outcome === undefined ? {} : { outcome }) });
    }
  }
}

/** Whether the pod that stands for its owner is still there. */
function isCurrent(trial: Trial | undefined, { caches }: From): boolean {
  return trial !== undefined && caches.Pod.get(keyOf(trial.pod))?.uid === trial.pod.uid;
}

function keyOf({ namespace, name }: PodView): string {
  return `${namespace}/${name}`;
}

type Tried = { readonly blockers: readonly Blocker[]; readonly ask: readonly PodView[]; readonly isKnown: boolean };

/** What came of the trials, and which are due: of owners that have a pod on one of the nodes. */
function tried(seen: Seen, wanted: ReadonlySet<string>, from: From): readonly Tried[] {
  return [...seen.trials].flatMap(([owner, trial]): Tried[] => {
    if (!isCurrent(trial, from) || !wanted.has(trial.pod.nodeName)) return [];
    const last = from.memory.recall(`tryEvict/${trial.pod.uid}`);
    const told =
      last !== undefined && last.at >= trial.at ? { pod: trial.pod, outcome: last.outcome, at: last.at } : trial;
    seen.trials.set(owner, told);
    const { outcome, at } = told;
    const isKnown = outcome !== undefined && isTold(outcome);
    const isDue = outcome === undefined || from.now >= at + (isKnown ? TRIED_AGAIN_MS : UNANSWERED_AGAIN_MS);
    return [{ blockers: inTheWay(told, from), ask: isDue ? [told.pod] : [], isKnown }];
  });
}

function inTheWay({ pod, outcome, at }: Trial, { caches }: From): readonly Blocker[] {
  const node = caches.Node.get(pod.nodeName);
  if (outcome === undefined || outcome.ok || node === undefined) return [];
  const budgets = covering(pod, [...caches.PodDisruptionBudget.by('namespace', pod.namespace)]);
  const hindrance = ofTrial(outcome, budgets);
  return hindrance === undefined ? [] : [blocker(pod, hindrance, { node, now: at, earlier: [] })];
}
