import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/api/node-maintenance.ts';
import { decide, needsLook } from '../../src/core/node.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import type { NodeView } from '../../src/core/world.ts';
import { ago, COMPLETE, cordoned, job, NOW, node, pod } from '../support/build.ts';
import { facts, plan } from '../support/build-own.ts';
import { because, say } from '../support/say.ts';

type Row = readonly [string, Partial<NodeFacts>, string, Plan?];
const ours = (over: Partial<NodeView> = {}) => cordoned('uid-passage', { kubeletVersion: 'v1.36.4', ...over });
const GONE = { node: undefined, drain: undefined } as const;
const CLOSING = { closing: { reason: 'WindowClosed' } } as const;
const DELETED = { abandoned: { reason: 'PassageDeleted' } } as const;
const RELEASED = { passage: { ...facts().passage, released: true } };
const REBOOT = plan({}, { reboot: 'Expected' });
const begun = { attempt: 1, jobUID: 'uid-job-1', bootIDBefore: 'boot-1', machineID: 'machine-worker-1' } as const;

describe('Rebooting: a new boot ID must follow', () => {
  const since = (seconds: number) => ({ phase: 'Rebooting', since: ago(seconds), ...begun }) as const;
  const cases: readonly Row[] = [
    ['not yet', { node: ours() }, 'wait: WaitingForReboot'],
    ['[rule 106] a new boot ID and Ready', { node: ours({ bootID: 'boot-2' }) }, '→ Verifying: Rebooted'],
    ['a new boot ID, not Ready yet', { node: ours({ bootID: 'boot-2', ready: false }) }, 'wait: WaitingForReboot'],
    ['not Ready, on its way down', { node: ours({ ready: false }) }, 'wait: WaitingForReboot'],
    ['a closing does not stop it', { node: ours(), ...CLOSING }, 'wait: WaitingForReboot'],
    ['a deletion does not stop it', { node: ours(), ...DELETED }, 'wait: WaitingForReboot'],
    ['the node is gone: clouds delete and re-register', GONE, '→ Lost: NodeLost'],
    ['released by a person', { node: ours(), ...RELEASED }, '→ Quarantining: Released'],
  ];
  for (const [name, over, expected] of cases)
    test(name, () => {
      expect(say(decide(REBOOT, since(60), facts(over)))).toBe(expected);
    });

  test.each<[string, NodeView, string]>([
    ['Ready with its old boot ID', ours(), '→ Quarantining: RebootMissing'],
    ['not Ready with its old boot ID', ours({ ready: false }), '→ Lost: NodeLost'],
    ['not Ready with a new boot ID', ours({ ready: false, bootID: 'boot-2' }), '→ Lost: NodeLost'],
    ['rebooted in the last moment', ours({ bootID: 'boot-2' }), '→ Verifying: Rebooted'],
  ])('[rule 65] at the deadline, %s', (_, seen, expected) => {
    expect(say(decide(REBOOT, since(900), facts({ node: seen })))).toBe(expected);
    expect(say(decide(REBOOT, since(899), facts({ node: ours() })))).toBe('wait: WaitingForReboot');
  });

  test('the deadline is absolute, so a restart does not move it', () => {
    expect(because(decide(REBOOT, since(60), facts({ node: ours() })))).toMatchObject({ deadline: NOW + 840_000 });
    expect(decide(REBOOT, since(890), facts({ node: ours() }))).toMatchObject({ recheckAfterSeconds: 10 });
  });
});

