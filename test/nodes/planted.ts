import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type Planting, planted } from '../simulation/mutants.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A bug of the operator or of the payload, in a file below the root, and the test by which real nodes show it. */
export type PlantedOnNodes = Planting & {
  readonly scenario: string;
  /** How the name of that test begins: everything before it must pass. */
  readonly caughtBy: string;
};

/** What `npm run test:nodes -- --planted` plays. Scenarios that are not here plant a bug of their own while they run. */
export const PLANTED: readonly PlantedOnNodes[] = [
  {
    scenario: 'mishaps',
    name: 'an installation that was interrupted is not finished first',
    file: 'deploy/payload/lib/apt.sh',
    from: '! run dpkg --configure -a || return 0',
    to: '! run true || return 0',
    caughtBy: 'the repository is mended and retry raised',
  },
  {
    scenario: 'reboots',
    name: 'mode Cordon drains',
    file: 'src/core/node-before.ts',
    from: "if (plan.drain.mode === 'Drain') return step",
    to: "if (plan.drain.mode !== 'Leave') return step",
    caughtBy: 'a quick reboot with the pods on the node',
  },
  {
    scenario: 'reboots',
    name: 'a node reboots although no package wants it',
    file: 'deploy/payload/lib/os.sh',
    from: 'reboot-* | auto-true)',
    to: 'reboot-* | auto-*)',
    caughtBy: 'packages are updated on drained nodes',
  },
  {
    scenario: 'alone',
    name: 'a budget that nothing can fill is said to clear by itself',
    file: 'src/core/drain.ts',
    from: "if (elsewhere || hindrance.reason !== 'BudgetExhausted') return hindrance;",
    to: "if (elsewhere || hindrance.reason !== 'ComesBack') return hindrance;",
    caughtBy: 'the only node that takes pods',
  },
];

/** A copy of the project with the bug in it, which is `remove`d afterwards. */
export function plantedCopy(bug: PlantedOnNodes): { readonly directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-planted-'));
  const isCopied = (path: string) => !['node_modules', '.git', 'dist'].includes(relative(ROOT, path));
  cpSync(ROOT, directory, { recursive: true, filter: isCopied });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const file = join(directory, bug.file);
  writeFileSync(file, planted(bug, readFileSync(file, 'utf8')));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

type Report = {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
};

/** What a run with a bug says of it: undefined if its own test was the first to fail, otherwise what happened instead. */
export function escaped({ caughtBy }: PlantedOnNodes, { testResults }: Report): string | undefined {
  const ended = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = ended.find(({ status }) => status === 'failed');
  if (failed?.title.startsWith(caughtBy)) return undefined;
  return failed === undefined ? 'no test failed' : `the first test to fail was "${failed.title}"`;
}

/** The same of a report that vitest has written, or has not. */
export function escapedIn(bug: PlantedOnNodes, file: string): string | undefined {
  return existsSync(file)
    ? escaped(bug, JSON.parse(readFileSync(file, 'utf8')) as Report)
    : 'the tests could not be begun';
}
