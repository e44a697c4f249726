// Sums up what vitest has reported, in one line, and ends with 1 where the tests prove less than they seem to.
const { existsSync, readFileSync } = require('node:fs');

/** Counts tests; a file that could not even be begun is a failure, though it has no test that failed. */
function count({ testResults }) {
  const sum = { passed: 0, failed: 0, skipped: 0, onControlPlane: 0 };
  for (const { name, status, assertionResults } of testResults) {
    const of = (wanted) => assertionResults.filter((each) => wanted.includes(each.status)).length;
    const [passed, failed] = [of(['passed']), of(['failed'])];
    sum.passed += passed;
    sum.failed += failed === 0 && status === 'failed' ? 1 : failed;
    sum.skipped += assertionResults.length - passed - failed;
    if (/[/\\]test[/\\]end-to-end[/\\]/.test(name)) sum.onControlPlane += passed + failed;
  }
  return sum;
}

/** Why the run proves nothing, if that is so. */
function emptiness({ passed, failed, onControlPlane }) {
  if (passed + failed === 0) return 'No test was run.';
  if (onControlPlane === 0)
    return 'No test was run on a control plane, and without it nothing is proved: see above why there is none.';
  return undefined;
}

module.exports = { count, emptiness };

if (require.main === module) {
  const path = process.argv[2];
  const sum = count(existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { testResults: [] });
  const problem = emptiness(sum);
  if (problem !== undefined) process.stderr.write(`${problem}\n`);
  process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
  process.exitCode = problem !== undefined || sum.failed > 0 ? 1 : 0;
}
