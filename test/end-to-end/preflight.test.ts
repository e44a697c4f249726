import { afterAll, describe, expect, it } from 'vitest';
import { isTrial } from '../control-plane/audit.ts';
import { readNode } from '../control-plane/nodes.ts';
import { type Gatekeeper, startGatekeeper } from './gatekeeper.ts';
import { apply, must, USER } from './ground.ts';
import { condition, isCordoned, pinned, podsOf, setScene } from './scene.ts';
import { complete, upgradeIs } from './seen.ts';
import { nodes, profile, upgrade, window } from './shop.ts';
import { stage } from './stage.ts';

let gatekeeper: Gatekeeper | undefined;
const ground = stage({
  turnBack: async ({ plane }) => {
    await must(plane, ['delete', 'validatingwebhookconfigurations', '--all']);
    await must(plane, ['delete', 'maintenancewindows', '--all']);
  },
});
afterAll(async () => gatekeeper?.stop());

const budgetPath = (name: string) => `/apis/policy/v1/namespaces/shop/poddisruptionbudgets/${name}`;

/** Nobody has touched anything: no cordon, no eviction that was meant, no pod that is another. */
async function untouched(uids: readonly (string | undefined)[], from: number): Promise<void> {
  const { plane } = ground;
  for (const name of ['worker-1', 'worker-2', 'worker-3']) expect(isCordoned(await readNode(plane, name))).toBe(false);
  expect(plane.audit.evictions({ user: USER, from }).asked).toEqual([]);
  expect(await uidsOf()).toEqual(uids);
}

async function uidsOf() {
  const all = await Promise.all(['orders', 'vm', 'web'].map((app) => podsOf(ground.plane, app)));
  return all.flat().map(({ metadata }) => metadata.uid);
}

const shop = () => [
  ...pinned('orders', 'worker-1', { maxUnavailable: 0 }),
  ...pinned('vm', 'worker-2', { maxUnavailable: 1 }),
  ...pinned('web', 'worker-3', { maxUnavailable: 1 }),
];

describe('before the window opens', () => {
  it('names what a budget and what a webhook would deny, on every node to do, and asks without doing', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(3), [profile(), ...shop()], 3);
    gatekeeper = await startGatekeeper();
    await apply(plane, [gatekeeper.denying(['shop']), window('nights', false)]);
    const [uids, mark] = [await uidsOf(), plane.audit.mark()];
    await apply(plane, [upgrade({ windowNames: ['nights'] })]);
    const { status } = await upgradeIs(
      plane,
      'to-1-36',
      'says what will be in the way',
      ({ phase, blockersTotal }) => phase === 'WaitingForWindow' && (blockersTotal ?? 0) >= 4,
    );
    const reasons = (status.blockers ?? []).map(({ nodeName, reason }) => `${nodeName} ${reason}`);
    // The webhook is asked first, so the workload behind the budget that is shut meets both.
    expect(reasons).toEqual([
      'worker-1 BudgetNeverAllows',
      'worker-1 WebhookDenied',
      'worker-2 WebhookDenied',
      'worker-3 WebhookDenied',
    ]);
    expect(condition(status, 'Blocked').message).toContain('shop/orders');
    const seen = await must(plane, ['describe', 'dcu', 'to-1-36']);
    for (const word of ['BudgetNeverAllows', 'is being moved', 'BlockersAhead']) expect(seen).toContain(word);
    expect(seen).toMatch(/Warning +BlockersAhead .*Nodes still to do could not be drained as things are/);
    await untouched(uids, mark);
    const asked = plane.audit.events({ user: USER, subresource: 'eviction', from: mark });
    expect([asked.length, asked.every(isTrial)]).toEqual([3, true]);
  });
});

describe('preflight: Enforce', () => {
  it('begins nothing while a budget can never allow it, and goes on by itself when it has been mended', async () => {
    const { plane } = ground;
    await setScene(plane, nodes(3), [profile(), ...shop()], 3);
    const [uids, mark] = [await uidsOf(), plane.audit.mark()];
    await apply(plane, [upgrade({ preflight: 'Enforce' })]);
    const { status } = await upgradeIs(plane, 'to-1-36', 'is Blocked', ({ phase }) => phase === 'Blocked');
    expect(condition(status, 'Ready')).toMatchObject({ reason: 'PreflightFailed' });
    expect(condition(status, 'Ready').message).toContain('preflight: Enforce');
    expect(status.blockers).toMatchObject([{ nodeName: 'worker-1', reason: 'BudgetNeverAllows' }]);
    await untouched(uids, mark);
    await plane.admin.patch(budgetPath('orders'), { spec: { maxUnavailable: 1 } });
    const done = await complete(plane);
    expect(done.status.blockers).toEqual([]);
    expect(plane.audit.podDeletions({ user: USER })).toEqual([]);
  });
});
