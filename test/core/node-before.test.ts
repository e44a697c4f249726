import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/api/node-maintenance.ts';
import { decide, needsLook } from '../../src/core/node.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import { ago, COMPLETE, cordoned, FAILED, job, NOW, node, PASSAGE, pod, recalling, refused } from '../support/build.ts';
import { facts, holdPlan, ledger, plan, ticket } from '../support/build-own.ts';
import { because, say } from '../support/say.ts';

type Row = readonly [string, Partial<NodeFacts>, string, Plan?];
const CLOSING = { closing: { reason: 'WindowClosed' } } as const;
const DELETED = { abandoned: { reason: 'PassageDeleted' } } as const;
const GONE = { node: undefined, drain: undefined } as const;
const LEAVE = plan({}, {}, { mode: 'Leave' });
const CORDON = plan({}, {}, { mode: 'Cordon' });

describe('Preparing: the image is fetched and the check run before the node is touched', () => {
  const since = (seconds: number) => ({ phase: 'Preparing', since: ago(seconds) }) as const;
  const cases: readonly Row[] = [
    ['nothing has been made yet: the prepare Job is', {}, 'createJob prepare: Preparing'],
    ['its Job is there: it waits', { jobs: [job({}, 'prepare')] }, 'wait: Preparing'],
    ['its Job is complete', { jobs: [job({ finished: COMPLETE }, 'prepare')] }, '→ Cordoning: Prepared'],
    [
      'the check failed: set aside, the node untouched',
      { jobs: [job({ finished: FAILED }, 'prepare')] },
      '→ Uncordoning (Skipped): PrepareFailed',
    ],
    [
      'an upgrade Job says nothing about preparation',
      { jobs: [job({ finished: COMPLETE }, 1)] },
      'createJob prepare: Preparing',
    ],
    ['nothing to prepare', {}, '→ Cordoning: Prepared', plan({}, { prePull: false })],
    ['a hold has nothing to prepare', {}, '→ Cordoning: Prepared', holdPlan()],
    [
      'mode Leave goes on without a cordon',
      { jobs: [job({ finished: COMPLETE }, 'prepare')] },
      '→ Starting (1): Prepared',
      LEAVE,
    ],
    ['the window closed: the node is put back', CLOSING, '→ Uncordoning (Cancelled): WindowClosed'],
    ['the passage was deleted', DELETED, '→ Uncordoning (Cancelled): PassageDeleted'],
    ['the node is gone', GONE, '→ Cancelled: NodeGone'],
  ];
  for (const [name, over, expected, of = plan()] of cases)
    test(name, () => {
      expect(say(decide(of, since(10), facts({ node: node(), ...over })))).toBe(expected);
    });

  test.each<[string, Partial<NodeFacts>, string]>([
    ['a Job that does not end', { jobs: [job({}, 'prepare')] }, '→ Uncordoning (Skipped): PrepareDeadline'],
    ['a Job that cannot be made', {}, '→ Uncordoning (Skipped): PrepareDeadline'],
    ['a Job that is complete after all', { jobs: [job({ finished: COMPLETE }, 'prepare')] }, '→ Cordoning: Prepared'],
  ])('at the deadline, %s', (_, over, expected) => {
    expect(say(decide(plan(), since(600), facts({ node: node(), ...over })))).toBe(expected);
    expect(say(decide(plan(), since(599), facts({ node: node() })))).toBe('createJob prepare: Preparing');
  });

  test('[rule 59] the end of its container becomes the reason', () => {
    const ended = { exitCode: 3, message: 'etcd has an alarm' };
    const jobPods = [pod('p', { labels: { 'job-name': `${PASSAGE}-prepare` }, ended })];
    const decision = decide(plan(), since(10), facts({ jobs: [job({ finished: FAILED }, 'prepare')], jobPods }));
    expect(because(decision)).toEqual({ reason: 'PrepareFailed', detail: 'etcd has an alarm' });
  });

  test('[rule 58] a wrong image says so while it waits, and costs no disruption', () => {
    const waiting = { reason: 'ImagePullBackOff', message: 'not found' };
    const jobPods = [pod('p', { labels: { 'batch.kubernetes.io/job-name': `${PASSAGE}-prepare` }, waiting })];
    const decision = decide(plan(), since(10), facts({ jobs: [job({}, 'prepare')], jobPods }));
    expect(because(decision)).toEqual({
      reason: 'JobCannotRun',
      job: `${PASSAGE}-prepare`,
      detail: 'ImagePullBackOff: not found',
    });
    expect(say(decide(plan(), since(600), facts({ jobs: [job({}, 'prepare')], jobPods })))).toMatch(/PrepareDeadline$/);
  });

  test('a refusal of the Job is said', () => {
    const recall = recalling({ [`createJob/${PASSAGE}-prepare`]: [refused({ message: 'quota' }), 1] });
    expect(because(decide(plan(), since(10), facts({ recall })))).toEqual({ reason: 'Preparing', detail: 'quota' });
  });

  test('only the step past the cordon, and a failure whose reason may not have been seen, are decided again on a live read', () => {
    const done = facts({ node: node(), jobs: [job({ finished: COMPLETE }, 'prepare')] });
    expect(needsLook(since(10), decide(LEAVE, since(10), done))).toBe(true);
    expect(needsLook(since(10), decide(plan(), since(10), done))).toBe(false);
    const failed = facts({ node: node(), jobs: [job({ finished: FAILED }, 'prepare')] });
    expect(needsLook(since(10), decide(plan(), since(10), failed))).toBe(true);
  });
});

