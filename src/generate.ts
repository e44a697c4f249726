import { readFileSync, writeFileSync } from 'node:fs';
import { generated } from './generated.ts';

const root = new URL('../', import.meta.url);

/** Writes every file that is derived from the code. `npm run generate`; a test fails when one is stale. */
for (const [path, content] of Object.entries(generated(readFileSync(new URL('README.md', root), 'utf8')))) {
  writeFileSync(new URL(path, root), content);
}
