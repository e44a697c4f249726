import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = join(import.meta.dirname, 'scenarios');
const SUFFIX = '.test.ts';
/** What every change is judged by; the others take as long again and more. */
const USUAL = ['machines', 'upgrade'] as const;

/** The names of all scenarios. */
export function scenarios(): readonly string[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

/** The files of the scenarios that DRYDOCK_TEST_NODES_SCENARIOS names: `all`, names with commas between them, or the usual ones. */
export function scenarioFiles(env: Readonly<Record<string, string | undefined>> = process.env): string[] {
  const named = env['DRYDOCK_TEST_NODES_SCENARIOS'] || USUAL.join(',');
  const names = named === 'all' ? scenarios() : named.split(',');
  for (const name of names) {
    if (!existsSync(join(DIRECTORY, `${name}${SUFFIX}`)))
      throw new Error(`there is no scenario ${name}: there are ${scenarios().join(', ')}`);
  }
  return names.map((name) => `test/nodes/scenarios/${name}${SUFFIX}`);
}
