import { expect, test } from 'vitest';
import { isWanted, quantity, tolerates } from '../../../src/simulation/controllers/fit.ts';
import type { NodeObject, PodObject, PodSpec, Taint, Toleration } from '../../../src/simulation/objects.ts';
import { isReady, template, type World, workload, world } from './world.ts';

const taint = (effect: Taint['effect'], value?: string): Taint => ({
  key: 'dedicated',
  effect,
  ...(value === undefined ? {} : { value }),
});

const TOLERATIONS: readonly [string, Toleration, Taint, boolean][] = [
  ['everything is tolerated by Exists without a key', { operator: 'Exists' }, taint('NoExecute'), true],
  ['a key that exists', { key: 'dedicated', operator: 'Exists' }, taint('NoSchedule', 'db'), true],
  ['another key is another taint', { key: 'other', operator: 'Exists' }, taint('NoSchedule'), false],
  [
    'another effect is another taint',
    { key: 'dedicated', operator: 'Exists', effect: 'NoExecute' },
    taint('NoSchedule'),
    false,
  ],
  ['a value must be the same', { key: 'dedicated', value: 'web' }, taint('NoSchedule', 'db'), false],
  ['the same value', { key: 'dedicated', operator: 'Equal', value: 'db' }, taint('NoSchedule', 'db'), true],
  ['no value is the empty value', { key: 'dedicated' }, taint('NoSchedule'), true],
];

test.each(TOLERATIONS)('%s', (_, toleration, against, expected) => {
  expect(tolerates([toleration], against)).toBe(expected);
});

const affine = (term: object): Partial<PodSpec> => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
});

const WANTS: readonly [string, Partial<PodSpec>, boolean][] = [
  ['a label that the node has', { nodeSelector: { zone: 'a' } }, true],
  ['a label that it has otherwise', { nodeSelector: { zone: 'b' } }, false],
  ['one of several', affine({ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] }), true],
  ['more than a number', affine({ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['3'] }] }), true],
  ['its name', affine({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['one'] }] }), true],
  ['the name of another', affine({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['two'] }] }), false],
  ['nothing, which selects nothing', affine({}), false],
];

test.each(WANTS)('a pod that asks for %s', (_, spec, expected) => {
  const node = { metadata: { name: 'one', labels: { zone: 'a', cores: '4' } } } as unknown as NodeObject;
  expect(isWanted({ containers: [], ...spec }, node)).toBe(expected);
});

test.each([
  ['250m', 0.25],
  ['8', 8],
  ['32Gi', 32 * 2 ** 30],
  ['1e3', 1000],
  ['5k', 5000],
])('%s is %d', (text, value) => {
  expect(quantity(text)).toBe(value);
});

test('a quantity that cannot be read is refused plainly', () => {
  expect(() => quantity('much')).toThrow('impossible: the quantity much');
});

function pod(at: World, name: string, spec: Partial<PodSpec> = {}) {
  return at.create('pods', { metadata: { name, namespace: 'default' }, spec: template(name, spec).spec });
}

const unschedulable = ({ status }: PodObject) =>
  status.conditions?.find(({ type }) => type === 'PodScheduled')?.message;
const cordon = (at: World, name: string, is = true) =>
  at.change<NodeObject>('nodes', name, (before) => ({ ...before, spec: { ...before.spec, unschedulable: is } }));

function ready(...nodes: readonly (readonly [string, object?])[]) {
  const at = world();
  for (const [name, more] of nodes) at.node(name, more);
  at.run(10);
  return at;
}

test('a pod that no node takes says why, and is taken when one can', () => {
  const at = ready(['one', { taints: [taint('NoSchedule', 'db')] }], ['two'], ['three', { capacity: { cpu: '1' } }]);
  cordon(at, 'two');
  pod(at, 'web', { containers: [{ name: 'main', resources: { requests: { cpu: '1500m' } } }] });
  at.run(30);
  const message = unschedulable(at.pod('web') as PodObject);
  expect(message).toBe(
    '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.',
  );
  expect(at.timeline.next()).toBeUndefined();
  cordon(at, 'two', false);
  at.until(() => at.pod('web')?.spec.nodeName === 'two');
});

test('a pod that waits for room is taken when another goes', () => {
  const at = ready(['one', { capacity: { pods: '1' } }]);
  pod(at, 'first');
  at.run(10);
  pod(at, 'second');
  at.run(10);
  expect(unschedulable(at.pod('second') as PodObject)).toBe('0/1 nodes are available: 1 Too many pods.');
  at.remove('pods', 'default/first');
  at.until(() => at.pod('second')?.spec.nodeName === 'one');
});

test('a taint of PreferNoSchedule is avoided while there is another node', () => {
  const at = ready(['one', { taints: [taint('PreferNoSchedule')] }], ['two']);
  at.create('deployments.apps', workload('web', 5));
  at.until(() => at.pods('web').filter(isReady).length === 5);
  expect(new Set(at.pods('web').map(({ spec }) => spec.nodeName))).toEqual(new Set(['two']));
});

test('a pod that tolerates the taint of cordoned nodes is bound to one', () => {
  const at = ready(['one']);
  cordon(at, 'one');
  pod(at, 'web', { tolerations: [{ operator: 'Exists' }] });
  at.until(() => at.pod('web')?.spec.nodeName === 'one');
});

test('a binding lands after a cordon, since what was decided is not looked at again', () => {
  const at = ready(['one']);
  at.delays.bind = [5_000, 5_000];
  pod(at, 'web');
  at.run(1);
  cordon(at, 'one');
  at.run(1);
  const taints = at.nodeOf('one').spec.taints?.map(({ key }) => key);
  expect(taints).toContain('node.kubernetes.io/unschedulable');
  expect(at.pod('web')?.spec.nodeName).toBeUndefined();
  at.until(() => at.pod('web')?.spec.nodeName === 'one');
  at.until(() => isReady(at.pod('web') as PodObject));
});

test('a binding for a pod that went and came back under its name is not made', () => {
  const at = ready(['one']);
  at.delays.bind = [5_000, 5_000];
  pod(at, 'web');
  at.run(1);
  at.remove('pods', 'default/web');
  pod(at, 'web');
  at.run(4.5);
  expect(at.pod('web')?.spec.nodeName).toBeUndefined();
  at.until(() => at.pod('web')?.spec.nodeName === 'one');
});

test('two pods do not take the same last place while one of them is being bound', () => {
  const at = ready(['one', { capacity: { pods: '1' } }], ['two', { capacity: { pods: '1' } }]);
  at.delays.bind = [1_000, 3_000];
  pod(at, 'a');
  pod(at, 'b');
  at.run(10);
  expect([at.pod('a')?.spec.nodeName, at.pod('b')?.spec.nodeName].sort()).toEqual(['one', 'two']);
});

test('a pod for one node waits for that node, and says so of the others', () => {
  const at = ready(['one'], ['two'], ['three']);
  cordon(at, 'one');
  pod(at, 'web', affine({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['one'] }] }));
  pod(at, 'lost', affine({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['nobody'] }] }));
  at.run(20);
  expect(unschedulable(at.pod('web') as PodObject)).toBe(
    "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  );
  expect(unschedulable(at.pod('lost') as PodObject)).toBe(
    "0/3 nodes are available: 3 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  );
  cordon(at, 'one', false);
  at.until(() => at.pod('web')?.spec.nodeName === 'one');
});

test('a pod that another scheduler is to place is left to it', () => {
  const at = ready(['one']);
  pod(at, 'web', { schedulerName: 'mine' } as object);
  at.run(30);
  expect(at.pod('web')?.spec.nodeName).toBeUndefined();
});
