import { describe, expect, test } from 'vitest';
import { command, wishOf } from './options.ts';
import { scenarioFiles, scenarios } from './scenarios.ts';

const file = (name: string) => `test/nodes/scenarios/${name}.test.ts`;

describe('which scenarios are played on real nodes', () => {
  test('without a word those that every change is judged by, and no other', () => {
    expect(wishOf([])).toEqual({});
    expect(scenarioFiles(wishOf([]))).toEqual(['machines', 'upgrade'].map(file));
  });

  test('all of them where that is asked for: every file there is', () => {
    expect(scenarioFiles(wishOf(['--all']))).toEqual(scenarios().map(file));
    expect(scenarios().length).toBeGreaterThan(2);
  });

  test('one by its name, towards a release', () => {
    const wish = wishOf(['--only', 'mishaps', '--to', 'v1.37.0']);
    expect(wish).toEqual({ DRYDOCK_TEST_NODES_TO: 'v1.37.0', DRYDOCK_TEST_NODES_SCENARIOS: 'mishaps' });
    expect(scenarioFiles(wish)).toEqual([file('mishaps')]);
  });

  test.each([
    [['--only', 'nothing'], 'there is no scenario nothing: there are'],
    [['--all', '--only', 'upgrade'], 'write one of the two'],
    [['--to', 'v1.12.0'], 'no module'],
    [['--every'], 'unknown option'],
  ])('%j is refused before anything is built', (args, why) => {
    expect(() => wishOf(args)).toThrow(why);
  });

  test('the help says what each option does', () => {
    const help = command().helpInformation();
    for (const word of ['--to', '--all', '--only', ...scenarios()]) expect(help).toContain(word);
  });
});
