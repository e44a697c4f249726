import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Guarantee } from './truth.ts';

/** A change of one place in the operator that makes it wrong. */
export type Planting = {
  /** What the operator does wrong. */
  readonly name: string;
  /** Below src. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
};

/** A planted bug: one rule taken out of the operator, which the checker of a guarantee must catch. */
export type Mutant = Planting & {
  readonly guarantee: Guarantee;
  /** The seed that caught it when this was written: tried first, so that the thousand need not be played each time. */
  readonly seed: number;
};

const SRC = join(import.meta.dirname, '../../src');

/** The planted bugs. */
export const MUTANTS: readonly Mutant[] = [
  {
    guarantee: 'B1',
    name: 'pods are deleted instead of evicted',
    file: 'cluster/effects.ts',
    from: `        'POST',
        'Pod',
        { namespace, name: pod, subresource: 'eviction' },`,
    to: `        'DELETE',
        'Pod',
        { namespace, name: pod },`,
    seed: 2,
  },
  {
    guarantee: 'C1',
    name: 'a passage settles without waiting until its mark is seen to be off',
    file: 'core/node-end.ts',
    from: 'if (mark === undefined && remembered) return',
    to: 'if (remembered) return',
    seed: 1,
  },
  {
    guarantee: 'C2',
    name: 'what a node was before is forgotten',
    file: 'core/mark.ts',
    from: 'unschedulable: previous?.unschedulable === true,',
    to: 'unschedulable: false,',
    seed: 168,
  },
  {
    guarantee: 'C3',
    name: 'Jobs that have ended are left lying about',
    file: 'cluster/effects.ts',
    from: "remove('Job', { namespace: jobsNamespace, name }",
    to: "remove('Job', { namespace: jobsNamespace, name: name.toUpperCase() }",
    seed: 1,
  },
  {
    guarantee: 'C3',
    name: 'the soft taint is never taken off',
    file: 'core/patch.ts',
    from: 'taints.filter(({ key }) => key !== DUE)',
    to: 'taints',
    seed: 1,
  },
  {
    guarantee: 'C3',
    name: 'the next nodes keep their soft taint when the window closes',
    file: 'core/steer.ts',
    from: 'dueFor(node) === upgrade.name &&\n    !names',
    to: 'dueFor(node) === upgrade.name &&\n    rolls &&\n    !names',
    seed: 338,
  },
  {
    guarantee: 'T1',
    name: 'a passage begins without stamping its ticket',
    file: 'core/node-pending.ts',
    from: "if (entry.passageUID === undefined) return act([stamp(ledger, entry, passage.uid)], { reason: 'Stamping' }, 5);",
    to: '',
    seed: 1,
  },
  {
    guarantee: 'T1',
    name: 'two control planes may be out',
    file: 'core/choice.ts',
    from: 'const busy = controlPlaneTicket(ledger);',
    to: 'const busy = undefined as ReturnType<typeof controlPlaneTicket>;',
    seed: 1,
  },
  {
    guarantee: 'U1',
    name: 'nobody waits five seconds after the cordon',
    file: 'core/node-before.ts',
    from: 'const LATE_BINDING_MS = 5_000;',
    to: 'const LATE_BINDING_MS = 0;',
    seed: 1,
  },
  {
    guarantee: 'U1',
    name: 'a node whose pods are on their way counts as empty',
    file: 'core/node-before.ts',
    from: 'if (drain.empty) {',
    to: 'if (drain.empty || drain.evictions.length === 0) {',
    seed: 2,
  },
  {
    guarantee: 'N1',
    name: 'those who are admitted take no room',
    file: 'core/choice.ts',
    from: 'room -= takes;',
    to: 'room -= 0;',
    seed: 1,
  },
  {
    guarantee: 'V1',
    name: 'workers do not wait for control planes',
    file: 'core/version.ts',
    from: 'return low !== undefined && atLeast(low, version);',
    to: 'return low !== undefined;',
    seed: 3,
  },
  {
    guarantee: 'W1',
    name: 'a closed window keeps nobody from being admitted',
    file: 'core/rollout.ts',
    from: "if (!open.open) return open.because ?? { reason: 'WindowClosed' };",
    to: '',
    seed: 4,
  },
  {
    guarantee: 'J1',
    name: 'a Job that is gone is run again',
    file: 'core/node-after.ts',
    from: 'if (job === undefined) return leave(state',
    to: `if (job === undefined)
    return step(state, { phase: 'Starting', since: iso(now), attempt: state.attempt }, { reason: 'JobGone', job: '' });
  if (job === undefined) return leave(state`,
    seed: 1701,
  },
  {
    guarantee: 'S1',
    name: 'a drained node skips the volumes',
    file: 'core/node-before.ts',
    from: "return step(state, { phase: 'Detaching', since: iso(now) }, { reason: 'Drained' });",
    to: "return step(state as never, { phase: 'Starting', since: iso(now), attempt: 1 } as never, { reason: 'Drained' });",
    seed: 1,
  },
  {
    guarantee: 'L1',
    name: 'a ticket never leaves the ledger',
    file: 'core/policy.ts',
    from: 'if (back.length > 0) {',
    to: 'if (back.length > 1_000) {',
    seed: 1,
  },
  {
    guarantee: 'L1',
    name: 'nodes are begun one at a time, whatever room there is',
    file: 'core/choice.ts',
    from: 'let room = Math.min(...limits.map(',
    to: 'let room = Math.min(1 - ledger.status.tickets.length, ...limits.map(',
    seed: 2,
  },
  {
    guarantee: 'L1',
    name: 'everything is looked at again ten times as late',
    file: 'runtime/controller.ts',
    from: 'queue.addAfter(key, next.again * 1000)',
    to: 'queue.addAfter(key, next.again * 10_000)',
    seed: 1,
  },
];

/** The text of a file with the bug in it; throws where its place is not there, or not alone. */
export function planted({ from, to, name, file }: Planting, text: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`the place of "${name}" stands ${parts.length - 1} times in ${file}`);
  return parts.join(to);
}

/** Plants a bug in every later import of its file in this thread. */
export function plant(mutant: Planting): void {
  const place = pathToFileURL(join(SRC, mutant.file)).href;
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context);
      if (url !== place) return loaded;
      return { ...loaded, source: planted(mutant, String(loaded.source)) };
    },
  });
}
