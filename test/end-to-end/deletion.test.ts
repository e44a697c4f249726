import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Metadata } from '../control-plane/client.ts';
import { createNodes, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { expectBack } from './alone.ts';
import { apply, type Ground, JOBS, type Operator, startGround, startOperator } from './ground.ts';
import { isCordoned, pinned, podsOf, ticketed, upgradeJobs } from './scene.ts';
import { inPhase, passageOn, passages, paths } from './seen.ts';
import { policy, profile, upgrade } from './shop.ts';

type Object = { readonly metadata: Metadata };

const POLICIES = ['Background', 'Foreground', 'Orphan'] as const;
const GROUP = 'test.drydock.dev/deleted';
const MEMORY = 'drydock.node-restriction.kubernetes.io/';

let ground: Ground;
let operator: Operator;

beforeAll(async () => {
  ground = await startGround();
  const { plane } = ground;
  await plane.createNamespace('shop');
  await apply(plane, [policy(), profile({ prePull: false })]);
  operator = await startOperator(plane, { args: ['--leader-elect', 'false'] });
  await operator.ready();
});

afterAll(async () => {
  await operator?.end();
  await ground?.stop();
});

/** Two nodes of one upgrade: the Job of the first runs until it is told to end, the second waits for a pod that may not leave. */
async function midway(name: string): Promise<readonly [string, string]> {
  const { plane, agent } = ground;
  const [running, draining] = [`${name}-1`, `${name}-2`];
  const labels = { [GROUP]: name };
  await createNodes(plane, [
    { name: running, labels },
    { name: draining, labels },
  ]);
  agent.behave(running, { hang: true, workSeconds: 0 });
  await apply(plane, pinned(name, draining, { minAvailable: 1 }));
  const runs = async () => (await podsOf(plane, name)).some(({ status }) => status.phase === 'Running');
  await until(runs, { what: 'the pod that may not leave runs' });
  const nodes = { selector: { matchLabels: labels } };
  await apply(plane, [upgrade({ target: { revision: 'r1' }, nodes }, name)]);
  await inPhase(plane, draining, ['Draining']);
  await until(() => agent.works.some(({ node }) => node === running), { what: 'the Job runs', seconds: 60 });
  return [running, draining];
}

function jobPods(name: string): Promise<readonly Object[]> {
  const selector = encodeURIComponent(`drydock.dev/upgrade=${name}`);
  return ground.plane.admin.list<Object>(`/api/v1/namespaces/${JOBS}/pods?labelSelector=${selector}`);
}

/** Waits until the garbage collector has done its part, so that whatever it would do to a running Job has been done. */
async function collected(propagation: (typeof POLICIES)[number], node: string): Promise<void> {
  const done = async () => {
    const metadata = (await passageOn(ground.plane, node))?.metadata;
    if (propagation === 'Foreground') return metadata?.deletionTimestamp !== undefined;
    if (propagation === 'Orphan') return metadata !== undefined && (metadata.ownerReferences ?? []).length === 0;
    return metadata !== undefined;
  };
  await until(done, { what: `the garbage collector has treated the passage of ${node}` });
}

describe('a ClusterUpgrade that is deleted while the Job of one node runs and another node drains', () => {
  for (const propagation of POLICIES) {
    it(`${propagation}: the Job ends undisturbed, the other node is put back, no finalizer is left`, async () => {
      const { plane, agent } = ground;
      const name = propagation.toLowerCase();
      const from = plane.audit.mark();
      const [running, draining] = await midway(name);
      await plane.admin.delete(paths.upgrade(name), { propagationPolicy: propagation });

      await until(async () => !isCordoned(await readNode(plane, draining)), { what: `${draining} is put back` });
      await expectBack(plane, draining);
      await collected(propagation, running);
      await until(async () => (await ticketed(plane)).join() === running, { what: 'the ticket of the other is back' });
      expect(isCordoned(await readNode(plane, running))).toBe(true);
      expect((await plane.admin.get<Object>(paths.upgrade(name))).metadata.deletionTimestamp).toBeDefined();
      const pods = await jobPods(name);
      expect(pods.map(({ metadata }) => metadata.deletionTimestamp)).toEqual([undefined]);
      const deletions = plane.audit.events({ from, verb: ['delete', 'deletecollection'], namespace: JOBS });
      expect(deletions.map(({ user, uri }) => `${user} ${uri}`)).toEqual([]);
      expect((await passageOn(plane, running))?.status.state.phase).toBe('Upgrading');

      agent.release(running);
      const gone = async () => (await plane.admin.find(paths.upgrade(name))) === undefined;
      await until(gone, { what: 'the upgrade is gone', seconds: 60 });
      await expectBack(plane, running);
      expect((await readNode(plane, running)).metadata.labels?.[`${MEMORY}${name}`]).toBe('r1');
      expect(upgradeJobs(plane.audit, from).length).toBe(1);
      await expectNothingLeft(propagation, [running, draining]);
    });
  }
});

/** Passages go with their upgrade, but for those that were orphaned on purpose: they end, and keep no finalizer. */
async function expectNothingLeft(propagation: string, nodes: readonly string[]): Promise<void> {
  const { plane } = ground;
  const own = async () => (await passages(plane)).filter(({ spec }) => nodes.includes(spec.nodeName));
  const free = async () => {
    const left = await own();
    const kept = left.some(({ metadata }) => (metadata.finalizers ?? []).length > 0);
    return !kept && left.length === (propagation === 'Orphan' ? 2 : 0);
  };
  await until(free, { what: 'passages are gone, or without finalizers' });
  if (propagation === 'Orphan')
    expect((await own()).map(({ status }) => status.state.phase).sort()).toEqual(['Cancelled', 'Succeeded']);
  const idle = async () =>
    (await plane.admin.list(`/apis/batch/v1/namespaces/${JOBS}/jobs`)).length === 0 &&
    (await ticketed(plane)).length === 0;
  await until(idle, { what: 'no Job and no ticket is left' });
}
