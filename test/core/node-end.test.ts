import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NodeState, Plan } from '../../src/api/node-maintenance.ts';
import { edges, PHASES } from '../../src/api/phases.ts';
import { sentence } from '../../src/core/conditions.ts';
import { HELD_BY, LEFT_CORDONED } from '../../src/core/mark.ts';
import { decide, needsLook } from '../../src/core/node.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import { ago, COMPLETE, cordoned, FAILED, job, leftCordoned, node, recalling, refused } from '../support/build.ts';
import { facts, holdPlan, ledger, plan, ticket } from '../support/build-own.ts';
import { because, say } from '../support/say.ts';

type Row = readonly [string, Partial<NodeFacts>, string];
const GONE = { node: undefined, drain: undefined } as const;
const DELETED = { abandoned: { reason: 'PassageDeleted' } } as const;
const idle = job({ suspended: true });

describe('Held', () => {
  const state = { phase: 'Held', since: ago(60) } as const;
  const cases: readonly Row[] = [
    ['it stays out', {}, 'wait: Held'],
    [
      '[rule 42] caught: somebody uncordoned it: said, and not fought over',
      { node: cordoned('uid-passage', { unschedulable: false }) },
      'wait: CordonLost',
    ],
    ['a pause does not end it', { closing: { reason: 'PolicyPaused' } }, 'wait: Held'],
    ['deleted: the node is given back', DELETED, '→ Uncordoning (Succeeded): PassageDeleted'],
    ['the node is gone: no failure', GONE, '→ Cancelled: NodeGone'],
  ];
  for (const [name, over, expected] of cases)
    test(name, () => {
      expect(say(decide(holdPlan(), state, facts(over)))).toBe(expected);
    });

  test.each([
    ['Drain', 'The node is empty and held.'],
    ['Cordon', 'its pods stay on it.'],
  ] as const)('caught: what is said in mode %s is true', (mode, words) => {
    const why = because(decide(holdPlan({ mode }), state, facts()));
    expect(why === undefined ? '' : sentence(why)).toContain(words);
  });
});

describe('Uncordoning: the one door out', () => {
  const state = (verdict: 'Succeeded' | 'Skipped' | 'Cancelled' | 'Failed') =>
    ({ phase: 'Uncordoning', since: ago(5), verdict, reason: 'Why', message: 'Because.' }) as const;
  const MEMORY = plan({ memory: { label: 'drydock.node-restriction.kubernetes.io/os', value: '2026-11-os' } });
  const remembered = { 'drydock.node-restriction.kubernetes.io/os': '2026-11-os' };
  type EndRow = readonly [string, ReturnType<typeof state>['verdict'], Partial<NodeFacts>, string, Plan?];
  const cases: readonly EndRow[] = [
    ['our mark is there: it is taken off', 'Succeeded', {}, 'uncordon: Uncordoning'],
    ['[rule 107] done when it is seen', 'Succeeded', { node: node() }, '→ Succeeded: Uncordoned'],
    ['set aside', 'Skipped', { node: node() }, '→ Skipped: Uncordoned'],
    ['turned back', 'Cancelled', { node: node() }, '→ Cancelled: Uncordoned'],
    ['failed before the Job', 'Failed', { node: node() }, '→ Failed: Uncordoned'],
    [
      '[C2] a cordon that is not ours is not lifted',
      'Cancelled',
      { node: node('worker-1', { unschedulable: true }) },
      '→ Cancelled: Uncordoned',
    ],
    ['the mark of another is not ours', 'Cancelled', { node: cordoned('uid-other') }, '→ Cancelled: Uncordoned'],
    [
      'uncordoned by a person, our mark still there: taken off',
      'Skipped',
      { node: cordoned('uid-passage', { unschedulable: false }) },
      'uncordon: Uncordoning',
    ],
    ['the node is gone', 'Skipped', GONE, '→ Skipped: NodeGone'],
    ['a Job that never ran goes first', 'Cancelled', { jobs: [idle] }, 'deleteJob 1: CleaningUp'],
    [
      'a Job on its way out is awaited no longer',
      'Cancelled',
      { jobs: [{ ...idle, deleting: true }] },
      'uncordon: Uncordoning',
    ],
    [
      'a finished Job is kept until its result is stored',
      'Succeeded',
      { jobs: [job({ finished: COMPLETE })] },
      'uncordon: Uncordoning',
    ],
    ['a prepare Job at work is let end', 'Skipped', { jobs: [job({}, 'prepare')] }, 'uncordon: Uncordoning'],
    ['the target needs a label: written in the same patch', 'Succeeded', {}, 'uncordon: Uncordoning', MEMORY],
    ['the mark is off but the label is missing', 'Succeeded', { node: node() }, 'uncordon: Uncordoning', MEMORY],
    [
      'mark off and label seen',
      'Succeeded',
      { node: node('worker-1', { labels: remembered }) },
      '→ Succeeded: Uncordoned',
      MEMORY,
    ],
    ['nothing is remembered of what did not succeed', 'Skipped', { node: node() }, '→ Skipped: Uncordoned', MEMORY],
  ];
  for (const [name, verdict, over, expected, of = plan()] of cases)
    test(name, () => {
      expect(say(decide(of, state(verdict), facts(over)))).toBe(expected);
    });

  test('the verdict and why it ends are kept', () => {
    expect(decide(plan(), state('Skipped'), facts({ node: node() }))).toMatchObject({
      to: { phase: 'Skipped', since: ago(0), reason: 'Why', message: 'Because.' },
    });
  });

  test('label and uncordon are one patch', () => {
    const [effect] = effectsOf(decide(MEMORY, state('Succeeded'), facts()));
    expect(effect).toMatchObject({ unschedulable: false, labels: remembered, annotations: { [HELD_BY]: null } });
  });

  test('[J1] an idle Job is deleted only as it was seen, so that one released since survives', () => {
    expect(effectsOf(decide(plan(), state('Cancelled'), facts({ jobs: [idle] })))).toEqual([
      { kind: 'deleteJob', name: idle.name, uid: 'uid-job-1', resourceVersion: '5' },
    ]);
  });

  test('caught: a cordon that was sent and is not in the cache yet looks like none, so the end is looked at', () => {
    for (const verdict of ['Succeeded', 'Skipped', 'Cancelled', 'Failed'] as const) {
      expect(needsLook(state(verdict), decide(plan(), state(verdict), facts({ node: node() })))).toBe(true);
      expect(say(decide(plan(), state(verdict), facts()))).toBe('uncordon: Uncordoning');
    }
  });
});

