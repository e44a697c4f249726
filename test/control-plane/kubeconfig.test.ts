import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { certificateIn } from './kubeconfig.ts';

const directory = mkdtempSync(join(tmpdir(), 'drydock-certificate-'));

afterAll(() => rmSync(directory, { recursive: true }));

const WHOLE = '-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n';

test.each([
  ['not there', undefined, false],
  ['there and empty', '', false],
  ['half written', WHOLE.slice(0, 40), false],
  ['whole', WHOLE, true],
  ['whole, with the one that signed it', WHOLE + WHOLE, true],
])('a certificate that is %s', (name, content, isOne) => {
  const file = join(directory, name);
  if (content !== undefined) writeFileSync(file, content);
  expect(certificateIn(file)?.toString()).toBe(isOne ? content : undefined);
});
