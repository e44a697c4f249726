import type { Drain } from '../../src/api/maintenance-profile.ts';
import { tolerates, UNSCHEDULABLE } from '../../src/simulation/controllers/fit.ts';
import type { LabelSelector, PodObject } from '../../src/simulation/objects.ts';
import type { Registry } from '../../src/simulation/registry.ts';
import { selects } from '../../src/simulation/selectors.ts';
import { mustLeave, type Passage, phaseOf } from './truth.ts';

/** What a profile has in mind for a pod of a node that is drained, by other words than Drydock's. */
export type Fate = {
  readonly as: 'stays' | 'kept' | 'goes';
  readonly why: string;
  readonly tier: number;
};

type Around = { readonly drain: Drain; readonly registry: Registry; readonly passage: Passage };

/** Where Drydock's own pods are, which leave last. */
export const OWN_NAMESPACE = 'drydock-system';

/** The fate of a pod under a frozen plan. What has ended, or is no matter of a drain, stays. */
export function fateOf(pod: PodObject, { drain, registry, passage }: Around): Fate {
  const rule = ruleOf(pod, drain, registry);
  const isOwn = pod.metadata.namespace === OWN_NAMESPACE;
  const tier = isOwn ? Number.POSITIVE_INFINITY : (rule?.tier ?? 0);
  const stays = (why: string): Fate => ({ as: 'stays', why, tier });
  const kept = (why: string): Fate => ({ as: 'kept', why, tier });
  if (!mustLeave(pod)) return stays('no matter of a drain');
  if (rule?.behavior === 'Skip') return stays('Skip');
  if (comesBack(pod, passage)) return stays('ComesBack');
  if (rule?.behavior === 'WaitForCompletion') return kept('WaitForCompletion');
  const isBare = !pod.metadata.ownerReferences?.some(({ controller }) => controller);
  if (rule === undefined && isBare && drain.unmanaged === 'Block') return kept('Unmanaged');
  const hasScratch = pod.spec.volumes?.some((volume) => volume['emptyDir'] !== undefined) ?? false;
  if (rule === undefined && hasScratch && drain.emptyDir === 'Block') return kept('EmptyDir');
  return { as: 'goes', why: '', tier };
}

function ruleOf({ metadata }: PodObject, { rules }: Drain, registry: Registry): Drain['rules'][number] | undefined {
  return rules.find(({ podSelector, namespaceSelector }) => {
    const namespace = registry.get('namespaces', metadata.namespace ?? '');
    const isIts = podSelector === undefined || selects(podSelector as LabelSelector, metadata.labels);
    return (
      isIts &&
      (namespaceSelector === undefined || selects(namespaceSelector as LabelSelector, namespace?.metadata.labels))
    );
  });
}

/** A pod that a cordon does not keep away, and that was made after it: the API server keeps no more than the second of it. */
function comesBack({ metadata, spec }: PodObject, passage: Passage): boolean {
  if (phaseOf(passage) !== 'Draining' || !tolerates(spec.tolerations, UNSCHEDULABLE)) return false;
  if (!metadata.ownerReferences?.some(({ controller }) => controller)) return false;
  const since = Date.parse((passage.status.state as { readonly since?: string }).since ?? '');
  return Date.parse(metadata.creationTimestamp) >= Math.floor(since / 1000) * 1000;
}
