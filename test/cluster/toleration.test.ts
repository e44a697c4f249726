import { describe, expect, test } from 'vitest';
import { evictedAfterSeconds, toleratesCordon } from '../../src/cluster/toleration.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const both = (over: object) => [NOT_READY, UNREACHABLE].map((key) => ({ key, operator: 'Exists', ...over }));
const DEFAULT = both({ effect: 'NoExecute', tolerationSeconds: 300 });

describe('when Kubernetes deletes a pod from a node that is not ready', () => {
  test.each<[string, unknown, number | undefined]>([
    ['what the admission plugin gives every pod', DEFAULT, 300],
    ['what a DaemonSet gives its pods', both({ effect: 'NoExecute' }), undefined],
    ['nothing is tolerated: at once', [], 0],
    ['no tolerations at all: at once', undefined, 0],
    ['Exists without a key tolerates everything, for ever', [{ operator: 'Exists' }], undefined],
    ['Exists without a key, but not for ever', [{ operator: 'Exists', tolerationSeconds: 60 }], 60],
    ['Exists without a key, of another effect', [{ operator: 'Exists', effect: 'NoSchedule' }], 0],
    ['only one of the two is tolerated: at once', [{ key: NOT_READY, operator: 'Exists' }], 0],
    [
      'caught: the sooner of the two, whichever comes first',
      [
        { key: UNREACHABLE, operator: 'Exists', tolerationSeconds: 900 },
        { key: NOT_READY, operator: 'Exists', tolerationSeconds: 30 },
      ],
      30,
    ],
    [
      'caught: one of them for ever, the other not',
      [
        { key: NOT_READY, operator: 'Exists' },
        { key: UNREACHABLE, operator: 'Exists', tolerationSeconds: 6000 },
      ],
      6000,
    ],
    ['for no time: at once', both({ tolerationSeconds: 0 }), 0],
    ['for less than no time: at once', both({ tolerationSeconds: -5 }), 0],
    ['no operator is Equal, and the taints have no value', both({ operator: undefined, tolerationSeconds: 9 }), 9],
    ['Equal to nothing', both({ operator: 'Equal', value: '', tolerationSeconds: 9 }), 9],
    ['Equal to something', both({ operator: 'Equal', value: 'x' }), 0],
    ['an operator that compares numbers', both({ operator: 'Gt', value: '1' }), 0],
    ['another taint', [{ key: 'dedicated', operator: 'Exists' }], 0],
    [
      'caught: of two for one taint the first counts, not the shorter',
      [...both({ tolerationSeconds: 500 }), ...both({ tolerationSeconds: 20 })],
      500,
    ],
    ['garbage', [{ tolerationSeconds: 'x' }], 0],
  ])('%s', (_, tolerations, expected) => {
    expect(evictedAfterSeconds(tolerations)).toBe(expected);
  });
});

describe('whether a pod may be bound to a cordoned node', () => {
  const unschedulable = 'node.kubernetes.io/unschedulable';
  test.each<[string, object, boolean]>([
    ['everything', { operator: 'Exists' }, true],
    ['every NoSchedule taint', { operator: 'Exists', effect: 'NoSchedule' }, true],
    ['the cordon by its key', { key: unschedulable, operator: 'Exists' }, true],
    ['the cordon by its key and value', { key: unschedulable }, true],
    ['caught: another effect', { operator: 'Exists', effect: 'NoExecute' }, false],
    ['caught: another value', { key: unschedulable, operator: 'Equal', value: 'yes' }, false],
    ['caught: another key', { key: 'node.kubernetes.io/not-ready', operator: 'Exists' }, false],
  ])('[rule 10] tolerates the cordon or not: %s', (_, toleration, tolerates) => {
    expect(toleratesCordon([toleration])).toBe(tolerates);
  });
});
