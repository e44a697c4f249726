import type { JobObject, PodObject } from '../../../src/simulation/objects.ts';
import { type Check, isOurs, JOBS } from '../truth.ts';

/** J1: one Job for an attempt, and its payload runs once. */
export const oneJob: Check = (truth) => {
  const made = new Map<string, string>();
  const runs = new Map<string, Set<string>>();
  return {
    written({ resource, before, after, by }) {
      if (after === undefined) return;
      const labels = after.metadata.labels ?? {};
      if (labels['drydock.dev/job'] !== 'upgrade') return;
      if (resource === JOBS && before === undefined && isOurs(by)) {
        const attempt = `${labels['drydock.dev/node-uid']} ${labels['drydock.dev/passage']} ${attemptOf(after as JobObject)}`;
        const earlier = made.get(attempt);
        made.set(attempt, after.metadata.uid);
        if (earlier !== undefined && wasReleased(earlier)) {
          truth.violated(
            'J1',
            `a second Job for ${after.metadata.annotations?.['drydock.dev/node']}: ${after.metadata.name}`,
          );
        }
      }
      if (resource !== 'pods' || (after as PodObject).status.phase !== 'Running') return;
      if ((before as PodObject | undefined)?.status.phase === 'Running') return;
      const attempt = `${labels['drydock.dev/node-uid']} ${labels['drydock.dev/passage']} ${attemptOf(after as PodObject)}`;
      const all = runs.get(attempt) ?? new Set();
      all.add(after.metadata.uid);
      runs.set(attempt, all);
      if (all.size > 1) truth.violated('J1', `the payload of ${after.metadata.name} runs a second time`);
    },
  };

  /** A Job that was made and never released has done nothing, and may be made again. */
  function wasReleased(uid: string): boolean {
    return [...runs.values()].some((pods) => pods.size > 0 && [...pods].some((pod) => ranFor(pod, uid)));
  }

  function ranFor(pod: string, job: string): boolean {
    for (const each of truth.registry.all<PodObject>('pods')) {
      if (each.metadata.uid === pod) return each.metadata.ownerReferences?.some(({ uid }) => uid === job) ?? false;
    }
    return false;
  }
};

function attemptOf(object: JobObject | PodObject): string {
  const spec = 'template' in object.spec ? object.spec.template.spec : object.spec;
  return spec.containers[0]?.env?.find(({ name }) => name === 'DRYDOCK_ATTEMPT')?.value ?? '';
}
