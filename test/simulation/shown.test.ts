import { describe, expect, it } from 'vitest';
import { jsonPath } from '../../src/simulation/columns.ts';
import { formsOf } from '../../src/simulation/forms.ts';
import { humanDuration } from '../../src/simulation/human.ts';
import type { KubeObject } from '../../src/simulation/objects.ts';
import { POD_COLUMNS } from '../../src/simulation/pod-columns.ts';
import { fromProtobuf } from '../../src/simulation/protobuf.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

it.each([
  [-5 * SECOND, '<invalid>'],
  [-1 * SECOND, '0s'],
  [0, '0s'],
  [119 * SECOND, '119s'],
  [2 * MINUTE, '2m'],
  [2 * MINUTE + 5 * SECOND, '2m5s'],
  [10 * MINUTE + 5 * SECOND, '10m'],
  [179 * MINUTE, '179m'],
  [3 * HOUR, '3h'],
  [3 * HOUR + 5 * MINUTE, '3h5m'],
  [47 * HOUR, '47h'],
  [2 * DAY, '2d'],
  [2 * DAY + 3 * HOUR, '2d3h'],
  [8 * DAY + 3 * HOUR, '8d'],
  [729 * DAY, '729d'],
  [730 * DAY, '2y'],
  [735 * DAY, '2y5d'],
  [9 * 365 * DAY, '9y'],
])('%d ms are shown as %s', (milliseconds, text) => {
  expect(humanDuration(milliseconds)).toBe(text);
});

function pod(status: object, metadata: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-11-10T12:00:00Z', ...metadata },
    spec: { containers: [{ name: 'one' }, { name: 'two' }] },
    status,
  };
}

const running = { name: 'one', ready: true, state: { running: {} } };
const crashed = {
  name: 'two',
  ready: false,
  restartCount: 3,
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { finishedAt: '2026-11-10T12:01:00Z' } },
};
const ended = (exitCode: number, reason?: string) => ({ name: 'one', state: { terminated: { exitCode, reason } } });

describe('the status of a pod is read from its containers', () => {
  it.each([
    ['pending', pod({ phase: 'Pending' }), ['0/2', 'Pending', '0']],
    [
      'running',
      pod({ phase: 'Running', containerStatuses: [running, { ...running, name: 'two' }] }),
      ['2/2', 'Running', '0'],
    ],
    [
      'crashing',
      pod({ phase: 'Running', containerStatuses: [running, crashed] }),
      ['1/2', 'CrashLoopBackOff', '3 (60s ago)'],
    ],
    ['done', pod({ phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] }), ['0/2', 'Completed', '0']],
    ['failed', pod({ phase: 'Failed', containerStatuses: [ended(1, 'Error')] }), ['0/2', 'Error', '0']],
    ['ended without a reason', pod({ phase: 'Failed', containerStatuses: [ended(7)] }), ['0/2', 'ExitCode:7', '0']],
    ['evicted by its kubelet', pod({ phase: 'Failed', reason: 'Evicted' }), ['0/2', 'Evicted', '0']],
    ['leaving', pod({ phase: 'Running' }, { deletionTimestamp: '2026-11-10T12:02:00Z' }), ['0/2', 'Terminating', '0']],
    [
      'leaving a lost node',
      pod({ phase: 'Running', reason: 'NodeLost' }, { deletionTimestamp: '2026-11-10T12:02:00Z' }),
      ['0/2', 'Unknown', '0'],
    ],
  ])('%s', (_, object, cells) => {
    const now = Date.parse('2026-11-10T12:02:00Z');
    expect(POD_COLUMNS.slice(1, 4).map(({ cell }) => cell(object, now))).toEqual(cells);
  });
});

it.each([
  ['.spec.a', 1],
  ['.spec.b.c', 'd'],
  ['.spec.nothing.at.all', undefined],
  ['.conditions[?(@.type=="Ready")].reason', 'Fine'],
  ['.conditions[?(@.type=="Other")].reason', undefined],
])('the JSONPath %s finds %j', (path, found) => {
  const object = { spec: { a: 1, b: { c: 'd' } }, conditions: [{ type: 'Ready', reason: 'Fine' }] };
  expect(jsonPath(object, path)).toBe(found);
});

it.each([
  [undefined, ['plain']],
  ['application/json', ['plain']],
  ['application/json, */*', ['plain', 'plain']],
  ['application/vnd.kubernetes.protobuf', []],
  ['application/vnd.kubernetes.protobuf,application/json', ['plain']],
  ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io', ['table']],
  ['application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList', ['aggregated']],
  ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', ['partial']],
])('who accepts %s is given %j', (accept, forms) => {
  expect(formsOf(accept)).toEqual(forms);
});

describe('a body in protobuf', () => {
  const field = (number: number, value: Buffer | string) => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  };
  const wrapped = (apiVersion: string, kind: string, raw: Buffer) =>
    Buffer.concat([
      Buffer.from('k8s\0'),
      field(1, Buffer.concat([field(1, apiVersion), field(2, kind)])),
      field(2, raw),
    ]);

  it('is read where kubectl sends its kind so', () => {
    const labels = field(11, Buffer.concat([field(1, 'a'), field(2, 'b')]));
    const raw = field(1, Buffer.concat([field(1, 'shop'), field(3, ''), labels]));
    expect(fromProtobuf(wrapped('v1', 'Namespace', raw))).toEqual({
      ok: true,
      value: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { a: 'b' } } },
    });
  });

  it.each([
    ['a kind of which it is not known', wrapped('v1', 'Secret', Buffer.alloc(0)), 'the model reads no v1 Secret in it'],
    ['a field that is not known', wrapped('v1', 'Namespace', field(9, 'x')), 'field 9 of Namespace is not known'],
    ['something else', Buffer.from('{}'), 'does not begin as Kubernetes begins it'],
    ['a body that is cut off', wrapped('v1', 'Namespace', field(1, 'ab')).subarray(0, -1), 'it is broken'],
  ])('is refused: %s', (_, bytes, why) => {
    const read = fromProtobuf(bytes);
    expect(read.ok ? '' : read.failure.message).toContain(why);
  });
});
