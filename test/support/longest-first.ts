import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, the longest first: the last to end should not be one that could have begun first. */
const LONG = [
  'kills',
  'control-planes',
  'reboots',
  'odd-pods',
  'demo',
  'leader',
  'rollout',
  'failures',
  'hold',
  'kill-drain',
  'kill-matrix',
  'outage',
  'demo-simulated',
  'snapshots',
  'budgets',
  'closings',
  'cordons',
  'real',
  'windows',
  'simulated-kubectl',
  'refusals',
  'deletion',
  'preflight',
  'uninstall',
  'deploy',
].map((name) => `/${name}.test.ts`);

/** Orders test files by what is known of them; vitest itself knows only their size after a fresh install. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = LONG.findIndex((name) => moduleId.endsWith(name));
  return at < 0 ? LONG.length : at;
}