describe('Quarantining: left for a person to look at', () => {
  const state = { phase: 'Quarantining', since: ago(5), reason: 'JobFailed', message: 'exit code 1' } as const;
  const released = { passage: { ...facts().passage, released: true } };
  const cases: readonly Row[] = [
    ['our mark is there: it says why', {}, 'quarantine: Quarantining'],
    ['seen', { node: leftCordoned('uid-passage') }, '→ Failed: LeftCordoned'],
    ['no mark of ours (mode Leave)', { node: node() }, '→ Failed: LeftCordoned'],
    ['the mark of another is not touched', { node: cordoned('uid-other') }, '→ Failed: LeftCordoned'],
    ['the node is gone', GONE, '→ Failed: LeftCordoned'],
    ['a Job at work is let end', { jobs: [job()] }, 'quarantine: Quarantining'],
    ['released by a person: the Job goes, by UID', { jobs: [job()], ...released }, 'deleteJob 1: CleaningUp'],
    [
      'released by a person: the Job is on its way out',
      { jobs: [job({ deleting: true })], ...released },
      'quarantine: Quarantining',
    ],
    [
      'released by a person: the prepare Job is no matter',
      { jobs: [job({}, 'prepare')], ...released },
      'quarantine: Quarantining',
    ],
  ];
  for (const [name, over, expected] of cases)
    test(name, () => {
      expect(say(decide(plan(), state, facts(over)))).toBe(expected);
    });

  test('the mark becomes one that explains itself, and the node stays cordoned', () => {
    const [effect] = effectsOf(decide(plan(), state, facts()));
    expect(effect).toMatchObject({ as: 'quarantine', unschedulable: true, annotations: { [HELD_BY]: null } });
    const written = effect?.kind === 'patchNode' ? effect.annotations?.[LEFT_CORDONED] : undefined;
    expect(JSON.parse(written ?? '{}')).toMatchObject({
      uid: 'uid-passage',
      reason: 'JobFailed',
      message: 'exit code 1',
      since: ago(0),
    });
  });

  test('a released Job is deleted by UID, whatever its version', () => {
    expect(effectsOf(decide(plan(), state, facts({ jobs: [job()], ...released })))).toEqual([
      { kind: 'deleteJob', name: job().name, uid: 'uid-job-1' },
    ]);
  });
});

