import { describe, expect, it } from 'vitest';
import { createNodes, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, must, USER } from './ground.ts';
import { begun, condition, isCordoned, markOn, pinned, podsOf, setScene, ticketed } from './scene.ts';
import { complete, inPhase, isTrue, paths, type SeenPassage, upgradeIs } from './seen.ts';
import { deployment, hold, nodes, policy, profile, upgrade } from './shop.ts';
import { stage } from './stage.ts';

const ground = stage({ turnBack: ({ plane }) => apply(plane, [policy()]) });

/** Waits until a hold has reached a phase, or says a reason. */
function holdIs(name: string, word: string): Promise<SeenPassage> {
  return until(
    async () => {
      const seen = await ground.plane.admin.find<SeenPassage>(paths.passage(name));
      const said = seen?.status.conditions.some(({ reason }) => reason === word);
      return said || seen?.status.state.phase === word ? seen : undefined;
    },
    { what: `hold ${name}: ${word}`, seconds: 45 },
  );
}

/** That a hold which was deleted has given its node back. */
async function givenBack(name: string, nodeName: string) {
  const { plane } = ground;
  await until(async () => (await plane.admin.find(paths.passage(name))) === undefined, { what: `${name} is gone` });
  const node = await readNode(plane, nodeName);
  expect(isCordoned(node)).toBe(false);
  expect(markOn(node, 'held-by')).toBeUndefined();
  await until(async () => !(await ticketed(plane)).includes(nodeName), { what: 'the ticket is returned' });
}

describe('a node taken out by hand', () => {
  it('is drained and Held, even while the policy is paused; deleting the object gives it back', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(2), deployment('web', 4, { maxUnavailable: 1 }), 4);
    await apply(plane, [policy({ paused: true })]);
    await apply(plane, [hold('fan', 'worker-1')]);
    const held = await holdIs('fan', 'Held');
    expect(isTrue(held.status, 'Ready')).toBe(true);
    expect(isTrue(held.status, 'Reconciling')).toBe(false);
    expect(condition(held.status, 'Ready').message).toBe(
      'The node is empty and held. Delete this object to give it back.',
    );
    const node = await readNode(plane, 'worker-1');
    expect(isCordoned(node)).toBe(true);
    expect(markOn(node, 'held-by')).toMatchObject({ nodeMaintenance: 'fan' });
    const pods = await podsOf(plane, 'web');
    expect(pods.filter(({ spec }) => spec.nodeName === 'worker-1')).toEqual([]);
    expect(await ticketed(plane)).toEqual(['worker-1']);
    expect(await must(plane, ['get', 'dnm'])).toMatch(/fan\s+worker-1\s+Held/);
    expect(plane.audit.podDeletions({ user: USER })).toEqual([]);
    await must(plane, ['delete', 'dnm', 'fan', '--timeout=20s']);
    await givenBack('fan', 'worker-1');
  });

  it('is given back as well if the hold is deleted while it still drains', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(1), pinned('cart', 'worker-1', { maxUnavailable: 0 }), 1);
    await apply(plane, [hold('fan', 'worker-1')]);
    const blocked = await holdIs('fan', 'Blocked');
    expect(blocked.status.blockers).toMatchObject([{ budgets: ['shop/cart'] }]);
    await must(plane, ['delete', 'dnm', 'fan', '--timeout=20s']);
    await givenBack('fan', 'worker-1');
    expect(plane.audit.evictions({ user: USER, where: ({ name }) => name.startsWith('cart-') }).accepted).toEqual([]);
  });

  it('that nobody knows: Pending and Stalled with a sentence and no ticket; there it is: Held', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(1), []);
    await apply(plane, [hold('fan', 'worker-9')]);
    const { status } = await holdIs('fan', 'NodeNotFound');
    expect(status.state.phase).toBe('Pending');
    expect(condition(status, 'Stalled')).toMatchObject({
      status: 'True',
      reason: 'NodeNotFound',
      message: 'There is no node worker-9: check spec.nodeName, or delete this object.',
    });
    expect(isTrue(status, 'Reconciling')).toBe(false);
    expect(await ticketed(plane)).toEqual([]);
    await createNodes(plane, [{ name: 'worker-9' }]);
    const held = await holdIs('fan', 'Held');
    expect(isTrue(held.status, 'Stalled')).toBe(false);
    await apply(plane, [hold('nowhere', 'worker-8')]);
    await holdIs('nowhere', 'NodeNotFound');
    await must(plane, ['delete', 'dnm', 'nowhere', '--timeout=20s']);
  });
});

describe('a hold and another passage', () => {
  it('a hold on a node in passage waits for it, says so, and takes the node afterwards', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(1), [profile(), ...pinned('cart', 'worker-1', { maxUnavailable: 0 })], 1);
    await apply(plane, [upgrade()]);
    await inPhase(plane, 'worker-1', ['Draining']);
    await apply(plane, [hold('fan', 'worker-1')]);
    const { status } = await holdIs('fan', 'NodeBusy');
    expect(status.state.phase).toBe('Pending');
    expect(isTrue(status, 'Blocked')).toBe(true);
    expect(condition(status, 'Blocked').message).toBe(
      'Node worker-1 is already being worked on by ClusterUpgrade to-1-36; this waits for it.',
    );
    await plane.admin.delete('/apis/policy/v1/namespaces/shop/poddisruptionbudgets/cart');
    await complete(plane);
    await holdIs('fan', 'Held');
    const node = await readNode(plane, 'worker-1');
    expect(node.status.nodeInfo.kubeletVersion).toBe('v1.36.4');
    expect(markOn(node, 'held-by')).toMatchObject({ nodeMaintenance: 'fan', previous: { unschedulable: false } });
  });

  it('an upgrade leaves a held node alone, says who has it, and takes it once it is given back', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(2), [profile()]);
    await apply(plane, [hold('fan', 'worker-1')]);
    await holdIs('fan', 'Held');
    const mark = plane.audit.mark();
    await apply(plane, [upgrade()]);
    const { status } = await upgradeIs(
      plane,
      'to-1-36',
      'has done the other',
      ({ nodes: counts, phase }) => counts?.done === 1 && phase === 'Queued',
    );
    expect(condition(status, 'Blocked')).toMatchObject({ status: 'True', reason: 'NodeBusy' });
    expect(condition(status, 'Blocked').message).toContain('worker-1');
    expect(condition(status, 'Blocked').message).toContain('NodeMaintenance fan');
    expect(begun(plane.audit, mark).length).toBe(1);
    await must(plane, ['delete', 'dnm', 'fan', '--timeout=20s']);
    await complete(plane);
  });

  it('a second control plane waits for the first, and says which', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(0, 2), []);
    await apply(plane, [hold('first', 'cp-1')]);
    await holdIs('first', 'Held');
    await apply(plane, [hold('second', 'cp-2')]);
    const { status } = await holdIs('second', 'ControlPlaneBusy');
    expect(status.state.phase).toBe('Pending');
    expect(condition(status, 'Blocked').message).toContain('cp-1');
    expect(isCordoned(await readNode(plane, 'cp-2'))).toBe(false);
    await must(plane, ['delete', 'dnm', 'first', '--timeout=20s']);
    await holdIs('second', 'Held');
  });
});
