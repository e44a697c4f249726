import { describe, expect, it } from 'vitest';
import { createNodes, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, must, USER } from './ground.ts';
import { condition, isCordoned, markOn, pinned, podsOf, setScene, upgradeJobs } from './scene.ts';
import { complete, inPhase, isTrue, upgradeIs } from './seen.ts';
import { nodes, pdb, profile, upgrade } from './shop.ts';
import { stage } from './stage.ts';

const ground = stage();

const WORKERS = { nodes: { selector: { matchExpressions: [{ key: 'spare', operator: 'DoesNotExist' }] } } };
const budgetPath = (name: string) => `/apis/policy/v1/namespaces/shop/poddisruptionbudgets/${name}`;

/** Waits until passage and upgrade say that a pod is in the way, and returns what they say and the pod's name. */
async function blockedBy(app: string, reason: string) {
  const { plane } = ground;
  const { status } = await upgradeIs(
    plane,
    'to-1-36',
    `says what is in the way: ${reason}`,
    ({ phase, blockers }) => blockers?.[0]?.reason === reason && (phase === 'Blocked' || blockers[0].selfClearing),
  );
  const passage = await inPhase(plane, 'worker-1', ['Draining']);
  const [pod] = await podsOf(plane, app);
  return { status, passage, pod: pod?.metadata.name ?? '' };
}

/** How long after an instant of the API server's the first eviction of a pod was accepted, by the audit log. */
async function evictedAfter(pod: string, instant: number): Promise<number> {
  const evicted = () => ground.plane.audit.evictions({ user: USER, name: pod }).accepted[0];
  const first = await until(evicted, { what: `${pod} is evicted` });
  return first.stageTimestamp - instant;
}

/** That nobody of ours has removed a pod or asked for more than the budget allows. */
function nothingForced(pod: string) {
  const { audit } = ground.plane;
  expect(audit.evictions({ user: USER, name: pod }).accepted).toEqual([]);
  expect(audit.podDeletions({ user: USER })).toEqual([]);
}

describe('a budget that allows nothing', () => {
  it('is named with pod, owner and reason in passage and upgrade; nothing goes round it; relaxed: on within a second', async () => {
    const { plane } = ground;
    const shop = [
      ...pinned('orders', 'worker-1', { maxUnavailable: 0 }),
      ...pinned('web', 'worker-2', { maxUnavailable: 1 }),
    ];
    await setScene(plane, nodes(2), [profile(), ...shop], 2);
    await apply(plane, [upgrade()]);
    await inPhase(plane, 'worker-2', ['Succeeded']);
    const { status, passage, pod } = await blockedBy('orders', 'BudgetNeverAllows');
    const [blocker] = status.blockers ?? [];
    expect(blocker).toMatchObject({
      nodeName: 'worker-1',
      pod: `shop/${pod}`,
      budgets: ['shop/orders'],
      selfClearing: false,
    });
    expect(blocker?.owner).toBe('Deployment/orders');
    expect(blocker?.advice).toBe('Raise the replicas, or let shop/orders allow one disruption (maxUnavailable: 1).');
    expect(status.blockersTotal).toBe(1);
    expect(passage.status.blockers).toEqual(status.blockers);
    expect(passage.status.pods).toMatchObject({ remaining: 1, blocked: 1 });
    for (const said of [status, passage.status]) {
      expect(condition(said, 'Blocked').status).toBe('True');
      expect(condition(said, 'Blocked').message).toContain(`shop/${pod}`);
      expect(isTrue(said, 'Stalled')).toBe(false);
    }
    const seen = await must(plane, ['describe', 'dcu', 'to-1-36']);
    for (const word of [`shop/${pod}`, 'shop/orders', 'BudgetNeverAllows', 'maxUnavailable: 1'])
      expect(seen).toContain(word);
    expect(await must(plane, ['get', 'dcu'])).toMatch(/to-1-36\s+v1\.36\.4\s+Blocked\s+1\s+2/);
    nothingForced(pod);

    const mark = plane.audit.mark();
    await plane.admin.patch(budgetPath('orders'), { spec: { maxUnavailable: 1 } });
    const [patch] = plane.audit.events({ verb: 'patch', resource: 'poddisruptionbudgets', name: 'orders', from: mark });
    expect(await evictedAfter(pod, patch?.stageTimestamp ?? 0)).toBeLessThan(1_000);
    const done = await complete(plane);
    expect(done.status.blockers).toEqual([]);
    expect(condition(done.status, 'Blocked').status).toBe('False');
    expect(plane.audit.podDeletions({ user: USER })).toEqual([]);
  });

  it('for now, because a pod elsewhere is missing: says that it clears by itself, and goes on within a second when it does', async () => {
    const { plane } = ground;
    const elsewhere = { name: 'spare-1', labels: { spare: '' } };
    const twin = pinned('cart', 'spare-1').map((object) => {
      const { metadata, ...rest } = object as { metadata: { name: string } };
      return { ...rest, metadata: { ...metadata, name: 'cart-twin' } };
    });
    const other = { name: 'spare-2', labels: { spare: '' } };
    await setScene(
      plane,
      [...nodes(1), other],
      [profile(), ...pinned('cart', 'worker-1', { minAvailable: 1 }), ...twin],
      1,
    );
    await until(async () => (await podsOf(plane, 'cart')).length === 2, { what: 'both carts are there' });
    const [onWorker] = (await podsOf(plane, 'cart')).filter(({ spec }) => spec.nodeName === 'worker-1');
    await apply(plane, [upgrade(WORKERS)]);
    const { status } = await blockedBy('cart', 'BudgetExhausted');
    expect(status.blockers?.[0]).toMatchObject({ selfClearing: true, budgets: ['shop/cart'] });
    nothingForced(onWorker?.metadata.name ?? '');

    const mark = plane.audit.mark();
    await createNodes(plane, [elsewhere]);
    const evicted = await until(
      () => plane.audit.evictions({ user: USER, name: onWorker?.metadata.name ?? '' }).accepted[0],
      { what: 'the cart on worker-1 is evicted' },
    );
    const allowed = plane.audit
      .events({ resource: 'poddisruptionbudgets', subresource: 'status', name: 'cart', from: mark, code: 200 })
      .filter(({ time }) => time < evicted.time);
    expect(evicted.stageTimestamp - (allowed.at(-1)?.stageTimestamp ?? 0)).toBeLessThan(1_000);
    await complete(plane);
  });
});

