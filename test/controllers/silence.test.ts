import { describe, expect, test } from 'vitest';
import type { NodeState } from '../../src/api/node-maintenance.ts';
import { PHASES } from '../../src/api/phases.ts';
import { HELD_BY, writeMark } from '../../src/core/mark.ts';
import type { NodeView, PodView } from '../../src/core/world.ts';
import { job, mark, node, PASSAGE, pod, refused } from '../support/build.ts';
import { HOLD_SPEC, holdPlan, ledger, passage, plan, profile, ticket, upgrade } from '../support/build-own.ts';
import { running } from './running.ts';
import type { SmallCluster } from './small-cluster.ts';

type Views = ConstructorParameters<typeof SmallCluster>[0];
type Scene = {
  readonly state: NodeState;
  readonly views?: Views;
  readonly as?: Parameters<typeof passage>[1];
  /** What the API server says to a request that begins like this. */
  readonly no?: { readonly to: string; readonly away?: true };
};

const SINCE = '2026-11-21T11:59:59Z';
const DAY = 86_400;
const LONG = {
  prepareDeadlineSeconds: DAY,
  activeDeadlineSeconds: DAY,
  rebootDeadlineSeconds: DAY,
  verifyDeadlineSeconds: DAY,
};
const PLAN = plan({}, LONG, { deadlineSeconds: DAY, volumeDetachSeconds: DAY });
const BALANCED = plan({}, LONG, {
  deadlineSeconds: DAY,
  loadBalancer: { exclude: true, waitSeconds: 3600 },
});
const ours = (over: Partial<NodeView> = {}, nodeMaintenance = PASSAGE) => {
  const annotations = { [HELD_BY]: writeMark(mark('uid-passage', {}, { nodeMaintenance })) };
  return { Node: [node('worker-1', { unschedulable: true, annotations, ...over })] };
};
const HOLD = { name: 'fan', uid: 'uid-passage', spec: HOLD_SPEC, owners: [], labels: {} };
const begun = { attempt: 1, jobUID: 'uid-job-1', bootIDBefore: 'boot-1', machineID: 'machine-worker-1' };
const at = (phase: string, over: object = {}) => ({ phase, since: SINCE, ...over }) as NodeState;
const jobPod = (which: number | 'prepare', waiting: PodView['waiting']) =>
  pod('p', {
    namespace: 'drydock-jobs',
    labels: { 'job-name': `${PASSAGE}-${which}` },
    controller: { kind: 'Job', name: `${PASSAGE}-${which}`, uid: `uid-job-${which}` },
    ...(waiting === undefined ? {} : { waiting }),
  });
const NO_ROOM = { reason: 'Unschedulable', message: '0/1 nodes are available: 1 Too many pods.' };
const others = (over: object) => ({
  MaintenancePolicy: [ledger([ticket({ holder: { kind: 'NodeMaintenance', name: 'x', uid: 'x' }, ...over })])],
  NodeMaintenance: [passage(at('Held'), { ...HOLD, name: 'x', uid: 'x', status: { plan: holdPlan() } })],
});
const held = {
  MaintenancePolicy: [
    ledger([
      ticket({ holder: { kind: 'NodeMaintenance', name: 'fan', uid: 'uid-passage' }, passageUID: 'uid-passage' }),
    ]),
  ],
};
const volume = { name: 'a', uid: 'a', resourceVersion: '1', nodeName: 'worker-1', volumeName: 'pv-1', attached: true };

