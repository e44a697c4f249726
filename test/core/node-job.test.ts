import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/api/node-maintenance.ts';
import { decide, needsLook } from '../../src/core/node.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import { ago, COMPLETE, cordoned, FAILED, job, node, PASSAGE, pod, recalling, refused } from '../support/build.ts';
import { facts, ledger, plan, ticket } from '../support/build-own.ts';
import { because, say } from '../support/say.ts';

type Row = readonly [string, Partial<NodeFacts>, string, Plan?];
const CLOSING = { closing: { reason: 'WindowClosed' } } as const;
const DELETED = { abandoned: { reason: 'PassageDeleted' } } as const;
const LEAVE = plan({}, {}, { mode: 'Leave' });
const endedWith = (exitCode: number) =>
  pod('p', { labels: { 'job-name': job().name }, ended: { exitCode, message: '' } });
const idle = job({ suspended: true, started: false });
const held = (reason: string) =>
  pod('p', { labels: { 'job-name': `${PASSAGE}-1` }, waiting: { reason, message: 'Back-off.' } });

describe('Starting, the first attempt: not committed yet', () => {
  const since = (seconds: number) => ({ phase: 'Starting', since: ago(seconds), attempt: 1 }) as const;
  const cases: readonly Row[] = [
    ['the Job is not there: it is made', {}, 'createJob 1: CreatingJob'],
    ['the Job is seen: recorded', { jobs: [idle] }, '→ Upgrading (1): JobCreated'],
    [
      'a Job of that name of another passage is not ours',
      { jobs: [{ ...idle, labels: { 'drydock.dev/passage': 'uid-other' } }] },
      'createJob 1: CreatingJob',
    ],
    ['a Job on its way out is not the one', { jobs: [{ ...idle, deleting: true }] }, 'createJob 1: CreatingJob'],
    ['the window closed: put back', { jobs: [idle], ...CLOSING }, '→ Uncordoning (Cancelled): WindowClosed'],
    ['the passage was deleted', { jobs: [idle], ...DELETED }, '→ Uncordoning (Cancelled): PassageDeleted'],
    ['the node is gone', { node: undefined, drain: undefined }, '→ Cancelled: NodeGone'],
    ['[rule 42] somebody uncordoned: it is cordoned again', { node: node(), jobs: [idle] }, 'cordon: Cordoning'],
    ['mode Leave never cordons', { node: node(), jobs: [idle] }, '→ Upgrading (1): JobCreated', LEAVE],
    ['its ticket is lost', { ledger: ledger(), jobs: [idle] }, '→ Uncordoning (Cancelled): NoTicket'],
    [
      'another has its ticket',
      { ledger: ledger([ticket({ passageUID: 'uid-twin' })]) },
      '→ Uncordoning (Cancelled): NoTicket',
    ],
    [
      'caught: the ledger is gone, and no Job may begin without it',
      { ledger: undefined, jobs: [idle] },
      'wait: LedgerAbsent',
    ],
    [
      '[J1] the Job of an earlier passage is still at work on the node',
      { busyJob: 'other-1' },
      'wait: WaitingForEarlierJob',
    ],
    ['the prepare Job may still be there', { jobs: [idle, job({}, 'prepare')] }, '→ Upgrading (1): JobCreated'],
    ['a plan without work starts nothing', {}, 'wait: Refused', { ...plan(), work: undefined } as unknown as Plan],
  ];
  for (const [name, over, expected, of = plan()] of cases)
    test(name, () => {
      expect(say(decide(of, since(10), facts(over)))).toBe(expected);
    });

  test('[rule 63] it records the Job, the machine and the boot ID before anything runs', () => {
    expect(decide(plan(), since(10), facts({ jobs: [idle] }))).toMatchObject({
      to: {
        phase: 'Upgrading',
        since: ago(0),
        attempt: 1,
        jobUID: 'uid-job-1',
        bootIDBefore: 'boot-1',
        machineID: 'machine-worker-1',
      },
    });
  });

  test('[rule 55] the Job is made suspended', () => {
    expect(decide(plan(), since(10), facts())).toMatchObject({ effects: [{ manifest: { spec: { suspend: true } } }] });
  });

  test('a pod that lands on the node after the look does not send it back to draining', () => {
    expect(say(decide(plan(), since(10), facts({ jobs: [idle], pods: [pod()] })))).toBe('→ Upgrading (1): JobCreated');
  });

  const answer = (over: Parameters<typeof refused>[0]) => recalling({ [`createJob/${PASSAGE}-1`]: [refused(over), 2] });
  test.each<[string, NodeFacts['recall'], number, string]>([
    ['for less than 300 s', answer({ message: 'quota' }), 299, 'createJob 1: CreatingJob'],
    ['for 300 s: put back, counts as failed', answer({ message: 'quota' }), 300, '→ Uncordoning (Failed): JobRefused'],
    ['by a webhook that is away', answer({ why: 'unavailable', code: 500 }), 300, '→ Uncordoning (Failed): JobRefused'],
    [
      'caught: not at all, the API server was away for 300 s',
      answer({ why: 'unavailable', code: 0 }),
      300,
      'createJob 1: CreatingJob',
    ],
    ['caught: not at all, Drydock was away for 300 s', recalling(), 300, 'createJob 1: CreatingJob'],
  ])('refused %s', (_, recall, seconds, expected) => {
    expect(say(decide(plan(), since(seconds), facts({ recall })))).toBe(expected);
  });

  test('what was said against the Job is the detail', () => {
    const recall = answer({ message: 'exceeded quota' });
    expect(because(decide(plan(), since(10), facts({ recall })))).toMatchObject({ detail: 'exceeded quota' });
    expect(because(decide(plan(), since(300), facts({ recall })))).toMatchObject({ detail: 'exceeded quota' });
  });

  test('recording the Job is decided again on a live read', () => {
    expect(needsLook(since(1), decide(plan(), since(1), facts({ jobs: [idle] })))).toBe(true);
    expect(needsLook(since(1), decide(plan(), since(1), facts()))).toBe(false);
  });
});

