import { describe, expect, it } from 'vitest';
import { hasControlPlane } from '../control-plane/ladder.ts';
import { expectWhole, play } from './played.ts';

const MINUTES = 6 * 60_000;

describe.skipIf(!(await hasControlPlane()))('the demo without a terminal', () => {
  it.concurrent(
    'upgrades six nodes in plain lines, relaxes the budget that blocks, and ends with evidence',
    async () => {
      const played = await play(['--real']);
      const { said } = played;
      const { evidence } = expectWhole(played, 'a Kubernetes control plane');
      expect(said).not.toContain(String.fromCharCode(27));
      expect(said).toMatch(
        /is blocked, on purpose: pod shop\/payments-\S+, owner Deployment\/payments, budget shop\/payments, reason BudgetNeverAllows\./,
      );
      expect(said).toContain('patch poddisruptionbudget payments');
      expect(said).toContain('clusterupgrade.drydock.dev/to-1-36 condition met, and kubectl wait has returned.');
      expect(evidence).toMatch(/rights +0 requests/);
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
