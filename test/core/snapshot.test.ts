import { describe, expect, test } from 'vitest';
import { decide } from '../../src/core/node.ts';
import { decideRollout, problemOf, survey } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { failures } from '../../src/core/rollout-memory.ts';
import { reported } from '../../src/core/rollout-report.ts';
import { ago, COMPLETE, job, NOW, node, pod } from '../support/build.ts';
import {
  ledger,
  facts as nodeFacts,
  PASSAGE_SPEC,
  passage,
  plan,
  profile,
  rolloutFacts,
  ticket,
  upgrade,
} from '../support/build-own.ts';
import { say } from '../support/say.ts';

const EVIDENCE = '{"name":"etcd-cp-1-20261121T040000Z.db","revision":812,"sizeBytes":4096,"hash":77}';
const SAID = `Snapshot /var/backups/etcd/etcd-cp-1-20261121T040000Z.db of etcd at revision 812.\n${EVIDENCE}`;
const taken = (seconds: number) => ({ ...JSON.parse(EVIDENCE), time: ago(seconds) });
const wanted = { etcdSnapshot: { profileName: 'etcd-snapshot' } };
const cp = (index: number, over: object = {}) => node(`cp-${index}`, { controlPlane: true, ...over });
const leave = profile({ drain: { mode: 'Leave' } });
const apiServer = (nodeName: string, componentVersion: string) =>
  pod(`kube-apiserver-${nodeName}`, {
    namespace: 'kube-system',
    nodeName,
    labels: { component: 'kube-apiserver' },
    componentVersion,
  });

/** A cluster whose control planes are still to be taken to the target. */
const facts = (
  over: Partial<RolloutFacts> = {},
  spec: Readonly<Record<string, unknown>> = wanted,
  status: object = {},
): RolloutFacts =>
  rolloutFacts({
    upgrade: upgrade(spec, { status }),
    snapshotProfile: leave,
    nodes: [cp(1), cp(2), node('worker-1')],
    controlPlane: { server: 'v1.35.7', components: [apiServer('cp-1', 'v1.35.7'), apiServer('cp-2', 'v1.35.7')] },
    ...over,
  });
/** What is admitted: the node, by which profile, in which mode, for what. */
const admitted = (seen: RolloutFacts) => {
  const decision = decideRollout(seen);
  const effect = decision.kind === 'act' ? decision.effects[0] : undefined;
  if (effect?.kind !== 'writeLedger') return say(decision);
  const added = effect.status.tickets.filter(({ ticket }) => ticket.endsWith('-18'));
  return added.map((t) => `${t.nodeName} by ${t.profileName}, ${t.mode}, for ${t.purpose ?? 'its target'}`).join('; ');
};
const SAVES = 'cp-1 by etcd-snapshot, Leave, for EtcdSnapshot';
const BEGINS = 'cp-1 by kubeadm-apt, Drain, for its target';

describe('before the first control plane of a release etcd is saved', () => {
  const mixed = { server: 'v1.36.4', components: [apiServer('cp-1', 'v1.36.4'), apiServer('cp-2', 'v1.35.7')] };
  const upgraded = [cp(1, { kubeletVersion: 'v1.36.4' }), cp(2), node('worker-1')];
  test.each<[string, RolloutFacts, string]>([
    ['there is none', facts(), SAVES],
    ['nobody asked for one', facts({}, {}), BEGINS],
    ['one was taken in time', facts({}, wanted, { etcdSnapshot: taken(3_599) }), BEGINS],
    ['caught: one is too old', facts({}, wanted, { etcdSnapshot: taken(3_600) }), SAVES],
    [
      'one may be as old as it says',
      facts({}, { etcdSnapshot: { profileName: 'etcd-snapshot', maxAgeSeconds: 60 } }, { etcdSnapshot: taken(61) }),
      SAVES,
    ],
    [
      'the first is upgraded: the others need none',
      facts({ controlPlane: mixed, nodes: upgraded }),
      'cp-2 by kubeadm-apt, Drain, for its target',
    ],
    [
      'only workers are left',
      facts({
        controlPlane: { server: 'v1.36.4', components: [apiServer('cp-1', 'v1.36.4')] },
        nodes: [cp(1, { kubeletVersion: 'v1.36.4' }), node('worker-1')],
      }),
      'worker-1 by kubeadm-apt, Drain, for its target',
    ],
    ['nothing begins in a window that is shut', facts({}, { ...wanted, mode: 'Paused' }), 'wait: UpgradePaused'],
  ])('%s', (_, seen, expected) => {
    expect(admitted(seen)).toBe(expected);
  });

  test('while it is taken nobody begins, and it is said why', () => {
    const saving = ticket({
      nodeName: 'cp-1',
      nodeUID: 'uid-cp-1',
      controlPlane: true,
      mode: 'Leave',
      purpose: 'EtcdSnapshot',
      passageUID: 'uid-saving',
    });
    const child = passage(
      { phase: 'Upgrading', since: ago(9), attempt: 1, jobUID: 'j', bootIDBefore: 'b', machineID: 'm' },
      { name: 'saving', uid: 'uid-saving', spec: { ...PASSAGE_SPEC, nodeName: 'cp-1' } },
    );
    const seen = facts({ ledger: ledger([saving]), passages: [child] }, { ...wanted, rollout: { steer: false } });
    expect(say(decideRollout(seen))).toBe('wait: SavingEtcd');
    const said = reported(survey(seen))?.conditions.find(({ type }) => type === 'Reconciling')?.message;
    expect(said).toBe(
      '1 node in flight, 2 waiting. No further node begins now. etcd is saved before the first control plane begins: a snapshot is taken on cp-1.',
    );
  });

  test('a node that is retried stays counted as out while etcd is saved on it', () => {
    const failed = passage(
      { phase: 'Failed', since: ago(90_000), reason: 'JobFailed', message: 'It failed.' },
      { name: 'failed', uid: 'uid-failed', spec: { ...PASSAGE_SPEC, nodeName: 'cp-1' } },
    );
    const held = ticket({ nodeName: 'cp-1', nodeUID: 'uid-cp-1', controlPlane: true, passageUID: 'uid-failed' });
    const left = cp(1, { unschedulable: true, annotations: { 'drydock.dev/left-cordoned': '{}' } });
    const seen = facts({ ledger: ledger([held]), passages: [failed], nodes: [left, cp(2), node('worker-1')] });
    expect(admitted(seen)).toBe('cp-1 by etcd-snapshot, Drain, for EtcdSnapshot');
  });
});

