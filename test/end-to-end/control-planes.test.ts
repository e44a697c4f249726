import { describe, expect, it } from 'vitest';
import { type FakeNode, readNode } from '../control-plane/nodes.ts';
import { apply, USER } from './ground.ts';
import { outOfService } from './referee.ts';
import { begun, cordons, isCordoned, setScene, ticketed } from './scene.ts';
import { complete, passages, type SeenPolicy, upgradeIs } from './seen.ts';
import { nodes, profile, upgrade } from './shop.ts';
import { stage } from './stage.ts';

const ground = stage({ policy: { maxUnavailable: 5 } });

const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';
const only = (operator: 'Exists' | 'DoesNotExist') => ({
  nodes: { selector: { matchExpressions: [{ key: CONTROL_PLANE, operator }] } },
});
const FIVE = { rollout: { maxUnavailable: 5 } };

/** The most control-plane tickets that any ledger Drydock wrote had at once. */
function mostTickets(from: number): number {
  const writes = ground.plane.audit.events({
    user: USER,
    verb: 'update',
    resource: 'maintenancepolicies',
    code: 200,
    from,
  });
  const counts = writes.map(({ requestObject }) => {
    const { status } = requestObject as Pick<SeenPolicy, 'status'>;
    return (status.tickets ?? []).filter(({ controlPlane }) => controlPlane).length;
  });
  return Math.max(0, ...counts);
}

/** Nodes whose control planes run this release, and workers; all kubelets are older. */
function cluster(versions: readonly string[], workers: number): readonly FakeNode[] {
  const controlPlanes = nodes(0, versions.length).map((node, index) => ({
    ...node,
    controlPlaneVersion: versions[index] ?? '',
  }));
  return [...controlPlanes, ...nodes(workers)];
}

describe('two upgrades over the same three control planes', () => {
  it('never have two of them out, though five nodes might be, and both complete', async () => {
    const { plane, agent } = ground;
    agent.behave('*', { workSeconds: 2 });
    await setScene(plane, nodes(0, 3), [profile()]);
    const mark = plane.audit.mark();
    await apply(plane, [upgrade(FIVE), upgrade({ ...FIVE, target: { revision: 'os-11' } }, 'os')]);
    const [version, os] = await Promise.all([complete(plane), complete(plane, 'os')]);
    agent.behave('*', {});
    expect(version.status.nodes).toMatchObject({ total: 3, done: 3 });
    expect(os.status.nodes).toMatchObject({ total: 3, done: 3 });
    const out = outOfService(plane.audit, mark, USER);
    expect(out.length).toBe(12);
    expect(Math.max(...out)).toBe(1);
    expect(mostTickets(mark)).toBe(1);
    const holders = (await passages(plane)).map(
      ({ spec, status }) => `${spec.upgradeName} ${spec.nodeName} ${status.state.phase}`,
    );
    expect(holders.sort()).toEqual(
      ['os', 'to-1-36'].flatMap((name) => [1, 2, 3].map((n) => `${name} cp-${n} Succeeded`)),
    );
    expect(await ticketed(plane)).toEqual([]);
  });

  it('the first alone applies a release that no API server runs yet, the others follow it', async () => {
    const { plane, agent } = ground;
    await setScene(plane, nodes(0, 3), [profile()]);
    const from = agent.works.length;
    await apply(plane, [upgrade({ ...FIVE, target: { kubernetesVersion: 'v1.36.5' } })]);
    await complete(plane);
    const works = agent.works.slice(from).filter(({ job }) => job === 'upgrade');
    expect(works.map(({ node, env }) => `${node} ${env['DRYDOCK_ROLE']} ${env['DRYDOCK_TARGET_VERSION']}`)).toEqual([
      'cp-1 firstControlPlane v1.36.5',
      'cp-2 controlPlane v1.36.5',
      'cp-3 controlPlane v1.36.5',
    ]);
  });
});

describe('workers', () => {
  it('of the same upgrade come after its control planes', async () => {
    const { plane } = ground;
    await setScene(plane, cluster(['v1.36.4', 'v1.35.7'], 3), [profile()]);
    const mark = plane.audit.mark();
    await apply(plane, [upgrade(FIVE)]);
    await complete(plane);
    const order = cordons(plane.audit, mark, true).map(({ name }) => name);
    expect(order.slice(0, 2).sort()).toEqual(['cp-1', 'cp-2']);
    expect(order.slice(2).sort()).toEqual(['worker-1', 'worker-2', 'worker-3']);
    const given = cordons(plane.audit, mark, false).filter(({ name }) => name.startsWith('cp-'));
    const [worker] = cordons(plane.audit, mark, true).filter(({ name }) => name.startsWith('worker-'));
    expect(worker?.time).toBeGreaterThan(given.at(-1)?.time ?? Number.POSITIVE_INFINITY);
  });

  it('of another upgrade wait for control planes that are behind, by name, and go on by themselves', async () => {
    const { plane } = ground;
    await setScene(plane, cluster(['v1.36.4', 'v1.35.7'], 2), [profile()]);
    const mark = plane.audit.mark();
    await apply(plane, [upgrade({ ...FIVE, ...only('DoesNotExist') }, 'workers')]);
    const { status } = await upgradeIs(plane, 'workers', 'waits', ({ phase }) => phase === 'WaitingForControlPlane');
    expect(status.conditions?.find(({ type }) => type === 'Blocked')).toMatchObject({
      status: 'True',
      reason: 'WaitingForControlPlane',
      message: 'Workers wait until every control plane is at the target: cp-1, cp-2.',
    });
    expect(begun(plane.audit, mark)).toEqual([]);
    await apply(plane, [upgrade({ ...FIVE, ...only('Exists') }, 'control-planes')]);
    await Promise.all([complete(plane, 'control-planes'), complete(plane, 'workers')]);
    const released = plane.audit.events({ user: USER, verb: 'patch', resource: 'jobs', code: 200, from: mark });
    const ofControlPlanes = released.filter(({ name }) => name.startsWith('cp-'));
    expect(ofControlPlanes.length).toBe(2);
    const [first] = begun(plane.audit, mark).filter(({ requestObject }) =>
      (requestObject as { spec: { nodeName: string } }).spec.nodeName.startsWith('worker-'),
    );
    expect(first?.time).toBeGreaterThan(ofControlPlanes.at(-1)?.time ?? Number.POSITIVE_INFINITY);
    for (const name of ['cp-1', 'cp-2', 'worker-1', 'worker-2']) {
      const node = await readNode(plane, name);
      expect(isCordoned(node)).toBe(false);
      expect(node.status.nodeInfo.kubeletVersion).toBe('v1.36.4');
    }
  });
});
