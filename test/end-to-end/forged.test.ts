import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { passageName } from '../../src/core/name.ts';
import { type HoldProxy, startHoldProxy } from '../control-plane/hold-proxy.ts';
import { createNodes, nodePath, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { alone, atRest, begin, expectBack, expectOnePassage } from './alone.ts';
import { apply, type Ground, type Operator, startGround, startOperator, USER } from './ground.ts';
import { markOn } from './scene.ts';
import { inPhase, passageOn, paths, type SeenPassage, type SeenPolicy, type SeenUpgrade } from './seen.ts';
import { policy, profile } from './shop.ts';

const PASSAGES = '/apis/drydock.dev/v1alpha1/nodemaintenances';

let ground: Ground;
let operator: Operator;
let proxy: HoldProxy;

beforeAll(async () => {
  ground = await startGround();
  const { plane } = ground;
  await apply(plane, [policy(), profile({ prePull: false, drain: { mode: 'Cordon' } }, 'cordon')]);
  proxy = await startHoldProxy(plane);
  operator = await startOperator(plane, { server: proxy.server, args: ['--leader-elect', 'false'] });
  await operator.ready();
});

afterAll(async () => {
  await operator?.end();
  await proxy?.stop();
  await ground?.stop();
});

/** What a person may write: the labels and the owner of a real passage are free to copy. */
async function forge(upgrade: string, name: string, spec: object): Promise<void> {
  const { plane } = ground;
  const { uid } = (await plane.admin.get<SeenUpgrade>(paths.upgrade(upgrade))).metadata;
  const owner = { apiVersion: 'drydock.dev/v1alpha1', kind: 'ClusterUpgrade', name: upgrade, uid, controller: true };
  const metadata = { name, labels: { 'drydock.dev/upgrade': upgrade }, ownerReferences: [owner] };
  await plane.admin.create(PASSAGES, {
    apiVersion: 'drydock.dev/v1alpha1',
    kind: 'NodeMaintenance',
    metadata,
    spec: { hold: false, upgradeName: upgrade, ...spec },
  });
}

/** It ends without ever having begun. */
async function expectCancelled(name: string): Promise<void> {
  const { plane } = ground;
  const settled = async () => {
    const seen = await plane.admin.get<SeenPassage>(paths.passage(name));
    return seen.status.state.phase === 'Pending' ? undefined : seen;
  };
  const { status } = await until(settled, { what: `${name} is settled` });
  expect(status.state).toMatchObject({ phase: 'Cancelled', reason: 'NoTicket' });
  expect(status.plan).toBeUndefined();
}

function touched(node: string, from: number): readonly string[] {
  const { audit } = ground.plane;
  const patches = audit.events({ user: USER, verb: 'patch', resource: 'nodes', name: node, from });
  return patches.map(({ verb, uri, code }) => `${verb} ${uri} ${code}`);
}

describe('a passage that a person forged', () => {
  it('the twin of a real one, by another name, settles Cancelled; the real one goes on', async () => {
    const { plane, agent } = ground;
    await createNodes(plane, [alone('twin')]);
    agent.behave('twin', { hang: true, workSeconds: 0 });
    const from = plane.audit.mark();
    await begin(plane, 'twin', 'cordon');
    await until(() => agent.works.some(({ node }) => node === 'twin'), { what: 'the Job runs' });
    const real = await passageOn(plane, 'twin');
    if (real === undefined) throw new Error('there is no passage');
    const { nodeName, nodeUID, ticket } = real.spec;
    await forge('twin', 'a-twin', { nodeName, nodeUID, ticket });
    await expectCancelled('a-twin');
    expect(touched('twin', from).length).toBe(1);
    expect(markOn(await readNode(plane, 'twin'), 'held-by')?.nodeMaintenance).toBe(real.metadata.name);
    await plane.admin.delete(paths.passage('a-twin'));
    agent.release('twin');
    await atRest(plane, 'twin');
    await expectOnePassage(ground, 'twin', from);
  });

  it('the twin that comes before the real one is even created is not let in either', async () => {
    const { plane } = ground;
    await createNodes(plane, [alone('early')]);
    const from = plane.audit.mark();
    const hold = proxy.hold({ at: 'before', match: ({ method, path }) => method === 'POST' && path === PASSAGES });
    await begin(plane, 'early', 'cordon');
    await hold.reached;
    const { status } = await plane.admin.get<SeenPolicy>(paths.policy);
    const entry = status.tickets.find(({ nodeName }) => nodeName === 'early');
    if (entry === undefined) throw new Error('there is no ticket');
    await forge('early', 'an-early-twin', { nodeName: 'early', nodeUID: entry.nodeUID, ticket: entry.ticket });
    await expectCancelled('an-early-twin');
    expect(touched('early', from)).toEqual([]);
    await plane.admin.delete(paths.passage('an-early-twin'));
    hold.release();
    await atRest(plane, 'early');
    await expectOnePassage(ground, 'early', from);
  });

  it('with an invented ticket, even under the name that the ticket would give it, it settles Cancelled, the node untouched', async () => {
    const { plane } = ground;
    const node = 'free';
    await createNodes(plane, [{ name: node }]);
    const { uid: nodeUID } = (await readNode(plane, node)).metadata;
    const { uid: policyUID } = (await plane.admin.get<SeenPolicy>(paths.policy)).metadata;
    const { uid: holder } = (await plane.admin.get<SeenUpgrade>(paths.upgrade('twin'))).metadata;
    const from = plane.audit.mark();
    for (const [index, ticket] of [`${policyUID}-999`, `${policyUID}-1`, 'mine'].entries()) {
      const name = index === 0 ? passageName(node, holder, nodeUID, ticket) : `free-${index}`;
      await forge('twin', name, { nodeName: node, nodeUID, ticket });
      await expectCancelled(name);
    }
    await expectBack(plane, node);
    expect(touched(node, from)).toEqual([]);
    const jobs = plane.audit.events({ user: USER, verb: 'create', resource: 'jobs', from });
    expect(jobs).toEqual([]);
    await inPhase(plane, node, ['Cancelled']);
    await plane.admin.delete(nodePath(node));
  });
});
