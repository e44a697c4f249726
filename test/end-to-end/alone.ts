import { expect } from 'vitest';
import type { Metadata } from '../control-plane/client.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { nodePath, readNode } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { type Ground, JOBS, USER } from './ground.ts';
import { cordons, upgradeJobs } from './scene.ts';
import { isTrue, passages, paths, type SeenPolicy, type SeenUpgrade } from './seen.ts';
import { upgrade } from './shop.ts';

const ALONE = 'test.drydock.dev/alone';
const MEMORY = 'drydock.node-restriction.kubernetes.io/';

/** A node that one upgrade, which has its name, selects and no other. */
export function alone(name: string) {
  return { name, labels: { [ALONE]: name } };
}

/** The upgrade of one node, to a revision that a label remembers. */
export function upgradeOf(node: string, profileName: string): unknown {
  const selector = { matchLabels: { [ALONE]: node } };
  return upgrade(
    { profileName, target: { revision: 'r1' }, nodes: { selector }, rollout: { maxUnavailable: 1 } },
    node,
  );
}

/** Creates an upgrade without kubectl, which would take longer than what is tested. */
export async function begin(plane: ControlPlane, node: string, profileName: string): Promise<void> {
  await plane.admin.create('/apis/drydock.dev/v1alpha1/clusterupgrades', upgradeOf(node, profileName));
}

/** Whether nothing of the upgrade is left to do: no finalizer, no ticket, no Job. */
export async function isAtRest(plane: ControlPlane, node: string): Promise<boolean> {
  const seen = await plane.admin.find<SeenUpgrade>(paths.upgrade(node));
  if (seen === undefined || !isTrue(seen.status, 'Ready') || (seen.metadata.finalizers ?? []).length > 0) return false;
  const policy = await plane.admin.find<SeenPolicy>(paths.policy);
  if (policy === undefined || (policy.status.tickets ?? []).length > 0 || (policy.metadata.finalizers ?? []).length > 0)
    return false;
  const own = (await passages(plane)).filter(({ spec }) => spec.nodeName === node);
  if (own.some(({ metadata }) => (metadata.finalizers ?? []).length > 0)) return false;
  return (await plane.admin.list(`/apis/batch/v1/namespaces/${JOBS}/jobs`)).length === 0;
}

/** Waits until nothing of the upgrade is left to do. */
export function atRest(plane: ControlPlane, node: string, seconds = 60): Promise<unknown> {
  return until(() => isAtRest(plane, node), { what: `the upgrade of ${node} is at rest`, seconds });
}

/** Whatever happened on the way: one passage, one Job that ran once, one cordon and one uncordon, and nothing left. */
export async function expectOnePassage({ plane, agent }: Ground, node: string, from: number): Promise<void> {
  const { audit } = plane;
  const own = (await passages(plane)).filter(({ spec }) => spec.nodeName === node);
  expect(own.map(({ status }) => status.state.phase)).toEqual(['Succeeded']);
  const sent = audit.events({ user: USER, verb: 'create', resource: 'nodemaintenances', code: 201, from });
  expect(sent.length).toBe(1);
  expect(new Set(upgradeJobs(audit, from).map(({ requestObject }) => nameIn(requestObject))).size).toBe(1);
  const released = audit.events({ user: USER, verb: 'patch', resource: 'jobs', code: 200, from });
  expect(released.length).toBe(1);
  expect(agent.works.filter((work) => work.node === node && work.job === 'upgrade').length).toBe(1);
  expect(cordons(audit, from, true).length).toBe(1);
  expect(cordons(audit, from, false).length).toBe(1);
  await expectBack(plane, node);
  expect((await readNode(plane, node)).metadata.labels?.[`${MEMORY}${node}`]).toBe('r1');
}

/** The node is as it was before anybody touched it. */
export async function expectBack(plane: ControlPlane, node: string): Promise<void> {
  const { spec, metadata } = await plane.admin.get<{ spec: { unschedulable?: boolean }; metadata: Metadata }>(
    nodePath(node),
  );
  expect(spec.unschedulable ?? false).toBe(false);
  const marks = Object.keys(metadata.annotations ?? {}).filter((key) =>
    /drydock\.dev\/(held|left)|autoscaler/.test(key),
  );
  expect(marks).toEqual([]);
}

function nameIn(object: unknown): string {
  return (object as { readonly metadata: Metadata }).metadata.name;
}
