import { DEFAULT_DRAIN, type Drain } from '../api/maintenance-profile.ts';
import type { Plan } from '../api/node-maintenance.ts';
import type { Phase } from '../api/phases.ts';
import type { Caches } from '../cluster/cluster.ts';
import type { Because } from '../core/because.ts';
import { hasEnded } from '../core/leaving.ts';
import { isAtWork, isUpgradeJob, type Ledger, ticketOf } from '../core/ledger.ts';
import { RELEASE } from '../core/mark.ts';
import { type NodeFacts, type PassageFacts, since } from '../core/passage.ts';
import { openingOf } from '../core/rollout.ts';
import { rivalOf } from '../core/standstill.ts';
import { memoryOf, targetOf } from '../core/target.ts';
import { amissOn } from '../core/verify.ts';
import { roleOf } from '../core/version.ts';
import type { JobView, NodeView, PassageObject, PodView, Read, UpgradeObject } from '../core/world.ts';
import { type From, seeDrain } from './see-drain.ts';
import { controlPlaneOf, ledgerOf, type SeenWindow, windowsOf } from './see-rollout.ts';

/** What has been read instead of taken from a cache; a key that is absent was not read. */
export type LivePassage = {
  readonly node?: NodeView | undefined;
  readonly ledger?: Ledger | undefined;
  readonly pods?: readonly PodView[];
  readonly jobs?: readonly JobView[];
  /** Jobs of every passage that name the node. */
  readonly nodeJobs?: readonly JobView[];
  readonly upgrade?: UpgradeObject | undefined;
  readonly windows?: readonly SeenWindow[];
};

/** A passage with everything that its decisions rest on. */
export type SeenPassage = {
  readonly passage: Read<PassageObject>;
  readonly plan: Plan | undefined;
  readonly facts: NodeFacts;
  readonly upgrade: UpgradeObject | undefined;
};

/** Everything seen of one passage, from caches but for what was read live. */
export function seePassage(passage: Read<PassageObject>, from: From, live: LivePassage = {}): SeenPassage {
  const { caches, now, memory, place } = from;
  const { spec, status } = passage;
  const named = 'node' in live ? live.node : caches.Node.get(spec.nodeName);
  const upgrade =
    'upgrade' in live
      ? live.upgrade
      : spec.upgradeName === undefined
        ? undefined
        : caches.ClusterUpgrade.get(spec.upgradeName);
  const ledger = 'ledger' in live ? live.ledger : ledgerOf(caches);
  const nodeUID = status.plan?.nodeUID ?? spec.nodeUID;
  const isOurs =
    named !== undefined && (nodeUID === undefined || named.uid === nodeUID || isSameMachine(named, passage));
  const node = isOurs ? named : undefined;
  const pods = live.pods ?? [...caches.Pod.by('node', spec.nodeName)];
  const proposed =
    status.plan ?? (node === undefined ? undefined : propose(passage, { node, pods, upgrade, ledger }, from));
  const plan = proposed !== undefined && 'reason' in proposed ? undefined : proposed;
  const drain =
    node === undefined || plan === undefined ? undefined : assessment(plan.drain, node, pods, passage, from);
  const closing = closingOf(passage, plan, upgrade, ledger, from, live);
  const abandoned = abandonedOf(passage, upgrade);
  const jobs = live.jobs ?? [...caches.Job.by('passage', passage.uid)];
  const onNode = node === undefined ? [] : (live.nodeJobs ?? [...caches.Job.by('node', node.uid)]);
  const rival =
    drain === undefined || status.state.phase !== 'Draining'
      ? undefined
      : rivalOf(passage, drain, caches.NodeMaintenance.all(), now);
  const busy = onNode.find((job) => isStranger(job, passage));
  const facts: NodeFacts = {
    now,
    passage: factsOf(passage),
    ...(proposed !== undefined && 'reason' in proposed ? { planProblem: proposed } : {}),
    node,
    stranger: isOurs ? undefined : named,
    ledger,
    ...closing,
    ...(abandoned === undefined ? {} : { abandoned }),
    ...(rival === undefined ? {} : { rival }),
    drain,
    jobs,
    jobPods: podsOf(jobs, caches, live.pods ?? []),
    ...(busy === undefined ? {} : { busyJob: busy.name }),
    pods,
    attached: attachedTo(spec.nodeName, [...(drain?.staying ?? []), ...leftOver(status.state.phase, pods)], caches),
    jobsNamespace: place.jobsNamespace,
    recall: memory.recall,
    actingSince: memory.actingSince,
  };
  return { passage, plan, facts, upgrade };
}

