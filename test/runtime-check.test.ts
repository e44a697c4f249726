import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';

const script = readFileSync(new URL('support/runtime-check.cjs', import.meta.url), 'utf8');

/** What the check says, and with which code it ends, where a given Node runs it. */
function checked(node: string): { said: string; code: number | undefined } {
  const found: { said: string; code: number | undefined } = { said: '', code: undefined };
  const process = {
    versions: { node },
    stderr: { write: (text: string) => (found.said += text) },
    exit: (code: number) => (found.code = code),
  };
  runInNewContext(script, { process });
  return found;
}

test.each(['26.0.0', '26.10.0', '27.1.0', '100.0.0'])('Node %s is let through without a word', (node) => {
  expect(checked(node)).toEqual({ said: '', code: undefined });
});

test.each(['20.20.2', '8.0.0', '25.9.0', '2.6.0'])('Node %s is told in one sentence what to do', (node) => {
  const { said, code } = checked(node);
  expect(code).toBe(1);
  expect(said).toContain(`this is ${node}`);
  expect(said).toContain('npm ci --omit=optional');
  expect(said.trim().split('\n')).toHaveLength(1);
});

test('it is written so that an old Node can read it', () => {
  expect(script.replace(/'[^'\n]*'/g, "''")).not.toMatch(/\b(const|let|async|await|import|class)\b|=>|\.\.\.|`|\?\./);
});
