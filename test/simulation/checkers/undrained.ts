import type { NodeObject, PodObject } from '../../../src/simulation/objects.ts';
import { fateOf, OWN_NAMESPACE } from '../fates.ts';
import { service } from '../service.ts';
import { type Check, FOUND, isOurs, isReady, markOf, mustLeave, PASSAGES, type Passage, phaseOf } from '../truth.ts';

/** The longest that can lie between the look and the write that stores what came of it. */
const LOOKED_MS = 10_000;
const AFTER_CORDON_MS = 5_000;
const UNREACHABLE_MS = 60_000;

/** U1: what leaves Draining is drained, and was cordoned long enough for every binding on its way to be seen. */
export const undrained: Check = (truth) => {
  const boundAt = new Map<string, number>();
  const cordonedAt = new Map<string, number>();
  const { inServiceElsewhere, heard } = service(truth);
  const isLeft = (pod: PodObject, passage: Passage) => {
    const { plan } = passage.status;
    if (plan === undefined) return !mustLeave(pod);
    // Where nobody else could take them, Drydock's own pods stay, lest nobody be left to do the work.
    const isOwn = pod.metadata.namespace === OWN_NAMESPACE;
    if (isOwn && !inServiceElsewhere(passage.spec.nodeName, truth.sentAt() - truth.lagMs())) return true;
    return fateOf(pod, { drain: plan.drain, registry: truth.registry, passage }).as === 'stays';
  };
  const isDrained = (passage: Passage) => {
    const { nodeName } = passage.spec;
    const looked = truth.sentAt() - LOOKED_MS;
    for (const pod of truth.registry.all<PodObject>('pods')) {
      if (pod.spec.nodeName !== nodeName || isLeft(pod, passage)) continue;
      if ((boundAt.get(pod.metadata.uid) ?? 0) > looked || isLostWithItsKubelet(pod)) continue;
      truth.violated('U1', `${passage.metadata.name} goes on while ${pod.metadata.name} is bound to ${nodeName}`);
    }
    const since = cordonedAt.get(nodeName);
    if (since === undefined || truth.sentAt() - since < AFTER_CORDON_MS) {
      truth.violated('U1', `${passage.metadata.name} goes on ${truth.sentAt() - (since ?? 0)} ms after its cordon`);
    }
  };
  /** A kubelet that does not answer will never say that a pod has ended: what was told to go a minute ago counts as gone. */
  const isLostWithItsKubelet = ({ metadata, spec }: PodObject) => {
    const node = truth.registry.get<NodeObject>('nodes', spec.nodeName ?? '');
    const told = Date.parse(metadata.deletionTimestamp ?? '');
    return node !== undefined && !isReady(node) && truth.now() - told >= UNREACHABLE_MS;
  };
  return {
    written(written) {
      const { resource, before, after, by } = written;
      heard(written);
      if (resource === 'pods' && after !== undefined) {
        const [was, is] = [(before as PodObject | undefined)?.spec.nodeName, (after as PodObject).spec.nodeName];
        if (is && was !== is) boundAt.set(after.metadata.uid, truth.now());
        return;
      }
      if (resource === 'pods' && before !== undefined) boundAt.delete(before.metadata.uid);
      if (resource === 'nodes' && after !== undefined) {
        const held = (node: NodeObject | undefined) => markOf(node) !== undefined && node?.spec.unschedulable === true;
        const [was, is] = [held(before as NodeObject | undefined), held(after as NodeObject)];
        if (is && !was) cordonedAt.set(after.metadata.name, by === FOUND ? Number.NEGATIVE_INFINITY : truth.now());
        if (!is) cordonedAt.delete(after.metadata.name);
      }
      if (resource !== PASSAGES || !isOurs(by) || after === undefined) return;
      if (phaseOf(before) === 'Draining' && phaseOf(after) === 'Detaching') isDrained(before as Passage);
    },
  };
};
