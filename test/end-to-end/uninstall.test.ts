import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Metadata } from '../control-plane/client.ts';
import { type HoldProxy, startHoldProxy } from '../control-plane/hold-proxy.ts';
import { createNodes, nodePath, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { alone, atRest, begin, expectBack } from './alone.ts';
import {
  apply,
  type Ground,
  installByKubectl,
  JOBS,
  must,
  type Operator,
  SYSTEM,
  startGround,
  startOperator,
} from './ground.ts';
import { isCordoned, markOn, pinned, podsOf, ticketed } from './scene.ts';
import { inPhase, passageOn } from './seen.ts';
import { policy, profile } from './shop.ts';

type Object = { readonly metadata: Metadata };

const KINDS = [
  'clusterupgrades',
  'nodemaintenances',
  'maintenancepolicies',
  'maintenanceprofiles',
  'maintenancewindows',
];
const NODES = ['draining', 'idle', 'ended', 'running'];

let ground: Ground;
let operator: Operator;
let proxy: HoldProxy;

const settings = () => [
  policy({ maxUnavailable: 5 }),
  profile({ prePull: false, drain: { mode: 'Cordon' } }, 'cordon'),
  profile({ prePull: false }, 'drain'),
];

beforeAll(async () => {
  ground = await startGround();
  const { plane, agent } = ground;
  await plane.createNamespace('shop');
  await apply(plane, settings());
  await createNodes(plane, NODES.map(alone));
  for (const node of ['ended', 'running']) agent.behave(node, { hang: true, workSeconds: 0 });
  proxy = await startHoldProxy(plane);
  operator = await startOperator(plane, { server: proxy.server, args: ['--leader-elect', 'false'] });
  await operator.ready();
});

afterAll(async () => {
  await operator?.end();
  await proxy?.stop();
  await ground?.stop();
});

function jobs(): Promise<readonly Object[]> {
  return ground.plane.admin.list<Object>(`/apis/batch/v1/namespaces/${JOBS}/jobs`);
}

async function jobOn(node: string): Promise<Object | undefined> {
  return (await jobs()).find(({ metadata }) => metadata.annotations?.['drydock.dev/node'] === node);
}

/** One node waits for a pod that may not leave, one has a Job that was not released yet, two have Jobs at work. */
async function midway(): Promise<void> {
  const { plane, agent } = ground;
  await apply(plane, pinned('stubborn', 'draining', { minAvailable: 1 }));
  const runs = async () => (await podsOf(plane, 'stubborn')).some(({ status }) => status.phase === 'Running');
  await until(runs, { what: 'the pod that may not leave runs' });
  await begin(plane, 'draining', 'drain');
  await inPhase(plane, 'draining', ['Draining']);
  for (const node of ['ended', 'running']) {
    await begin(plane, node, 'cordon');
    await until(() => agent.works.some((work) => work.node === node), { what: `the Job on ${node} runs` });
  }
  const hold = proxy.hold({ at: 'before', match: ({ method, path }) => method === 'PATCH' && path.includes('/jobs/') });
  await begin(plane, 'idle', 'cordon');
  await hold.reached;
  await operator.end('KILL');
  hold.drop();
}

/** What somebody in a hurry does: the operator first, its namespace, every finalizer, then the definitions. */
async function uninstall(): Promise<void> {
  const { plane } = ground;
  await must(plane, ['delete', 'namespace', SYSTEM, '--timeout=60s']);
  for (const kind of KINDS) {
    const path = `/apis/drydock.dev/v1alpha1/${kind}`;
    for (const { metadata } of await plane.admin.list<Object>(path)) {
      await plane.admin.patch(`${path}/${metadata.name}`, { metadata: { finalizers: [] } });
    }
    await must(plane, ['delete', 'crd', `${kind}.drydock.dev`, '--timeout=60s']);
  }
}

async function leftBecause(node: string): Promise<string | undefined> {
  return markOn(await readNode(ground.plane, node), 'left-cordoned')?.reason;
}

describe('Drydock is uninstalled in the wrong order in the middle of its work, and installed again', () => {
  it('leaves four nodes cordoned with marks, two of them with a Job at work, and nothing that knows why', async () => {
    const { plane, agent } = ground;
    await midway();
    await uninstall();
    agent.release('ended');
    type Job = { readonly status?: { readonly succeeded?: number } };
    const ended = async () => ((await jobOn('ended')) as Job | undefined)?.status?.succeeded === 1;
    await until(ended, { what: 'a Job ends while nobody is there' });
    for (const node of NODES) {
      const seen = await readNode(plane, node);
      expect(isCordoned(seen)).toBe(true);
      expect(markOn(seen, 'held-by')).toBeDefined();
    }
    expect((await jobs()).length).toBe(3);
  });

  it('gives back what no Job has changed, and removes the Job that was never released', async () => {
    const { plane, agent } = ground;
    await installByKubectl(plane);
    await apply(plane, settings());
    operator = await startOperator(plane, { args: ['--leader-elect', 'false'] });
    await operator.ready();
    for (const node of ['draining', 'idle']) {
      await until(async () => !isCordoned(await readNode(plane, node)), { what: `${node} is given back` });
      await expectBack(plane, node);
    }
    await until(async () => (await jobOn('idle')) === undefined, { what: 'the idle Job is gone' });
    expect(agent.works.some(({ node }) => node === 'idle')).toBe(false);
  });

  it('leaves the node whose Job has ended for nobody cordoned, says so, and removes the Job', async () => {
    await until(async () => (await leftBecause('ended')) === 'Orphaned', { what: 'it says so' });
    expect(isCordoned(await readNode(ground.plane, 'ended'))).toBe(true);
    await until(async () => (await jobOn('ended')) === undefined, { what: 'its Job is gone' });
  });

  it('awaits the Job that still runs, then does the same with its node', async () => {
    const { plane, agent } = ground;
    // The pod of the Job that was removed may be there a moment longer than its Job.
    const job = (await jobOn('running'))?.metadata.name;
    const pods = await plane.admin.list<Object>(`/api/v1/namespaces/${JOBS}/pods?labelSelector=job-name=${job}`);
    expect(pods.map(({ metadata }) => metadata.deletionTimestamp)).toEqual([undefined]);
    expect(markOn(await readNode(plane, 'running'), 'held-by')).toBeDefined();
    expect(await ticketed(plane)).toContain('running');
    agent.release('running');
    await until(async () => (await leftBecause('running')) === 'Orphaned', { what: 'it says so' });
    await until(async () => (await jobs()).length === 0, { what: 'its Job is gone' });
  });

  it('forgets a node that a person has put back in service, and then serves it as any other', async () => {
    const { plane } = ground;
    for (const node of ['ended', 'running']) {
      await plane.admin.patch(nodePath(node), { spec: { unschedulable: false } });
      await until(async () => (await leftBecause(node)) === undefined, { what: `the mark of ${node} is gone` });
      await expectBack(plane, node);
    }
    await until(async () => (await ticketed(plane)).length === 0, { what: 'the ledger is empty' });
    await begin(plane, 'idle', 'cordon');
    await atRest(plane, 'idle');
    expect((await passageOn(plane, 'idle'))?.status.state.phase).toBe('Succeeded');
  });
});
