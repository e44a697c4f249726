import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../../control-plane/until.ts';
import { layOutMachines, leftovers } from '../machines.ts';
import { judge, thisHost } from '../possible.ts';

const verdict = judge(thisHost());
const DOOMED = join(import.meta.dirname, '../doomed.ts');

describe.skipIf(!verdict.runs)('machines of namespaces', () => {
  test('boot, reboot when they are told to from inside, and lose their power, and leave nothing (planted: nobody clears away)', async () => {
    const machines = await layOutMachines(['w1']);
    try {
      const [machine] = machines.all;
      if (machine === undefined) throw new Error('one was asked for');
      await machine.boot();
      const ids = [await machine.bootID()];
      await machine.exec(['touch', '/etc/kept', '/run/lost'], { what: 'two files' });
      await machine.tried(['systemctl', 'reboot'], { what: 'a reboot' });
      await until(async () => (await machine.bootID()) !== ids[0], { what: 'another boot', seconds: 30 });
      const isBack = async () => (await machine.tried(['systemctl', 'is-active', '-q', 'containerd'], BACK)).code === 0;
      await until(isBack, { what: 'the machine is back', seconds: 30 });
      ids.push(await machine.bootID());
      const files = await machine.tried(['ls', '/etc/kept', '/run/lost'], { what: 'two files' });
      expect(files.stdout.trim()).toBe('/etc/kept');
      await machine.losePower();
      expect((await machine.tried(['true'], { what: 'is it off' })).stderr).toContain('w1 is down');
      await machine.boot();
      ids.push(await machine.bootID());
      expect(new Set(ids).size).toBe(3);
    } finally {
      await machines.stop();
    }
    expect(await leftovers()).toEqual([]);
  });

  test('do not outlive the process that has them, not even one that is killed (planted: nobody clears away)', async () => {
    const child = spawn(process.execPath, [DOOMED], { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('it has ended before it had machines'))),
    ]);
    const there = await leftovers();
    expect(there).toContain('drydock-w9');
    expect(there.filter((each) => each.startsWith('/sys/fs/cgroup/')).length).toBeGreaterThan(0);
    expect(there.filter((each) => each.endsWith('/cmdline')).length).toBeGreaterThan(0);
    child.kill('SIGKILL');
    await until(async () => (await leftovers()).length === 0, { what: 'nothing is left', seconds: 60 });
  });
});

const BACK = { what: 'is it back', seconds: 10 };
