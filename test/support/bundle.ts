import { join } from 'node:path';
import { rolldown } from 'rolldown';
import config from '../../rolldown.config.ts';

/** Makes the one file of the image anew, as `npm run bundle` does: an old one would be another program. Returns it. */
export async function bundle(file: string): Promise<string> {
  const { output, ...input } = config as Extract<typeof config, { input?: unknown }>;
  const built = await rolldown({ ...input, cwd: join(import.meta.dirname, '../..') });
  await built.write({ ...(output as object), file });
  await built.close();
  return file;
}