/** The pods of Jobs: on the node as they were read, if they were, for how one has ended may come by a watch that hangs. */
function podsOf(jobs: readonly JobView[], caches: Caches, read: readonly PodView[]): readonly PodView[] {
  const uids = new Set(jobs.map(({ uid }) => uid));
  const fresh = read.filter(({ controller }) => controller?.kind === 'Job' && uids.has(controller.uid));
  const known = new Set(fresh.map(({ uid }) => uid));
  const cached = [...uids].flatMap((uid) => [...caches.Pod.by('owner-job', uid)]);
  return [...fresh, ...cached.filter(({ uid }) => !known.has(uid))];
}

function assessment(drain: Drain, node: NodeView, pods: readonly PodView[], passage: Read<PassageObject>, from: From) {
  const { state, blockers } = passage.status;
  const cordoned = state.phase === 'Draining' ? { cordonedAt: since(state) } : {};
  return seeDrain(drain, node, { pods, earlier: blockers, ...cordoned }, from);
}

/** Whether a Job of an earlier passage is still at work on the node: a retry must not run beside it. */
function isStranger(job: JobView, passage: Read<PassageObject>): boolean {
  return isUpgradeJob(job) && isAtWork(job) && job.labels['drydock.dev/passage'] !== passage.uid;
}

function factsOf(passage: Read<PassageObject>): PassageFacts {
  const { name, uid, resourceVersion, spec, owners, finalizers, deletedAt, annotations } = passage;
  return {
    name,
    uid,
    resourceVersion,
    spec,
    ownerUIDs: owners.map((owner) => owner.uid),
    finalizers,
    deleting: deletedAt !== undefined,
    released: annotations[RELEASE] === spec.nodeName,
  };
}

/** A cloud may register a rebooting machine anew: another UID, the same machine ID. */
function isSameMachine(node: NodeView, { status }: Read<PassageObject>): boolean {
  const { state } = status;
  return 'machineID' in state && state.machineID !== '' && state.machineID === node.machineID;
}

/** What a plan is made of besides its passage. */
type Given = {
  readonly node: NodeView;
  readonly pods: readonly PodView[];
  readonly upgrade: UpgradeObject | undefined;
  readonly ledger: Ledger | undefined;
};

/** The plan that would be frozen now, or why there is none. */
function propose(
  passage: Read<PassageObject>,
  { node, pods, upgrade, ledger }: Given,
  from: From,
): Plan | Because | undefined {
  const { caches, server, now } = from;
  const { spec } = passage;
  const entry = ledger === undefined ? undefined : ticketOf(ledger, spec.nodeName);
  const ticket = entry?.ticket === spec.ticket ? entry : undefined;
  const purpose = ticket?.purpose;
  const about = { nodeUID: node.uid, currentVersion: node.kubeletVersion };
  const ofUpgrade = upgrade?.readable ? upgrade.spec.profileName : undefined;
  const profileName = spec.hold ? spec.profileName : purpose === undefined ? ofUpgrade : ticket?.profileName;
  const profile = profileName === undefined ? undefined : caches.MaintenanceProfile.get(profileName);
  if (profileName !== undefined && profile === undefined) return { reason: 'ProfileNotFound', name: profileName };
  if (profile !== undefined && !profile.readable)
    return { reason: 'InvalidProfile', name: profile.name, problem: profile.problem };
  const named = profileName === undefined ? {} : { profileName };
  if (spec.hold) {
    const drain = profile?.spec.drain ?? DEFAULT_DRAIN;
    const mode = drain.mode === 'Leave' ? 'Cordon' : drain.mode;
    const role = node.controlPlane ? 'controlPlane' : 'worker';
    return { ...named, ...about, holderUID: passage.uid, role, target: '', drain: { ...drain, mode } };
  }
  if (upgrade === undefined || !upgrade.readable || profile === undefined) return undefined;
  const target = targetOf(upgrade.name, upgrade.spec);
  // Who saves etcd leaves the node as it is: there is nothing to verify afterwards, and nothing to remember.
  const version = target.kind === 'version' && purpose === undefined ? target.version : undefined;
  const memory = memoryOf(target, now);
  const amiss = amissOn(node, pods);
  const { drain, ...work } = profile.spec;
  return {
    ...named,
    ...about,
    holderUID: upgrade.uid,
    role: roleOf(node, version, controlPlaneOf(caches, server)),
    target: target.text,
    ...(purpose === undefined ? {} : { purpose }),
    ...(version === undefined ? {} : { version }),
    ...(memory === undefined ? {} : { memory }),
    ...(amiss === undefined ? {} : { amiss }),
    drain,
    work,
  };
}