/** A wait in each phase that lasts, and the word for it; `!` where something is in the way, of which there is an Event. */
const WAITS: Readonly<Record<string, Scene>> = {
  'Pending: NodeNotFound!': { state: { phase: 'Pending' }, as: HOLD, views: { MaintenancePolicy: [ledger()] } },
  'Pending: NodeBusy!': {
    state: { phase: 'Pending' },
    as: HOLD,
    views: { Node: [node()], ...others({ passageUID: 'x' }) },
  },
  'Pending: ControlPlaneBusy!': {
    state: { phase: 'Pending' },
    as: HOLD,
    views: {
      Node: [node('worker-1', { controlPlane: true }), node('cp-2', { controlPlane: true, unschedulable: true })],
      MaintenancePolicy: [
        ledger([ticket({ nodeName: 'cp-2', nodeUID: 'uid-cp-2', controlPlane: true, passageUID: 'other' })]),
      ],
      NodeMaintenance: [passage(at('Held'), { ...HOLD, name: 'x', uid: 'other', status: { plan: holdPlan() } })],
    },
  },
  'Pending: ProfileNotFound!': {
    state: { phase: 'Pending' },
    as: { ...HOLD, spec: { ...HOLD_SPEC, profileName: 'gone' } },
    views: { Node: [node()] },
  },
  'Preparing: Preparing': { state: at('Preparing'), views: { Node: [node()] } },
  'Preparing: JobCannotRun!': {
    state: at('Preparing'),
    views: { Node: [node()], Job: [job({}, 'prepare')], Pod: [jobPod('prepare', NO_ROOM)] },
  },
  'Cordoning: WaitingForLoadBalancer': {
    state: at('Cordoning'),
    views: ours(),
    as: { status: { plan: { ...BALANCED, drain: { ...BALANCED.drain, mode: 'Cordon' } } } },
  },
  'Draining: WaitingForLoadBalancer': {
    state: at('Draining'),
    views: { ...ours(), Pod: [pod()] },
    as: { status: { plan: BALANCED } },
  },
  'Draining: Blocked!': {
    state: at('Draining'),
    views: { ...ours(), Pod: [{ ...pod(), controller: undefined } as unknown as PodView] },
  },
  'Draining: WaitingForPods': {
    state: at('Draining'),
    views: { ...ours(), Pod: [pod('web-1', { deletedAt: Date.parse(SINCE) + 7_200_000 })] },
  },
  'Detaching: WaitingForVolumes': { state: at('Detaching'), views: { ...ours(), VolumeAttachment: [volume] } },
  'Held: Held': {
    state: at('Held'),
    as: { ...HOLD, status: { plan: holdPlan() } },
    views: { ...ours({}, 'fan'), ...held },
  },
  'Held: CordonLost!': {
    state: at('Held'),
    as: { ...HOLD, status: { plan: holdPlan() } },
    views: { ...ours({ unschedulable: false }, 'fan'), ...held },
  },
  'Starting: CreatingJob': {
    state: at('Starting', { attempt: 1 }),
    views: ours(),
    no: { to: 'createJob', away: true },
  },
  'Starting: WaitingForEarlierJob!': {
    state: at('Starting', { attempt: 2 }),
    views: { ...ours(), Job: [job()] },
  },
  'Upgrading: JobRunning': { state: at('Upgrading', begun), views: { ...ours(), Job: [job()] } },
  'Upgrading: JobCannotRun!': {
    state: at('Upgrading', begun),
    views: { ...ours(), Job: [job()], Pod: [jobPod(1, { reason: 'ErrImagePull', message: 'not found' })] },
  },
  'Upgrading: JobSuspended!': {
    state: at('Upgrading', begun),
    views: { ...ours(), Job: [job({ suspended: true, released: true })] },
  },
  'Rebooting: WaitingForReboot': { state: at('Rebooting', begun), views: ours({ ready: false }) },
  'Lost: NodeLost!': { state: at('Lost', { ...begun, from: 'Rebooting' }), views: ours({ ready: false }) },
  'Verifying: Verifying': { state: at('Verifying', begun), views: ours({ kubeletVersion: 'v1.35.7' }) },
  'Uncordoning: DrainDeadline': {
    state: at('Uncordoning', { verdict: 'Skipped', reason: 'DrainDeadline', message: 'It was not empty.' }),
    views: ours(),
    no: { to: 'patchNode' },
  },
  'Quarantining: JobFailed': {
    state: at('Quarantining', { reason: 'JobFailed', message: 'The Job failed.' }),
    views: ours(),
    no: { to: 'patchNode' },
  },
};

function setUp({ state, views = {}, as = {}, no }: Scene) {
  const own = passage(state, { ...as, status: { ...(state.phase === 'Pending' ? {} : { plan: PLAN }), ...as.status } });
  const made = running({
    MaintenanceProfile: [profile()],
    ClusterUpgrade: [upgrade()],
    MaintenancePolicy: [ledger([ticket({ passageUID: 'uid-passage' })])],
    ...views,
    NodeMaintenance: [own, ...(views.NodeMaintenance ?? [])],
  });
  const refusal = no?.away === true ? refused({ why: 'unavailable', code: 0, message: 'no answer' }) : refused();
  if (no !== undefined) made.cluster.before = (about) => (about.startsWith(no.to) ? refusal : undefined);
  made.drydock.lead();
  return { ...made, name: own.name };
}

describe('no wait is silent: through an hour, each minute', () => {
  test.each(Object.entries(WAITS))('%s', async (title, scene) => {
    const { cluster, clock, name } = setUp(scene);
    const [phase, reason] = title.replace('!', '').split(': ');
    for (let minute = 0; minute < 60; minute += 1) {
      await clock.advance(59_500);
      const seen = cluster.live('NodeMaintenance', name);
      const status = seen?.readable ? seen.status : undefined;
      const ready = status?.conditions.find(({ type }) => type === 'Ready');
      expect([minute, status?.state.phase, ready?.reason]).toEqual([minute, phase, reason]);
      expect(ready?.message).toMatch(/^.+ .+$/);
      expect(status?.conditions.map(({ type }) => type)).toEqual(['Ready', 'Reconciling', 'Stalled', 'Blocked']);
    }
    const warned = cluster.told.filter(({ type, on }) => type === 'Warning' && on.name === name);
    expect(warned.map((one) => one.reason)).toEqual(title.endsWith('!') ? [reason] : []);
  });

  test('every phase that can wait is among them', () => {
    const tried = new Set(Object.values(WAITS).map(({ state }) => state.phase));
    const settled = ['Succeeded', 'Skipped', 'Cancelled', 'Failed'];
    expect(PHASES.filter((phase) => !tried.has(phase))).toEqual(settled);
  });
});
