import { describe, expect, test } from 'vitest';
import type { Ticket } from '../../src/api/maintenance-policy.ts';
import { type ChoiceFacts, choose, selected } from '../../src/core/choice.ts';
import { HOLD, LEFT_CORDONED, TAKE_NOT_READY } from '../../src/core/mark.ts';
import { isDone, memoryOf, type Target, targetOf } from '../../src/core/target.ts';
import type { NodeView } from '../../src/core/world.ts';
import { leftCordoned, NOW, node, pod } from '../support/build.ts';
import { ledger, upgrade } from '../support/build-own.ts';
import { chosen, cp, facts, OS, out, remembered, worker } from './choosing.ts';

const TO_136: Target = { kind: 'version', text: 'v1.36.4', version: 'v1.36.4' };

describe('who may begin', () => {
  const one = (over: Partial<NodeView>, facts: Partial<ChoiceFacts> = {}) =>
    chosen({ nodes: [worker(1, over)], ...facts });
  const taint = (key: string) => ({ taints: [{ key, value: '', effect: 'NoSchedule' }] });
  test.each<[string, string, string]>([
    ['a schedulable, Ready node', one({}), 'worker-1'],
    ['[rule 44] one that is cordoned already', one({ unschedulable: true }), 'worker-1'],
    ['one that is not Ready: no', one({ ready: false }), 'NodesUnavailable'],
    [
      'one that is not Ready, which a person allowed',
      one({ ready: false, annotations: { [TAKE_NOT_READY]: 'mend it' } }),
      'worker-1',
    ],
    ['one that a person holds: no', one({ annotations: { [HOLD]: 'mine' } }), 'NodesUnavailable'],
    ['an empty reason holds too', one({ annotations: { [HOLD]: '' } }), 'NodesUnavailable'],
    ['one that is being deleted: no', one({ deleting: true }), 'NodesUnavailable'],
    [
      '[rule 90] one that the autoscaler is about to delete: no',
      one(taint('ToBeDeletedByClusterAutoscaler')),
      'NodesUnavailable',
    ],
    ['[rule 90] one that Karpenter is about to delete: no', one(taint('karpenter.sh/disrupted')), 'NodesUnavailable'],
    ['one with any other taint', one(taint('example.com/gpu')), 'worker-1'],
    ['one that is done: no', one(remembered), 'Rolling'],
    ['one that failed, until retry is raised: no', one({}, { failed: new Set(['worker-1']) }), 'Rolling'],
    [
      '[rule 83] one that was set aside, before its time: no',
      one({}, { setAside: new Map([['worker-1', NOW + 1]]) }),
      'SetAside',
    ],
    ['[rule 83] one that was set aside, at its time', one({}, { setAside: new Map([['worker-1', NOW]]) }), 'worker-1'],
    ['one that has a ticket of anybody: no', one({}, { ledger: ledger([out('worker-1')]) }), 'Rolling'],
    [
      'one whose settled passage gives its ticket to a retry',
      one({}, { ledger: ledger([out('worker-1')]), takeOver: new Set(['worker-1']) }),
      'worker-1',
    ],
  ])('%s', (_, got, expected) => {
    expect(got).toBe(expected);
  });

  test('only what the selector names, in order of names', () => {
    const pool = upgrade({ nodes: { selector: { matchLabels: { pool: 'a' } } } });
    const nodes = [worker(2, { labels: { pool: 'a' } }), worker(3), worker(1, { labels: { pool: 'a' } })];
    expect(selected(nodes, pool.spec).map(({ name }) => name)).toEqual(['worker-1', 'worker-2']);
  });

  test('[rule 85] who else has a node is said', () => {
    const fan = { kind: 'NodeMaintenance', name: 'fan', uid: 'uid-fan' } as const;
    const taken = { nodes: [worker(1)], ledger: ledger([out('worker-1', { holder: fan })]) };
    expect(choose(facts(taken)).because).toEqual({
      reason: 'NodeBusy',
      node: 'worker-1',
      holder: 'NodeMaintenance fan',
    });
    expect(chosen({ ...taken, nodes: [worker(1, remembered)] })).toBe('Rolling');
  });

  test('what waits is said: until when, and who', () => {
    const { because } = choose(
      facts({
        nodes: [worker(1), worker(2)],
        setAside: new Map([
          ['worker-1', NOW + 5],
          ['worker-2', NOW + 3],
        ]),
      }),
    );
    expect(because).toEqual({ reason: 'SetAside', nodes: ['worker-1', 'worker-2'], until: NOW + 3 });
  });

  test('caught: a node that failed though it runs the version is not done before it was given back', () => {
    const nodes = [leftCordoned('uid-p-worker-1', { kubeletVersion: 'v1.36.4' })];
    const retried = { nodes, target: TO_136, ledger: ledger([out('worker-1')]), takeOver: new Set(['worker-1']) };
    expect(chosen(retried)).toBe('worker-1');
    expect(chosen({ ...retried, failed: new Set(['worker-1']) })).toBe('Rolling');
    expect(chosen({ ...retried, takeOver: new Set() })).toBe('Rolling');
  });

  test('a ticket is asked for with all that the passage will be judged by', () => {
    expect(choose(facts({ nodes: [worker(1)] })).requests).toEqual([
      {
        nodeName: 'worker-1',
        nodeUID: 'uid-worker-1',
        target: '2026-11-os',
        profileName: 'kubeadm-apt',
        holder: { kind: 'ClusterUpgrade', name: 'to-1-36', uid: 'uid-upgrade' },
        controlPlane: false,
        mode: 'Drain',
      },
    ]);
  });
});