describe('Cordoning: one patch', () => {
  const since = (seconds: number) => ({ phase: 'Cordoning', since: ago(seconds) }) as const;
  const cases: readonly Row[] = [
    ['the node is as it was: it is cordoned', { node: node() }, 'cordon: Cordoning'],
    [
      'cordoned by a person, without our mark: it is marked',
      { node: node('worker-1', { unschedulable: true }) },
      'cordon: Cordoning',
    ],
    [
      'our mark without the cordon is no cordon',
      { node: cordoned('uid-passage', { unschedulable: false }) },
      'cordon: Cordoning',
    ],
    ['the mark of another passage is not ours', { node: cordoned('uid-other') }, 'cordon: Cordoning'],
    ['seen', {}, '→ Draining: Cordoned'],
    ['seen, mode Cordon: the pods stay', {}, '→ Starting (1): Cordoned', CORDON],
    ['seen, a hold that only cordons', {}, '→ Held: Held', holdPlan({ mode: 'Cordon' })],
    ['seen, a hold that drains', {}, '→ Draining: Cordoned', holdPlan()],
    ['the window closed', CLOSING, '→ Uncordoning (Cancelled): WindowClosed'],
    ['the passage was deleted', DELETED, '→ Uncordoning (Cancelled): PassageDeleted'],
    ['the node is gone', GONE, '→ Cancelled: NodeGone'],
  ];
  for (const [name, over, expected, of = plan()] of cases)
    test(name, () => {
      expect(say(decide(of, since(10), facts(over)))).toBe(expected);
    });

  test('refused for 300 s: put back and set aside, with what the API server said', () => {
    const recall = recalling({ 'patchNode/cordon/worker-1': [refused({ message: 'webhook says no' }), 1] });
    const late = decide(plan(), since(300), facts({ node: node(), recall }));
    expect(say(late)).toBe('→ Uncordoning (Skipped): CordonDeadline');
    expect(because(late)).toMatchObject({ detail: 'webhook says no' });
    expect(say(decide(plan(), since(299), facts({ node: node() })))).toBe('cordon: Cordoning');
    expect(say(decide(plan(), since(300), facts()))).toBe('→ Draining: Cordoned');
  });

  test('the mark names passage and ticket; a hold finds its ticket in the ledger', () => {
    const ofPassage = decide(plan(), since(1), facts({ node: node() }));
    expect(JSON.stringify(ofPassage)).toContain('\\"ticket\\":\\"uid-policy-1\\"');
    const spec = { nodeName: 'worker-1', hold: true, reason: 'fan' } as const;
    const seen = facts({ node: node(), ledger: ledger([ticket({ ticket: 'uid-policy-9' })]) });
    const ofHold = decide(holdPlan(), since(1), { ...seen, passage: { ...seen.passage, spec } });
    expect(JSON.stringify(ofHold)).toContain('\\"ticket\\":\\"uid-policy-9\\"');
  });

  const excluded = { loadBalancer: { exclude: true, waitSeconds: 20 } };
  const EXCLUDED = plan({}, {}, { mode: 'Cordon', ...excluded });
  const sent = (seconds: number) => recalling({ 'patchNode/cordon/worker-1': [{ ok: true }, seconds] });
  test.each<[string, Plan, number, Partial<NodeFacts>, string]>([
    ['caught: not before load balancers had their time', EXCLUDED, 19, {}, 'wait: WaitingForLoadBalancer'],
    [
      'caught: nor a hold that only cordons',
      holdPlan({ mode: 'Cordon', ...excluded }),
      19,
      {},
      'wait: WaitingForLoadBalancer',
    ],
    ['then it begins', EXCLUDED, 20, {}, '→ Starting (1): Cordoned'],
    ['then it is held', holdPlan({ mode: 'Cordon', ...excluded }), 20, {}, '→ Held: Held'],
    [
      'counted from the cordon, however long that took',
      EXCLUDED,
      200,
      { recall: sent(19) },
      'wait: WaitingForLoadBalancer',
    ],
    [
      'or from when this process began to act',
      EXCLUDED,
      200,
      { actingSince: NOW - 19_000 },
      'wait: WaitingForLoadBalancer',
    ],
    ['a closing puts it back meanwhile', EXCLUDED, 19, CLOSING, '→ Uncordoning (Cancelled): WindowClosed'],
    ['mode Drain waits in Draining, where it evicts', plan({}, {}, excluded), 1, {}, '→ Draining: Cordoned'],
  ])('pods that stay still get traffic: %s', (_, of, seconds, over, expected) => {
    expect(say(decide(of, since(seconds), facts(over)))).toBe(expected);
  });

  test('mode Cordon is looked at before its Job, since nothing else will be', () => {
    expect(needsLook(since(1), decide(CORDON, since(1), facts()))).toBe(true);
    expect(needsLook(since(1), decide(plan(), since(1), facts()))).toBe(false);
  });
});

