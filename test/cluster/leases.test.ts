import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/cluster/cluster.ts';
import type { Sent } from '../../src/cluster/effects.ts';
import { type LeaseRecord, leasesOf } from '../../src/cluster/leases.ts';
import { type Reply, unavailable } from '../../src/cluster/outcomes.ts';
import { status } from './server.ts';

const RECORD: LeaseRecord = {
  name: 'drydock',
  namespace: 'kube-system',
  resourceVersion: '7',
  holder: 'drydock-1',
  durationSeconds: 30,
  acquireTime: '2026-11-21T12:00:00.000000Z',
  renewTime: '2026-11-21T12:00:04.000000Z',
  transitions: 2,
};
const WRITTEN = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'drydock', namespace: 'kube-system', resourceVersion: '7' },
  spec: {
    holderIdentity: 'drydock-1',
    leaseDurationSeconds: 30,
    acquireTime: '2026-11-21T12:00:00.000000Z',
    renewTime: '2026-11-21T12:00:04.000000Z',
    leaseTransitions: 2,
  },
};
const PATH = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';

function asked(answer: Answer<Reply>) {
  const sent: Sent[] = [];
  const send = async (each: Sent) => {
    sent.push(each);
    return answer;
  };
  return { sent, leases: leasesOf('kube-system', send) };
}
const replied = (code: number, body: unknown): Answer<Reply> => ({
  ok: true,
  value: { status: code, body: JSON.stringify(body) },
});

describe('a Lease', () => {
  test('is read', async () => {
    const { sent, leases } = asked(replied(200, WRITTEN));
    expect(await leases.read('drydock')).toEqual({ ok: true, value: RECORD });
    expect(sent).toEqual([{ method: 'GET', path: `${PATH}/drydock`, resource: 'leases' }]);
  });

  test('that is not there is an answer', async () => {
    expect(await asked(replied(404, status(404, 'NotFound', 'no'))).leases.read('drydock')).toEqual({
      ok: true,
      value: undefined,
    });
  });

  test('is replaced where its resourceVersion is known', async () => {
    const { sent, leases } = asked(replied(200, WRITTEN));
    expect(await leases.write(RECORD)).toEqual({ ok: true, value: RECORD });
    expect(sent).toMatchObject([{ method: 'PUT', path: `${PATH}/drydock`, body: WRITTEN }]);
  });

  test('is created where it is not', async () => {
    const { sent, leases } = asked(replied(201, WRITTEN));
    const { resourceVersion: _, ...fresh } = RECORD;
    await leases.write(fresh);
    expect(sent).toMatchObject([{ method: 'POST', path: PATH }]);
    expect(sent[0]?.body).not.toHaveProperty('metadata.resourceVersion');
  });

  test.each([
    ['that another has written', replied(409, status(409, 'Conflict', 'modified')), 'conflict'],
    ['that another has created', replied(409, status(409, 'AlreadyExists', 'there')), 'conflict'],
    ['of a server that is away', unavailable('ECONNREFUSED'), 'unavailable'],
    ['that comes back as something else', { ok: true, value: { status: 200, body: '<html>' } } as const, 'unavailable'],
  ])('%s is a refusal', async (_, answer, why) => {
    expect(await asked(answer).leases.write(RECORD)).toMatchObject({ ok: false, why });
  });
});
