import { describe, expect, it } from 'vitest';
import { expectWhole, play, type Surroundings } from './played.ts';

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

  it.concurrent('plays on a simulated cluster, and says so', { timeout: MINUTES }, async () => {
    const played = await play([], nothing);
    const { said } = played;
    expectWhole(played, 'a simulated cluster');
    expect(said).toContain('no kubectl here');
    expect(said).toMatch(/is blocked, on purpose: pod shop\/payments-\S+, .*reason BudgetNeverAllows\./);
    expect(said).toContain('in place of kubectl: -n shop patch poddisruptionbudget payments');
    expect(said).toContain('clusterupgrade.drydock.dev/to-1-36 condition met, and the wait is over.');
  });

  it.concurrent('plays there where it is asked to, and takes it down when it is interrupted', {
    timeout: MINUTES,
  }, async () => {
    const { code, said, complained, left } = await play(['--simulated'], nothing, 'Draining');
    expect(said.split('\n')[0]).toContain('Ground: a simulated cluster');
    expect({ code, complained }).toEqual({ code: 130, complained: '' });
    expect(said).toContain('Stopped: everything that was started is being taken down.');
    expect(left).toEqual([]);
  });
});