const UNCOMMITTED: ReadonlySet<Phase> = new Set([
  'Pending',
  'Preparing',
  'Cordoning',
  'Draining',
  'Detaching',
  'Starting',
]);

/** Why what is not committed must be put back (windows under TurnBack, pauses, a target no longer wanted), or when it will be. */
function closingOf(
  passage: Read<PassageObject>,
  plan: Plan | undefined,
  upgrade: UpgradeObject | undefined,
  ledger: Ledger | undefined,
  { caches, now }: From,
  live: LivePassage,
): Pick<NodeFacts, 'closing' | 'closesAt'> {
  // Calendars are dear to ask, so those whom no closing puts back do not.
  if (upgrade === undefined || !upgrade.readable || !UNCOMMITTED.has(passage.status.state.phase)) return {};
  const wanted = targetOf(upgrade.name, upgrade.spec).text;
  if (plan !== undefined && plan.target !== wanted)
    return { closing: { reason: 'TargetChanged', from: plan.target, to: wanted } };
  const windows = live.windows ?? windowsOf(upgrade, caches);
  const { open, onClose, because, changesAt } = openingOf({ now, upgrade, ledger, windows });
  if (onClose === 'Finish') return {};
  if (open) return changesAt === undefined ? {} : { closesAt: changesAt };
  return because === undefined ? {} : { closing: because };
}

function abandonedOf(passage: Read<PassageObject>, upgrade: UpgradeObject | undefined): Because | undefined {
  if (passage.deletedAt !== undefined) return { reason: 'PassageDeleted' };
  const { upgradeName } = passage.spec;
  if (upgradeName === undefined) return undefined;
  const holder = passage.status.plan?.holderUID ?? passage.owners.find(({ kind }) => kind === 'ClusterUpgrade')?.uid;
  const wanted =
    upgrade !== undefined && upgrade.deletedAt === undefined && (holder === undefined || upgrade.uid === holder);
  return wanted ? undefined : { reason: 'UpgradeDeleted', upgrade: upgradeName };
}

/** Whoever is on a node after its drain has come back to it, or came too late to be evicted: its volumes stay with it. */
function leftOver(phase: Phase, pods: readonly PodView[]): readonly PodView[] {
  return phase === 'Detaching' ? pods.filter((pod) => pod.deletedAt === undefined && !hasEnded(pod)) : [];
}

/** Volumes attached to the node, but for those of pods that stay there. */
function attachedTo(nodeName: string, pods: readonly PodView[], caches: Caches): readonly string[] {
  const staying = pods.flatMap(({ namespace, claims }) =>
    claims.map((claim) => caches.PersistentVolumeClaim.get(`${namespace}/${claim}`)?.volumeName),
  );
  return [...caches.VolumeAttachment.by('node', nodeName)]
    .map(({ volumeName }) => volumeName)
    .filter((volume) => !staying.includes(volume));
}
