import { describe, expect, it } from 'vitest';
import type { Behaves } from '../../src/simulation/controllers/payload.ts';
import type { Plane } from '../control-plane/cluster.ts';
import { apply, must } from './ground.ts';
import { begun, condition, cordons, setScene, ticketed, upgradeJobs } from './scene.ts';
import { complete, isTrue, passages, upgradeIs } from './seen.ts';
import { nodes, profile, upgrade } from './shop.ts';
import { stage } from './stage.ts';

const ground = stage({ turnBack: ({ agent }) => agent.behave('*', {}) });

const EVIDENCE = { name: 'etcd-cp-1-20261121T040000Z.db', revision: 812, sizeBytes: 4096, hash: 77 };
const SAID = `Snapshot /var/backups/etcd/${EVIDENCE.name} of etcd at revision 812.\n${JSON.stringify(EVIDENCE)}`;
const SAVES = { env: [{ name: 'SAVES', value: 'etcd' }], drain: { mode: 'Leave' } };
const TO = 'v1.36.5';
const wanted = { target: { kubernetesVersion: TO }, etcdSnapshot: { profileName: 'etcd-snapshot' } };

/** Payloads that raise nodes, but for the one that saves etcd. */
const saving =
  (saves: Behaves): Behaves =>
  (work) => {
    if (work.env['SAVES'] !== 'etcd') return { workSeconds: 1 };
    return typeof saves === 'function' ? saves(work) : saves;
  };

type Told = { readonly reason: string; readonly message: string; readonly regarding?: { readonly name: string } };

async function told(plane: Plane, reason: string): Promise<readonly string[]> {
  const all = await plane.admin.list<Told>('/apis/events.k8s.io/v1/namespaces/default/events');
  return all
    .filter((each) => each.reason === reason)
    .map(({ message, note }: Told & { note?: string }) => note ?? message);
}

/** The API server of the tests cannot be raised, so there are no workers to follow it. */
async function play(saves: Behaves, spec: object = {}): Promise<number> {
  const { plane, agent } = ground;
  agent.behave('*', saving(saves));
  await setScene(plane, nodes(0, 2), [profile(), profile(SAVES, 'etcd-snapshot')]);
  const mark = plane.audit.mark();
  await apply(plane, [upgrade({ ...wanted, ...spec })]);
  return mark;
}

describe('before the first control plane of a release', () => {
  it('a snapshot of etcd is taken on it, once, seen to be good, and written down before anything is cordoned', async () => {
    const { plane, agent } = ground;
    const from = agent.works.length;
    const mark = await play({ workSeconds: 2, message: SAID });
    const { status } = await complete(plane);
    expect(status.etcdSnapshot).toMatchObject(EVIDENCE);
    const works = agent.works.slice(from).filter(({ job }) => job === 'upgrade');
    expect(works.map(({ node, env }) => `${node} ${env['SAVES'] ?? env['DRYDOCK_ROLE']}`)).toEqual([
      'cp-1 etcd',
      'cp-1 firstControlPlane',
      'cp-2 controlPlane',
    ]);
    const [first] = cordons(plane.audit, mark, true);
    const written = plane.audit.events({ verb: 'update', resource: 'clusterupgrades', code: 200, from: mark });
    const saved = written.find(
      ({ requestObject }) =>
        (requestObject as { status: { etcdSnapshot?: unknown } }).status.etcdSnapshot !== undefined,
    );
    expect(saved?.time).toBeLessThan(first?.time ?? 0);
    expect(await told(plane, 'EtcdSaved')).toEqual([
      `etcd is saved as ${EVIDENCE.name}: revision 812, 4096 bytes, hash 77.`,
    ]);
    expect(await must(plane, ['describe', 'dcu', 'to-1-36'])).toMatch(/Etcd Snapshot:\s+Hash:\s+77/);
    expect(await ticketed(plane)).toEqual([]);
  });

  it('that says nothing of what it saved nothing begins: Halted, with what is missing; a retry goes on', async () => {
    const { plane, agent } = ground;
    const mark = await play({ message: 'done' });
    const { status } = await upgradeIs(plane, 'to-1-36', 'is Halted', ({ phase }) => phase === 'Halted');
    expect(condition(status, 'Stalled').message).toContain('name, revision, sizeBytes and hash');
    expect(cordons(plane.audit, mark, true)).toEqual([]);
    expect(upgradeJobs(plane.audit, mark).length).toBe(1);
    agent.behave('*', saving({ message: SAID }));
    await apply(plane, [upgrade({ ...wanted, rollout: { maxUnavailable: 2, retry: 1 } })]);
    expect((await complete(plane)).status.nodes).toMatchObject({ total: 2, done: 2 });
    expect(upgradeJobs(plane.audit, mark).length).toBe(4);
  });

  it('that fails nothing begins: Halted, with what the payload said', async () => {
    const { plane } = ground;
    const mark = await play({ result: 'fail', message: 'No member of etcd runs on cp-1.' });
    const { status } = await upgradeIs(
      plane,
      'to-1-36',
      'remembers the failure',
      ({ phase, failures }) => phase === 'Halted' && (failures ?? []).length > 0,
    );
    expect(isTrue(status, 'Stalled')).toBe(true);
    expect(condition(status, 'Stalled').message).toContain('No member of etcd runs on cp-1.');
    expect(cordons(plane.audit, mark, true)).toEqual([]);
    expect((await passages(plane)).map(({ spec }) => spec.nodeName)).toEqual(['cp-1']);
  });

  it('by a profile that would drain nothing begins, and it is said which one to use', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(0, 1), [profile(), profile({}, 'etcd-snapshot')]);
    const mark = plane.audit.mark();
    await apply(plane, [upgrade(wanted)]);
    const { status } = await upgradeIs(plane, 'to-1-36', 'is Invalid', ({ phase }) => phase === 'Invalid');
    expect(condition(status, 'Stalled')).toMatchObject({
      reason: 'SnapshotDrains',
      message: expect.stringContaining('use a profile with drain.mode: Leave'),
    });
    await apply(plane, [profile(SAVES, 'etcd-snapshot')]);
    await upgradeIs(plane, 'to-1-36', 'goes on', ({ phase }) => phase !== 'Invalid');
    expect(begun(plane.audit, mark).length).toBeLessThanOrEqual(1);
  });
});