describe('Detaching: volumes may leave', () => {
  const since = (seconds: number) => ({ phase: 'Detaching', since: ago(seconds) }) as const;
  const ours = ledger([ticket({ passageUID: 'uid-passage' })]);
  const cases: readonly Row[] = [
    ['nothing is attached', {}, '→ Starting (1): Detached'],
    ['[rule 50] a volume is attached: it waits', { attached: ['pv-1'] }, 'wait: WaitingForVolumes'],
    ['a hold ends here', {}, '→ Held: Held', holdPlan()],
    ['a hold waits for its volumes too', { attached: ['pv-1'] }, 'wait: WaitingForVolumes', holdPlan()],
    ['[rule 42] somebody uncordoned: it is cordoned again', { node: node() }, 'cordon: Cordoning'],
    ['the window closed while the drain took hours', CLOSING, '→ Uncordoning (Cancelled): WindowClosed'],
    ['the passage was deleted', DELETED, '→ Uncordoning (Cancelled): PassageDeleted'],
    ['the node is gone', GONE, '→ Cancelled: NodeGone'],
    ['its ticket is not in the ledger any more', { ledger: ledger() }, '→ Uncordoning (Cancelled): NoTicket'],
    [
      'another passage has its ticket',
      { ledger: ledger([ticket({ passageUID: 'uid-twin' })]) },
      '→ Uncordoning (Cancelled): NoTicket',
    ],
    ['the ledger is gone: nothing begins until it is back', { ledger: undefined }, 'wait: LedgerAbsent'],
    [
      'the ledger is being deleted: what is in flight goes on',
      { ledger: { ...ours, deletedAt: 1 } },
      '→ Starting (1): Detached',
    ],
  ];
  for (const [name, over, expected, of = plan()] of cases)
    test(name, () => {
      expect(say(decide(of, since(10), facts(over)))).toBe(expected);
    });

  test('after volumeDetachSeconds it goes on and says so', () => {
    const attached = ['pv-1'];
    const late = decide(plan(), since(300), facts({ attached }));
    expect(say(late)).toBe('→ Starting (1): VolumesLeft');
    expect(because(late)).toMatchObject({ volumes: ['pv-1'] });
    expect(say(decide(plan(), since(299), facts({ attached })))).toBe('wait: WaitingForVolumes');
  });

  test('[rule 96] the step to the Job is decided again on a live read', () => {
    expect(needsLook(since(1), decide(plan(), since(1), facts()))).toBe(true);
    expect(needsLook(since(1), decide(holdPlan(), since(1), facts()))).toBe(false);
  });
});
