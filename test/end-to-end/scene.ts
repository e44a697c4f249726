import type { Condition } from '../../src/api/field.ts';
import type { AuditEvent, AuditLog } from '../control-plane/audit.ts';
import type { Metadata } from '../control-plane/client.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { createNodes, type FakeNode, type Node, nodePath } from '../control-plane/nodes.ts';
import { until } from '../control-plane/until.ts';
import { apply, JOBS, USER } from './ground.ts';
import { allNodes, passages, paths, type SeenPolicy } from './seen.ts';
import { pdb } from './shop.ts';

const SHOP = '/api/v1/namespaces/shop';
const OWN = ['clusterupgrades', 'nodemaintenances', 'maintenancewindows', 'maintenanceprofiles'];

type Listed = { readonly metadata: Metadata };
type Pod = Listed & { readonly spec: { readonly nodeName?: string }; readonly status: { readonly phase: string } };
type Budget = { readonly metadata: Metadata; readonly status?: { readonly observedGeneration?: number } };

/** Sets a scene: nodes, then whatever is applied, then waits until the shop runs and its budgets are observed. */
export async function setScene(
  plane: ControlPlane,
  nodes: readonly FakeNode[],
  objects: readonly unknown[],
  pods = 0,
): Promise<void> {
  await createNodes(plane, nodes);
  if ((await plane.admin.find('/api/v1/namespaces/shop')) === undefined) await plane.createNamespace('shop');
  if (objects.length > 0) await apply(plane, objects);
  const runs = async () => {
    const all = await plane.admin.list<Pod>(`${SHOP}/pods`);
    const budgets = await plane.admin.list<Budget>('/apis/policy/v1/namespaces/shop/poddisruptionbudgets');
    return (
      all.filter(({ status }) => status.phase === 'Running').length >= pods &&
      budgets.every(({ metadata, status }) => status?.observedGeneration === metadata.generation)
    );
  };
  await until(runs, { what: `${pods} pods of the shop run`, seconds: 60 });
}

/** Strikes a scene, so that the next finds an empty stage: what is ours first, which must go by itself, then the rest. */
export async function strikeScene(plane: ControlPlane): Promise<void> {
  await deleteAll(plane, `/apis/batch/v1/namespaces/${JOBS}/jobs`);
  for (const kind of OWN) await deleteAll(plane, `/apis/drydock.dev/v1alpha1/${kind}`);
  const gone = async () => {
    const left = await Promise.all(
      ['clusterupgrades', 'nodemaintenances'].map((kind) => plane.admin.list(`/apis/drydock.dev/v1alpha1/${kind}`)),
    );
    return left.every(({ length }) => length === 0);
  };
  await until(gone, { what: 'upgrades and passages are gone', seconds: 60 });
  await deleteAll(plane, '/apis/apps/v1/namespaces/shop/deployments');
  await deleteAll(plane, '/apis/policy/v1/namespaces/shop/poddisruptionbudgets');
  for (const { metadata } of await allNodes(plane)) await plane.admin.delete(nodePath(metadata.name));
  const empty = async () => {
    for (const { metadata, spec } of await plane.admin.list<Pod>('/api/v1/pods')) {
      if (spec.nodeName === undefined) continue;
      const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
      await plane.admin.delete(path, { gracePeriodSeconds: 0 });
    }
    const { status } = await plane.admin.get<SeenPolicy>(paths.policy);
    return (status.tickets ?? []).length === 0 && (await allNodes(plane)).length === 0;
  };
  await until(empty, { what: 'no node and no ticket is left', seconds: 60 });
}

/** As `kubectl delete --all --wait=false` does. */
function deleteAll({ admin }: ControlPlane, path: string): Promise<void> {
  return admin.delete(path, { propagationPolicy: 'Background' });
}

/** A Deployment whose pods can run on one node only, with its budget. */
export function pinned(app: string, nodeName: string, budget?: Readonly<Record<string, unknown>>): readonly unknown[] {
  const template = {
    metadata: { labels: { app } },
    spec: {
      terminationGracePeriodSeconds: 1,
      nodeSelector: { 'kubernetes.io/hostname': nodeName },
      containers: [{ name: app, image: `shop/${app}` }],
    },
  };
  const spec = { replicas: 1, selector: { matchLabels: { app } }, template };
  const metadata = { name: app, namespace: 'shop' };
  return [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }, ...pdb(app, budget)];
}

