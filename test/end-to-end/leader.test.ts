import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HoldProxy, startHoldProxy, type Write } from '../control-plane/hold-proxy.ts';
import { createNodes } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { alone, atRest, begin, expectBack, expectOnePassage } from './alone.ts';
import { apply, type Ground, type Operator, startGround, startOperator } from './ground.ts';
import { acts, heardAt, identityOf, isOf, leads, line, overlapping, terms, withoutLease } from './leases.ts';
import { inPhase } from './seen.ts';
import { policy, profile, REPOSITORY } from './shop.ts';

/** The Lease lasts 30 s, the one that waits asks every 4 to 5 s, and this machine is shared. */
const TAKE_OVER_SECONDS = 45;

type Replica = { readonly operator: Operator; readonly proxy: HoldProxy };

let ground: Ground;
const replicas: Replica[] = [];
/** Held by the network rather than by their sender: what lands late is not what a replica sent late. */
const held = new Set<string>();

async function replica(): Promise<Replica> {
  const { plane } = ground;
  const proxy = await startHoldProxy(plane);
  const made = { operator: await startOperator(plane, { server: proxy.server }), proxy };
  replicas.push(made);
  await made.operator.ready();
  return made;
}

function theWrite(what: 'createJob' | 'uncordon'): (write: Write) => boolean {
  return ({ method, path, body }) =>
    what === 'createJob'
      ? method === 'POST' && path.endsWith('/jobs')
      : method === 'PATCH' && (body as { spec?: { unschedulable?: boolean } }).spec?.unschedulable === false;
}

let first: Replica;
let second: Replica;
let third: Replica;

beforeAll(async () => {
  ground = await startGround();
  const { plane, agent } = ground;
  agent.behave('*', { workSeconds: 0.1 });
  await apply(plane, [policy({ maxUnavailable: 4 }), profile({ prePull: false, drain: { mode: 'Cordon' } }, 'cordon')]);
  await createNodes(plane, ['killed', 'paused', 'refused', 'ended', 'a', 'b', 'c'].map(alone));
  first = await replica();
  await leads(plane, first.operator, 10);
  second = await replica();
});

afterAll(async () => {
  for (const { operator, proxy } of replicas) {
    operator.signal('CONT');
    await operator.end();
    await proxy.stop();
  }
  await ground?.stop();
});

/** Begins the upgrade of a node whose Job is refused and asked for again every five seconds: its image is not allowed. */
async function beginRefused(node: string): Promise<void> {
  const { plane } = ground;
  const image = `${elsewhere(node)}@sha256:${'0'.repeat(64)}`;
  await apply(plane, [profile({ prePull: false, drain: { mode: 'Cordon' }, image }, node)]);
  const from = plane.audit.mark();
  await begin(plane, node, node);
  const refused = () => plane.audit.events({ from, verb: 'create', resource: 'jobs', code: [403, 422] });
  await until(() => refused().length > 1, { what: 'the Job is refused' });
}

async function allow(node: string): Promise<void> {
  const spec = { images: [REPOSITORY, elsewhere(node)] };
  await ground.plane.admin.patch('/apis/drydock.dev/v1alpha1/maintenancepolicies/cluster', { spec });
}

function elsewhere(node: string): string {
  return `ghcr.io/elsewhere/${node}`;
}

function expectRightful(): void {
  const { audit } = ground.plane;
  const late = withoutLease(audit, ({ userAgent, uri, verb }) => !held.has(`${userAgent} ${verb} ${uri}`));
  expect(late.map(line)).toEqual([]);
  expect(overlapping(audit)).toEqual([]);
}

