import type { Written } from '../../../src/simulation/etcd.ts';
import type { JobObject, PodObject } from '../../../src/simulation/objects.ts';
import { type Check, isOurs, JOBS, markOf, mustLeave, POLICIES, tickets, ticketsIn } from '../truth.ts';

/** What lands later than a request may take was decided by what was true long ago; it is harmless by its UID, not impossible. */
const LATE_MS = 8_000;

/** T1: whatever is done to a node is done by the passage that has stamped its ticket. */
export const ticketAtTheDoor: Check = (truth) => {
  const need = (nodeName: string, uid: string | undefined, what: string) => {
    const ticket = tickets(truth).find((each) => each.nodeName === nodeName);
    if (ticket !== undefined && ticket.passageUID !== undefined && (uid === undefined || ticket.passageUID === uid))
      return;
    if (truth.now() - truth.sentAt() > LATE_MS) return;
    truth.violated('T1', `${what} of node ${nodeName} without a ticket stamped by ${uid ?? 'its passage'}`);
  };
  const ofNode = ({ before, after }: Written) => {
    const [was, is] = [markOf(before), markOf(after)];
    if (is !== undefined && is.uid !== was?.uid) need(after?.metadata.name ?? '', is.uid, 'cordon');
  };
  const ofPod = ({ before, after }: Written) => {
    const pod = before as PodObject | undefined;
    const leaves = after === undefined || after.metadata.deletionTimestamp !== undefined;
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || !leaves) return;
    if (pod.spec.nodeName && mustLeave(pod)) need(pod.spec.nodeName, undefined, `eviction of ${pod.metadata.name}`);
  };
  const ofJob = ({ before, after }: Written) => {
    const job = after as JobObject | undefined;
    if (job === undefined || job.metadata.labels?.['drydock.dev/job'] !== 'upgrade') return;
    const released = before !== undefined && (before as JobObject).spec.suspend && !job.spec.suspend;
    if (before !== undefined && !released) return;
    const node = job.metadata.annotations?.['drydock.dev/node'] ?? '';
    need(node, job.metadata.labels['drydock.dev/passage'], before === undefined ? 'Job' : 'release of the Job');
  };
  return {
    written(written) {
      const { resource, by, after } = written;
      if (resource === POLICIES && ticketsIn(after).filter(({ controlPlane }) => controlPlane).length > 1) {
        truth.violated('T1', 'two control planes have a ticket');
      }
      if (!isOurs(by)) return;
      if (resource === 'nodes') ofNode(written);
      if (resource === 'pods') ofPod(written);
      if (resource === JOBS) ofJob(written);
    },
  };
};