/** The pods of an app. */
export async function podsOf(plane: ControlPlane, app: string): Promise<readonly Pod[]> {
  return plane.admin.list<Pod>(`${SHOP}/pods?labelSelector=app%3D${app}`);
}

/** The marks of ours on a node, parsed. */
export type Mark = {
  readonly nodeMaintenance: string;
  readonly previous: { readonly unschedulable: boolean };
  readonly reason?: string;
  readonly message?: string;
};

/** A mark on a node. */
export function markOn({ metadata }: Node, annotation: 'held-by' | 'left-cordoned'): Mark | undefined {
  const text = metadata.annotations?.[`drydock.dev/${annotation}`];
  return text === undefined ? undefined : (JSON.parse(text) as Mark);
}

/** Whether a node is cordoned. */
export function isCordoned({ spec }: Node): boolean {
  return spec.unschedulable === true;
}

/** A condition by its type. */
export function condition({ conditions }: { readonly conditions?: readonly Condition[] }, type: string) {
  const found = conditions?.find((one) => one.type === type);
  if (found === undefined) throw new Error(`there is no condition ${type}`);
  return found;
}

type NodePatch = {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string | null>> };
  readonly spec?: { readonly unschedulable?: boolean };
};

/** The mark that a patch of ours wrote on a node, if it wrote one. */
export function markIn({ requestObject }: AuditEvent): Mark | undefined {
  const written = (requestObject as NodePatch).metadata.annotations?.['drydock.dev/held-by'];
  return typeof written === 'string' ? (JSON.parse(written) as Mark) : undefined;
}

/** What Drydock asked of nodes, by what it was for: to take them, or to make them schedulable again; from the audit log. */
export function nodePatches(audit: AuditLog, from: number, as: 'cordon' | 'uncordon'): readonly AuditEvent[] {
  const isWanted = (event: AuditEvent) =>
    as === 'cordon' ? markIn(event) !== undefined : (event.requestObject as NodePatch).spec?.unschedulable === false;
  return audit.events({ user: USER, verb: 'patch', resource: 'nodes', from, where: isWanted });
}

/** The cordons (true) or uncordons (false) of Drydock that the API server took. */
export function cordons(audit: AuditLog, from: number, cordon: boolean): readonly AuditEvent[] {
  return nodePatches(audit, from, cordon ? 'cordon' : 'uncordon').filter(({ code }) => code === 200);
}

/** What Drydock began: tickets are written in the policy's status, so the first sign of a node taken is its passage. */
export function begun(audit: AuditLog, from: number): readonly AuditEvent[] {
  return audit.events({ user: USER, verb: 'create', resource: 'nodemaintenances', code: 201, from });
}

/** The upgrade Jobs that Drydock made, read from the audit log. */
export function upgradeJobs(audit: AuditLog, from: number): readonly AuditEvent[] {
  return audit.events({
    user: USER,
    verb: 'create',
    resource: 'jobs',
    code: 201,
    from,
    where: ({ requestObject }) =>
      (requestObject as { metadata: Metadata }).metadata.labels?.['drydock.dev/job'] === 'upgrade',
  });
}

/** How many tickets the ledger has, by node. */
export async function ticketed(plane: ControlPlane): Promise<readonly string[]> {
  const { status } = await plane.admin.get<SeenPolicy>(paths.policy);
  return (status.tickets ?? []).map(({ nodeName }) => nodeName).sort();
}

/** Phases by node, of every passage that there is, in the order of their creation. */
export async function phasesOn(plane: ControlPlane, nodeName: string): Promise<readonly string[]> {
  return (await passages(plane))
    .filter(({ spec }) => spec.nodeName === nodeName)
    .sort((a, b) => Number(a.spec.ticket?.split('-').at(-1)) - Number(b.spec.ticket?.split('-').at(-1)))
    .map(({ status }) => status.state.phase);
}