describe('Starting, a later attempt: committed', () => {
  const since = (seconds: number) => ({ phase: 'Starting', since: ago(seconds), attempt: 2 }) as const;
  const first = job({ finished: FAILED });
  const second = job({ suspended: true }, 2);
  const cases: readonly Row[] = [
    ['the next Job is made', { jobs: [first] }, 'createJob 2: CreatingJob'],
    ['the next Job is seen', { jobs: [first, second] }, '→ Upgrading (2): JobCreated'],
    ['[J1] the first Job may still be at work: it waits for its end', { jobs: [job()] }, 'wait: WaitingForEarlierJob'],
    ['[rule 95] a closing does not stop it', { jobs: [first, second], ...CLOSING }, '→ Upgrading (2): JobCreated'],
    ['a lost ticket does not stop it', { jobs: [first, second], ledger: ledger() }, '→ Upgrading (2): JobCreated'],
    ['an absent ledger does not stop it', { jobs: [first, second], ledger: undefined }, '→ Upgrading (2): JobCreated'],
    [
      'a person uncordoned: not fought over any more',
      { jobs: [first, second], node: node() },
      '→ Upgrading (2): JobCreated',
    ],
    ['deleted: no further attempt', { jobs: [first], ...DELETED }, '→ Quarantining: PassageDeleted'],
    ['the node is gone', { jobs: [first], node: undefined, drain: undefined }, '→ Quarantining: NodeGone'],
  ];
  for (const [name, over, expected, of = plan()] of cases)
    test(name, () => {
      expect(say(decide(of, since(10), facts(over)))).toBe(expected);
    });

  const recall = recalling({ [`createJob/${PASSAGE}-2`]: [refused(), 2] });
  test('refused for 300 s it is left cordoned, since the first attempt has done something', () => {
    expect(say(decide(plan(), since(300), facts({ jobs: [first], recall })))).toBe('→ Quarantining: JobRefused');
  });

  test('caught: having waited long for the earlier Job is no refusal', () => {
    expect(say(decide(plan(), since(2000), facts({ jobs: [first] })))).toBe('createJob 2: CreatingJob');
  });
});