describe('Lost: waits for the node or a person', () => {
  const since = (from: 'Upgrading' | 'Rebooting' | 'Verifying') =>
    ({ phase: 'Lost', since: ago(5000), ...begun, from }) as const;
  const other = node('worker-1', { uid: 'uid-new', machineID: 'machine-new' });
  const rebooted = ours({ bootID: 'boot-2' });
  type LostRow = readonly [string, 'Upgrading' | 'Rebooting' | 'Verifying', Partial<NodeFacts>, string, Plan?];
  const cases: readonly LostRow[] = [
    ['gone', 'Upgrading', GONE, 'wait: NodeLost'],
    ['there but not Ready', 'Upgrading', { node: ours({ ready: false }) }, 'wait: NodeLost'],
    ['back from Upgrading: its Job decides', 'Upgrading', { node: rebooted }, '→ Upgrading (1): NodeBack'],
    ['back from Rebooting with a new boot ID', 'Rebooting', { node: rebooted }, '→ Verifying: NodeBack', REBOOT],
    [
      'back from Rebooting with its old boot ID',
      'Rebooting',
      { node: ours() },
      '→ Quarantining: RebootMissing',
      REBOOT,
    ],
    ['back from Verifying, no reboot wanted, none seen', 'Verifying', { node: ours() }, '→ Verifying: NodeBack'],
    [
      'back from Verifying after a reboot nobody wanted',
      'Verifying',
      { node: rebooted },
      '→ Quarantining: UnexpectedReboot',
    ],
    [
      'back from Verifying after the reboot that was wanted',
      'Verifying',
      { node: rebooted },
      '→ Verifying: NodeBack',
      REBOOT,
    ],
    [
      '[rule 48] another machine under the name',
      'Rebooting',
      { ...GONE, stranger: other },
      '→ Quarantining: MachineReplaced',
    ],
    ['released by a person', 'Upgrading', { ...GONE, ...RELEASED }, '→ Quarantining: Released'],
    ['released by a person though it is back', 'Upgrading', { node: ours(), ...RELEASED }, '→ Quarantining: Released'],
    ['a deletion does not end it', 'Verifying', { ...GONE, ...DELETED }, 'wait: NodeLost'],
    ['a closing does not end it', 'Verifying', { ...GONE, ...CLOSING }, 'wait: NodeLost'],
  ];
  for (const [name, from, over, expected, of = plan()] of cases)
    test(name, () => {
      expect(say(decide(of, since(from), facts(over)))).toBe(expected);
    });

  test('back in Upgrading, a crash half-way is never "done"', () => {
    const back = decide(plan(), since('Upgrading'), facts({ node: rebooted }));
    const state = back.kind === 'move' ? back.to : undefined;
    expect(state).toMatchObject({ phase: 'Upgrading', bootIDBefore: 'boot-1', jobUID: 'uid-job-1', attempt: 1 });
    if (state === undefined) return;
    const next = facts({ node: rebooted, jobs: [job()] });
    expect(say(decide(plan(), state, next))).toBe('→ Quarantining: RebootedDuringJob');
    const done = facts({ node: rebooted, jobs: [job({ finished: COMPLETE })] });
    expect(say(decide(plan(), state, done))).toBe('→ Verifying: JobComplete');
  });
});

