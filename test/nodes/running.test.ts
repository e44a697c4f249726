import { expect, test } from 'vitest';
import { toldOf } from './running.ts';

const running = (name: string) => ({ name, state: { running: {} } });

function pod(name: string, containerStatuses: readonly { readonly name: string; readonly state: object }[]) {
  const metadata = { namespace: 'town', name, uid: `uid-${name}` };
  return { metadata, spec: { nodeName: 'w1' }, status: { containerStatuses } };
}

test('what runs on a node by the API: each container that runs, by its pod and what the kubelet calls it', () => {
  const statics = { ...pod('etcd-cp1', [running('etcd')]), spec: { nodeName: 'cp1' } };
  const mirror = {
    ...statics,
    metadata: { ...statics.metadata, annotations: { 'kubernetes.io/config.hash': 'hash-of-manifest' } },
  };
  const pods = [
    pod('web', [running('web'), { name: 'beside', state: { waiting: {} } }]),
    pod('done', [{ name: 'done', state: { terminated: { exitCode: 0 } } }]),
    { metadata: pod('pending', []).metadata, spec: {}, status: {} },
    mirror,
  ];
  expect([...toldOf(pods, 'w1')]).toEqual(['town/web/web uid-web']);
  expect([...toldOf(pods, 'cp1')]).toEqual(['town/etcd-cp1/etcd hash-of-manifest']);
});