describe('[rule 67] control planes first, one at a time', () => {
  const three = [cp(1), cp(2), cp(3)];
  const all = [...three, worker(1)];
  const busy = (over: Partial<Ticket> = {}) => ledger([out('cp-1', { controlPlane: true, ...over })]);
  const done = three.map((each) => ({ ...each, ...remembered }));
  test.each<[string, Partial<ChoiceFacts>, string]>([
    ['one, however much room there is', { nodes: all }, 'cp-1'],
    ['no second one beside it', { nodes: all, ledger: busy() }, 'ControlPlaneTicket'],
    [
      'a hold on a control plane counts',
      { nodes: all, ledger: busy({ holder: { kind: 'NodeMaintenance', name: 'fan', uid: 'u' } }) },
      'ControlPlaneTicket',
    ],
    ['a ticket of mode Leave counts', { nodes: all, ledger: busy({ mode: 'Leave' }) }, 'ControlPlaneTicket'],
    [
      'workers wait while any is behind',
      { nodes: [done[0] ?? cp(1), cp(2), worker(1)], ledger: busy() },
      'ControlPlaneTicket',
    ],
    ['workers wait though the last is not Ready', { nodes: [cp(1, { ready: false }), worker(1)] }, 'NodesUnavailable'],
    [
      'workers wait though the last was set aside',
      { nodes: [cp(1), worker(1)], setAside: new Map([['cp-1', NOW + 1]]) },
      'SetAside',
    ],
    [
      'workers wait while the last runs the release but is still in passage',
      { nodes: [...done, worker(1)], ledger: busy(), failed: new Set(['cp-1']) },
      'ControlPlaneTicket',
    ],
    [
      'workers follow one that failed and was mended by hand',
      { nodes: [...done, worker(1)], failed: new Set(['cp-1']) },
      'worker-1',
    ],
    ['workers follow when all are done', { nodes: [...done, worker(1)] }, 'worker-1'],
    [
      'workers follow though the ticket of the last is still there',
      { nodes: [...done, worker(1)], ledger: busy() },
      'worker-1',
    ],
    ['a retry takes over its own ticket', { nodes: all, ledger: busy(), takeOver: new Set(['cp-1']) }, 'cp-1'],
    [
      'a retry never admits another control plane beside it',
      { nodes: [cp(1, remembered), cp(2), worker(1)], ledger: busy(), takeOver: new Set(['cp-1']) },
      'Rolling',
    ],
  ])('%s', (_, over, expected) => {
    expect(chosen(over, { maxUnavailable: 5 })).toBe(expected);
  });

  test('a failed one is told apart from one at work', () => {
    const failed = { ...cp(1), annotations: { [LEFT_CORDONED]: '{}' } };
    expect(choose(facts({ nodes: [failed, cp(2)], ledger: busy() })).because).toEqual({
      reason: 'ControlPlaneTicket',
      node: 'cp-1',
      failed: true,
    });
    expect(choose(facts({ nodes: all, ledger: busy() })).because).toMatchObject({ failed: false });
  });

  test('workers whose control planes another upgrade brings wait for them', () => {
    const old = { server: 'v1.35.7', components: [] };
    const workers = upgrade({ nodes: { selector: { matchLabels: { role: 'worker' } } } });
    const nodes = [cp(2), cp(1), worker(1, { labels: { role: 'worker' } })];
    const waiting = choose(facts({ target: TO_136, upgrade: workers, nodes, controlPlane: old }));
    expect(waiting.because).toEqual({ reason: 'WaitingForControlPlane', nodes: ['cp-1', 'cp-2'] });
    expect(
      chosen({ target: TO_136, upgrade: workers, nodes: [cp(1, { kubeletVersion: 'v1.36.4' }), ...nodes.slice(2)] }),
    ).toBe('worker-1');
  });

  test('[rule 67] of mixed API servers the lowest sets the limit for every kubelet', () => {
    const server = (name: string, version: string) =>
      pod(name, { labels: { component: 'kube-apiserver' }, componentVersion: version, nodeName: 'x' });
    const mixed = { server: 'v1.36.4', components: [server('a', 'v1.36.4'), server('b', 'v1.35.7')] };
    expect(chosen({ target: TO_136, controlPlane: mixed })).toBe('WaitingForControlPlane');
  });
});

