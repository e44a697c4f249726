import { describe, expect, test } from 'vitest';
import type { Condition } from '../../src/api/field.ts';
import { isNews, newHindrances } from '../../src/core/news.ts';
import { ago, NOW } from '../support/build.ts';
import { blocker } from './reporting.ts';

const says = (type: string, reason: string, status: Condition['status'] = 'True'): Condition => ({
  type,
  status,
  reason,
  message: 'Because.',
  lastTransitionTime: ago(9),
});

describe('what has come in the way since', () => {
  test.each<[string, readonly Condition[], readonly Condition[], readonly string[]]>([
    ['Blocked turned True', [says('Blocked', 'NotBlocked', 'False')], [says('Blocked', 'NodeBusy')], ['NodeBusy']],
    ['it was never said before', [], [says('Blocked', 'NodeBusy')], ['NodeBusy']],
    ['caught: for another reason', [says('Blocked', 'NodeBusy')], [says('Blocked', 'LedgerFull')], ['LedgerFull']],
    ['caught: for the same reason, however often', [says('Blocked', 'NodeBusy')], [says('Blocked', 'NodeBusy')], []],
    ['it is over', [says('Blocked', 'NodeBusy')], [says('Blocked', 'NotBlocked', 'False')], []],
    ['Stalled', [], [says('Stalled', 'NodeNotFound')], ['NodeNotFound']],
    ['the same reason twice is one', [], [says('Stalled', 'Halted'), says('Blocked', 'Halted')], ['Halted']],
    ['what goes well is not in the way', [], [says('Ready', 'Held'), says('Reconciling', 'Rolling')], []],
  ])('%s', (_, before, after, reasons) => {
    expect(newHindrances(before, after).map(({ reason }) => reason)).toEqual(reasons);
  });
});

test.each([
  [false, 0, true],
  [true, 60, false],
  [true, 61, true],
])('a blocker that clears by itself: %s, for %s s, is news: %s', (selfClearing, seconds, expected) => {
  expect(isNews({ ...blocker, selfClearing, since: ago(seconds) }, NOW)).toBe(expected);
});
