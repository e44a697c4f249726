import type { UpgradeStatus } from '../api/cluster-upgrade.ts';
import type { TakenSnapshot } from '../api/etcd-snapshot.ts';
import { iso } from './conditions.ts';
import type { RolloutDecision, RolloutFacts } from './rollout-facts.ts';
import { same } from './same.ts';
import { savesEtcd, takenBy } from './snapshot.ts';
import type { Target } from './target.ts';
import type { Instant, PassageObject } from './world.ts';

const FIRST_RETURN_MS = 60_000;
const LAST_RETURN_MS = 3_600_000;
const MOST_FAILURES = 50;
const MOST_SET_ASIDE = 100;
const NOTHING_SAVED =
  'The Job that saves etcd ended well and does not say what it saved: the last line of its termination message must be JSON with name, revision, sizeBytes and hash.';

/** A changed target, or a raised retry, wipes what was remembered against the old one. */
export function begun({ upgrade, now }: RolloutFacts, target: Target): RolloutDecision | undefined {
  const { status, spec } = upgrade;
  const retargeted = status.target !== target.text;
  if (!retargeted && status.observedRetry === spec.rollout.retry) return undefined;
  // The snapshot was taken for the target of before: what was done since would be lost with it.
  const { startTime: _, etcdSnapshot: __, ...kept } = status;
  const to: UpgradeStatus = {
    ...(retargeted ? kept : status),
    target: target.text,
    failures: [],
    setAside: [],
    observedRetry: spec.rollout.retry,
    retryTime: iso(now),
  };
  return { kind: 'move', to, because: { reason: 'Planning' } };
}

/** What a settled child means for the rollout goes into its own status, by child: twice is once. */
export function remember(facts: RolloutFacts): RolloutDecision | undefined {
  const { status, spec } = facts.upgrade;
  const ends = endsOf(facts);
  const successes = new Map(
    ends.flatMap(({ phase, nodeName, at, snapshot }) =>
      phase === 'Succeeded' && snapshot === undefined ? [[nodeName, at]] : [],
    ),
  );
  // A success ends the count of returns: a node that is due again next month begins anew.
  let setAside = status.setAside.filter(({ nodeName, since }) => Date.parse(since) > (successes.get(nodeName) ?? 0));
  let { failures } = status;
  for (const { phase, at, nodeName, nodeMaintenance, reason, since } of ends) {
    const failure = { nodeName, nodeMaintenance, reason, time: since };
    const known = failures.some((entry) => entry.nodeMaintenance === nodeMaintenance);
    if (phase === 'Failed' && !known) failures = [...failures, failure];
    if (phase !== 'Skipped' || at <= (successes.get(nodeName) ?? 0)) continue;
    const earlier = setAside.find((entry) => entry.nodeName === nodeName);
    if (earlier !== undefined && Date.parse(earlier.since) >= at) continue;
    const times = (earlier?.times ?? 0) + 1;
    const notBefore = iso(facts.now + Math.min(LAST_RETURN_MS, FIRST_RETURN_MS * 2 ** (times - 1)));
    const entry = { nodeName, nodeMaintenance, reason, times, notBefore, since };
    setAside = earlier === undefined ? [...setAside, entry] : setAside.map((old) => (old === earlier ? entry : old));
    if (times > spec.rollout.maxReturns && !known) failures = [...failures, failure];
  }
  const etcdSnapshot = ends.findLast(({ snapshot }) => snapshot !== undefined)?.snapshot ?? status.etcdSnapshot;
  const to = {
    ...status,
    // The first ones are kept: were it the last, those that fell out would be remembered again at each pass, and nothing else done.
    failures: failures.slice(0, MOST_FAILURES),
    setAside: setAside.slice(0, MOST_SET_ASIDE),
    ...(etcdSnapshot === undefined ? {} : { etcdSnapshot }),
  };
  return same(to, status) ? undefined : { kind: 'move', to, because: { reason: 'Remembered' } };
}

type End = {
  readonly phase: 'Failed' | 'Skipped' | 'Succeeded';
  readonly nodeName: string;
  readonly nodeMaintenance: string;
  readonly reason: string;
  readonly since: string;
  readonly at: Instant;
  /** What was saved, where it was a passage that saves etcd. */
  readonly snapshot?: TakenSnapshot;
};

/** The children that have ended for the present target since retry was last raised, in the order in which they did. */
function endsOf({ upgrade, passages }: RolloutFacts): readonly End[] {
  const { target, retryTime } = upgrade.status;
  return passages
    .flatMap((passage): End[] => {
      if (!passage.readable || passage.status.plan?.target !== target) return [];
      const { state } = passage.status;
      if (state.phase !== 'Failed' && state.phase !== 'Skipped' && state.phase !== 'Succeeded') return [];
      const { phase, since } = state;
      const reason = state.message || state.reason;
      const { nodeName } = passage.spec;
      const end = { phase, nodeName, nodeMaintenance: passage.name, reason, since, at: Date.parse(since) };
      if (phase !== 'Succeeded' || !savesEtcd(passage.status.plan)) return [end];
      const snapshot = takenBy(passage.status.job?.message, end.at);
      return [snapshot === undefined ? { ...end, phase: 'Failed', reason: NOTHING_SAVED } : { ...end, snapshot }];
    })
    .filter(({ at }) => at > Date.parse(retryTime ?? iso(0)))
    .sort((a, b) => a.at - b.at);
}

/** Failures that count: those since retry was last raised, more of them than status can hold too, and those that are under way. */
export function failures(facts: RolloutFacts): readonly { readonly nodeName: string; readonly reason: string }[] {
  const { upgrade, passages } = facts;
  const known = new Set(upgrade.status.failures.map(({ nodeMaintenance }) => nodeMaintenance));
  const others = endsOf(facts).filter(
    ({ phase, nodeMaintenance }) => phase === 'Failed' && !known.has(nodeMaintenance),
  );
  const counted = [...upgrade.status.failures, ...others].map(({ nodeName, reason }) => ({ nodeName, reason }));
  return [...counted, ...passages.flatMap(failingBy)];
}

/** A passage that has not ended and can only fail, or is given up as long as its node is missing: nobody may begin meanwhile. */
export function failingBy(passage: PassageObject): readonly { readonly nodeName: string; readonly reason: string }[] {
  if (!passage.readable) return [];
  const { nodeName } = passage.spec;
  const { state } = passage.status;
  if (state.phase === 'Lost') return [{ nodeName, reason: 'The node has not come back.' }];
  const fails = state.phase === 'Quarantining' || (state.phase === 'Uncordoning' && state.verdict === 'Failed');
  return fails ? [{ nodeName, reason: state.message || state.reason }] : [];
}

/** The nodes that went away in the middle of their passage and are waited for. */
export function missing({ passages }: RolloutFacts): readonly string[] {
  return passages.flatMap((p) => (p.readable && p.status.state.phase === 'Lost' ? [p.spec.nodeName] : []));
}
