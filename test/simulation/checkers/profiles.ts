import type { Written } from '../../../src/simulation/etcd.ts';
import type { NodeObject, PodObject } from '../../../src/simulation/objects.ts';
import { fateOf, OWN_NAMESPACE } from '../fates.ts';
import { bindings, service } from '../service.ts';
import { type Check, FOUND, isOurs, isReady, markOf, type Passage, passageBy, type Truth, tickets } from '../truth.ts';

/** What lands later than a request may take was decided by what was true long ago. */
const LATE_MS = 8_000;
const EXCLUDE = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** D1: what leaves a node, when and how, is what the frozen profile of its passage says. */
export const asTheProfileSays: Check = (truth) => {
  const nodes = service(truth);
  const bound = bindings(truth);
  /** Since when load balancers are told to leave a node alone. */
  const excludedSince = new Map<string, number>();
  const isLate = () => truth.now() - truth.sentAt() > LATE_MS;

  const mayLeave = (pod: PodObject, passage: Passage): string | undefined => {
    const drain = passage.status.plan?.drain;
    if (drain === undefined) return undefined;
    if (drain.mode !== 'Drain') return `in mode ${drain.mode}`;
    const { as, why, tier } = fateOf(pod, { drain, registry: truth.registry, passage });
    if (as !== 'goes') return `though it is ${as === 'kept' ? 'kept by' : 'left for'} ${why}`;
    const { nodeName } = passage.spec;
    const isOwn = pod.metadata.namespace === OWN_NAMESPACE;
    if (isOwn && !nodes.wasInServiceElsewhere(nodeName, truth.sentAt() - truth.lagMs()))
      return 'though nobody could take it';
    const told = truth.sentAt() - (excludedSince.get(nodeName) ?? truth.sentAt());
    const { exclude, waitSeconds } = drain.loadBalancer;
    if (exclude && told + truth.skewMs < waitSeconds * 1000) return `${told} ms after load balancers were told`;
    // The pods of a node that does not answer, or is gone, are not waited for.
    const node = truth.registry.get<NodeObject>('nodes', nodeName);
    const lower = node === undefined || !isReady(node) ? undefined : lowerTier(nodeName, passage, tier);
    return lower === undefined ? undefined : `before ${lower.metadata.name} of a lower tier is gone`;
  };
  const lowerTier = (nodeName: string, passage: Passage, tier: number): PodObject | undefined => {
    const drain = passage.status.plan?.drain;
    if (drain === undefined || (drain.rules.length === 0 && tier === 0)) return undefined;
    for (const pod of truth.registry.all<PodObject>('pods')) {
      if (pod.spec.nodeName !== nodeName || bound.of(pod) > truth.sentAt() - truth.lagMs()) continue;
      const fate = fateOf(pod, { drain, registry: truth.registry, passage });
      if (fate.as !== 'stays' && fate.tier < tier) return pod;
    }
    return undefined;
  };
  const ofPod = ({ before, after }: Written) => {
    const pod = before as PodObject | undefined;
    const leaves = after === undefined || after.metadata.deletionTimestamp !== undefined;
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || !leaves || isLate()) return;
    const { name } = pod.metadata;
    // It may have ended since it was looked at.
    if (pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') return;
    const ticket = tickets(truth).find(({ nodeName }) => nodeName === pod.spec.nodeName);
    const passage = ticket?.passageUID === undefined ? undefined : passageBy(truth, ticket.passageUID);
    if (passage === undefined) return;
    const wrong = mayLeave(pod, passage);
    if (wrong !== undefined) truth.violated('D1', `${name} was evicted ${wrong}`);
    const grace = passage.status.plan?.drain.gracePeriodSeconds;
    const had = after?.metadata.deletionGracePeriodSeconds;
    if (grace !== undefined && had !== undefined && had !== grace) {
      truth.violated('D1', `${name} was evicted with ${had} s instead of ${grace}`);
    }
  };
  return {
    written(written) {
      const { resource, key, after, by } = written;
      nodes.heard(written);
      if (resource === 'nodes') {
        if (after?.metadata.labels?.[EXCLUDE] === undefined) excludedSince.delete(key);
        else if (!excludedSince.has(key)) excludedSince.set(key, by === FOUND ? Number.NEGATIVE_INFINITY : truth.now());
        if (isOurs(by)) ofNode(truth, written);
      }
      if (resource === 'pods' && isOurs(by)) ofPod(written);
      bound.heard(written);
    },
  };
};

/** A node that a profile leaves in service is not cordoned, nor one by a ticket that takes no room. */
function ofNode(truth: Truth, { before, after }: Written): void {
  const mark = markOf(after);
  if (mark === undefined || markOf(before)?.uid === mark.uid) return;
  const mode = passageBy(truth, mark.uid)?.status.plan?.drain.mode;
  const ticket = tickets(truth).find(({ passageUID }) => passageUID === mark.uid);
  const { name } = after?.metadata ?? {};
  if (mode === 'Leave') truth.violated('D1', `${name} was cordoned in mode Leave`);
  else if (ticket?.mode === 'Leave') truth.violated('D1', `${name} was cordoned with a ticket that takes no room`);
}