describe('what no budget can clear', () => {
  it('two budgets over one pod: both are named; one goes: on within two seconds', async () => {
    const { plane } = ground;
    const second = pdb('search', { maxUnavailable: 1 }).map((object) => ({
      ...(object as object),
      metadata: { name: 'search-too', namespace: 'shop' },
    }));
    await setScene(plane, nodes(1), [profile(), ...pinned('search', 'worker-1', { maxUnavailable: 1 }), ...second], 1);
    await apply(plane, [upgrade()]);
    const { status, pod } = await blockedBy('search', 'TooManyBudgets');
    expect(status.blockers?.[0]).toMatchObject({ budgets: ['shop/search', 'shop/search-too'], selfClearing: false });
    nothingForced(pod);
    const mark = plane.audit.mark();
    await plane.admin.delete(budgetPath('search-too'));
    const [deleted] = plane.audit.events({ verb: 'delete', resource: 'poddisruptionbudgets', from: mark });
    expect(await evictedAfter(pod, deleted?.stageTimestamp ?? 0)).toBeLessThan(2_000);
    await complete(plane);
  });

  it('a pod that nobody would make again is left to a person, with what he can do', async () => {
    const { plane } = ground;
    const bare = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bare', namespace: 'shop', labels: { app: 'bare' } },
    };
    const spec = {
      nodeName: 'worker-1',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'bare', image: 'shop/bare' }],
    };
    await setScene(plane, nodes(1), [profile(), { ...bare, spec }], 1);
    await apply(plane, [upgrade()]);
    const { status } = await blockedBy('bare', 'Unmanaged');
    expect(status.blockers?.[0]).toMatchObject({ pod: 'shop/bare', budgets: [], selfClearing: false });
    expect(status.blockers?.[0]?.advice).toContain('drain.unmanaged: Evict');
    expect(plane.audit.evictions({ user: USER, name: 'bare' }).asked).toEqual([]);
    await plane.admin.delete('/api/v1/namespaces/shop/pods/bare');
    await complete(plane);
  });
});

describe('force that nobody asked for', () => {
  it.each([
    { onDeadline: 'Skip', ends: 'Skipped' },
    { onDeadline: 'Fail', ends: 'Failed' },
  ])(
    'the deadline of a drain forces nothing ($onDeadline): the pod is the same, the node is given back, and both say why',
    async ({ onDeadline, ends }) => {
      const { plane } = ground;
      const drain = { deadlineSeconds: 4, onDeadline };
      await setScene(plane, nodes(1), [profile({ drain }), ...pinned('cart', 'worker-1', { maxUnavailable: 0 })], 1);
      const [before] = await podsOf(plane, 'cart');
      const mark = plane.audit.mark();
      await apply(plane, [upgrade()]);
      const { status } = await inPhase(plane, 'worker-1', [ends]);
      expect(status.state).toMatchObject({ reason: 'DrainDeadline' });
      for (const word of ['not empty within 4 s', before?.metadata.name ?? '', 'shop/cart can never allow'])
        expect(condition(status, 'Ready').message).toContain(word);
      expect(await podsOf(plane, 'cart')).toMatchObject([{ metadata: { uid: before?.metadata.uid } }]);
      expect(plane.audit.podDeletions({ user: USER, from: mark })).toEqual([]);
      const { asked, accepted } = plane.audit.evictions({ user: USER, from: mark });
      expect(accepted).toEqual([]);
      for (const { requestObject } of asked)
        expect(requestObject).not.toHaveProperty('deleteOptions.gracePeriodSeconds', 0);
      const node = await readNode(plane, 'worker-1');
      expect(isCordoned(node)).toBe(false);
      expect(markOn(node, 'held-by')).toBeUndefined();
      expect(markOn(node, 'left-cordoned')).toBeUndefined();
      expect(upgradeJobs(plane.audit, mark)).toEqual([]);
    },
  );
});
