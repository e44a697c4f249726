import { expect } from 'vitest';
import type { Answer, Asker, Body, Line, Reader } from './asker.ts';

/** The content types of patches. */
export const MERGE = 'application/merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';
export const STRATEGIC = 'application/strategic-merge-patch+json';
export const APPLY = 'application/apply-patch+yaml';

/** Where our own kinds are served. */
export const OURS = '/apis/drydock.dev/v1alpha1';

/** Paths of collections in a namespace. */
export const configMaps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
export const pods = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`;
export const budgets = (namespace: string) => `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
export const jobs = (namespace: string) => `/apis/batch/v1/namespaces/${namespace}/jobs`;
export const leases = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
/** Paths of collections without one. */
export const NODES = '/api/v1/nodes';
export const NAMESPACES = '/api/v1/namespaces';
export const WINDOWS = `${OURS}/maintenancewindows`;
export const PASSAGES = `${OURS}/nodemaintenances`;

type Fields = { readonly [field: string]: unknown };

/** A ConfigMap: the plainest object there is. */
export const configMap = (name: string, data: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

/** A pod that no scheduler looks at; bound where `spec` names a node. */
export const pod = (name: string, spec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'main', image: 'main' }], schedulerName: 'nobody', ...spec },
});

/** A PodDisruptionBudget over the pods with a label `app`. */
export const budget = (name: string, spec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, ...metadata },
  spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } }, ...spec },
});

const FREEZE = { name: 'year-end', from: '2026-12-20T00:00:00Z', until: '2027-01-04T00:00:00Z' };

/** A window that is open but for a freeze. */
export const window = (name: string, spec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: 'drydock.dev/v1alpha1',
  kind: 'MaintenanceWindow',
  metadata: { name, ...metadata },
  spec: { timeZone: 'UTC', freezes: [FREEZE], ...spec },
});

/** A node taken out by hand. */
export const held = (name: string, spec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: 'drydock.dev/v1alpha1',
  kind: 'NodeMaintenance',
  metadata: { name, ...metadata },
  spec: { nodeName: 'worker-1', hold: true, reason: 'replace a fan', ...spec },
});

/** Asks for an object, a list, or their end. */
export const get = (on: Asker, path: string) => on.ask({ method: 'GET', path });
export const post = (on: Asker, path: string, body: unknown) => on.ask({ method: 'POST', path, body });
export const put = (on: Asker, path: string, body: unknown) => on.ask({ method: 'PUT', path, body });
export const patch = (on: Asker, path: string, body: unknown, contentType = MERGE) =>
  on.ask({ method: 'PATCH', path, body, contentType });
export const drop = (on: Asker, path: string, body?: unknown) =>
  on.ask({ method: 'DELETE', path, ...(body === undefined ? {} : { body }) });

/** Asks and insists that it was done. */
export async function done(answer: Promise<Answer>): Promise<Body> {
  const { status, body } = await answer;
  expect(status, body.message).toBeLessThan(300);
  return body;
}

/** Insists on a refusal: its code, its reason, and what else is said of it. */
export async function refused(answer: Promise<Answer>, code: number, reason: string, more: Fields = {}): Promise<Body> {
  const { status, body } = await answer;
  expect({ status, reason: body.reason, message: body.message }).toMatchObject({ status: code, reason });
  expect(body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, ...more });
  return body;
}

/** The field causes of a refusal. */
export function causes(
  body: Body,
): readonly { readonly reason?: string; readonly field?: string; readonly message?: string }[] {
  return (body.details as { readonly causes?: readonly Fields[] } | undefined)?.causes ?? [];
}

/** Waits until an object is gone. */
export const gone = (on: Asker, path: string) =>
  on.settle(`${path} is gone`, async () => (await get(on, path)).status === 404);

/** An open watch; it must not be refused. */
export async function opened(on: Asker, path: string): Promise<Reader> {
  const watch = await on.watch(path);
  if ('status' in watch) throw new Error(`the watch was refused: ${watch.status} ${watch.body.message}`);
  return watch;
}

/** The next lines of a watch, as type, name and revision. */
export async function lines(reader: Reader, count: number): Promise<readonly Line[]> {
  const read: Line[] = [];
  while (read.length < count) {
    const line = await reader.next();
    if (line === undefined) break;
    read.push(line);
  }
  return read;
}
