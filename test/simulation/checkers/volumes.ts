import { leftAttached } from '../attached.ts';
import { type Check, isOurs, PASSAGES, type Passage, phaseOf } from '../truth.ts';

/** D2: no work begins while a volume of a pod that was drained is attached, until its time is over. */
export const detached: Check = (truth) => {
  return {
    written({ resource, before, after, by }) {
      if (resource !== PASSAGES || !isOurs(by) || after === undefined) return;
      if (phaseOf(before) !== 'Detaching' || phaseOf(after) !== 'Starting') return;
      const { spec, status } = before as Passage;
      const { since } = status.state as { readonly since: string };
      const until = Date.parse(since) + (status.plan?.drain.volumeDetachSeconds ?? 0) * 1000;
      if (truth.sentAt() + truth.skewMs >= until) return;
      for (const { metadata, spec: of } of leftAttached(truth.registry, spec.nodeName)) {
        if (Date.parse(metadata.creationTimestamp) >= truth.sentAt() - truth.lagMs()) continue;
        truth.violated('D2', `${spec.nodeName} is worked on while ${of.source.persistentVolumeName} is attached to it`);
      }
    },
  };
};
