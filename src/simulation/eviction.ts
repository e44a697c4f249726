import { type Did, did, notFound, refused, unmet } from './failure.ts';
import { type BudgetObject, holds, type KubeObject, keyOf, type PodObject, stamp } from './objects.ts';
import type { DeleteOptions, Registry, Writing } from './registry.ts';
import { resourceOf } from './resources.ts';
import { selects } from './selectors.ts';

const ABOUT = { plural: 'pods', group: '', kind: 'Pod' };
const MOST_DISRUPTED = 2000;
const NOT_OBSERVED_SECONDS = 10;

/** The answer to an eviction that was granted. */
export const GRANTED = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as const;

/**
 * Evicts a pod if its budget allows it: the one gate before which every drain stands
 * (kubernetes pkg/registry/core/pod/storage/eviction.go).
 */
export function evict(registry: Registry, key: string, options: DeleteOptions, asked: Writing): Did<typeof GRANTED> {
  const isDry = options.dryRun?.includes('All') ?? false;
  const writing = isDry ? { ...asked, dryRun: true } : asked;
  const pod = registry.get<PodObject>('pods', key);
  if (pod === undefined) return notFound(resourceOf('pods'), key.slice(key.indexOf('/') + 1));
  if (needsNoBudget(pod)) return leave(registry, pod, options, writing);
  const budgets = [...registry.all<BudgetObject>('poddisruptionbudgets.policy')].filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace && selects(spec.selector, pod.metadata.labels),
  );
  if (budgets.length > 1) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    return refused(500, '', message);
  }
  const [budget] = budgets;
  if (budget === undefined || passesUnready(pod, budget)) return leave(registry, pod, options, writing);
  const taken = take(registry, pod, budget, writing);
  // The allowance is taken before the preconditions are looked at: with a wrong UID it is gone until the controller counts again.
  return taken.ok ? leave(registry, pod, options, writing) : taken;
}

function needsNoBudget({ status, metadata }: PodObject): boolean {
  const { phase } = status;
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || metadata.deletionTimestamp !== undefined;
}

/** A pod that is not ready is not counted as healthy, so that its loss takes nothing from a budget that has enough. */
function passesUnready(pod: PodObject, { spec, status }: BudgetObject): boolean {
  if (holds(pod.status.conditions, 'Ready')) return false;
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status;
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function take(registry: Registry, pod: PodObject, budget: BudgetObject, writing: Writing): Did<undefined> {
  const { observedGeneration = 0, disruptionsAllowed = 0, disruptedPods = {} } = budget.status;
  const { name } = budget.metadata;
  if (observedGeneration < (budget.metadata.generation ?? 0)) {
    const text = `The disruption budget ${name} is still being processed by the server.`;
    return tooMany(text, { retryAfterSeconds: NOT_OBSERVED_SECONDS });
  }
  if (disruptionsAllowed < 0) return forbidden(budget, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > MOST_DISRUPTED) {
    return forbidden(budget, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (disruptionsAllowed === 0) {
    return tooMany(whyNone(budget), {});
  }
  if (writing.dryRun) return did(undefined);
  const left = disruptionsAllowed - 1;
  registry.write<BudgetObject>('poddisruptionbudgets.policy', keyOf(budget), writing.by, (before) => ({
    ...before,
    status: {
      ...before.status,
      disruptionsAllowed: left,
      disruptedPods: { ...disruptedPods, [pod.metadata.name]: stamp(registry.now()) },
      conditions: left > 0 ? before.status.conditions : noneLeft(before, registry.now()),
    } as BudgetObject['status'],
  }));
  return did(undefined);
}

/** Why a budget allows nothing: a failed sync goes first, for then its numbers mean nothing. */
function whyNone({ metadata, status }: BudgetObject): string {
  const { desiredHealthy = 0, currentHealthy = 0, conditions = [] } = status;
  const budget = `The disruption budget ${metadata.name}`;
  const found = conditions.find(({ type }) => type === 'DisruptionAllowed');
  const { reason = '', message = '' } = found?.status === 'False' ? found : {};
  if (message !== '' && reason === 'SyncFailed') {
    return `${budget} does not allow evicting pods currently because it failed sync: ${message}`;
  }
  if (currentHealthy <= desiredHealthy) {
    return `${budget} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  if (message !== '') return `${budget} does not allow evicting pods currently (${reason}): ${message}`;
  return `${budget} does not allow evicting pods currently`;
}

function noneLeft({ status }: BudgetObject, now: number): BudgetObject['status']['conditions'] {
  return status.conditions?.map((condition) =>
    condition.type === 'DisruptionAllowed' && condition.status === 'True'
      ? { ...condition, status: 'False', reason: 'InsufficientPods', lastTransitionTime: stamp(now) }
      : condition,
  );
}

/** Both refusals of a budget carry the cause DisruptionBudget; only one says when to ask again. */
function tooMany(text: string, more: { readonly retryAfterSeconds?: number }): Did<never> {
  return refused(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    ...more,
    causes: [{ reason: 'DisruptionBudget', message: text }],
  });
}

function forbidden({ metadata: { name } }: BudgetObject, why: string): Did<never> {
  const message = `poddisruptionbudget.policy "${name}" is forbidden: ${why}`;
  return refused(403, 'Forbidden', message, { name, group: 'policy', kind: 'poddisruptionbudget' });
}

function leave(registry: Registry, pod: PodObject, options: DeleteOptions, writing: Writing): Did<typeof GRANTED> {
  const key = keyOf(pod);
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { name, uid: is, resourceVersion: at, deletionTimestamp } = pod.metadata;
  if (uid && uid !== is) return unmet(ABOUT, name, 'UID', uid, is);
  if (resourceVersion && resourceVersion !== at) return unmet(ABOUT, name, 'ResourceVersion', resourceVersion, at);
  if (!writing.dryRun && deletionTimestamp === undefined) {
    registry.write<PodObject>('pods', key, writing.by, (before) => targeted(before, registry.now()));
  }
  // The condition is a write of its own, after which the revision that was asked for is past.
  const { preconditions: _, ...others } = options;
  const gone: Did<KubeObject> = registry.remove('pods', key, others, writing);
  return gone.ok ? did(GRANTED) : gone;
}

function targeted(pod: PodObject, now: number): PodObject {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: stamp(now),
  } as const;
  const others = (pod.status.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget');
  return { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
}
