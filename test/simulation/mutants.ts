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
    from: `    'POST',
    'Pod',
    { namespace, name: pod, subresource: 'eviction' },`,
    to: `    'DELETE',
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
    seed: 317,
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
    seed: 5,
  },
  {
    guarantee: 'C3',
    name: 'the next nodes keep their soft taint when the window closes',
    file: 'core/steer.ts',
    from: 'dueFor(node) === upgrade.name &&\n    !names',
    to: 'dueFor(node) === upgrade.name &&\n    rolls &&\n    !names',
    seed: 878,
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
    guarantee: 'E1',
    name: 'etcd is not saved',
    file: 'core/snapshot.ts',
    from: 'if (isFresh(',
    to: 'if (now > 0 || isFresh(',
    seed: 32,
  },
  {
    guarantee: 'E1',
    name: 'a payload that says nothing has saved etcd',
    file: 'core/snapshot.ts',
    from: 'found === undefined ? undefined : {',
    to: "{ name: 'etcd.db', revision: 1, sizeBytes: 1, hash: 0,",
    seed: 52,
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
    seed: 803,
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
  {
    guarantee: 'D1',
    name: 'what a rule skips is evicted',
    file: 'core/leaving.ts',
    from: "(rule?.behavior === 'Skip' ? STAYS : undefined)",
    to: 'undefined',
    seed: 5,
  },
  {
    guarantee: 'D1',
    name: 'what a rule lets complete is evicted',
    file: 'core/leaving.ts',
    from: "rule?.behavior === 'WaitForCompletion'",
    to: "rule?.behavior === ('' as never)",
    seed: 9,
  },
  {
    guarantee: 'D1',
    name: 'all tiers leave at once',
    file: 'core/drain.ts',
    from: 'facts.ahead === true || finding.tier === due',
    to: 'facts.ahead === true || finding.tier >= due',
    seed: 3,
  },
  {
    guarantee: 'D1',
    name: 'emptyDir: Block is not read',
    file: 'core/leaving.ts',
    from: "pod.emptyDir && behavior === 'Block'",
    to: "pod.emptyDir && behavior === ('' as never)",
    seed: 11,
  },
  {
    guarantee: 'D1',
    name: 'unmanaged: Block is not read',
    file: 'core/leaving.ts',
    from: "pod.controller === undefined && behavior === 'Block'",
    to: "pod.controller === undefined && behavior === ('' as never)",
    seed: 30,
  },
  {
    guarantee: 'D1',
    name: 'a pod that comes back is evicted each time',
    file: 'core/leaving.ts',
    from: 'createdAt >= wholeSecond(cordonedAt)',
    to: 'createdAt > wholeSecond(cordonedAt) + 86_400_000',
    seed: 31,
  },
  {
    guarantee: 'D1',
    name: 'mode Cordon drains',
    file: 'core/node-before.ts',
    from: "if (plan.drain.mode === 'Drain') return step",
    to: "if (plan.drain.mode !== 'Leave') return step",
    seed: 2,
  },
  {
    guarantee: 'D1',
    name: 'mode Leave cordons',
    file: 'core/node-before.ts',
    from: "if (plan.drain.mode === 'Leave')",
    to: "if (plan.drain.mode === ('' as never))",
    seed: 55,
  },
  {
    guarantee: 'D1',
    name: 'the grace period of the profile is not sent',
    file: 'core/drain.ts',
    from: 'drain.gracePeriodSeconds === undefined ? {} :',
    to: 'drain.gracePeriodSeconds !== 0 ? {} :',
    seed: 13,
  },
  {
    guarantee: 'D1',
    name: 'load balancers are given no time',
    file: 'core/node-before.ts',
    from: 'if (now < evictableAt)',
    to: 'if (now < evictableAt - 86_400_000)',
    seed: 15,
  },
  {
    guarantee: 'D1',
    name: 'Drydock leaves where nobody could take it',
    file: 'core/leaving.ts',
    from: 'namespace === ownNamespace && !elsewhere',
    to: 'namespace === ownNamespace && elsewhere === undefined',
    seed: 490,
  },
  {
    guarantee: 'D2',
    name: 'volumes are not waited for',
    file: 'core/node-before.ts',
    from: 'if (attached.length > 0 && now < deadline) {',
    to: 'if (attached.length > 1_000 && now < deadline) {',
    seed: 7,
  },
  {
    guarantee: 'H1',
    name: 'who wants a node left alone is not heard',
    file: 'core/choice.ts',
    from: 'node.deleting || node.annotations[HOLD] !== undefined',
    to: 'node.deleting',
    seed: 293,
  },
  {
    guarantee: 'H1',
    name: 'a node is given back in service though a person wants it cordoned',
    file: 'core/patch.ts',
    from: '(previous.unschedulable && node.unschedulable) || node.annotations[HOLD] !== undefined',
    to: 'previous.unschedulable && node.unschedulable',
    seed: 219,
  },
  {
    guarantee: 'H1',
    name: 'a hold ends by itself',
    file: 'core/node-end.ts',
    from: "if (abandoned !== undefined) return step(state, putBack('Succeeded', { reason: 'PassageDeleted' }, now), abandoned);",
    to: "return step(state, putBack('Succeeded', { reason: 'PassageDeleted' }, now), abandoned ?? { reason: 'PassageDeleted' });",
    seed: 74,
  },
  {
    guarantee: 'C3',
    name: 'steer: false is not read',
    file: 'core/steer.ts',
    from: "!spec.rollout.steer || drain.mode !== 'Drain'",
    to: "drain.mode !== 'Drain'",
    seed: 20,
  },
  {
    guarantee: 'L1',
    name: 'what comes back is waited for',
    file: 'core/leaving.ts',
    from: "{ as: 'staying', hindrance: kept('ComesBack', true) }",
    to: "{ as: 'kept', tier: 0, hindrance: kept('ComesBack', true) }",
    seed: 30,
  },
  {
    guarantee: 'L1',
    name: 'what a webhook denied once is never asked again',
    file: 'core/budget.ts',
    from: 'const againAt = last.at + pause(last.outcome);',
    to: "const againAt = why === 'blocked' ? Infinity : last.at + pause(last.outcome);",
    seed: 972,
  },
  {
    guarantee: 'L1',
    name: 'volumes of what came back are waited for',
    file: 'controllers/see-passage.ts',
    from: "return phase === 'Detaching' ? pods",
    to: "return phase === 'Pending' ? pods",
    seed: 6,
  },
  {
    guarantee: 'L1',
    name: 'what was amiss before is waited for',
    file: 'core/verify.ts',
    from: 'of !== undefined && !daemonSets.includes(of)',
    to: 'of !== undefined && daemonSets !== undefined',
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
