import { expect, test } from 'vitest';
import { tallyOf } from './tally.ts';

test('requests of one user are counted by what they are', () => {
  const { sums, answered } = tallyOf((user) => user === 'drydock');
  const ask = (method: string, path: string, status: number, user = 'drydock') =>
    answered({ method, path, user }, { status, body: {} });
  ask('POST', '/api/v1/namespaces/shop/pods/web/eviction', 201);
  ask('POST', '/api/v1/namespaces/shop/pods/web/eviction', 429);
  ask('POST', '/api/v1/namespaces/shop/pods/web/eviction', 404);
  ask('PATCH', '/api/v1/nodes/worker-1', 200);
  ask('POST', '/api/v1/namespaces/default/events', 201);
  ask('PUT', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/drydock', 200);
  ask('GET', '/api/v1/nodes/worker-1', 200);
  ask('PATCH', '/api/v1/nodes/worker-2', 200, 'person');
  expect(sums).toEqual({ requests: 7, writes: 1, evictionCalls: 3, granted: 1, refused: 1 });
});