describe('two replicas', () => {
  it('the leader is killed with -9 while the create of its Job is on its way: the other carries on when the Lease is over', async () => {
    const { plane } = ground;
    const from = plane.audit.mark();
    const hold = first.proxy.hold({ at: 'before', match: theWrite('createJob') });
    await begin(plane, 'killed', 'cordon');
    const { userAgent } = await hold.reached;
    held.add(`${userAgent} create /apis/batch/v1/namespaces/drydock-jobs/jobs`);
    await first.operator.end();
    expect(acts(plane.audit, isOf(second.operator))).toEqual([]);
    await leads(plane, second.operator, TAKE_OVER_SECONDS);
    hold.release();
    await atRest(plane, 'killed');
    await expectOnePassage(ground, 'killed', from);
    expect(acts(plane.audit, isOf(second.operator)).length).toBeGreaterThan(5);
    expectRightful();
  });

  it('the leader is paused for longer than its Lease and woken: nothing it sends afterwards is done', async () => {
    const { plane } = ground;
    third = await replica();
    // What is overdue when it wakes comes before it has noticed how long it slept.
    await beginRefused('refused');
    const hold = second.proxy.hold({ at: 'before', match: theWrite('uncordon') });
    await begin(plane, 'paused', 'cordon');
    const { userAgent } = await hold.reached;
    held.add(`${userAgent} patch /api/v1/nodes/paused`);
    second.operator.signal('STOP');
    await leads(plane, third.operator, TAKE_OVER_SECONDS);
    await allow('refused');
    for (const node of ['refused', 'paused']) await atRest(plane, node);
    const woken = plane.audit.mark();
    const old = isOf(second.operator);
    second.operator.signal('CONT');
    hold.release();
    const follows = () => /does not lead any more/.test(second.operator.log());
    await until(follows, { what: 'the woken replica knows that it does not lead' });
    await until(() => plane.audit.events({ from: woken, where: old, verb: 'get', resource: 'leases' }).length > 1, {
      what: 'the woken replica competes again',
    });
    const sent = plane.audit.writes({ from: woken, where: old });
    expect(sent.filter(({ code }) => code < 300).map(line)).toEqual([]);
    // The one that was on its way when it was paused; of its own accord it sent none.
    expect(sent.map(({ code }) => code)).toEqual([409]);
    for (const node of ['refused', 'paused']) await expectBack(plane, node);
    const begins = acts(plane.audit, isOf(third.operator))[0]?.stageTimestamp ?? 0;
    const meanwhile = acts(plane.audit, (event) => old(event) && event.code < 300 && event.stageTimestamp > begins);
    expect(meanwhile.map(line)).toEqual([]);
  });

  it('SIGTERM: the leader ends with 0 within 5 s, starts nothing more and gives the Lease back; the other leads within 6 s', async () => {
    const { plane, agent } = ground;
    agent.behave('b', { workSeconds: 8 });
    const from = plane.audit.mark();
    await beginRefused('ended');
    for (const node of ['a', 'b', 'c']) await begin(plane, node, 'cordon');
    await inPhase(plane, 'b', ['Upgrading']);
    const [mine, heir] = [isOf(third.operator), identityOf(second.operator)];
    const asked = performance.now();
    const askedAt = Date.now();
    third.operator.signal('TERM');
    expect(await third.operator.exited).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5_000);
    const given = terms(plane.audit).filter(({ userAgent }) => userAgent.includes(identityOf(third.operator)));
    expect(given.at(-1)?.holder).toBe('');
    await leads(plane, second.operator, 10);
    const taken = terms(plane.audit).find(({ at, holder }) => at > askedAt && holder === heir);
    expect((taken?.at ?? Number.POSITIVE_INFINITY) - (given.at(-1)?.at ?? 0)).toBeLessThan(6_000);
    // A signal takes a moment to arrive, and what was sent before it one to be received; after the Lease there is nothing.
    const heard = heardAt(third.operator);
    expect(heard).toBeGreaterThanOrEqual(askedAt);
    const quiet = Math.min(heard + 1_000, given.at(-1)?.at ?? 0);
    expect(acts(plane.audit, (event) => mine(event) && event.time > quiet).map(line)).toEqual([]);
    await allow('ended');
    for (const node of ['a', 'b', 'c', 'ended']) await atRest(plane, node);
    expect(plane.audit.podDeletions({ from, where: mine })).toEqual([]);
    for (const node of ['a', 'b', 'c', 'ended'])
      expect(agent.works.filter((work) => work.node === node && work.job === 'upgrade').length).toBe(1);
    expectRightful();
  });
});
