import { same } from './equal.ts';
import type { Etcd, Written } from './etcd.ts';
import type { Request } from './request.ts';
import { type Resource, resourceOf } from './resources.ts';
import type { Route } from './route.ts';

/** One line of an audit log (audit.k8s.io/v1), as far as it is filled in. */
export type AuditLine = {
  readonly kind: 'Event';
  readonly apiVersion: 'audit.k8s.io/v1';
  readonly level: 'Metadata' | 'Request';
  readonly auditID: string;
  readonly stage: 'ResponseComplete';
  readonly requestURI: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: Readonly<Record<string, string>>;
  readonly responseStatus: Readonly<Record<string, unknown>>;
  readonly requestObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
};

/** A request and what came of it. */
export type Answered = {
  readonly request: Request;
  readonly route: Route | undefined;
  readonly isWatch: boolean;
  readonly status: number;
  readonly body: unknown;
  /** In milliseconds of the model's time. */
  readonly receivedAt: number;
  readonly answeredAt: number;
  readonly id: string;
};

const VERB: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

/** What a request is called in the audit log and in discovery. */
export function verbOf(method: string, named: boolean, isWatch: boolean): string {
  if (isWatch) return 'watch';
  if (method === 'GET') return named ? 'get' : 'list';
  if (method === 'DELETE') return named ? 'delete' : 'deletecollection';
  return VERB[method] ?? method.toLowerCase();
}

/** The line of a request that was answered. */
export function lineOf(answered: Answered): AuditLine {
  const { request, route, isWatch, status, body, receivedAt, answeredAt, id } = answered;
  const verb = verbOf(request.method, route?.name !== undefined || route === undefined, isWatch);
  const asked = request.body as Named | undefined;
  const name =
    route?.name ?? asked?.metadata?.name ?? (verb === 'create' ? (body as Named)?.metadata?.name : undefined);
  const { reason, message } = (body ?? {}) as { readonly reason?: string; readonly message?: string };
  const refusal =
    status < 400 ? {} : { status: 'Failure', ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: asked === undefined ? 'Metadata' : 'Request',
    auditID: id,
    stage: 'ResponseComplete',
    requestURI: request.path,
    verb,
    user: { username: request.user },
    ...(request.userAgent === undefined ? {} : { userAgent: request.userAgent }),
    ...(route === undefined ? {} : { objectRef: reference(route.resource, { ...route, name }) }),
    responseStatus: { metadata: {}, ...refusal, code: status },
    ...(asked === undefined ? {} : { requestObject: asked }),
    requestReceivedTimestamp: micro(receivedAt),
    stageTimestamp: micro(answeredAt),
  };
}

type Named = { readonly metadata?: { readonly name?: string } };

function reference(
  { plural, group, version }: Resource,
  { namespace, name, subresource }: { namespace?: string; name?: string | undefined; subresource?: string | undefined },
): Readonly<Record<string, string>> {
  return {
    resource: plural,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(group === '' ? {} : { apiGroup: group }),
    apiVersion: version,
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** The API server writes microseconds. */
function micro(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, -1)}000Z`;
}

/** What the trail of the controllers needs. */
export type Trail = {
  readonly etcd: Etcd;
  readonly now: () => number;
  readonly id: () => string;
  /** Whose request is being answered at this moment: what they write has the line of the request. */
  readonly asking: () => string | undefined;
  readonly tell: (line: AuditLine) => void;
};

/** The controllers of the model write without a request; the audit log shows their writes as if they had asked. */
export function followControllers({ etcd, now, id, asking, tell }: Trail): () => void {
  return etcd.subscribe((written) => {
    if (written.by !== asking()) tell(lineOfWrite(written, now(), id()));
  });
}

function lineOfWrite({ resource: of, before, after, last, by }: Written, now: number, id: string): AuditLine {
  const resource = resourceOf(of);
  const { name, namespace } = last.metadata;
  const verb = before === undefined ? 'create' : after === undefined ? 'delete' : 'update';
  const isStatus =
    verb === 'update' &&
    resource.hasStatus &&
    !same(before?.status, after?.status) &&
    same(before?.spec, after?.spec) &&
    before?.metadata.deletionTimestamp === after?.metadata.deletionTimestamp;
  const place = {
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(isStatus ? { subresource: 'status' } : {}),
  };
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const below = `${namespace === undefined ? '' : `/namespaces/${namespace}`}/${resource.plural}`;
  const path = `${root}${below}${verb === 'create' ? '' : `/${name}`}${isStatus ? '/status' : ''}`;
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: after === undefined ? 'Metadata' : 'Request',
    auditID: id,
    stage: 'ResponseComplete',
    requestURI: path,
    verb,
    user: { username: userOf(by) },
    objectRef: reference(resource, place),
    responseStatus: { metadata: {}, code: verb === 'create' ? 201 : 200 },
    ...(after === undefined ? {} : { requestObject: after }),
    requestReceivedTimestamp: micro(now),
    stageTimestamp: micro(now),
  };
}

/** Who a part of the cluster is to its API server; within the model it goes by a shorter name. */
function userOf(by: string): string {
  if (by.startsWith('kubelet/')) return `system:node:${by.slice('kubelet/'.length)}`;
  if (by === 'scheduler') return 'system:kube-scheduler';
  return by.endsWith('-controller') ? `system:serviceaccount:kube-system:${by}` : by;
}
