import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasControlPlane } from '../control-plane/ladder.ts';

const MAIN = join(import.meta.dirname, '../demo/main.ts');
const HAS = await hasControlPlane();
const MINUTES = 6 * 60_000;

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'drydock-demo-'));
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

type Played = { readonly code: number | null; readonly said: string; readonly complained: string };

/** Plays the demo without a terminal; `interruptAt` is what it must have said before it is interrupted. */
function play(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  interruptAt?: string,
): Promise<Played> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, TMPDIR: scratch, ...env } });
  let said = '';
  let complained = '';
  let interrupted = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (interruptAt === undefined || interrupted || !said.includes(interruptAt)) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complained += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said, complained })));
}

describe.skipIf(!HAS)('the demo without a terminal', () => {
  it(
    'upgrades six nodes in plain lines, relaxes the budget that blocks, and ends with evidence',
    async () => {
      const { code, said, complained } = await play(['--real']);
      expect(complained).toBe('');
      expect(code, said).toBe(0);
      expect(said).not.toContain(String.fromCharCode(27));
      const lines = said.trimEnd().split('\n');
      expect(lines[0]).toContain('Ground: a Kubernetes control plane');
      expect(lines.at(-1)).toContain('Ground: a Kubernetes control plane');
      for (const node of ['cp-1', 'worker-1', 'worker-2', 'worker-3', 'worker-4', 'worker-5']) {
        for (const step of ['cordoned', 'Draining', 'Upgrading', 'Verifying', 'schedulable again', 'Succeeded']) {
          expect(said).toMatch(new RegExp(`${node} +${step}`));
        }
      }
      expect(said).toMatch(
        /is blocked, on purpose: pod shop\/payments-\S+, owner ReplicaSet\/payments-\S+, budget shop\/payments, reason BudgetNeverAllows\./,
      );
      expect(said).toContain('patch poddisruptionbudget payments');
      expect(said).toContain('clusterupgrade.drydock.dev/to-1-36 condition met, and kubectl wait has returned.');
      const evidence = said.slice(said.indexOf("the API server's audit log"));
      expect(evidence).not.toContain('✗');
      expect(evidence).toMatch(/evictions +\d+ asked, \d+ accepted, \d+ refused; 0 pods deleted without asking/);
      expect(evidence).toMatch(/nodes out +2 at once at most, 2 allowed; 0 left out at the end/);
      expect(evidence.match(/budget +shop\/(orders|payments|storefront): lowest count \d+/g)).toHaveLength(3);
      expect(evidence).toMatch(/Jobs +1 upgrade on each of cp-1, worker-1/);
      expect(evidence).toMatch(/rights +0 requests/);
      expect(readdirSync(scratch)).toEqual([]);
    },
    MINUTES,
  );

  it('takes everything down when it is interrupted', { timeout: MINUTES }, async () => {
    const { code, said, complained } = await play(['--real'], {}, 'Draining');
    expect({ code, complained }).toEqual({ code: 130, complained: '' });
    expect(said).toContain('Stopped: everything that was started is being taken down.');
    expect(readdirSync(scratch)).toEqual([]);
  });
});

describe('the demo on a machine that has nothing but Node', () => {
  const nothing = () => ({ PATH: scratch, DRYDOCK_CACHE: scratch, KUBEBUILDER_ASSETS: '' });

  it('says in one sentence how to have a control plane, if that is asked for', async () => {
    const { code, said, complained } = await play(['--real'], nothing());
    expect({ code, said }).toEqual({ code: 1, said: '' });
    expect(complained.trim().split('\n')).toHaveLength(1);
    expect(complained).toContain('Install Go');
  });

  it('refuses two grounds at once', async () => {
    const { code, complained } = await play(['--real', '--simulated'], nothing());
    expect(code).toBe(1);
    expect(complained).toContain('--real and --simulated exclude each other');
  });

  it.each([[[]], [['--simulated']]])(
    'plays on a simulated cluster, and says so (%j)',
    { timeout: MINUTES },
    async (args) => {
      const { code, said, complained } = await play(args, nothing());
      expect(complained).toBe('');
      expect(code, said).toBe(0);
      const lines = said.trimEnd().split('\n');
      expect(lines[0]).toContain('Ground: a simulated cluster');
      expect(lines.at(-1)).toContain('Ground: a simulated cluster');
      expect(said).toContain('no kubectl here');
      for (const node of ['cp-1', 'worker-1', 'worker-2', 'worker-3', 'worker-4', 'worker-5']) {
        for (const step of ['cordoned', 'Draining', 'Upgrading', 'Verifying', 'schedulable again', 'Succeeded']) {
          expect(said).toMatch(new RegExp(`${node} +${step}`));
        }
      }
      expect(said).toMatch(/is blocked, on purpose: pod shop\/payments-\S+, .*reason BudgetNeverAllows\./);
      expect(said).toContain('in place of kubectl: -n shop patch poddisruptionbudget payments');
      expect(said).toContain('clusterupgrade.drydock.dev/to-1-36 condition met, and the wait is over.');
      const evidence = said.slice(said.indexOf("the API server's audit log"));
      expect(evidence).not.toContain('✗');
      expect(evidence).toMatch(/evictions +\d+ asked, \d+ accepted, \d+ refused; 0 pods deleted without asking/);
      expect(evidence).toMatch(/nodes out +2 at once at most, 2 allowed; 0 left out at the end/);
      expect(evidence.match(/budget +shop\/(orders|payments|storefront): lowest count \d+/g)).toHaveLength(3);
      expect(evidence).toMatch(/Jobs +1 upgrade on each of cp-1, worker-1/);
      expect(readdirSync(scratch)).toEqual([]);
    },
  );

  it('takes the simulated cluster down when it is interrupted', { timeout: MINUTES }, async () => {
    const { code, said, complained } = await play(['--simulated'], nothing(), 'Draining');
    expect({ code, complained }).toEqual({ code: 130, complained: '' });
    expect(said).toContain('Stopped: everything that was started is being taken down.');
    expect(readdirSync(scratch)).toEqual([]);
  });
});
