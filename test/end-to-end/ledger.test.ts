import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodes } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { expectBack } from './alone.ts';
import { apply, type Ground, must, type Operator, startGround, startOperator, USER } from './ground.ts';
import { outOfService } from './referee.ts';
import { begun, ticketed, upgradeJobs } from './scene.ts';
import { complete, inPhase, passages, paths, type SeenPassage, type SeenPolicy } from './seen.ts';
import { policy, profile, upgrade } from './shop.ts';

const GROUP = 'test.drydock.dev/ledger';
const MOST_OUT = 2;

let ground: Ground;
let operator: Operator;

beforeAll(async () => {
  ground = await startGround();
  const { plane } = ground;
  await apply(plane, [policy(), profile({ prePull: false, drain: { mode: 'Cordon' } })]);
  operator = await startOperator(plane, { args: ['--leader-elect', 'false'] });
  await operator.ready();
});

afterAll(async () => {
  await operator?.end();
  await ground?.stop();
});

/** Four nodes of one upgrade, of which the first two are out, each with a Job that runs until it is told to end. */
async function midway(name: string): Promise<readonly string[]> {
  const { plane, agent } = ground;
  const labels = { [GROUP]: name };
  const nodes = [1, 2, 3, 4].map((n) => `${name}-${n}`);
  await createNodes(
    plane,
    nodes.map((node) => ({ name: node, labels })),
  );
  const flying = nodes.slice(0, MOST_OUT);
  for (const node of flying) agent.behave(node, { hang: true, workSeconds: 0 });
  const selector = { matchLabels: labels };
  await apply(plane, [upgrade({ target: { revision: 'r1' }, nodes: { selector } }, name)]);
  for (const node of flying) {
    await inPhase(plane, node, ['Upgrading']);
    await until(() => agent.works.some((work) => work.node === node), { what: `the Job on ${node} runs` });
  }
  return nodes;
}

function ledger(): Promise<SeenPolicy | undefined> {
  return ground.plane.admin.find<SeenPolicy>(paths.policy);
}

/** A policy that was just made has no status yet. */
async function tickets() {
  const { status } = (await ledger()) ?? {};
  return status?.tickets ?? [];
}

/** Waits until there is another policy than before. */
function another(uid: string): Promise<SeenPolicy> {
  const made = async () => {
    const seen = await ledger();
    return seen !== undefined && seen.metadata.uid !== uid ? seen : undefined;
  };
  return until(made, { what: 'there is another policy' });
}

/** Everything was done, never more than two at once, each node by one passage and one Job. */
async function expectDone(name: string, nodes: readonly string[], from: number): Promise<void> {
  const { plane } = ground;
  await complete(plane, name);
  const own = (await passages(plane)).filter(({ spec }) => spec.upgradeName === name);
  expect(own.map(({ status }) => status.state.phase)).toEqual(nodes.map(() => 'Succeeded'));
  expect(own.map(({ spec }) => spec.nodeName).sort()).toEqual(nodes);
  expect(upgradeJobs(plane.audit, from).length).toBe(nodes.length);
  expect(Math.max(...outOfService(plane.audit, from, USER))).toBe(MOST_OUT);
  for (const node of nodes) await expectBack(plane, node);
  await until(async () => (await ticketed(plane)).length === 0, { what: 'the ledger is empty' });
}

function ticketsOf(flying: readonly SeenPassage[]): readonly string[] {
  return flying.map(({ spec, metadata }) => `${spec.nodeName} ${spec.ticket} ${metadata.uid}`).sort();
}

describe('the ledger is deleted while two nodes are out', () => {
  it('it stays until their tickets are back and admits nobody meanwhile; the next policy goes on within its limit', async () => {
    const { plane, agent } = ground;
    const from = plane.audit.mark();
    const nodes = await midway('closing');
    const { metadata } = await plane.admin.get<SeenPolicy>(paths.policy);
    await must(plane, ['delete', 'maintenancepolicy', 'cluster', '--wait=false']);
    agent.release('closing-1');
    await inPhase(plane, 'closing-1', ['Succeeded']);
    await until(async () => (await ticketed(plane)).join() === 'closing-2', { what: 'the first ticket is back' });
    expect((await ledger())?.metadata.uid).toBe(metadata.uid);
    agent.release('closing-2');
    const remade = await another(metadata.uid);
    const made = plane.audit.events({ user: USER, verb: 'create', resource: 'maintenancepolicies', code: 201, from });
    const sent = begun(plane.audit, from).filter(({ time }) => time < (made[0]?.time ?? 0));
    expect(sent.length).toBe(MOST_OUT);
    expect(remade.metadata.finalizers?.length ?? 0).toBeLessThanOrEqual(1);
    // Drydock's own policy has the defaults, which let no image run: a person says again what may.
    await apply(plane, [policy()]);
    await expectDone('closing', nodes, from);
  });

  it('without its finalizer it is gone at once, and is built again from what is in flight: the same tickets, no third node', async () => {
    const { plane, agent } = ground;
    const from = plane.audit.mark();
    const nodes = await midway('lost');
    const flying = (await passages(plane)).filter(({ status }) => status.state.phase === 'Upgrading');
    const { metadata } = await plane.admin.get<SeenPolicy>(paths.policy);
    await plane.admin.delete(paths.policy);
    await plane.admin.patch(paths.policy, { metadata: { finalizers: [] } });
    await another(metadata.uid);
    await apply(plane, [policy()]);
    await until(async () => (await tickets()).length > 0, { what: 'the ledger is built again' });
    const rebuilt = await tickets();
    expect(rebuilt.map((t) => `${t.nodeName} ${t.ticket} ${t.passageUID}`).sort()).toEqual(ticketsOf(flying));
    const waiting = performance.now() + 3_000;
    await until(() => performance.now() > waiting, { what: 'time in which a third node could be taken' });
    expect(begun(plane.audit, from).length).toBe(MOST_OUT);
    for (const node of nodes.slice(0, MOST_OUT)) agent.release(node);
    await expectDone('lost', nodes, from);
    expect((await passages(plane)).map(({ metadata: { uid } }) => uid)).toEqual(
      expect.arrayContaining(flying.map(({ metadata: { uid } }) => uid)),
    );
  });
});