describe('settled: it tidies up after itself and rests', () => {
  const ended = { since: ago(5), reason: 'Why', message: '' };
  const unfinalized = { passage: { ...facts().passage, finalizers: [] } };
  const cases: readonly Row[] = [
    [
      'its finished Jobs go',
      { jobs: [job({ finished: COMPLETE }), job({ finished: COMPLETE }, 'prepare')] },
      'deleteJob 1, deleteJob prepare: CleaningUp',
    ],
    ['its idle Job goes', { jobs: [idle] }, 'deleteJob 1: CleaningUp'],
    ['[J1] a Job at work stays', { jobs: [job()], ...unfinalized }, 'rest'],
    [
      'a Job on its way out is left alone',
      { jobs: [job({ finished: FAILED, deleting: true })], ...unfinalized },
      'rest',
    ],
    ['its finalizer goes last', {}, 'finalizers []: CleaningUp'],
    ['nothing is left to do', unfinalized, 'rest'],
    ['a finalizer of others is not its own', { passage: { ...facts().passage, finalizers: ['a/b'] } }, 'rest'],
  ];
  for (const phase of ['Succeeded', 'Skipped', 'Cancelled', 'Failed'] as const)
    for (const [name, over, expected] of cases)
      test(`${phase}: ${name}`, () => {
        expect(say(decide(plan(), { phase, ...ended }, facts(over)))).toBe(expected);
      });

  test('Cancelled before there was a plan, for want of a node: its finalizer goes all the same', () => {
    expect(say(decide(undefined, { phase: 'Cancelled', ...ended }, facts(GONE)))).toBe('finalizers []: CleaningUp');
  });
});

test('a passage past Pending whose plan is lost from status waits and says so', () => {
  const state = { phase: 'Draining', since: ago(5) } as const;
  expect(say(decide(undefined, state, facts()))).toBe('wait: Refused');
});

describe('[S1] only steps in the table', () => {
  const begun = { attempt: 1, jobUID: 'uid-job-1', bootIDBefore: 'boot-1', machineID: 'm' };
  const why = { reason: 'Why', message: '' };
  const stateOf = (phase: (typeof PHASES)[number], seconds: number, from: 'Upgrading' | 'Rebooting' | 'Verifying') =>
    ({ phase, since: ago(seconds), ...begun, ...why, verdict: 'Skipped', from }) as unknown as NodeState;
  const anyFacts = fc.record<Partial<NodeFacts>>({
    node: fc.constantFrom(
      undefined,
      node(),
      cordoned('uid-passage'),
      cordoned('uid-other'),
      cordoned('uid-passage', { bootID: 'boot-2', ready: false }),
    ),
    stranger: fc.constantFrom(undefined, node('worker-1', { uid: 'uid-new' })),
    ledger: fc.constantFrom(undefined, ledger(), ledger([ticket()]), ledger([ticket({ passageUID: 'uid-passage' })])),
    jobs: fc.subarray([
      job(),
      job({ finished: COMPLETE }),
      job({ finished: FAILED }),
      job({ suspended: true }, 2),
      job({ finished: FAILED }, 'prepare'),
    ]),
    attached: fc.constantFrom([], ['pv-1']),
    passage: fc.constantFrom(facts().passage, { ...facts().passage, released: true }),
  });
  const reasons = fc.record(
    {
      closing: fc.constant({ reason: 'WindowClosed' } as const),
      abandoned: fc.constant({ reason: 'PassageDeleted' } as const),
    },
    { requiredKeys: [] },
  );
  const anyPlan = fc.constantFrom(
    plan(),
    holdPlan(),
    plan({}, { attempts: 3, reboot: 'Expected' }, { mode: 'Cordon' }),
    plan({}, {}, { mode: 'Leave' }),
  );
  const refusing = recalling({ [`createJob/${job().name}`]: [refused(), 1] });

  test('whatever is seen, in whatever state', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PHASES),
        fc.constantFrom(0, 60, 400, 5000),
        fc.constantFrom('Upgrading', 'Rebooting', 'Verifying'),
        anyFacts,
        reasons,
        anyPlan,
        (phase, seconds, from, seen, why, of) => {
          const empty = seen.node === undefined ? { drain: undefined } : {};
          const decision = decide(
            of,
            stateOf(phase, seconds, from),
            facts({ ...seen, ...why, ...empty, recall: refusing }),
          );
          if (decision.kind === 'move') expect(edges[phase] as readonly string[]).toContain(decision.to.phase);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

function effectsOf(decision: ReturnType<typeof decide>) {
  return decision.kind === 'act' ? decision.effects : [];
}
