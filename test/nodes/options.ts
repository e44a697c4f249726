import { Command } from 'commander';
import { chosen } from './chosen.ts';
import { PLANTED, type PlantedOnNodes } from './planted.ts';
import { scenarioFiles, scenarios } from './scenarios.ts';

/** What who asks for the tier of real nodes wants of it. */
export type Wish = {
  /** For the tests. */
  readonly env: { readonly DRYDOCK_TEST_NODES_TO?: string; readonly DRYDOCK_TEST_NODES_SCENARIOS?: string };
  /** Which bugs are planted, one after another; without it the scenarios are played as they are. */
  readonly planted?: readonly PlantedOnNodes[];
};

/** The command line; its help says what each option does. */
export function command(): Command {
  return new Command('npm run test:nodes --')
    .description(
      'Makes a cluster of real nodes on this machine with kubeadm, and lets it upgrade itself. For root of a Linux machine.',
    )
    .option(
      '--to <release>',
      'where to, as in v1.37.0; without it the same source as a patch release that does not exist',
    )
    .option(
      '--all',
      'plays every scenario, each on a cluster of its own, not only those that every change is judged by',
    )
    .option('--only <scenario>', `plays one of them: ${scenarios().join(', ')}`)
    .option('--planted', 'plants each known bug, and shows that the scenario for it notices');
}

/** Reads a command line; throws where it asks for what there is not, before a compiler has run for minutes. */
export function wishOf(args: readonly string[]): Wish {
  const parsed = command()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parse(args, { from: 'user' });
  const { to, all, only, planted } = parsed.opts<{ to?: string; all?: boolean; only?: string; planted?: boolean }>();
  if (all && only !== undefined) throw new Error('--all plays everything, --only one scenario: write one of the two');
  const env = {
    ...(to === undefined ? {} : { DRYDOCK_TEST_NODES_TO: to }),
    ...(all ? { DRYDOCK_TEST_NODES_SCENARIOS: 'all' } : {}),
    ...(only === undefined ? {} : { DRYDOCK_TEST_NODES_SCENARIOS: only }),
  };
  chosen(env);
  scenarioFiles(env);
  if (!planted) return { env };
  const bugs = PLANTED.filter(({ scenario }) => only === undefined || scenario === only);
  if (bugs.length === 0) throw new Error(`no bug is planted for ${only}: it plants its own while it runs`);
  return { env, planted: bugs };
}
