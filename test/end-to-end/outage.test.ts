import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodes } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, type Ground, type Operator, startGround, startOperator, USER } from './ground.ts';
import { identityOf, leads, line, withoutLease } from './leases.ts';
import { outOfService } from './referee.ts';
import { upgradeJobs } from './scene.ts';
import { allNodes, complete, inPhase, passages } from './seen.ts';
import { nodes, pdb, policy, profile, upgrade } from './shop.ts';

const OUTAGE_MS = 20_000;
const REPLICAS = 9;
/** The scheduler and the controllers take longer than Drydock to come back after an outage: up to a minute. */
const COMPLETE_SECONDS = 170;

let ground: Ground;
let operator: Operator;

/** Pods that become ready late, so that their budget lets one go every two seconds. */
function slow(app: string): readonly unknown[] {
  const metadata = { labels: { app }, annotations: { 'test.drydock.dev/ready-after': '2' } };
  const containers = [{ name: app, image: `shop/${app}` }];
  const template = { metadata, spec: { terminationGracePeriodSeconds: 1, containers } };
  const spec = { replicas: REPLICAS, selector: { matchLabels: { app } }, template };
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: app, namespace: 'shop' }, spec };
  return [deployment, ...pdb(app, { maxUnavailable: 1 })];
}

beforeAll(async () => {
  // Whoever is slow to come back must not find the nodes lost meanwhile: kwok makes no pod ready a second time.
  ground = await startGround({ nodeMonitorGraceSeconds: 300 });
  const { plane } = ground;
  await createNodes(plane, nodes(3));
  await plane.createNamespace('shop');
  await apply(plane, [policy(), profile({ prePull: false }), ...slow('web')]);
  type Budget = { readonly status?: { readonly disruptionsAllowed?: number } };
  const path = '/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web';
  const healthy = async () => (await plane.admin.get<Budget>(path)).status?.disruptionsAllowed === 1;
  await until(healthy, { what: 'the budget allows one', seconds: 60 });
  operator = await startOperator(plane);
  await operator.ready();
});

afterAll(async () => {
  await operator?.end();
  await ground?.stop();
});

describe('the API server is away for 20 s in the middle of a drain', () => {
  it('the same process of the operator takes its Lease again, drains on and completes the same passage with one Job, by evictions alone', {
    timeout: 300_000,
  }, async () => {
    const { plane } = ground;
    const from = plane.audit.mark();
    await leads(plane, operator, 10);
    const identity = identityOf(operator);
    await apply(plane, [upgrade({ nodes: { selector: { matchLabels: { 'kubernetes.io/hostname': 'worker-1' } } } })]);
    await until(() => plane.audit.evictions({ user: USER, from }).accepted.length > 0, { what: 'a pod was evicted' });
    const before = await inPhase(plane, 'worker-1', ['Draining']);

    await plane.stopApiServer();
    const end = performance.now() + OUTAGE_MS;
    await until(() => performance.now() > end, { what: 'the outage is over', everyMs: 500 });
    expect(operator.alive()).toBe(true);
    const back = plane.audit.mark();
    await plane.startApiServer();

    await complete(plane, 'to-1-36', COMPLETE_SECONDS);
    expect(operator.alive()).toBe(true);
    expect(operator.log().match(/Drydock starts\./g)?.length).toBe(1);
    await leads(plane, operator, 5);
    expect(identityOf(operator)).toBe(identity);
    expect(plane.audit.evictions({ user: USER, from: back }).accepted.length).toBeGreaterThan(0);
    expect(plane.audit.podDeletions({ user: USER, from })).toEqual([]);
    expect(upgradeJobs(plane.audit, from).length).toBe(1);
    expect(Math.max(...outOfService(plane.audit, from, USER))).toBe(1);
    expect(withoutLease(plane.audit, () => true).map(line)).toEqual([]);
    const after = await passages(plane);
    expect(after.map(({ status }) => status.state.phase)).toEqual(['Succeeded']);
    expect(after.map(({ metadata }) => metadata.uid)).toEqual([before.metadata.uid]);
    for (const { spec } of await allNodes(plane)) expect(spec.unschedulable ?? false).toBe(false);
  });
});
