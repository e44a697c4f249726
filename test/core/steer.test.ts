import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_DRAIN } from '../../src/api/maintenance-profile.ts';
import type { ChoiceFacts } from '../../src/core/choice.ts';
import { DUE } from '../../src/core/mark.ts';
import { decideRollout } from '../../src/core/rollout.ts';
import type { RolloutFacts } from '../../src/core/rollout-facts.ts';
import { due } from '../../src/core/steer.ts';
import type { NodeView } from '../../src/core/world.ts';
import { ago, cordoned, NOW, node, recalling, refused } from '../support/build.ts';
import { ledger, passage, profile, rolloutFacts, ticket, upgrade, windowObject } from '../support/build-own.ts';
import { say } from '../support/say.ts';
import { cp, facts, out, remembered, worker } from './choosing.ts';

const taint = (value = 'to-1-36') => ({ key: DUE, value, effect: 'PreferNoSchedule' });
const steered = (index: number, over: Partial<NodeView> = {}) => worker(index, { taints: [taint()], ...over });
const workers = (count: number) => Array.from({ length: count }, (_, at) => worker(at + 1));
const first = ledger([out('worker-1')]);

describe('the nodes that should carry the soft taint', () => {
  const named = (over: Partial<ChoiceFacts>, rollout: object = {}) =>
    due(facts({ nodes: workers(6), ledger: first, ...over }, rollout))
      .map(({ name }) => name.replace('worker-', ''))
      .join(' ');
  const six = (over: Readonly<Record<number, NodeView>>) => workers(6).map((each, at) => over[at + 1] ?? each);
  test.each<[string, string, string]>([
    ['are all that are to do but the last', named({}), '2 3 4 5'],
    [
      'leave as many without it as may be out at once',
      named({ nodes: workers(9) }, { maxUnavailable: 2 }),
      '2 3 4 5 6 7',
    ],
    [
      'leave as many without it as the cluster lets out',
      named({ policyMaxUnavailable: 1 }, { maxUnavailable: 2 }),
      '2 3 4 5',
    ],
    ['are none before anything is on its way', named({ ledger: ledger() }), ''],
    [
      'are none while only somebody else has a node',
      named({
        ledger: ledger([out('worker-1', { holder: { kind: 'NodeMaintenance', name: 'fan', uid: 'uid-fan' } })]),
      }),
      '',
    ],
    ['are none while only a failed node waits for a person', named({ takeOver: new Set(['worker-1']) }), ''],
    ['are none where people do not want it', named({}, { steer: false }), ''],
    ['are none where no pod is moved', named({ drain: { ...DEFAULT_DRAIN, mode: 'Cordon' } }), ''],
    ['are none that is done', named({ nodes: six({ 2: worker(2, remembered) }) }), '3 4 5 6'],
    ['are none that has a ticket', named({ ledger: ledger([out('worker-1'), out('worker-2')]) }), '3 4 5'],
    ['are none that has failed', named({ failed: new Set(['worker-2']) }), '3 4 5 6'],
    ['are none that is set aside', named({ setAside: new Map([['worker-2', NOW + 1]]) }), '3 4 5 6'],
    ['are none that takes no pods anyway', named({ nodes: six({ 2: worker(2, { unschedulable: true }) }) }), '3 4 5'],
    ['are none that is not Ready', named({ nodes: six({ 2: worker(2, { ready: false }) }) }), '3 4 5'],
    [
      'are none that has taints of others',
      named({ nodes: six({ 2: worker(2, { taints: [{ key: 'gpu', value: '', effect: 'NoSchedule' }] }) }) }),
      '3 4 5',
    ],
    [
      'are none that another upgrade is about to take',
      named({ nodes: six({ 2: worker(2, { taints: [taint('os')] }) }) }),
      '3 4 5',
    ],
    [
      'keep it as long as they are to do, though others come before them',
      named({ nodes: six({ 6: steered(6) }) }),
      '6 2 3 4',
    ],
    ['keep it when nothing is on its way', named({ ledger: ledger(), nodes: six({ 2: steered(2) }) }), '2'],
    ['leave one node that has none: the last of three', named({ nodes: workers(3) }), '2'],
    ['leave one node that has none: the only other one', named({ nodes: workers(2) }), ''],
    [
      'leave one node that has none, though they had it before',
      named({ nodes: [worker(1), steered(2), steered(3)] }),
      '2',
    ],
    [
      'may be all that are left when one is done',
      named({ nodes: [worker(1), worker(2), worker(3), worker(4, remembered)] }),
      '2 3',
    ],
    [
      'are control planes before workers',
      named({ nodes: [cp(1), cp(2), ...workers(4)], ledger: ledger([out('cp-1', { controlPlane: true })]) }),
      'cp-2 1 2 3',
    ],
  ])('%s', (_, got, expected) => {
    expect(got).toBe(expected);
  });

  test('whatever is seen, a node without any taint is left to take pods', () => {
    const any = fc.record({
      done: fc.boolean(),
      due: fc.boolean(),
      gpu: fc.boolean(),
      ready: fc.boolean(),
      unschedulable: fc.boolean(),
      held: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 8 }), fc.integer({ min: 1, max: 5 }), (all, maxUnavailable) => {
        const gpu = { key: 'gpu', value: '', effect: 'NoSchedule' };
        const nodes = all.map((of, index) =>
          worker(index, {
            ready: of.ready,
            unschedulable: of.unschedulable,
            taints: [...(of.due ? [taint()] : []), ...(of.gpu ? [gpu] : [])],
            ...(of.done ? remembered : {}),
          }),
        );
        const tickets = all.flatMap(({ held }, index) => (held ? [out(`worker-${index}`)] : []));
        const next = due(facts({ nodes, ledger: ledger(tickets) }, { maxUnavailable }));
        const left = nodes.filter(
          (each, index) =>
            each.ready && !each.unschedulable && !all[index]?.held && !all[index]?.gpu && !next.includes(each),
        );
        if (next.length > 0) expect(left.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('a pass', () => {
  const nodes = workers(5);
  const flying = ledger([ticket({ passageUID: 'uid-passage' })]);
  const draining = passage({ phase: 'Draining', since: ago(60) });
  const base = { nodes, ledger: flying, passages: [draining] };
  const decided = (over: Partial<RolloutFacts>) => decideRollout(rolloutFacts({ ...base, ...over }));
  const saidOf = (over: Partial<RolloutFacts>) => {
    const decision = decided(over);
    if (decision.kind !== 'act') return say(decision);
    return decision.effects
      .map((effect) => (effect.kind === 'patchNode' ? `${effect.as} ${effect.nodeName}` : effect.kind))
      .join(', ');
  };
  const marked = nodes.map((each) => ({ ...each, taints: [taint()] }));
  const gone = 'unsteer worker-1, unsteer worker-2, unsteer worker-3, unsteer worker-4, unsteer worker-5';
  const doneAll = marked.map((each) => ({ ...each, kubeletVersion: 'v1.36.4' }));
  const shut = [{ name: 'nights', object: windowObject('nights') }];
  const lost = { nodeName: 'worker-9', reason: 'x', time: ago(9) };
  test.each<[string, Partial<RolloutFacts>, string]>([
    ['sets it on the next nodes', {}, 'steer worker-2, steer worker-3, steer worker-4'],
    [
      'sets it where it is missing only',
      { nodes: nodes.map((each, at) => (at === 1 ? { ...each, taints: [taint()] } : each)) },
      'steer worker-3, steer worker-4',
    ],
    ['rests when it is where it should be', { nodes: [...marked.slice(0, 4), worker(5)] }, 'wait: NoRoom'],
    ['admits first', { ledger: ledger(), passages: [] }, 'writeLedger'],
    ['sends first', { passages: [], ledger: ledger([ticket()]) }, 'createPassage'],
    ['takes it back in a closed window', { nodes: marked, windows: shut }, gone],
    ['takes it back while it is paused', { nodes: marked, upgrade: upgrade({ mode: 'Paused' }) }, gone],
    [
      'takes it back when it is halted',
      { nodes: marked, upgrade: upgrade({}, { status: { failures: [lost] } }) },
      gone,
    ],
    ['takes it back when it is invalid', { nodes: marked, profile: undefined }, gone],
    ['takes it back when it is deleted', { nodes: marked, upgrade: upgrade({}, { deletedAt: NOW }) }, gone],
    ['takes it back without a ledger', { nodes: marked, ledger: undefined }, gone],
    [
      'takes it back when people want it no more',
      { nodes: marked, upgrade: upgrade({ rollout: { steer: false } }) },
      gone.replace('unsteer worker-1, ', ''),
    ],
    [
      'takes it back when everything is done, whatever else there is to tidy up first',
      { nodes: doneAll, ledger: ledger(), passages: [], upgrade: upgrade({}, { finalizers: [] }) },
      gone,
    ],
    [
      'takes it back when workers wait for a control plane',
      { nodes: marked, ledger: ledger(), passages: [], controlPlane: { server: 'v1.35.7', components: [] } },
      gone,
    ],
    [
      'keeps it on a node that is out',
      { nodes: [cordoned('uid-passage', { taints: [taint()] })], windows: shut },
      'wait: WindowClosed',
    ],
    ['keeps it on a node that is about to be', { nodes: [{ ...worker(1), taints: [taint()] }] }, 'wait: Rolling'],
    [
      'keeps it on a node that is not Ready for the moment',
      { nodes: [worker(1), steered(2, { ready: false }), steered(3), worker(4, { kubeletVersion: 'v1.36.4' })] },
      'wait: NoRoom',
    ],
    [
      'leaves that of another upgrade alone',
      { nodes: nodes.map((each) => ({ ...each, taints: [taint('os')] })), windows: shut },
      'wait: WindowClosed',
    ],
    [
      'keeps it while between two nodes there is only no room',
      {
        nodes: [worker(1, { unschedulable: true, kubeletVersion: 'v1.36.4' }), ...marked.slice(1, 4), worker(5)],
        ledger: ledger(),
        passages: [],
      },
      'wait: NoRoom',
    ],
  ])('%s', (_, over, expected) => {
    expect(saidOf(over)).toContain(expected);
  });

  test('is not held up by a node that may not be patched, and tries it again in a minute', () => {
    const answered = (over: Parameters<typeof refused>[0], seconds: number) =>
      saidOf({ recall: recalling({ 'patchNode/steer/worker-2': [refused(over), seconds] }) });
    expect(answered({}, 59)).toBe('steer worker-3, steer worker-4');
    expect(answered({}, 61)).toBe('steer worker-2, steer worker-3, steer worker-4');
    expect(answered({ why: 'conflict' }, 1)).toBe('steer worker-2, steer worker-3, steer worker-4');
  });

  test('comes back soon, and patches twenty nodes at most, so that an admission does not wait for long', () => {
    const many = decided({
      nodes: workers(99),
      profile: profile(),
      upgrade: upgrade({ rollout: { maxUnavailable: 20 } }),
      ledger: ledger(
        workers(20).map(({ name }) =>
          ticket({ nodeName: name, nodeUID: `uid-${name}`, ticket: `t-${name}`, passageUID: `p-${name}` }),
        ),
      ),
    });
    expect(many).toMatchObject({ kind: 'act', because: { reason: 'Steering' }, recheckAfterSeconds: 10 });
    expect(many.kind === 'act' ? many.effects.length : 0).toBe(20);
  });
});

test('what is written is the taints that were there and this one, or without this one', () => {
  const others = [{ key: 'a', value: 'b', effect: 'NoExecute', timeAdded: '2026-11-10T11:00:00Z' }];
  const decision = decideRollout(
    rolloutFacts({
      windows: [{ name: 'nights', object: windowObject('nights') }],
      nodes: [node('worker-1', { taints: [taint(), ...others] })],
    }),
  );
  expect(decision).toMatchObject({
    effects: [{ kind: 'patchNode', as: 'unsteer', nodeName: 'worker-1', resourceVersion: '5', taints: { others } }],
  });
});
