import { z } from 'zod';
import { count, name, seconds, text, time } from './field.ts';

/** What an upgrade says of the snapshot that it begins with. */
export const wantedSnapshot = z
  .object({
    profileName: name(
      'The profile that takes it, with drain.mode: Leave; the last line of its termination message says what was saved.',
    ),
    maxAgeSeconds: seconds('How old it may be when the first control plane begins.', 60).default(3600),
  })
  .describe('A verified snapshot of etcd, taken on a control plane before the first of them begins.');

const whole = (description: string, from: number) => count(description, from, Number.MAX_SAFE_INTEGER);

/** What is known of the snapshot that was taken: enough to find it again, and to see that it is the same. */
export const takenSnapshot = z
  .object({
    name: text(253, 'What it is called where it lies.').min(1),
    revision: whole('The revision of etcd that it holds.', 1),
    sizeBytes: whole('Its size.', 1),
    hash: whole('What etcdutl calls its hash.', 0),
    time: time('When it was taken.'),
  })
  .describe('The snapshot of etcd that was taken for this target.');

export type TakenSnapshot = z.output<typeof takenSnapshot>;
