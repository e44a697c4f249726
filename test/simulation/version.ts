import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/**
 * What a seed belongs to: a seed replays the same story only with the same operator and the same model. Six hex digits over
 * every file that has a part in it.
 */
export function version(): string {
  const sum = createHash('sha256');
  for (const folder of ['src', 'test/simulation']) {
    const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((each) => each.endsWith('.ts')).sort()) {
      sum.update(file).update(readFileSync(join(ROOT, folder, file)));
    }
  }
  return sum.digest('hex').slice(0, 6);
}

/** A seed as it was printed, such as 4711 or 4711@a1b2c3; undefined where it is neither. */
export function parseSeed(text: string): { readonly seed: number; readonly of?: string } | undefined {
  const match = /^(\d{1,10})(?:@([0-9a-f]{6}))?$/.exec(text);
  if (match === null) return undefined;
  return { seed: Number(match[1]), ...(match[2] === undefined ? {} : { of: match[2] }) };
}