describe('Verifying: Ready flips early, so everything else is asked too', () => {
  const since = (seconds: number) => ({ phase: 'Verifying', since: ago(seconds), ...begun }) as const;
  const seen = (over: Partial<NodeView> = {}, pods: NodeFacts['pods'] = []) => facts({ node: ours(over), pods });
  const daemon = { kind: 'DaemonSet', name: 'cni', uid: 'uid-cni' };
  const component = (of: string, version: string) =>
    pod(`${of}-cp-1`, { namespace: 'kube-system', mirror: true, labels: { component: of }, componentVersion: version });

  test('everything as it should be: given back', () => {
    expect(say(decide(plan(), since(30), seen()))).toBe('→ Uncordoning (Succeeded): Verified');
  });

  test.each<[string, NodeFacts, object]>([
    [
      '[rule 64] a start-up taint is still there',
      seen({ taints: [{ key: 'node.cloudprovider.kubernetes.io/uninitialized', value: '', effect: 'NoSchedule' }] }),
      { what: 'Taint', taint: 'node.cloudprovider.kubernetes.io/uninitialized' },
    ],
    [
      '[rule 106] Ready again, but the unreachable taint is still there',
      seen({ taints: [{ key: 'node.kubernetes.io/unreachable', value: '', effect: 'NoExecute' }] }),
      { what: 'Taint', taint: 'node.kubernetes.io/unreachable' },
    ],
    [
      'the kubelet is still the old one',
      seen({ kubeletVersion: 'v1.35.7' }),
      { what: 'Version', want: 'v1.36.4', component: 'kubelet', has: 'v1.35.7' },
    ],
    [
      'a static pod is still the old one',
      seen({ controlPlane: true }, [component('kube-scheduler', 'v1.35.7'), component('etcd', '3.5.1')]),
      { what: 'Version', want: 'v1.36.4', component: 'kube-scheduler', has: 'v1.35.7' },
    ],
    [
      'a DaemonSet pod is not ready',
      seen({}, [pod('cni-x', { namespace: 'kube-system', controller: daemon, ready: false })]),
      { what: 'DaemonSetPod', pod: 'kube-system/cni-x' },
    ],
    ['it turned Ready only now', seen({ readySince: NOW - 10_000 }), { what: 'ReadyLongEnough', at: NOW + 20_000 }],
  ])('%s', (_, of, missing) => {
    const waiting = decide(plan(), since(60), of);
    expect(say(waiting)).toBe('wait: Verifying');
    expect(because(waiting)).toMatchObject({ missing });
    const late = decide(plan(), since(600), of);
    expect(say(late)).toBe('→ Quarantining: VerifyDeadline');
    expect(because(late)).toMatchObject({ missing, seconds: 600 });
  });

  test('caught: not Ready at the deadline, it is lost, not failed: it may be back a minute later', () => {
    const down = seen({ ready: false });
    expect(because(decide(plan(), since(599), down))).toMatchObject({ missing: { what: 'Ready' } });
    expect(say(decide(plan(), since(600), down))).toBe('→ Lost: NodeLost');
    expect(decide(plan(), since(600), down)).toMatchObject({ to: { from: 'Verifying', jobUID: 'uid-job-1' } });
    expect(needsLook(since(600), decide(plan(), since(600), down))).toBe(true);
  });

  test('readySeconds count from entering, not only from Ready', () => {
    expect(say(decide(plan(), since(29), seen()))).toBe('wait: Verifying');
    expect(decide(plan(), since(29), seen())).toMatchObject({ recheckAfterSeconds: 1 });
  });

  test.each<[string, NodeFacts]>([
    [
      'our own cordon and pressure are no start-up taints',
      seen({
        taints: [
          { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' },
          { key: 'node.kubernetes.io/disk-pressure', value: '', effect: 'NoSchedule' },
        ],
      }),
    ],
    [
      'a DaemonSet pod on its way out does not count',
      seen({}, [pod('cni-x', { controller: daemon, ready: false, deletedAt: NOW })]),
    ],
    ['an unready pod of anything else does not count', seen({}, [pod('web-9', { ready: false })])],
    ['etcd has versions of its own', seen({ controlPlane: true }, [component('etcd', '3.5.1')])],
    ['a closing and a deletion do not stop it', { ...seen(), ...CLOSING, ...DELETED }],
    [
      '[rule 115] kube-proxy is not asked for its version',
      seen({ controlPlane: true }, [pod('kube-proxy-x', { namespace: 'kube-system', controller: daemon })]),
    ],
  ])('%s', (_, of) => {
    expect(say(decide(plan(), since(60), of))).toBe('→ Uncordoning (Succeeded): Verified');
  });

  test('where the target is no release, no version is asked', () => {
    const { version: _, ...of } = plan({ target: '2026-11-os' });
    expect(say(decide(of, since(60), seen({ kubeletVersion: 'v1.30.0' })))).toBe('→ Uncordoning (Succeeded): Verified');
  });

  test('the node is gone', () => {
    const gone = decide(plan(), since(60), facts(GONE));
    expect(say(gone)).toBe('→ Lost: NodeLost');
    expect(needsLook(since(60), gone)).toBe(true);
  });

  test('leaving a node cordoned is decided again on a live read', () => {
    const of = seen({ kubeletVersion: 'v1.35.7' });
    expect(needsLook(since(600), decide(plan(), since(600), of))).toBe(true);
  });
});
