import { expect, test } from 'vitest';
import type { JobObject, KubeObject } from '../../../src/simulation/objects.ts';
import { job, world } from './world.ts';

function ready(seed = 1) {
  const at = world(seed);
  at.node('one');
  at.run(10);
  return at;
}

const types = ({ status }: JobObject) =>
  (status.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
const release = (at: ReturnType<typeof world>, suspend = false) =>
  at.change<JobObject>('jobs.batch', 'default/work', (before) => ({ ...before, spec: { ...before.spec, suspend } }));

test('a suspended Job says so and makes no pod', () => {
  const at = ready();
  at.create('jobs.batch', job('work', { suspend: true }));
  at.run(60);
  expect(types(at.job('work'))).toEqual(['Suspended=True JobSuspended']);
  expect(at.job('work').status.startTime).toBeUndefined();
  expect(at.pods('work')).toEqual([]);
});

test('a released Job runs its pod and completes, and its pod is let go', () => {
  const at = ready();
  at.create('jobs.batch', job('work', { suspend: true }));
  at.run(60);
  release(at);
  at.until(() => at.job('work').status.active === 1);
  expect(at.pods('work')[0]?.metadata.finalizers).toEqual(['batch.kubernetes.io/job-tracking']);
  expect(at.job('work').status.startTime).toBeDefined();
  at.until(() => at.job('work').status.succeeded === 1);
  at.run(1);
  expect(types(at.job('work'))).toEqual([
    'Suspended=False JobResumed',
    'SuccessCriteriaMet=True CompletionsReached',
    'Complete=True CompletionsReached',
  ]);
  expect(at.job('work').status).toMatchObject({ succeeded: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
  expect(at.job('work').status.active).toBeUndefined();
  expect(at.job('work').status.completionTime).toBeDefined();
  expect(at.pods('work')[0]?.metadata.finalizers).toBeUndefined();
  expect(at.timeline.next()).toBeUndefined();
});

test('the UID of an ended pod is written down before it is counted', () => {
  const at = ready();
  at.create('jobs.batch', job('work'));
  at.until(() => at.job('work').status.succeeded === 1);
  const open = at.written
    .filter(({ resource }) => resource === 'jobs.batch')
    .map(({ after }) => {
      const { uncountedTerminatedPods } = (after as KubeObject).status as { uncountedTerminatedPods?: object };
      return Object.keys(uncountedTerminatedPods ?? {});
    });
  expect(open.filter(({ length }) => length > 0)).toEqual([['succeeded']]);
});

test('a Job that is suspended again deletes its pod and loses its start', () => {
  const at = ready();
  at.create('jobs.batch', job('work', {}, { 'test.drydock.dev/complete-after': 'never' }));
  at.until(() => at.job('work').status.ready === 1);
  release(at, true);
  at.run(40);
  expect(at.pods('work')).toEqual([]);
  expect(types(at.job('work'))).toEqual(['Suspended=True JobSuspended']);
  expect(at.job('work').status.startTime).toBeUndefined();
  release(at);
  at.until(() => at.job('work').status.ready === 1);
});

test('a Job without another try fails with its first pod', () => {
  const at = ready();
  at.create('jobs.batch', job('work', { backoffLimit: 0 }, { 'test.drydock.dev/exit-code': '3' }));
  at.until(() => at.job('work').status.conditions?.length === 2);
  expect(types(at.job('work'))).toEqual([
    'FailureTarget=True BackoffLimitExceeded',
    'Failed=True BackoffLimitExceeded',
  ]);
  expect(at.job('work').status).toMatchObject({ failed: 1, terminating: 0 });
  expect(at.pods('work')[0]?.status.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(3);
});

test('a Job with another try takes it ten seconds later', () => {
  const at = ready();
  at.create('jobs.batch', job('work', { backoffLimit: 1 }, { 'test.drydock.dev/exit-code': '1' }));
  at.until(() => at.job('work').status.failed === 1);
  const took = at.until(() => at.pods('work').length === 2);
  expect(took).toBeGreaterThan(8);
  expect(took).toBeLessThan(11);
  at.until(() => types(at.job('work')).includes('Failed=True BackoffLimitExceeded'));
  expect(at.job('work').status.failed).toBe(2);
});

test('a Job that is active for too long ends its pod, and has failed when that is gone', () => {
  const at = ready();
  const annotations = { 'test.drydock.dev/complete-after': 'never', 'test.drydock.dev/terminate-after': '7' };
  at.create('jobs.batch', job('work', { activeDeadlineSeconds: 60, podReplacementPolicy: 'Failed' }, annotations));
  at.until(() => types(at.job('work')).includes('FailureTarget=True DeadlineExceeded'));
  expect(Date.parse(at.job('work').status.startTime ?? '') + 60_000).toBe(at.timeline.now());
  expect(at.job('work').status).toMatchObject({ terminating: 1 });
  expect(at.until(() => types(at.job('work')).includes('Failed=True DeadlineExceeded'))).toBeGreaterThan(6.5);
  expect(at.job('work').status).toMatchObject({ failed: 1, terminating: 0 });
  at.run(1);
  expect(at.pods('work')).toEqual([]);
});

test('a Job that only replaces what has failed waits for the end of a pod that is deleted', () => {
  const at = ready();
  const annotations = { 'test.drydock.dev/complete-after': 'never', 'test.drydock.dev/terminate-after': '9' };
  at.create('jobs.batch', job('work', { podReplacementPolicy: 'Failed' }, annotations));
  at.until(() => at.job('work').status.ready === 1);
  at.remove('pods', `default/${at.pods('work')[0]?.metadata.name}`);
  at.run(5);
  expect(at.job('work').status).toMatchObject({ terminating: 1 });
  expect(at.pods('work')).toHaveLength(1);
  at.until(() => at.job('work').status.failed === 1);
  at.until(() => at.job('work').status.ready === 1);
});

test('a Job that is deleted takes its pods with it, finalizers and all', () => {
  const at = ready();
  at.create('jobs.batch', job('work', {}, { 'test.drydock.dev/complete-after': 'never' }));
  at.until(() => at.job('work').status.ready === 1);
  at.remove('jobs.batch', 'default/work');
  at.run(40);
  expect(at.pods('work')).toEqual([]);
});

test('a finished Job goes by itself where it says when', () => {
  const at = ready();
  at.create('jobs.batch', job('work', { ttlSecondsAfterFinished: 30 }));
  at.until(() => types(at.job('work')).length === 2);
  at.run(25);
  expect(at.job('work')).toBeDefined();
  at.run(10);
  expect(at.job('work')).toBeUndefined();
  expect(at.pods('work')).toEqual([]);
});
