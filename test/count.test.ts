import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

type Sum = { passed: number; failed: number; skipped: number; onControlPlane: number };
const { count, emptiness } = createRequire(import.meta.url)('./support/count.cjs') as {
  count(report: unknown): Sum;
  emptiness(sum: Sum): string | undefined;
};

function file(name: string, status: string, ...tests: string[]) {
  return { name: `there/test/${name}`, status, assertionResults: tests.map((each) => ({ status: each })) };
}

const REAL = file('end-to-end/rollout.test.ts', 'passed', 'passed');

test('tests are counted by how they ended, and those on a control plane apart', () => {
  const sum = count({ testResults: [REAL, file('core/a.test.ts', 'failed', 'passed', 'failed', 'pending', 'todo')] });
  expect(sum).toEqual({ passed: 2, failed: 1, skipped: 2, onControlPlane: 1 });
  expect(emptiness(sum)).toBeUndefined();
});

test('planted bug: a file that could not be begun is counted as a failure', () => {
  expect(count({ testResults: [REAL, file('core/a.test.ts', 'failed')] })).toMatchObject({ passed: 1, failed: 1 });
});

test('planted bug: a run whose tests on a control plane were all skipped proves nothing', () => {
  const skipped = file('end-to-end/rollout.test.ts', 'passed', 'pending');
  const sum = count({ testResults: [file('core/a.test.ts', 'passed', 'passed'), skipped] });
  expect(emptiness(sum)).toContain('No test was run on a control plane');
});

test('planted bug: a run without a test is none', () => {
  expect(emptiness(count({ testResults: [] }))).toBe('No test was run.');
});
