import { NODE_UID_LABEL } from '../api/node-maintenance.ts';
import type { Caches } from '../cluster/cluster.ts';
import type { Decision } from '../core/decision.ts';
import type { Effect } from '../core/effect.ts';
import { HELD_BY, readMark } from '../core/mark.ts';
import { dueFor } from '../core/patch.ts';
import { passageNameOf, sweepDue, sweepJob, sweepNode, sweptBy } from '../core/sweep.ts';
import type { Instant, JobView, NodeView, PassageObject, UpgradeObject } from '../core/world.ts';
import type { Loop, Subject } from './loop.ts';

/** One node with the Jobs that name it, or one Job whose node is gone; and the passages they name. */
type SweepFacts = {
  readonly now: Instant;
  readonly node: NodeView | undefined;
  readonly jobs: readonly JobView[];
  readonly passages: ReadonlyMap<string, PassageObject>;
  /** Whose soft taint the node carries. */
  readonly upgrade: UpgradeObject | undefined;
};

/** What a key begins with that names a Job rather than a node. */
export const JOB_KEY = 'job/';
const NONE = { ok: true, value: undefined } as const;

/** How what nobody owns is found and taken back. The key is the name of a node, or `job/` and the name of a Job. */
export function sweep(loop: Loop): Subject<SweepFacts, never> {
  const { cluster, clock } = loop;
  const { caches } = cluster;
  return {
    name: 'Sweep',
    version: ({ node }) => node?.resourceVersion ?? '',
    observe(key) {
      const job = key.startsWith(JOB_KEY) ? caches.Job.get(key.slice(JOB_KEY.length)) : undefined;
      const node = job === undefined ? caches.Node.get(key) : nodeOf(job, caches);
      const own = node === undefined ? [] : [...caches.Job.by('node', node.uid)];
      const jobs = job === undefined || node !== undefined ? own : [job];
      if (node === undefined && jobs.length === 0) return undefined;
      const names = passageNames(node, jobs);
      const passages = new Map(
        names.flatMap((name) => caches.NodeMaintenance.get(name) ?? []).map((passage) => [passage.name, passage]),
      );
      const upgrade = caches.ClusterUpgrade.get((node && dueFor(node)) ?? '');
      return { now: clock.now(), node, jobs, passages, upgrade };
    },
    async look(_, { node, jobs }) {
      const [live, listed] = await Promise.all([
        node === undefined ? NONE : cluster.read('Node', node.name),
        cluster.list('Job'),
      ]);
      if (!live.ok) return live;
      if (!listed.ok) return listed;
      const seen = new Set(jobs.map(({ uid }) => uid));
      const fresh = listed.value.filter(
        (job) => seen.has(job.uid) || (node !== undefined && job.labels[NODE_UID_LABEL] === node.uid),
      );
      // Whom the node and the Jobs name now: another passage may have taken the node since the cache was filled.
      const answers = await Promise.all(
        passageNames(live.value, fresh).map((passage) => cluster.read('NodeMaintenance', passage)),
      );
      const passages = new Map<string, PassageObject>();
      for (const answer of answers) {
        if (!answer.ok) return answer;
        if (answer.value !== undefined) passages.set(answer.value.name, answer.value);
      }
      const due = live.value === undefined ? undefined : dueFor(live.value);
      const upgrade = due === undefined ? NONE : await cluster.read('ClusterUpgrade', due);
      if (!upgrade.ok) return upgrade;
      return { ok: true, value: { now: clock.now(), node: live.value, jobs: fresh, passages, upgrade: upgrade.value } };
    },
    decide: decideSweep,
    needsLook: (_, decision) => decision.kind === 'act',
    about: ({ node }) => node && { kind: 'Node', name: node.name, uid: node.uid },
    status: ({ now }) => {
      throw new Error(`the sweep stores no state (${now})`);
    },
    did: ({ node }, effect) => node && sweptBy(effect, node),
    report: () => undefined,
    tell: () => undefined,
  };
}

function nodeOf(job: JobView, caches: Caches): NodeView | undefined {
  const uid = job.labels[NODE_UID_LABEL];
  return [...caches.Node.all()].find((node) => node.uid === uid);
}

function passageNames(node: NodeView | undefined, jobs: readonly JobView[]): readonly string[] {
  const mark = node === undefined ? undefined : readMark(node, HELD_BY);
  return [...new Set([...(mark === undefined ? [] : [mark.nodeMaintenance]), ...jobs.map(passageNameOf)])];
}

function decideSweep({ now, node, jobs, passages, upgrade }: SweepFacts): Decision<never, Effect> {
  const mark = node === undefined ? undefined : readMark(node, HELD_BY);
  const owner = passages.get(mark?.nodeMaintenance ?? '');
  const swept = node === undefined ? undefined : (sweepNode(node, jobs, owner, now) ?? sweepDue(node, upgrade));
  const effects = [
    ...(swept === undefined ? [] : [swept]),
    ...jobs.flatMap((job) => sweepJob(job, node, passages.get(passageNameOf(job))) ?? []),
  ];
  const [first, ...rest] = effects;
  if (first === undefined) return { kind: 'rest' };
  return { kind: 'act', effects: [first, ...rest], because: { reason: 'CleaningUp' }, recheckAfterSeconds: 10 };
}
