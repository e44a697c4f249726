import { describe, expect, test } from 'vitest';
import { command, wishOf } from './options.ts';
import { PLANTED } from './planted.ts';
import { scenarioFiles, scenarios } from './scenarios.ts';

const file = (name: string) => `test/nodes/scenarios/${name}.test.ts`;

describe('which scenarios are played on real nodes', () => {
  test('without a word those that every change is judged by, and no other', () => {
    expect(wishOf([])).toEqual({ env: {} });
    expect(scenarioFiles(wishOf([]).env)).toEqual(['machines', 'upgrade'].map(file));
  });

  test('all of them where that is asked for: every file there is', () => {
    expect(scenarioFiles(wishOf(['--all']).env)).toEqual(scenarios().map(file));
    expect(scenarios().length).toBeGreaterThan(2);
  });

  test('one by its name, towards a release', () => {
    const { env } = wishOf(['--only', 'mishaps', '--to', 'v1.37.0']);
    expect(env).toEqual({ DRYDOCK_TEST_NODES_TO: 'v1.37.0', DRYDOCK_TEST_NODES_SCENARIOS: 'mishaps' });
    expect(scenarioFiles(env)).toEqual([file('mishaps')]);
  });

  test('with bugs planted: all of them, or those of one scenario', () => {
    expect(wishOf(['--planted']).planted).toEqual(PLANTED);
    const { planted = [] } = wishOf(['--planted', '--only', 'alone']);
    expect(new Set(planted.map(({ scenario }) => scenario))).toEqual(new Set(['alone']));
  });

  test.each([
    [['--only', 'nothing'], 'there is no scenario nothing: there are'],
    [['--all', '--only', 'upgrade'], 'write one of the two'],
    [['--to', 'v1.12.0'], 'no module'],
    [['--planted', '--only', 'machines'], 'no bug is planted for machines'],
    [['--every'], 'unknown option'],
  ])('%j is refused before anything is built', (args, why) => {
    expect(() => wishOf(args)).toThrow(why);
  });

  test('the help says what each option does', () => {
    const help = command().helpInformation();
    for (const word of ['--to', '--all', '--only', '--planted', ...scenarios()]) expect(help).toContain(word);
  });
});