describe('Upgrading: the Job decides', () => {
  const since = (seconds: number, attempt = 1) =>
    ({
      phase: 'Upgrading',
      since: ago(seconds),
      attempt,
      jobUID: `uid-job-${attempt}`,
      bootIDBefore: 'boot-1',
      machineID: 'machine-worker-1',
    }) as const;
  const rebooted = cordoned('uid-passage', { bootID: 'boot-2' });
  const down = cordoned('uid-passage', { ready: false });
  const released = { passage: { ...facts().passage, released: true } };
  const TWICE = plan({}, { attempts: 2 });
  const REBOOT = plan({}, { reboot: 'Expected' });
  const complete = job({ finished: COMPLETE });
  const failed = job({ finished: FAILED });
  const cases: readonly Row[] = [
    ['its Job is suspended: it is released', { jobs: [idle] }, 'releaseJob 1: ReleasingJob'],
    ['its Job runs', { jobs: [job()] }, 'wait: JobRunning'],
    [
      'caught: somebody suspended it after it was released: it is not let go again blindly',
      { jobs: [job({ suspended: true, released: true })] },
      'wait: JobSuspended',
    ],
    [
      'suspended by somebody and ended by that: its end counts',
      { jobs: [job({ suspended: true, released: true, finished: FAILED })] },
      '→ Quarantining: JobFailed',
    ],
    ['caught: its image cannot be pulled', { jobs: [job()], jobPods: [held('ErrImagePull')] }, 'wait: JobCannotRun'],
    ['its pod has no place', { jobs: [job()], jobPods: [held('Unschedulable')] }, 'wait: JobCannotRun'],
    ['its container is about to run', { jobs: [job()], jobPods: [held('ContainerCreating')] }, 'wait: JobRunning'],
    ['complete', { jobs: [complete] }, '→ Verifying: JobComplete'],
    ['complete, a reboot is expected', { jobs: [complete] }, '→ Rebooting: JobComplete', REBOOT],
    [
      'complete and rebooted at once: complete counts',
      { jobs: [complete], node: rebooted },
      '→ Rebooting: JobComplete',
      REBOOT,
    ],
    ['failed, the last attempt', { jobs: [failed] }, '→ Quarantining: JobFailed'],
    ['failed, another attempt is left', { jobs: [failed] }, '→ Starting (2): JobFailed', TWICE],
    [
      'failed, deleted meanwhile: no further attempt',
      { jobs: [failed], ...DELETED },
      '→ Quarantining: JobFailed',
      TWICE,
    ],
    [
      'failed in a closed window: another attempt all the same',
      { jobs: [failed], ...CLOSING },
      '→ Starting (2): JobFailed',
      TWICE,
    ],
    ['[rule 56] its Job is gone: what it did is unknown', { jobs: [] }, '→ Quarantining: JobGone', TWICE],
    [
      'a Job of the same name but another UID is not it',
      { jobs: [job({ uid: 'uid-new' })] },
      '→ Quarantining: JobGone',
    ],
    [
      '[rule 57] rebooted while it ran: a failed attempt',
      { jobs: [job()], node: rebooted },
      '→ Quarantining: RebootedDuringJob',
    ],
    [
      'rebooted after its container ended well, though the Job is not counted yet: awaited (simulation, seed 2)',
      { jobs: [job()], node: rebooted, jobPods: [endedWith(0)] },
      'wait: JobRunning',
    ],
    [
      'rebooted after its container failed: a failed attempt',
      { jobs: [job()], node: rebooted, jobPods: [endedWith(1)] },
      '→ Quarantining: RebootedDuringJob',
    ],
    [
      'rebooted while it ran, another attempt is left',
      { jobs: [job()], node: rebooted },
      '→ Starting (2): RebootedDuringJob',
      TWICE,
    ],
    ['a closing does not stop it', { jobs: [job()], ...CLOSING }, 'wait: JobRunning'],
    ['a deletion does not stop it', { jobs: [job()], ...DELETED }, 'wait: JobRunning'],
    ['uncordoned by a person: not fought over any more', { jobs: [job()], node: node() }, 'wait: JobRunning'],
    ['not Ready while its Job has time', { jobs: [job()], node: down }, 'wait: JobRunning'],
    ['the node is gone', { jobs: [job()], node: undefined, drain: undefined }, '→ Lost: NodeLost'],
    ['released by a person', { jobs: [job()], ...released }, '→ Quarantining: Released'],
    [
      'released by a person, the node gone',
      { node: undefined, drain: undefined, ...released },
      '→ Quarantining: Released',
    ],
  ];
  for (const [name, over, expected, of = plan()] of cases)
    test(name, () => {
      expect(say(decide(of, since(10), facts(over)))).toBe(expected);
    });

  test('the last of two attempts failed', () => {
    expect(say(decide(TWICE, since(10, 2), facts({ jobs: [failed, job({ finished: FAILED }, 2)] })))).toBe(
      '→ Quarantining: JobFailed',
    );
  });

  test.each<[string, number, NodeFacts['node'], string]>([
    ['not Ready 30 s after the deadline of the Job', 1830, down, '→ Lost: NodeLost'],
    ['not Ready before that', 1829, down, 'wait: JobRunning'],
    ['Ready long after: the Job controller decides', 9000, cordoned('uid-passage'), 'wait: JobRunning'],
  ])('[rule 65] %s', (_, seconds, seen, expected) => {
    expect(say(decide(plan(), since(seconds), facts({ jobs: [job()], node: seen })))).toBe(expected);
  });

  test('[rule 59] the exit code and the last of the log are the reason', () => {
    const jobPods = [
      pod('p', { labels: { 'job-name': `${PASSAGE}-1` }, ended: { exitCode: 17, message: 'disk full' } }),
    ];
    expect(because(decide(plan(), since(10), facts({ jobs: [failed], jobPods })))).toEqual({
      reason: 'JobFailed',
      attempt: 1,
      detail: 'disk full',
      exitCode: 17,
    });
    expect(because(decide(plan(), since(10), facts({ jobs: [failed] })))).toMatchObject({ detail: 'Job has failed' });
  });

  test('a Job is released only as it was recorded and seen', () => {
    expect(decide(plan(), since(10), facts({ jobs: [idle] }))).toMatchObject({
      effects: [{ kind: 'releaseJob', uid: 'uid-job-1', resourceVersion: '5' }],
    });
  });

  test('Lost keeps what tells whether a machine is itself and has rebooted', () => {
    expect(decide(plan(), since(10), facts({ jobs: [job()], node: undefined, drain: undefined }))).toMatchObject({
      to: {
        phase: 'Lost',
        since: ago(0),
        attempt: 1,
        jobUID: 'uid-job-1',
        bootIDBefore: 'boot-1',
        machineID: 'machine-worker-1',
        from: 'Upgrading',
      },
    });
  });

  test.each<[string, Partial<NodeFacts>, Plan, boolean]>([
    ['complete: yes', { jobs: [complete] }, plan(), true],
    ['a reboot next: yes', { jobs: [complete] }, REBOOT, true],
    ['another attempt: yes', { jobs: [failed] }, TWICE, true],
    ['its Job gone: yes', { jobs: [] }, plan(), true],
    ['lost: yes', { jobs: [job()], node: undefined, drain: undefined }, plan(), true],
    ['running: no', { jobs: [job()] }, plan(), false],
    ['releasing: no', { jobs: [idle] }, plan(), false],
  ])('decided on a live read? %s', (_, over, of, looked) => {
    expect(needsLook(since(10), decide(of, since(10), facts(over)))).toBe(looked);
  });

  test('it comes back when silence would be a loss', () => {
    expect(decide(plan(), since(1820), facts({ jobs: [job()] }))).toMatchObject({ recheckAfterSeconds: 10 });
    expect(decide(plan(), since(5000), facts({ jobs: [job()] }))).toMatchObject({ recheckAfterSeconds: 30 });
  });
});
