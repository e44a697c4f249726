import { edges, type Phase } from '../../../src/api/phases.ts';
import { type Check, isOurs, PASSAGES, phaseOf } from '../truth.ts';

/** S1: a passage takes only the steps of the table; to ask for another is as bad, though the API server refuses it. */
export const steps: Check = (truth) => ({
  written({ resource, before, after, key }) {
    if (resource !== PASSAGES || before === undefined || after === undefined) return;
    const [from, to] = [phaseOf(before) as Phase, phaseOf(after) as Phase];
    if (from !== to && !(edges[from] as readonly Phase[]).includes(to)) {
      truth.violated('S1', `${key} went from ${from} to ${to}`);
    }
  },
  answered({ user, path }, { status, body }) {
    if (!isOurs(user) || status !== 422 || !path.includes('nodemaintenances')) return;
    const { message = '' } = body as { readonly message?: string };
    if (message.includes('steps of the state diagram')) truth.violated('S1', `${path}: an illegal step was asked for`);
  },
});
