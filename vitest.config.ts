import { availableParallelism, totalmem } from 'node:os';
import { defineConfig } from 'vitest/config';
import { hasControlPlane } from './test/control-plane/ladder.ts';
import { scenarioFiles } from './test/nodes/scenarios.ts';
import { LongestFirst } from './test/support/longest-first.ts';

/** Where a report for machines goes, if one is asked for: `npm cit` takes no arguments. */
const report = process.env['DRYDOCK_TEST_REPORT'];

/** Without any way to have a control plane its tests are left out, loudly; CI does not accept that. */
const controlPlane = await hasControlPlane();

/** Files that mostly wait run beside each other: each has a control plane at most, which takes less than 1 GB. */
const waiting = {
  isolate: false,
  maxWorkers: Math.max(1, Math.min(9, Math.floor(totalmem() / 2 ** 30) - 1)),
  // What is proved in real time must not share the cores with what is reckoned in virtual time.
  sequence: { groupOrder: 2 },
};

const onControlPlane = {
  test: {
    ...waiting,
    name: 'control-plane',
    include: ['test/{control-plane,end-to-end}/**/*.test.ts', 'test/contract/real.test.ts'],
    // The first run builds the control plane, which takes minutes and is no test's time.
    globalSetup: ['test/control-plane/build.ts'],
    // A pass does not wait for them: they are for machines that do other things as well.
    testTimeout: 480_000,
    hookTimeout: 480_000,
  },
};

/** Machines with systemd, kubelets and kubeadm; where that cannot be it is skipped by name. */
const onNodes = {
  test: {
    name: 'nodes',
    include: scenarioFiles(),
    fileParallelism: false,
    // Last, with nothing beside it: a control plane that is replaced should be waited for, not its cores.
    sequence: { groupOrder: 3 },
    globalSetup: ['test/nodes/build.ts'],
    testTimeout: 120_000,
  },
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        test: {
          name: 'simulation',
          // Clocks that are many times as fast, and planted bugs that are found by waiting: nothing may be beside them.
          include: ['test/simulation/{swarm,mutants,matrix}.test.ts', 'test/sockets/sockets.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'tables',
          // They share nothing but what they import, and that takes longer than half of them.
          isolate: false,
          // Of two cores vitest would use one.
          maxWorkers: availableParallelism(),
          // Some walk over every file; on a busy machine that takes longer than five seconds.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
          exclude: ['test/simulation/{swarm,mutants,matrix}.test.ts'],
          include: [
            'test/{api,core,cluster,runtime,telemetry,controllers,demo,simulation,fuzz,bench}/**/*.test.ts',
            'test/nodes/*.test.ts',
            'test/contract/contract.test.ts',
            'test/*.test.ts',
          ],
        },
      },
      {
        test: {
          ...waiting,
          name: 'payload',
          // Hundreds of runs of shell scripts, each of which is killed somewhere.
          testTimeout: 480_000,
          include: ['test/payload/*.test.ts'],
        },
      },
      ...(controlPlane ? [onControlPlane] : []),
      onNodes,
    ],
  },
});
