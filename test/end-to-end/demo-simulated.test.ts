import { describe, expect, it } from 'vitest';
import { play, type Surroundings } from './played.ts';

const MINUTES = 6 * 60_000;

describe('the demo on a machine that has nothing but Node', () => {
  const nothing: Surroundings = (scratch) => ({ PATH: scratch, DRYDOCK_CACHE: scratch, KUBEBUILDER_ASSETS: '' });

  it('says in one sentence how to have a control plane, if that is asked for', async () => {
    const { code, said, complained } = await play(['--real'], nothing);
    expect({ code, said }).toEqual({ code: 1, said: '' });
    expect(complained.trim().split('\n')).toHaveLength(1);
    expect(complained).toContain('Install Go');
  });

  it('refuses two grounds at once', async () => {
    const { code, complained } = await play(['--real', '--simulated'], nothing);
    expect(code).toBe(1);
    expect(complained).toContain('--real and --simulated exclude each other');
  });

  it.concurrent.each([[[]], [['--simulated']]])(
    'plays on a simulated cluster, and says so (%j)',
    { timeout: MINUTES },
    async (args) => {
      const { code, said, complained, left } = await play(args, nothing);
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
      expect(left).toEqual([]);
    },
  );

  it.concurrent('takes the simulated cluster down when it is interrupted', { timeout: MINUTES }, async () => {
    const { code, said, complained, left } = await play(['--simulated'], nothing, 'Draining');
    expect({ code, complained }).toEqual({ code: 130, complained: '' });
    expect(said).toContain('Stopped: everything that was started is being taken down.');
    expect(left).toEqual([]);
  });
});
