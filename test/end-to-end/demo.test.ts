import { describe, expect, it } from 'vitest';
import { hasControlPlane } from '../control-plane/ladder.ts';
import { play } from './played.ts';

const MINUTES = 6 * 60_000;

describe.skipIf(!(await hasControlPlane()))('the demo without a terminal', () => {
  it.concurrent(
    'upgrades six nodes in plain lines, relaxes the budget that blocks, and ends with evidence',
    async () => {
      const { code, said, complained, left } = await play(['--real']);
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
        /is blocked, on purpose: pod shop\/payments-\S+, owner Deployment\/payments, budget shop\/payments, reason BudgetNeverAllows\./,
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
      expect(left).toEqual([]);
    },
    MINUTES,
  );

  it.concurrent('takes everything down when it is interrupted', { timeout: MINUTES }, async () => {
    const { code, said, complained, left } = await play(['--real'], () => ({}), 'Draining');
    expect({ code, complained }).toEqual({ code: 130, complained: '' });
    expect(said).toContain('Stopped: everything that was started is being taken down.');
    expect(left).toEqual([]);
  });
});
