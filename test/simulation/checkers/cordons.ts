import type { KubeObject, NodeObject } from '../../../src/simulation/objects.ts';
import {
  type Check,
  type Checker,
  isOurs,
  markOf,
  PASSAGES,
  type Passage,
  passageBy,
  phaseOf,
  SETTLED,
  type Truth,
  UPGRADES,
  type Upgrade,
} from '../truth.ts';

/** C1: who settles has given its node back, or left it cordoned because its Job had begun and failed. */
export const cordonGone: Check = (truth) => ({
  atRest() {
    for (const node of truth.registry.all<NodeObject>('nodes')) {
      const mark = markOf(node);
      if (mark !== undefined && isOver(truth, mark.uid)) {
        truth.violated('C1', `node ${node.metadata.name} is still held by ${mark.nodeMaintenance}, which is over`);
      }
      const left = markOf(node, 'left-cordoned');
      const passage = left === undefined ? undefined : passageBy(truth, left.uid);
      const had = passage === undefined || passage.status.job !== undefined || phaseOf(passage) === 'Failed';
      if (left !== undefined && !had) {
        truth.violated('C1', `node ${node.metadata.name} was left cordoned by ${left.nodeMaintenance} without a Job`);
      }
    }
  },
  written({ resource, before, after, by }) {
    if (resource !== PASSAGES || after === undefined || !isOurs(by)) return;
    const [from, to] = [phaseOf(before), phaseOf(after)];
    if (from === to || to === undefined || !['Succeeded', 'Skipped', 'Cancelled'].includes(to)) return;
    const passage = after as Passage;
    const node = truth.registry.get<NodeObject>('nodes', passage.spec.nodeName);
    if (markOf(node)?.uid === passage.metadata.uid) {
      truth.violated('C1', `${passage.metadata.name} is ${to} while its mark is on node ${passage.spec.nodeName}`);
    }
  },
});

function isOver(truth: Truth, uid: string): boolean {
  const passage = passageBy(truth, uid);
  return passage === undefined || SETTLED.includes(phaseOf(passage) ?? '');
}

/** C2: a node that we make schedulable was made unschedulable by us. */
export const cordonOfOthers: Check = (truth) => ({
  written({ resource, before, after, by }) {
    if (resource !== 'nodes' || before === undefined || after === undefined || !isOurs(by)) return;
    const [was, is] = [(before as NodeObject).spec.unschedulable, (after as NodeObject).spec.unschedulable];
    if (!was || is) return;
    const mark = markOf(before) ?? markOf(before, 'left-cordoned');
    const { name } = after.metadata;
    if (mark === undefined) truth.violated('C2', `node ${name} was uncordoned without a mark of ours`);
    else if (mark.previous.unschedulable) truth.violated('C2', `node ${name} was cordoned before we came`);
  },
});

/** Longer than a sweep and whatever keeps all replicas from working: outages, pauses, caches that are behind. */
const SWEPT_MS = 30 * 60_000;

/** The upgrade that a node is next for, as its soft taint says. */
function dueFor(node: KubeObject | undefined): string | undefined {
  return (node as NodeObject | undefined)?.spec.taints?.find(({ key }) => key === 'drydock.dev/due')?.value;
}

function mayBegin({ registry, isOpen, now }: Truth, name: string): boolean {
  const upgrade = registry.get<Upgrade>(UPGRADES, name);
  if (upgrade === undefined || upgrade.metadata.deletionTimestamp !== undefined) return false;
  return upgrade.spec.mode !== 'Paused' && upgrade.spec.windowNames.every((window) => isOpen(window, now()));
}

/** C3: a soft taint goes when its upgrade is gone or begins nothing; only a node that is out keeps it until it is given back. */
const softTaints = (truth: Truth): Required<Pick<Checker, 'written'>> => {
  /** The nodes with a soft taint, and since when nobody wants it. */
  const unwanted = new Map<string, number | undefined>();
  /** The upgrades that do not steer, and since when. */
  const steerless = new Map<string, number>();
  const heard = (resource: string, key: string, after: KubeObject | undefined) => {
    if (resource !== UPGRADES) return;
    if ((after as Upgrade | undefined)?.spec.rollout.steer !== false) steerless.delete(key);
    else if (!steerless.has(key)) steerless.set(key, truth.now());
  };
  const unsteered = (upgrade: string, node: string) => {
    const since = steerless.get(upgrade);
    if (since === undefined || since > truth.sentAt() - truth.lagMs()) return;
    truth.violated('C3', `node ${node} got the soft taint of ${upgrade}, which does not steer`);
  };
  return {
    written({ resource, key, before, after, by }) {
      heard(resource, key, after);
      if (resource === 'nodes' && isOurs(by) && dueFor(after) !== undefined && dueFor(before) === undefined) {
        unsteered(dueFor(after) ?? '', key);
      }
      if (resource === 'nodes' && dueFor(after) === undefined) unwanted.delete(key);
      else if (resource === 'nodes' && !unwanted.has(key)) unwanted.set(key, undefined);
      for (const [name, since] of unwanted) {
        const node = truth.registry.get<NodeObject>('nodes', name);
        const wanted = markOf(node) !== undefined || mayBegin(truth, dueFor(node) ?? '');
        unwanted.set(name, wanted ? undefined : (since ?? truth.now()));
        if (wanted || since === undefined || truth.now() < since + SWEPT_MS) continue;
        truth.violated('C3', `node ${name} still carries the soft taint of ${dueFor(node)}, which begins nothing`);
      }
    },
  };
};

/** C3: what is ours goes with who it belongs to. */
export const nothingLeft: Check = (truth) => ({
  ...softTaints(truth),
  atRest() {
    for (const node of truth.registry.all<NodeObject>('nodes')) {
      if (dueFor(node) !== undefined)
        truth.violated('C3', `node ${node.metadata.name} carries a soft taint and nothing rolls`);
      const mark = markOf(node);
      if (mark !== undefined && passageBy(truth, mark.uid) === undefined) {
        truth.violated('C3', `node ${node.metadata.name} carries the mark of ${mark.nodeMaintenance}, which is gone`);
      }
    }
    for (const job of truth.registry.all('jobs.batch')) {
      const { labels = {}, name, namespace } = job.metadata;
      const owner = labels['drydock.dev/passage'];
      if (namespace !== 'drydock-jobs' || owner === undefined || !isOver(truth, owner)) continue;
      truth.violated('C3', `Job ${name} outlives its passage`);
    }
  },
});
