import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../control-plane/audit.ts';
import type { Write } from '../control-plane/hold-proxy.ts';
import { type Node, nodePath, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, must } from './ground.ts';
import { cordons, isCordoned, markIn, markOn, nodePatches, phasesOn, pinned, setScene, upgradeJobs } from './scene.ts';
import { complete, inPhase, upgradeIs } from './seen.ts';
import { nodes, profile, upgrade } from './shop.ts';
import { stage } from './stage.ts';

const ground = stage({ proxied: true });

const BUDGET = '/apis/policy/v1/namespaces/shop/poddisruptionbudgets/cart';

type Patch = { readonly spec?: { readonly unschedulable?: boolean } };

const isCordon = ({ method, path, body }: Write) =>
  method === 'PATCH' && path.startsWith(nodePath('worker-1')) && (body as Patch).spec?.unschedulable === true;

/** Whether the node was cordoned before, as a cordon of ours noted. */
function previously(cordon: AuditEvent | undefined): boolean | undefined {
  return cordon === undefined ? undefined : markIn(cordon)?.previous.unschedulable;
}

/** That Drydock left nothing on a node, and whether the node is cordoned. */
function expectLeft(node: Node, cordoned: boolean) {
  expect(isCordoned(node)).toBe(cordoned);
  expect(Object.keys(node.metadata.annotations ?? {}).filter((key) => key.startsWith('drydock.dev/'))).toEqual([]);
  expect(node.metadata.annotations?.['cluster-autoscaler.kubernetes.io/scale-down-disabled']).toBeUndefined();
  expect(node.status.nodeInfo.kubeletVersion).toBe('v1.36.4');
}

/** One node that is being drained and cannot be emptied. */
async function oneDraining() {
  const { plane } = ground;
  await setScene(plane, nodes(1), [profile(), ...pinned('cart', 'worker-1', { maxUnavailable: 0 })], 1);
  const mark = plane.audit.mark();
  await apply(plane, [upgrade()]);
  await inPhase(plane, 'worker-1', ['Draining']);
  return mark;
}

describe('a cordon of other hands', () => {
  it('from before: the node is upgraded and stays cordoned, the other one is given back', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(2), [profile()]);
    await must(plane, ['cordon', 'worker-1']);
    const mark = plane.audit.mark();
    await apply(plane, [upgrade()]);
    await complete(plane);
    expectLeft(await readNode(plane, 'worker-1'), true);
    expectLeft(await readNode(plane, 'worker-2'), false);
    const ours = cordons(plane.audit, mark, true).map((event) => [event.name, previously(event)]);
    expect(Object.fromEntries(ours)).toEqual({ 'worker-1': true, 'worker-2': false });
    expect(cordons(plane.audit, mark, false).map(({ name }) => name)).toEqual(['worker-2']);
  });

  it('in the instant of ours: ours is refused, the node is looked at again, and his cordon outlives the upgrade', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(1), [profile()]);
    const mark = plane.audit.mark();
    const held = ground.proxy.hold({ at: 'before', match: isCordon });
    await apply(plane, [upgrade()]);
    await held.reached;
    await must(plane, ['cordon', 'worker-1']);
    held.release();
    await complete(plane);
    const codes = nodePatches(plane.audit, mark, 'cordon').map(({ code }) => code);
    expect(codes[0]).toBe(409);
    expect(codes.filter((code) => code !== 409)).toEqual([200]);
    expect(cordons(plane.audit, mark, true).map(previously)).toEqual([true]);
    expectLeft(await readNode(plane, 'worker-1'), true);
  });
});

describe('while a node is drained', () => {
  it('a person uncordons it: cordoned again, no Job for five seconds after that, and given back at the end', async () => {
    const { plane } = ground;
    const mark = await oneDraining();
    await must(plane, ['uncordon', 'worker-1']);
    const again = () => (cordons(plane.audit, mark, true).length === 2 ? cordons(plane.audit, mark, true) : undefined);
    const [first, second] = await until(again, { what: 'worker-1 is cordoned again', seconds: 10 });
    await plane.admin.delete(BUDGET);
    await complete(plane);
    expect([first, second].map(previously)).toEqual([false, false]);
    const [job] = upgradeJobs(plane.audit, mark);
    expect((job?.time ?? 0) - (second?.stageTimestamp ?? 0)).toBeGreaterThanOrEqual(5_000);
    expectLeft(await readNode(plane, 'worker-1'), false);
  });

  it('a person annotates it drydock.dev/hold: it is upgraded, and given back cordoned', async () => {
    const { plane } = ground;
    await oneDraining();
    await must(plane, ['annotate', 'node', 'worker-1', 'drydock.dev/hold=a fan rattles']);
    await plane.admin.delete(BUDGET);
    await complete(plane);
    const node = await readNode(plane, 'worker-1');
    expect(isCordoned(node)).toBe(true);
    expect(markOn(node, 'held-by')).toBeUndefined();
    expect(node.metadata.annotations?.['drydock.dev/hold']).toBe('a fan rattles');
  });
});

describe('the annotation drydock.dev/hold', () => {
  it('keeps a node from being begun, by name in the reason, until it is taken away', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(2), [profile()]);
    await must(plane, ['annotate', 'node', 'worker-1', 'drydock.dev/hold=a fan rattles']);
    await apply(plane, [upgrade()]);
    const { status } = await upgradeIs(
      plane,
      'to-1-36',
      'has done the other and waits',
      ({ nodes: counts, phase }) => counts?.done === 1 && phase === 'Queued',
    );
    expect(status.conditions?.find(({ type }) => type === 'Blocked')).toMatchObject({
      status: 'True',
      reason: 'NodesUnavailable',
    });
    expect(status.conditions?.find(({ type }) => type === 'Blocked')?.message).toContain('worker-1');
    expect(await phasesOn(plane, 'worker-1')).toEqual([]);
    await must(plane, ['annotate', 'node', 'worker-1', 'drydock.dev/hold-']);
    await complete(plane);
    expectLeft(await readNode(plane, 'worker-1'), false);
  });
});
