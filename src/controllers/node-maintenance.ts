import type { NodeState } from '../api/node-maintenance.ts';
import type { Answer } from '../cluster/cluster.ts';
import type { Because } from '../core/because.ts';
import { subjectOf } from '../core/hindrance.ts';
import { newHindrances } from '../core/news.ts';
import { decide, needsLook } from '../core/node.ts';
import { passageStatus } from '../core/passage-report.ts';
import { same } from '../core/same.ts';
import type { PassageObject, Read } from '../core/world.ts';
import type { Loop, Subject } from './loop.ts';
import type { Place } from './see-drain.ts';
import { type LivePassage, type SeenPassage, seePassage } from './see-passage.ts';
import { readWindows, type ServerVersion } from './see-rollout.ts';
import { tellHindrances, tellPassage } from './telling.ts';

const MOMENT_MS = 5_000;

/** How one node's passage is seen, judged and written. */
export function passages(loop: Loop, server: ServerVersion, place: Place): Subject<SeenPassage, NodeState> {
  const { cluster, clock, memory } = loop;
  const from = () => ({ caches: cluster.caches, server, memory, now: clock.now(), place });
  return {
    name: 'NodeMaintenance',
    version: ({ passage }) => passage.resourceVersion,
    observe(key) {
      const passage = cluster.caches.NodeMaintenance.get(key);
      return passage?.readable ? seePassage(passage, from()) : undefined;
    },
    async look(_, { passage }) {
      const live = await lookAt(loop, passage);
      return live.ok ? { ok: true, value: seePassage(passage, from(), live.value) } : live;
    },
    decide: ({ plan, passage, facts }) => decide(plan, passage.status.state, facts),
    needsLook: ({ passage }, decision) => needsLook(passage.status.state, decision),
    about: ({ passage: { name, uid } }) => ({ kind: 'NodeMaintenance', name, uid }),
    status: (seen, to, because) => written(seen, to, because),
    report(seen, because) {
      const { passage } = seen;
      const { state } = passage.status;
      const write = written(seen, state, because);
      if (same(write.status, passage.status)) return undefined;
      const next = write.status as SeenPassage['passage']['status'];
      const urgent = !same(hindrances(next, seen.facts.now), hindrances(passage.status, seen.facts.now));
      const found = newHindrances(passage.status.conditions, next.conditions);
      return { write, urgent, tell: () => tellHindrances(cluster, seen, found) };
    },
    tell(seen, decision) {
      if (decision.kind !== 'move') return;
      const { to, because } = decision;
      tellPassage(cluster, seen, to, because);
      // What the step itself says has just been told.
      const told = 'reason' in to ? to.reason : because.reason;
      const found = newHindrances(seen.passage.status.conditions, written(seen, to, because).status.conditions);
      tellHindrances(
        cluster,
        seen,
        found.filter(({ reason }) => reason !== told),
      );
    },
  };
}

function written({ passage, plan, facts }: SeenPassage, state: NodeState, because: Because) {
  const { name, uid, resourceVersion, generation, status } = passage;
  const frozen =
    state.phase === 'Pending' || (status.plan === undefined && state.phase === 'Cancelled') ? status.plan : plan;
  return {
    of: 'NodeMaintenance',
    name,
    uid,
    resourceVersion,
    status: passageStatus(status, frozen, state, because, facts, generation),
  } as const;
}

/** What people wait for is told at once; a budget that is used up for the moment, and pods that leave, less often. */
function hindrances({ blockers, conditions }: SeenPassage['passage']['status'], now: number) {
  const lasting = blockers.filter(({ selfClearing, since }) => !selfClearing || now - Date.parse(since) > MOMENT_MS);
  const holds = conditions.filter(
    ({ type, status, reason }) =>
      status === 'True' && (type === 'Stalled' || (type === 'Blocked' && reason !== 'Blocked')),
  );
  return {
    blockers: lasting.map((one) => `${subjectOf(one)}/${one.reason}`),
    holds: holds.map(({ type, reason }) => `${type}/${reason}`),
  };
}

/** Reads live what an irreversible step rests on. */
async function lookAt({ cluster }: Loop, { uid, spec, status }: Read<PassageObject>): Promise<Answer<LivePassage>> {
  const { nodeName, upgradeName } = spec;
  const nodeUID = status.plan?.nodeUID ?? spec.nodeUID;
  const none = { ok: true, value: undefined } as const;
  const [node, policy, pods, jobs, nodeJobs, upgrade] = await Promise.all([
    cluster.read('Node', nodeName),
    cluster.read('MaintenancePolicy', 'cluster'),
    cluster.list('Pod', { index: 'node', value: nodeName }),
    cluster.list('Job', { index: 'passage', value: uid }),
    nodeUID === undefined ? none : cluster.list('Job', { index: 'node', value: nodeUID }),
    upgradeName === undefined ? none : cluster.read('ClusterUpgrade', upgradeName),
  ]);
  if (!node.ok) return node;
  if (!policy.ok) return policy;
  if (!pods.ok) return pods;
  if (!jobs.ok) return jobs;
  if (!nodeJobs.ok) return nodeJobs;
  if (!upgrade.ok) return upgrade;
  const windows = upgrade.value?.readable ? await readWindows(upgrade.value, cluster) : none;
  if (!windows.ok) return windows;
  return {
    ok: true,
    value: {
      node: node.value,
      ledger: policy.value?.readable ? policy.value : undefined,
      pods: pods.value,
      jobs: jobs.value,
      ...(nodeJobs.value === undefined ? {} : { nodeJobs: nodeJobs.value }),
      upgrade: upgrade.value,
      ...(windows.value === undefined ? {} : { windows: windows.value }),
    },
  };
}
