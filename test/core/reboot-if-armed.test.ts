import { expect, test } from 'vitest';
import { decide } from '../../src/core/node.ts';
import type { NodeFacts } from '../../src/core/passage.ts';
import type { NodeView } from '../../src/core/world.ts';
import { ago, COMPLETE, cordoned, job, pod } from '../support/build.ts';
import { facts, plan } from '../support/build-own.ts';
import { say } from '../support/say.ts';

const IF_ARMED = plan({}, { reboot: 'IfArmed' });
const begun = { attempt: 1, jobUID: 'uid-job-1', bootIDBefore: 'boot-1', machineID: 'machine-worker-1' } as const;
const ours = (over: Partial<NodeView> = {}) => cordoned('uid-passage', { kubeletVersion: 'v1.36.4', ...over });
const done = job({ finished: COMPLETE });
const ARMED = 'It reboots.\n{"rebootArmed":true}';
const CALM = 'Up to date.\n{"rebootArmed":false}';

/** What is seen of the Job's pod: what it said, or nothing yet. */
function said(message: string | undefined): Partial<NodeFacts> {
  const of = pod('job-pod', { labels: { 'job-name': done.name } });
  return { jobs: [done], jobPods: message === undefined ? [] : [{ ...of, ended: { exitCode: 0, message } as never }] };
}

test.each<[string, string | undefined, string]>([
  ['one that was armed is awaited', ARMED, '→ Rebooting: JobComplete'],
  ['caught: none is awaited where none was armed', CALM, '→ Verifying: JobComplete'],
  ['caught: a payload that does not say is waited for', 'done', '→ Rebooting: JobComplete'],
  ['what is not seen yet is waited for', undefined, '→ Rebooting: JobComplete'],
])('reboot: IfArmed: %s', (_, message, expected) => {
  const state = { phase: 'Upgrading', since: ago(60), ...begun } as const;
  expect(say(decide(IF_ARMED, state, facts({ node: ours(), ...said(message) })))).toBe(expected);
});

type Awaited = readonly [string, boolean | undefined, string | undefined, NodeView, number, string];
test.each<Awaited>([
  ['comes', true, ARMED, ours({ bootID: 'boot-2' }), 60, '→ Verifying: Rebooted'],
  ['is missing at the deadline', true, ARMED, ours(), 900, '→ Quarantining: RebootMissing'],
  ['was not armed, as is seen now', undefined, CALM, ours(), 1, '→ Verifying: NotRebooted'],
  ['may come as long as nobody says', undefined, 'done', ours(), 60, 'wait: WaitingForReboot'],
  ['did not come, and nobody had said that it would', undefined, 'done', ours(), 900, '→ Verifying: NotRebooted'],
  ['was armed, as is seen now, and is missing', undefined, ARMED, ours(), 900, '→ Quarantining: RebootMissing'],
])('reboot: IfArmed: it %s', (_, rebootArmed, message, node, seconds, expected) => {
  const armed = rebootArmed === undefined ? {} : { rebootArmed };
  const state = { phase: 'Rebooting', since: ago(seconds), ...begun, ...armed } as const;
  expect(say(decide(IF_ARMED, state, facts({ node, ...said(message) })))).toBe(expected);
});

test.each<[string, boolean | undefined, NodeView, string]>([
  ['with the boot that was armed', true, ours({ bootID: 'boot-2' }), '→ Verifying: NodeBack'],
  ['caught: without the boot that was armed', true, ours(), '→ Quarantining: RebootMissing'],
  ['caught: with a boot that nobody armed', false, ours({ bootID: 'boot-2' }), '→ Quarantining: UnexpectedReboot'],
  ['where nobody said', undefined, ours({ bootID: 'boot-2' }), '→ Verifying: NodeBack'],
])('reboot: IfArmed: a lost node is back %s', (_, rebootArmed, node, expected) => {
  const armed = rebootArmed === undefined ? {} : { rebootArmed };
  const state = { phase: 'Lost', since: ago(60), ...begun, ...armed, from: 'Verifying' } as const;
  expect(say(decide(IF_ARMED, state, facts({ node })))).toBe(expected);
});