describe('what is done', () => {
  const AGE: Target = { kind: 'age', text: 'every 30 days', label: OS.label, days: 30 };
  const never = { server: 'v1.36.4', components: [] };
  const labelled = (value: string) => node('n', { labels: { [OS.label]: value } });
  test.each<[string, Target, NodeView, boolean]>([
    ['the kubelet at the release', TO_136, node('n', { kubeletVersion: 'v1.36.4' }), true],
    ['the kubelet above it', TO_136, node('n', { kubeletVersion: 'v1.36.9' }), true],
    ['the kubelet below it', TO_136, node('n', { kubeletVersion: 'v1.36.3' }), false],
    ['this revision', OS, labelled('2026-11-os'), true],
    ['another revision', OS, labelled('2026-10-os'), false],
    ['no revision', OS, node('n'), false],
    ['29 days ago', AGE, labelled('20261012T120000Z'), true],
    ['30 days ago', AGE, labelled('20261011T120000Z'), false],
    ['a time that cannot be read', AGE, labelled('soon'), false],
    ['no time', AGE, node('n'), false],
  ])('%s', (_, target, of, expected) => {
    expect(isDone(of, target, never, NOW)).toBe(expected);
  });

  test.each<[object, Target]>([
    [{ kubernetesVersion: 'v1.36.4' }, TO_136],
    [{ revision: '2026-11-os' }, { ...OS, label: 'drydock.node-restriction.kubernetes.io/to-1-36' }],
    [{ maxAgeDays: 30 }, { ...AGE, label: 'drydock.node-restriction.kubernetes.io/to-1-36' }],
  ])('the target of %j', (target, expected) => {
    expect(targetOf('to-1-36', upgrade({ target }).spec)).toEqual(expected);
  });

  test('[rule 46] a success is remembered under a prefix that no kubelet may write, and read back', () => {
    expect(memoryOf(TO_136, NOW)).toBeUndefined();
    expect(memoryOf(OS, NOW)).toEqual({ label: OS.label, value: '2026-11-os' });
    expect(memoryOf(AGE, NOW)).toEqual({ label: OS.label, value: '20261110T120000Z' });
    expect(isDone(labelled(memoryOf(AGE, NOW)?.value ?? ''), AGE, never, NOW + 1000)).toBe(true);
  });
});