describe('what came of it is remembered', () => {
  const saved = (phase: 'Succeeded' | 'Failed' | 'Skipped', message: string | undefined, over: object = {}) =>
    passage(
      { phase, since: ago(60), reason: 'Why', message: 'So it was.' },
      {
        name: 'saving',
        uid: 'uid-saving',
        spec: { ...PASSAGE_SPEC, nodeName: 'cp-1' },
        status: {
          plan: plan({ purpose: 'EtcdSnapshot', role: 'controlPlane', ...over }),
          ...(message === undefined ? {} : { job: { name: 'j', attempt: 1, exitCode: 0, message } }),
        },
      },
    );
  const remembered = (child: ReturnType<typeof saved>, status: object = {}) => {
    const decision = decideRollout(facts({ passages: [child] }, wanted, status));
    return decision.kind === 'move' ? decision.to : say(decision);
  };

  test('what was saved, and when', () => {
    expect(remembered(saved('Succeeded', SAID))).toMatchObject({ etcdSnapshot: taken(60), failures: [], setAside: [] });
  });

  test.each([
    ['says nothing', undefined],
    ['says something else', 'done'],
    ['does not say what is in it', '{"name":"etcd.db","sizeBytes":4096}'],
    ['saved an empty etcd', '{"name":"etcd.db","revision":0,"sizeBytes":4096,"hash":7}'],
  ])('caught: a payload that %s has saved nothing, which is a failure', (_, message) => {
    const after = remembered(saved('Succeeded', message));
    expect(after).toMatchObject({ failures: [{ nodeName: 'cp-1', reason: expect.stringContaining('revision') }] });
    expect(after).not.toHaveProperty('etcdSnapshot');
    const seen = facts({ passages: [saved('Succeeded', message)] });
    expect(failures(seen)).toHaveLength(1);
  });

  test('one that failed halts as every failure does', () => {
    expect(remembered(saved('Failed', undefined))).toMatchObject({ failures: [{ nodeName: 'cp-1' }] });
  });

  test('one that could not be begun is returned to', () => {
    expect(remembered(saved('Skipped', undefined))).toMatchObject({ setAside: [{ nodeName: 'cp-1', times: 1 }] });
  });

  test('caught: a snapshot does not end the back-off of the node that it was taken on', () => {
    const entry = { nodeName: 'cp-1', reason: 'The disk is full.', times: 3, notBefore: ago(30), since: ago(600) };
    const after = remembered(saved('Succeeded', SAID), { setAside: [entry] });
    expect(after).toMatchObject({ setAside: [{ times: 3 }], etcdSnapshot: { revision: 812 } });
  });

  test('caught: another target needs another snapshot, and a retry does not', () => {
    const status = { etcdSnapshot: taken(60), target: 'v1.36.3' };
    expect(decideRollout(facts({}, wanted, status))).not.toHaveProperty('to.etcdSnapshot');
    const retry = facts({}, { ...wanted, rollout: { retry: 1 } }, { etcdSnapshot: taken(60) });
    expect(decideRollout(retry)).toHaveProperty('to.etcdSnapshot');
  });
});

test.each<[string, RolloutFacts['snapshotProfile'], object | undefined]>([
  ['is not there', undefined, { reason: 'ProfileNotFound', field: 'spec.etcdSnapshot.profileName' }],
  ['would take pods off a node', profile(), { reason: 'SnapshotDrains', mode: 'Drain' }],
  ['leaves a node as it is', leave, undefined],
])('an upgrade whose snapshot profile %s', (_, snapshotProfile, expected) => {
  const problem = problemOf(facts({ snapshotProfile }));
  if (expected === undefined) expect(problem).toBeUndefined();
  else expect(problem).toMatchObject(expected);
});

test.each<[string, string | undefined, number, string]>([
  ['is waited for, however well the Job ended', undefined, 60, 'wait: JobComplete'],
  ['is not waited for longer than its Job may take', undefined, 3_600, '→ Verifying: JobComplete'],
  ['is there', SAID, 60, '→ Verifying: JobComplete'],
])('what a snapshot has saved %s', (_, message, seconds, expected) => {
  const done = job({ finished: COMPLETE });
  const said = {
    ...pod('job-pod', { labels: { 'job-name': done.name } }),
    ended: { exitCode: 0, message: message ?? '' },
  };
  const begun = { attempt: 1, jobUID: 'uid-job-1', bootIDBefore: 'boot-1', machineID: 'machine-worker-1' } as const;
  const state = { phase: 'Upgrading', since: ago(seconds), ...begun } as const;
  const seen = nodeFacts({ now: NOW, jobs: [done], jobPods: message === undefined ? [] : [said] });
  expect(say(decide(plan({ purpose: 'EtcdSnapshot' }), state, seen))).toBe(expected);
});
