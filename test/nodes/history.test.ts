import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AuditLog } from '../control-plane/audit.ts';
import { asWords, DRYDOCK, jobPods, sentences, stored, takings } from './history.ts';

type Request = {
  readonly user?: string;
  readonly verb?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly body: unknown;
};

/** A log of requests, a second apart, as an API server writes it. */
function logOf(requests: readonly Request[]): AuditLog {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-audit-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const lines = requests.map(({ user = DRYDOCK, verb = 'patch', body, ...objectRef }, second) => {
    const at = new Date(second * 1000).toISOString();
    return JSON.stringify({
      stage: 'ResponseComplete',
      verb,
      requestURI: '/',
      user: { username: user },
      objectRef,
      responseStatus: { code: 200 },
      requestObject: body,
      requestReceivedTimestamp: at,
      stageTimestamp: at,
    });
  });
  const file = join(directory, 'audit.log');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return new AuditLog(file);
}

function passage(name: string, phase: string, attempt?: number, message = ''): Request {
  const status = { state: { phase, ...(attempt === undefined ? {} : { attempt }) }, conditions: [{ message }] };
  return { verb: 'update', resource: 'nodemaintenances', subresource: 'status', name, body: { status } };
}

describe('what the audit log tells of a passage', () => {
  test('each phase once, in order, with its attempt: one that is tried again is seen', () => {
    const audit = logOf([
      passage('w1-0a', 'Starting', 1),
      passage('w1-0a', 'Upgrading', 1, 'Job runs.'),
      passage('w1-0a', 'Upgrading', 1, 'Job runs.'),
      passage('w2-0b', 'Draining'),
      passage('w1-0a', 'Starting', 2),
      passage('w1-0a', 'Upgrading', 2, 'Job runs again.'),
    ]);
    expect(asWords(stored(audit, 'w1'))).toEqual(['Starting 1', 'Upgrading 1', 'Starting 2', 'Upgrading 2']);
    expect(stored(audit, 'w1').map(({ time }) => time)).toEqual([0, 1000, 4000, 5000]);
    expect(asWords(stored(audit, 'w1', 4))).toEqual(['Starting 2', 'Upgrading 2']);
    expect(sentences(audit, 'w1')).toEqual(['', 'Job runs.', 'Job runs again.']);
  });

  test('a node is taken by Drydock alone, and neither a taint nor what gives it back is a taking', () => {
    const patch = (name: string, body: unknown, user = DRYDOCK): Request => ({ resource: 'nodes', name, body, user });
    const audit = logOf([
      patch('w1', { spec: { unschedulable: true } }),
      patch('w1', { spec: { unschedulable: false } }),
      patch('w2', { spec: { taints: [] } }),
      patch('w2', { metadata: { annotations: {} } }),
      patch('w3', { spec: { unschedulable: true } }, 'admin'),
    ]);
    expect(takings(audit)).toEqual(['w1']);
  });

  test('the pod of a Job, by what its kubelet wrote: a container that was started anew is seen', () => {
    const told = (name: string, container: object, user = 'system:node:w1'): Request => ({
      resource: 'pods',
      subresource: 'status',
      namespace: 'drydock-jobs',
      user,
      name,
      body: { status: { containerStatuses: [container] } },
    });
    const ended = { exitCode: 137, startedAt: '1970-01-01T00:00:01Z', finishedAt: '1970-01-01T00:00:09Z' };
    const audit = logOf([
      told('w1-0a-prepare-x', { containerID: 'z' }),
      told('w1-0a-1-x', { containerID: 'a', restartCount: 0 }),
      told('w1-0a-1-x', { containerID: 'a', restartCount: 0, state: { terminated: ended } }),
      told('w1-0a-2-x', { containerID: 'b', restartCount: 0 }),
      told('w1-0a-2-x', { containerID: 'c', restartCount: 1 }),
      told('w1-0a-2-x', { containerID: 'd', restartCount: 7 }, 'somebody'),
    ]);
    expect(jobPods(audit)).toEqual([
      {
        nodeName: 'w1',
        pod: 'w1-0a-1-x',
        containers: ['a'],
        restarts: 0,
        exitCode: 137,
        startedAt: 1000,
        finishedAt: 9000,
      },
      { nodeName: 'w1', pod: 'w1-0a-2-x', containers: ['b', 'c'], restarts: 1 },
    ]);
  });
});
