import { describe, expect, test } from 'vitest';
import type { NodeState, Plan } from '../../src/api/node-maintenance.ts';
import { nodeMaintenance } from '../../src/api/node-maintenance.ts';
import { PHASES } from '../../src/api/phases.ts';
import { sentence } from '../../src/core/conditions.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import { passageStatus } from '../../src/core/passage-report.ts';
import { threatOf } from '../../src/core/threat.ts';
import { ago, ahead, cordoned, NOW, pod } from '../support/build.ts';
import { facts, holdPlan, passage, plan } from '../support/build-own.ts';

const CORDON = plan({}, { reboot: 'Expected' }, { mode: 'Cordon' });
const DOWN = cordoned('uid-passage', { ready: false, readySince: NOW - 40_000 });
const web = pod('web-1');
const cache = pod('cache-1', { evictedAfterSeconds: 60, controller: { kind: 'StatefulSet', name: 'cache', uid: 'u' } });
const { evictedAfterSeconds: _, ...bare } = pod('agent-1');
const agent = { ...bare, controller: { kind: 'DaemonSet', name: 'agent', uid: 'uid-agent' } };
const seen = (pods: NodeFacts['pods'], over: Partial<NodeFacts> = {}) => facts({ node: DOWN, pods, ...over });
const begun = { attempt: 1, jobUID: 'j', bootIDBefore: 'boot-1', machineID: 'm', from: 'Rebooting' } as const;
const inPhase = (phase: string) => ({ phase, since: ago(60), ...begun, verdict: 'Skipped' }) as unknown as NodeState;

describe('pods that stayed on a node which is away', () => {
  test('each is named with its owner and the time at which Kubernetes deletes it, the first ones first', () => {
    const threat = threatOf(CORDON, inPhase('Rebooting'), seen([web, agent, cache]));
    expect(threat?.because).toEqual({
      reason: 'PodsWillBeDeleted',
      since: NOW - 40_000,
      pods: 2,
      names: ['shop/cache-1', 'shop/web-1'],
      deleted: 0,
      at: NOW + 20_000,
    });
    expect(threat?.blockers).toMatchObject([
      { pod: 'shop/cache-1', owner: 'StatefulSet/cache', message: expect.stringContaining(ahead(20)) },
      { pod: 'shop/web-1', owner: 'ReplicaSet/web', message: expect.stringContaining(ahead(260)), since: ago(40) },
    ]);
  });

  test('the sentence says when, how many, which and what to do', () => {
    const many = Array.from({ length: 9 }, (__, index) => pod(`web-${index}`));
    const because = threatOf(CORDON, inPhase('Rebooting'), seen(many))?.because;
    const said = because === undefined ? '' : sentence(because);
    expect(said).toContain(`deletes 9 pods on it from ${ahead(260)} on`);
    expect(said).toContain('shop/web-0, shop/web-1, shop/web-2, shop/web-3, shop/web-4 and 4 more.');
    expect(said).toContain('Bring it back');
  });

  test.each<[string, NodeFacts, object | undefined]>([
    ['one that tolerates nothing goes at once', seen([pod('a', { evictedAfterSeconds: 0 })]), { at: NOW - 40_000 }],
    [
      'what is being deleted already is counted',
      seen([pod('a', { deletedAt: NOW - 1 }), web]),
      { pods: 1, deleted: 1 },
    ],
    ['and said when nothing else is left', seen([pod('a', { deletedAt: NOW - 1 })]), { pods: 0, deleted: 1 }],
    ['caught: what tolerates it for ever is not threatened', seen([agent]), undefined],
    ['what has ended loses nothing', seen([pod('a', { phase: 'Succeeded' })]), undefined],
    ['no pod, no word', seen([]), undefined],
    ['the node is Ready', facts({ pods: [web] }), undefined],
    ['the node is gone: another story', facts({ node: undefined, pods: [web] }), undefined],
  ])('%s', (__, of, expected) => {
    const because = threatOf(CORDON, inPhase('Rebooting'), of)?.because;
    if (expected === undefined) expect(because).toBeUndefined();
    else expect(because).toMatchObject(expected);
  });

  test.each<[string, Plan, readonly string[]]>([
    ['mode Cordon', CORDON, ['Held', 'Upgrading', 'Rebooting', 'Lost', 'Verifying']],
    ['mode Leave', plan({}, {}, { mode: 'Leave' }), ['Held', 'Upgrading', 'Rebooting', 'Lost', 'Verifying']],
    ['a hold that only cordons', holdPlan({ mode: 'Cordon' }), ['Held', 'Upgrading', 'Rebooting', 'Lost', 'Verifying']],
    ['caught: mode Drain, where whoever may leave has left', plan(), []],
  ])('it is said in %s, in these phases', (__, of, expected) => {
    const told = PHASES.filter((phase) => threatOf(of, inPhase(phase), seen([web])) !== undefined);
    expect(told).toEqual(expected);
  });
});

describe('the status of such a passage', () => {
  const told = (over: Partial<NodeFacts>) => {
    const state = nodeMaintenance.status.parse({ state: inPhase('Rebooting') }).state;
    const because = { reason: 'WaitingForReboot', deadline: NOW + 60_000 } as const;
    return passageStatus(passage(state).status, CORDON, state, because, facts(over), 1);
  };
  const blocked = (status: ReturnType<typeof told>) => status.conditions.find(({ type }) => type === 'Blocked');

  test('is Blocked with the reason, and keeps saying what it waits for', () => {
    const status = told({ node: DOWN, pods: [web] });
    expect(blocked(status)).toMatchObject({ status: 'True', reason: 'PodsWillBeDeleted' });
    expect(status.conditions[0]).toMatchObject({ type: 'Ready', status: 'False', reason: 'WaitingForReboot' });
    expect(status.blockers).toMatchObject([{ pod: 'shop/web-1', reason: 'PodsWillBeDeleted', since: ago(40) }]);
    expect(nodeMaintenance.status.safeParse(status).error).toBeUndefined();
  });

  test('and says so no longer than it lasts', () => {
    expect(blocked(told({ pods: [web] }))).toMatchObject({ status: 'False' });
    expect(told({ pods: [web] }).blockers).toEqual([]);
  });
});
